package harness

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/internal/natslog"
)

// TestTogether lets eight people give the same command in the same moment,
// against the log that the service has: one is done, and each of the others
// learns that somebody was faster.
func TestTogether(t *testing.T) {
	store, err := natslog.Open(t.Context(), natslog.Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	w := newWorldOn(t, store.Log)
	t.Cleanup(func() {
		if err := store.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	source, err := os.ReadFile("testdata/rivals.txt")
	if err != nil {
		t.Fatal(err)
	}
	documents, _, _ := strings.Cut("apply"+strings.SplitN(string(source), "\napply", 2)[1], "\n----")
	for _, command := range []string{documents, "start", "traffic users=200 rounds=1 day_1_retention=0.45:0.45 day_7_retention=0.30:0.30"} {
		if said := w.run(t, command); strings.Contains(said, "refused") {
			t.Fatalf("%s: %s", command, said)
		}
	}
	for _, op := range []decisions.Op{decisions.OpHold, decisions.OpResume, decisions.OpAdvance, decisions.OpOverride, decisions.OpReject} {
		before, _ := w.rollout()
		done, conflicts := w.race(op, 8)
		if done != 1 || conflicts != 7 {
			t.Errorf("%s: %d of 8 were done, %d conflicts", op, done, conflicts)
		}
		if err := w.step(); err != nil {
			t.Fatal(err)
		}
		after, _ := w.rollout()
		if op == decisions.OpAdvance && after.Stage != before.Stage+1 {
			t.Errorf("eight who want the next stage take the rollout from stage %d to %d", before.Stage, after.Stage)
		}
		w.run(t, "traffic users=200 rounds=1 day_1_retention=0.45:0.45 day_7_retention=0.30:0.30")
	}
	if r, _ := w.rollout(); r.Status != decisions.RolledBack {
		t.Errorf("in the end it is %s", r.Status)
	}
	if said, err := w.verify(); err != nil || !strings.HasPrefix(said, "laws hold: true") {
		t.Errorf("%s, %v", said, err)
	}
}

// race lets n people give a command, all of whom saw the rollout as it is now.
func (w *world) race(op decisions.Op, n int) (done, conflicts int) {
	r, _ := w.rollout()
	var group sync.WaitGroup
	errs := make([]error, n)
	for i := range n {
		c := w.command(op, words{"by": fmt.Sprint("p", i), "because": "it is time"})
		c.Expect = event.Expect(r.Seq)
		group.Go(func() { errs[i] = w.give(c) })
	}
	group.Wait()
	for _, err := range errs {
		switch {
		case err == nil:
			done++
		case errors.Is(err, event.ErrConflict):
			conflicts++
		}
	}
	return done, conflicts
}

// give carries a command out as a replica does.
func (w *world) give(c decisions.Command) error {
	var e event.Event
	var expect event.Expect
	var err error
	w.house.View(func(uint64) { e, expect, err = w.state.Handle(c) })
	return w.write(e, expect, err)
}
