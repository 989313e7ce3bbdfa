package decisions

import (
	"errors"
	"testing"

	"github.com/sluice-hq/sluice/stats"
)

// Whoever goes back to a stage of other arms has what was frozen for the ones he
// leaves forgotten, as whoever goes on has; the full stage has the units of
// before.
func TestReturn_forgetsWhatWasFrozenForOthers(t *testing.T) {
	swapped := &Arms{Control: "gate_40", Treatment: "gate_30"}
	for _, c := range []struct {
		name string
		left Stage
		kept bool
	}{
		{"the same arms", Stage{Name: "experiment", Treatment: 50_000, Decide: true}, true},
		{"other arms", Stage{Name: "experiment", Treatment: 50_000, Decide: true, Arms: swapped}, false},
		{"the full stage", Stage{Name: "full", Serve: "treatment"}, true},
	} {
		p := catsPlan()
		p.Stages[1] = c.left
		r := Rollout{Plan: p, Standing: Standing{Stage: 1, Status: Running, Frozen: map[string]stats.Frozen{"day_7_retention": {}}}}
		r.retreat(Decision{From: 1, By: lee, Verdict: Verdict{Action: Reduce, Stage: 0}}, noon)
		if kept := len(r.Frozen) > 0; kept != c.kept || r.Stage != 0 {
			t.Errorf("%s: in stage %d, kept %t, want %t", c.name, r.Stage, kept, c.kept)
		}
	}
}

// What has been cleaned up is not taken up again: nobody would remind of it or
// close it a second time.
func TestForward_afterTheCleanup(t *testing.T) {
	h := newHouse(t)
	h.begin(catsPlan())
	h.do(Command{Op: OpRollback, Comment: "stop"})
	h.step()
	h.do(Command{Op: OpExplain, Comment: "a cable"})
	r := h.rollout()
	c := Command{Op: OpForward, Environment: "production", Flag: "gate", At: h.now, Actor: ana, Comment: "on"}
	if _, err := h.state.forward(r, c); err != nil {
		t.Fatal(err)
	}
	r.Closed = &Closed{How: ByKeeping}
	if _, err := h.state.forward(r, c); !errors.Is(err, ErrRefused) {
		t.Errorf("after its cleanup it goes on: %v", err)
	}
}
