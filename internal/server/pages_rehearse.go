package server

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/sluice-hq/sluice/dashboards"
	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/internal/manifest"
)

// A rehearsal that somebody waits for: its runs, its looks, and how long he
// waits. It looks as often as so many looks allow.
const (
	briefSeeds = 20
	briefLooks = 50_000
	briefTime  = 30 * time.Second
)

// briefSteps are how many runs a page shows one after the other. Each begins
// with the runs of the one before, so that nothing is kept in between; all
// together cost less than half as much again as the last alone.
func briefSteps() []int { return []int{2, 6, briefSeeds} }

// runsAsked is how many runs somebody asks for, 0 where he asks for no
// rehearsal. What is no step of ours is the first one.
func runsAsked(do, text string) int {
	if do != "rehearse" {
		return 0
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > briefSeeds {
		return briefSteps()[0]
	}
	return n
}

// nextRuns is how many runs come after those that took so long: the next step
// that somebody waits for, 0 for none.
func nextRuns(done int, took time.Duration) int {
	for _, n := range briefSteps() {
		if n > done && took*time.Duration(n)/time.Duration(done) < briefTime {
			return n
		}
	}
	return 0
}

// rehearseBriefly rehearses a plan with so many runs within the time that a
// person waits.
func (s *server) rehearseBriefly(ctx context.Context, text string, runs int) (*dashboards.PlanRehearsal, error) {
	in := &rehearsalsIn{PastIn: PastIn{Days: 14}, RawBody: []byte(text)}
	out, err := s.rehearsePlans(ctx, in)
	if err != nil {
		return nil, err
	}
	every := out.Body.Rehearsals[0].spaced(briefSeeds, briefLooks)
	in.Seeds, in.Seed = runs, 1
	in.RawBody = fmt.Appendf(in.RawBody, "\n---\napiVersion: %s\nkind: Rehearsal\nsettings: {every: %s}\n", manifest.APIVersion, every)
	began := s.Now()
	ctx, stop := context.WithTimeout(ctx, briefTime)
	defer stop()
	if out, err = s.rehearsePlans(ctx, in); errors.Is(err, context.DeadlineExceeded) {
		return nil, event.Invalid{Path: "stages", Why: fmt.Sprintf("take longer to rehearse than the %s that a page waits", briefTime), Fix: "carry it out with sluice rehearse plan.yaml, which has no bound"}
	}
	if err != nil {
		return nil, err
	}
	return dashboards.NewPlanRehearsal(dashboards.Rehearsed{Report: *out.Body.Rehearsals[0].Report, Every: every, Of: briefSeeds, Next: nextRuns(runs, s.Now().Sub(began))}), nil
}
