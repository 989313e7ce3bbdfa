package server

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/sluice-hq/sluice/ingest"
	"github.com/sluice-hq/sluice/internal/access"
)

// FactsView says how far the facts are: what is acknowledged, what of it is
// countable, and whether anything is missing.
type FactsView struct {
	Shards      []ShardView `json:"shards"`
	Events      uint64      `json:"events" doc:"different events that are stored"`
	Reports     uint64      `json:"reports" doc:"of these: counts of evaluations, which replicas report themselves"`
	DeadLetters uint64      `json:"deadLetters" doc:"events that wait there"`
	Unaccounted int64       `json:"unaccounted" doc:"events that were loaded and are neither stored nor dead; 0 when all is well"`
	Control     ShardView   `json:"control" doc:"the control log"`
	ControlRows uint64      `json:"controlRows" doc:"events of the control log that are stored"`
}

// ShardView is how far one stream is loaded.
type ShardView struct {
	ingest.Progress
	Last uint64 `json:"last" doc:"sequence of the last message that is acknowledged"`
}

// Accounts tells how far the facts are.
type Accounts interface {
	Facts(ctx context.Context) (FactsView, error)
	Letters(ctx context.Context, f ingest.LetterFilter) ([]ingest.Letter, error)
}

type factsOut struct{ Body FactsView }

func (s *server) getFacts(ctx context.Context, _ *struct{}) (*factsOut, error) {
	if s.Accounts == nil {
		return nil, fmt.Errorf("this replica loads no facts: %w", errNoSuch)
	}
	v, err := s.Accounts.Facts(ctx)
	return &factsOut{Body: v}, err
}

type lettersIn struct {
	Page
	Reason string `query:"reason" doc:"why they cannot be counted, such as unknown_metric"`
	Name   string `query:"name" doc:"of the metric event"`
}

type lettersOut struct {
	Link string `header:"Link" doc:"the next page"`
	Body struct {
		Total   int             `json:"total"`
		Letters []ingest.Letter `json:"letters" doc:"newest first"`
		Next    string          `json:"next,omitempty" doc:"cursor of the next page"`
	}
}

func (s *server) listLetters(ctx context.Context, in *lettersIn) (*lettersOut, error) {
	if s.Accounts == nil {
		return nil, fmt.Errorf("this replica loads no facts: %w", errNoSuch)
	}
	all, err := s.Accounts.Letters(ctx, ingest.LetterFilter{Reason: ingest.Reason(in.Reason), Name: in.Name})
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(l ingest.Letter) bool { return !sees(ctx, l.Environment, access.AnyKey) })
	out := &lettersOut{}
	out.Body.Total = len(all)
	slices.Reverse(all)
	page, next, err := cut(in.Page, byLetter(), all)
	out.Body.Letters, out.Body.Next, out.Link = page, next.cursor, next.link
	return out, err
}

// byLetter is the order of dead letters, which are sorted by no field of
// theirs: a page begins behind the very letter that the one before ended with.
func byLetter() order[ingest.Letter] {
	passed := false
	return order[ingest.Letter]{"dlq", func(l ingest.Letter) string { return l.ID }, func(l ingest.Letter, place string) bool {
		was := passed
		passed = passed || l.ID == place
		return was
	}}
}

func newestFirst(list []DecisionView) {
	slices.SortFunc(list, func(a, b DecisionView) int {
		if a.Seq != b.Seq {
			return int(b.Seq) - int(a.Seq)
		}
		return strings.Compare(a.ID, b.ID)
	})
}
