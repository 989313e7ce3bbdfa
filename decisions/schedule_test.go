package decisions

import (
	"strings"
	"testing"
	"time"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
)

// appointed plans a rollout and has it started an hour later.
func appointed(t *testing.T) *house {
	t.Helper()
	h := newHouse(t)
	h.do(Command{Op: OpPlan, Plan: ptr(catsPlan())})
	h.do(Command{Op: OpSchedule, Actor: lee, Start: h.now.Add(time.Hour), Comment: "after the meeting"})
	return h
}

func TestSchedule_startsOnceAtItsTime(t *testing.T) {
	h := appointed(t)
	h.step()
	if r := h.rollout(); r.Status != Planned || r.Schedule == nil || r.Schedule.By != lee {
		t.Fatalf("an hour early it is %s, %+v", r.Status, r.Schedule)
	}
	h.now = h.now.Add(time.Hour)
	h.step()
	h.want(Expand, "started")
	r := h.rollout()
	if r.StartedBy != lee || !r.Started.Equal(h.now) || !strings.Contains(h.last().Text, "Started by "+lee) {
		t.Errorf("started by %s at %s: %s", r.StartedBy, r.Started, h.last().Text)
	}
	h.step()
	if n := h.count(TypeStarted); n != 1 {
		t.Errorf("%d starts", n)
	}
	if report := h.verified(); report.Cause.Checked != 2 {
		t.Errorf("causes checked: %+v, want the start and the change of the flag", report.Cause)
	}
}

// A clock that jumps ahead starts what it jumped over, once; one that is then
// set back starts nothing again and stops nothing.
func TestSchedule_acrossClockJumps(t *testing.T) {
	h := appointed(t)
	h.now = h.now.Add(-24 * time.Hour)
	h.step()
	if h.rollout().Status != Planned {
		t.Fatal("a clock that was set back has started it")
	}
	h.now = h.now.Add(72 * time.Hour)
	h.step()
	h.want(Expand, "started")
	h.now = h.now.Add(-71 * time.Hour)
	h.step()
	h.step()
	if r := h.rollout(); h.count(TypeStarted) != 1 || r.Status == Planned {
		t.Errorf("%d starts, now %s", h.count(TypeStarted), r.Status)
	}
	h.verified()
}

// Two controllers that see the time come start it once between them.
func TestSchedule_twoControllers(t *testing.T) {
	h := appointed(t)
	h.now = h.now.Add(time.Hour)
	other := h.open(h.log)
	h.must(h.controller(other, h.log).catch(h.ctx))
	first := h.controller(h.part, &meddler{Log: h.log, before: TypeStarted, do: func() {
		h.must(h.controller(other, h.log).startDue(h.ctx, h.now))
	}})
	h.must(first.Step(h.ctx, h.now))
	if n := h.count(TypeStarted); n != 1 || h.count(TypeUnscheduled) != 0 {
		t.Errorf("%d starts, %d lapses", n, h.count(TypeUnscheduled))
	}
	h.verified()
}

func TestSchedule_lapsesWhenThePlanNoLongerHolds(t *testing.T) {
	h := appointed(t)
	h.flag("gate", flags.Change{Op: flags.Disable, Environment: "production"})
	h.now = h.now.Add(time.Hour)
	h.step()
	h.step()
	r := h.rollout()
	if r.Status != Planned || r.Schedule == nil || !strings.Contains(r.Schedule.Lapsed, "has the flag disabled") || h.count(TypeUnscheduled) != 1 {
		t.Fatalf("status %s, schedule %+v", r.Status, r.Schedule)
	}
	h.flag("gate", flags.Change{Op: flags.Enable, Environment: "production"})
	h.step()
	if h.rollout().Status != Planned {
		t.Error("what has lapsed was started")
	}
	h.refused(Command{Op: OpUnschedule}, "nothing has scheduled the start")
	h.do(Command{Op: OpSchedule, Start: h.now.Add(time.Minute)})
	h.now = h.now.Add(time.Minute)
	h.step()
	h.want(Expand, "started")
	h.verified()
}

func TestSchedule_isTakenBack(t *testing.T) {
	h := appointed(t)
	h.do(Command{Op: OpUnschedule, Comment: "not yet"})
	h.refused(Command{Op: OpUnschedule}, "nothing has scheduled the start")
	h.now = h.now.Add(2 * time.Hour)
	h.step()
	if r := h.rollout(); r.Status != Planned || r.Schedule != nil {
		t.Errorf("status %s, schedule %+v", r.Status, r.Schedule)
	}
	h.do(Command{Op: OpSchedule, Start: h.now.Add(time.Hour)})
	p := catsPlan()
	p.Hypothesis = "another one"
	h.do(Command{Op: OpPlan, Plan: &p}) // it was this plan's start
	if r := h.rollout(); r.Schedule != nil {
		t.Errorf("a new version of the plan is scheduled: %+v", r.Schedule)
	}
}

func TestSchedule_refuses(t *testing.T) {
	h := newHouse(t)
	h.do(Command{Op: OpPlan, Plan: ptr(catsPlan())})
	h.refused(Command{Op: OpSchedule}, "at is missing")
	h.refused(Command{Op: OpSchedule, Start: h.now}, "is not in the future")
	h.flag("gate", flags.Change{Op: flags.Disable, Environment: "production"})
	h.refused(Command{Op: OpSchedule, Start: h.now.Add(time.Hour)}, "has the flag disabled")
	h.flag("gate", flags.Change{Op: flags.Enable, Environment: "production"})
	h.do(Command{Op: OpStart})
	h.refused(Command{Op: OpSchedule, Start: h.now.Add(time.Hour)}, "is running and cannot be started")
	h.refused(Command{Op: OpUnschedule}, "is running and cannot be taken off the calendar")
}

// A start that the controller made up is found.
func TestVerify_findsAStartThatNobodyScheduled(t *testing.T) {
	for name, tamper := range map[string]func(*house) (cause string, at time.Time){
		"no schedule": func(h *house) (string, time.Time) { return "nothing", h.now.Add(2 * time.Hour) },
		"too early":   func(h *house) (string, time.Time) { return h.rollout().Schedule.ID, h.now },
	} {
		t.Run(name, func(t *testing.T) {
			h := appointed(t)
			cause, at := tamper(h)
			r := h.rollout()
			e, err := emit(h.id("forged"), TypeStarted, Subject("production", "gate"), at, Controlling, noted{Rollout: r.ID})
			e.Cause = cause
			h.write(e, event.Any, err)
			report, err := Verify(h.ctx, h.log, h.blobs)
			h.must(err)
			if f := report.Cause.Failed; f == nil || !strings.Contains(f.Why, "nobody had scheduled the start") {
				t.Errorf("got %+v", report.Cause)
			}
		})
	}
}
