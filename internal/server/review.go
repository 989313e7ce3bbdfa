package server

import (
	"context"
	"slices"
	"time"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/event"
)

// ReviewView is what happened to releases in a time, and the flags that are
// overdue at its end.
type ReviewView struct {
	decisions.Digest
	Stale []StaleFlag `json:"stale" doc:"flags that are overdue now, by key"`
}

// StaleFlag is a flag that is overdue, and why.
type StaleFlag struct {
	Key     string   `json:"key"`
	Owner   string   `json:"owner"`
	Reasons []string `json:"reasons"`
}

type reviewIn struct {
	Since string `query:"since" default:"7d" doc:"how far back: a duration such as 7d, or a time"`
}

type reviewOut struct{ Body ReviewView }

// getReview answers with what whoever asks may see.
func (s *server) getReview(ctx context.Context, in *reviewIn) (*reviewOut, error) {
	until := s.Now()
	from, err := since(in.Since, until)
	if err != nil {
		return nil, err
	}
	out := &reviewOut{Body: ReviewView{
		Digest: decisions.NewDigest(s.visible(ctx), s.visibleIncidents(ctx), from, until), Stale: []StaleFlag{},
	}}
	s.Projection.View(func(uint64) {
		for _, key := range s.Flags.Keys() {
			f, ok := s.Flags.Flag(key)
			if life := s.life(f); ok && defines(ctx, key) && life.Stale {
				out.Body.Stale = append(out.Body.Stale, StaleFlag{Key: key, Owner: f.Owner, Reasons: life.Reasons})
			}
		}
	})
	return out, nil
}

// visibleIncidents are those that whoever asks may see.
func (s *server) visibleIncidents(ctx context.Context) []decisions.Reported {
	var all []decisions.Reported
	s.Projection.View(func(uint64) { all = s.Rollouts.AllIncidents() })
	return slices.DeleteFunc(all, func(i decisions.Reported) bool { return !sees(ctx, i.Environment, i.Flag) })
}

// since reads how far back something reaches.
func since(text string, now time.Time) (time.Time, error) {
	if d, err := event.ParseDuration(text); err == nil {
		return now.Add(-time.Duration(d)), nil
	}
	for _, form := range []string{time.RFC3339, time.DateOnly} {
		if at, err := time.Parse(form, text); err == nil && at.Before(now) {
			return at, nil
		}
	}
	return time.Time{}, event.Invalids{{Path: "since", Value: text, Why: "is neither a duration nor a time that has passed", Fix: "write one such as 7d, or 2026-11-01"}}
}
