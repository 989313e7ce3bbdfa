package decisions

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/event/eventtest"
)

// told is a decision that acts, as the story tells it: without hashes and
// sequences. Holds are left out: the controller that follows looks once more.
type told struct {
	Action Action
	Reason string
	From   int
	Effect bool
}

// story runs a release that is rolled back, with a controller that dies at one
// step and is followed by another at the same moment.
func story(t *testing.T, killAt int, after bool) (out []told, steps int) {
	h := newHouse(t)
	m := &eventtest.Mortal{Log: h.log, Blobs: h.blobs, KillAt: killAt, After: after}
	step := func() {
		c := h.controller(h.part, m)
		c.Blobs = m
		err := c.Step(h.ctx, h.now)
		if m.Dead {
			if !errors.Is(err, eventtest.ErrKilled) {
				t.Fatalf("killed at step %d: %v", killAt, err)
			}
			m = &eventtest.Mortal{Log: h.log, Blobs: h.blobs}
			c = h.controller(h.part, m)
			err = c.Step(h.ctx, h.now)
		}
		h.must(err)
	}
	h.do(Command{Op: OpPlan, Plan: ptr(catsPlan())})
	h.do(Command{Op: OpStart})
	step()
	tr := newTraffic(harmful)
	for range 8 {
		h.send(tr, 1500)
		step()
	}
	if report := h.verified(); len(report.Pending) > 0 {
		t.Errorf("killed at step %d (after: %t): pending %v", killAt, after, report.Pending)
	}
	for _, d := range h.rollout().Decisions {
		if d.Verdict.Action.Actuating() {
			out = append(out, told{Action: d.Verdict.Action, Reason: d.Verdict.Reason, From: d.From, Effect: d.Effect > 0})
		}
	}
	return out, m.Steps
}

func TestKilledBetweenEachPairOfSteps(t *testing.T) {
	want, steps := story(t, 0, false)
	if steps < 10 || len(want) != 3 || want[len(want)-1].Action != Rollback {
		t.Fatalf("the story has %d steps and ends in %+v, want a rollback", steps, want[len(want)-1])
	}
	for n := 1; n <= steps; n++ {
		for _, after := range []bool{false, true} {
			got, _ := story(t, n, after)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("killed at step %d (after: %t), -want +got:\n%s", n, after, diff)
			}
		}
	}
	t.Logf("%d steps, each killed before and after; %d decisions each time", steps, len(want))
}

// Two controllers, each with its own folds of the one log, step at the same
// time through a whole release.
func TestTwoControllersDecideOnce(t *testing.T) {
	h := newHouse(t)
	parts := []part{h.part, h.open(h.log)}
	both := func() {
		var wait sync.WaitGroup
		errs := make([]error, len(parts))
		for i, p := range parts {
			c := h.controller(p, h.log)
			c.Looks = nil
			wait.Go(func() { errs[i] = c.Step(h.ctx, h.now) })
		}
		wait.Wait()
		h.must(errors.Join(errs...))
		last, err := h.log.Last(h.ctx)
		h.must(err)
		h.must(h.proj.Wait(h.ctx, last))
	}
	h.do(Command{Op: OpPlan, Plan: ptr(catsPlan())})
	h.do(Command{Op: OpStart})
	both()
	tr := newTraffic(harmful)
	for range 40 {
		h.send(tr, 500)
		both()
		if h.rollout().Status == RolledBack {
			break
		}
	}
	h.want(Rollback, "guardrail day_7_retention breached")
	if report := h.verified(); report.Effect.Checked != report.Cause.Checked || len(report.Pending) > 0 {
		t.Errorf("report %+v", report)
	}
	mine, theirs := marks(t, h, parts[0]), marks(t, h, parts[1])
	if mine != theirs {
		t.Errorf("the two folds differ: %+v and %+v", mine, theirs)
	}
}

func marks(t *testing.T, h *house, p part) string {
	t.Helper()
	last, err := h.log.Last(h.ctx)
	h.must(err)
	h.must(p.proj.Wait(h.ctx, last))
	m, err := p.proj.Mark()
	h.must(err)
	return fmt.Sprintf("%+v", m)
}

// A zombie that was stopped for long wakes up with an old view and finds that
// everything is done.
func TestAZombieChangesNothing(t *testing.T) {
	h := newHouse(t)
	h.do(Command{Op: OpPlan, Plan: ptr(catsPlan())})
	h.do(Command{Op: OpStart})
	woken := false
	zombie := h.controller(h.part, &meddler{Log: h.log, before: TypeMade, do: func() {
		woken = true
		h.step() // another controller does the whole step meanwhile
	}})
	h.must(zombie.Step(h.ctx, h.now))
	if !woken || len(h.rollout().Decisions) != 1 {
		t.Errorf("woken %t, decisions %+v, want one", woken, h.rollout().Decisions)
	}
	h.verified()
}
