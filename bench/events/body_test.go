package main

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/ingest"
)

// plan is what the door knows: any flag and metric, with a rollout.
type plan struct{}

func (plan) Known(_, _ string) bool { return true }

func (plan) Assigned(_, _ string, revision uint64, variant string) (ingest.Assignment, bool) {
	return ingest.Assignment{Rollout: rolloutID, Stage: "experiment", Epoch: 1, Arm: variant}, revision == 7
}

func (plan) UnitKind(string, string, uint64) string { return "user" }

func (plan) Declared(string) bool { return true }

// TestBody lets two bodies through the door: every event must be taken, and be
// another one, or what is measured is how fast Sluice refuses or repeats.
func TestBody(t *testing.T) {
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	door := &ingest.Door{Flags: plan{}, Metrics: plan{}, Key: []byte(strings.Repeat("k", 32))}
	d := newBody(7, rand.New(rand.NewPCG(1, 1)))
	seen := map[event.ID]bool{}
	for range 2 {
		taken, err := door.Accept("production", d.next(now), now)
		if err != nil || len(taken.Rejected)+len(taken.Dead) > 0 {
			t.Fatalf("%v, rejected %+v", err, taken.Rejected)
		}
		if taken.Count != requestEvents || len(taken.Exposures) != requestExposures || len(taken.Metrics) != requestEvents-requestExposures {
			t.Errorf("%d events, %d exposures, %d metric events", taken.Count, len(taken.Exposures), len(taken.Metrics))
		}
		for _, e := range taken.Exposures {
			seen[e.ID] = true
			if e.Rollout != rolloutID || !e.Enrolled || !e.At.Equal(now) {
				t.Fatalf("an exposure that counts nowhere: %+v", e)
			}
		}
		for _, m := range taken.Metrics {
			seen[m.ID] = true
		}
	}
	if len(seen) != 2*requestEvents {
		t.Errorf("%d different events in two bodies", len(seen))
	}
}
