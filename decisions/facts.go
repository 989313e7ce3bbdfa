package decisions

import (
	"context"
	"time"
)

// Facts counts what happened under a rollout. The warehouse implements it, by
// way of package main; MemFacts is the version in memory.
type Facts interface {
	// Evidence returns what is counted of the rollout up to the watermark: all
	// of Evidence but what Read computes and the controller knows itself (flag
	// revision, open incidents). An error means that nothing can be said; it
	// never stands for "no data".
	Evidence(ctx context.Context, r Rollout, now time.Time) (Evidence, error)
}

// Look is one evaluation, recorded or not, for a picture of the gate over time.
type Look struct {
	Rollout  string    `json:"rollout"`
	At       time.Time `json:"at"`
	Stage    string    `json:"stage,omitempty"` // that the rollout was in; empty before the first
	Verdict  Verdict   `json:"verdict"`
	Evidence Evidence  `json:"evidence"`
	Decision string    `json:"decision,omitempty"` // ID, when the verdict was recorded
}
