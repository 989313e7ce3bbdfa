package decisions

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

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

// elsewhere is a past in which other units came.
func elsewhere(context.Context, Rollout, time.Time, time.Time) (Past, error) {
	return Past{Kinds: map[string]int64{"device": 12}}, nil
}

// nobody is a past in which nobody came.
func nobody(context.Context, Rollout, time.Time, time.Time) (Past, error) { return Past{}, nil }

// When its time has come a start is held against the past again. One that lacks
// something waits and says so, once, and starts when it is there.
func TestSchedule_waitsForWhatItLacks(t *testing.T) {
	h := appointed(t)
	asked := 0
	h.past = func(ctx context.Context, r Rollout, from, until time.Time) (Past, error) {
		if asked++; until.Sub(from) != PastDays*24*time.Hour || !until.Equal(h.now) {
			t.Errorf("the past is from %s to %s", from, until)
		}
		return elsewhere(ctx, r, from, until)
	}
	h.step()
	if asked != 0 {
		t.Error("it asks before its time")
	}
	h.now = h.now.Add(time.Hour)
	for range 10 {
		h.step()
		h.now = h.now.Add(time.Minute)
	}
	r := h.rollout()
	if r.Status != Planned || r.Schedule == nil || r.Schedule.Lapsed != "" || h.count(TypeDelayed) != 1 || asked != 1 {
		t.Fatalf("%s, %+v; told %d times, asked %d times", r.Status, r.Schedule, h.count(TypeDelayed), asked)
	}
	if d := r.Schedule.Delayed; d == nil || d.N != 1 || !slices.Equal(d.Lacks, []string{"unit"}) || !strings.Contains(d.Why, "recent exposures have other units: device (12)") {
		t.Errorf("%+v", d)
	}
	var words []string
	for e, err := range h.log.Read(h.ctx, event.Filter{}, 0) {
		h.must(err)
		if told, ok := h.state.Tell(e); ok && e.Type == TypeDelayed {
			words = append(words, told.Title+"|"+told.Text[:4])
		}
	}
	if diff := cmp.Diff([]string{"production/gate waits with its start, whose time has come|unit"}, words); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	h.past = nobody
	h.step()
	r = h.rollout()
	if r.Status != Running || r.StartedBy != lee || !strings.Contains(strings.Join(r.Doubts, ";"), "the environment has no recent exposures") {
		t.Errorf("%s by %s, doubts %q", r.Status, r.StartedBy, r.Doubts)
	}
	h.verified()
}

// A start that waits does not begin in the night of another day; whoever said
// that it starts anyway has it started, with what is lacking on record; and whom
// nobody can count waits a while for that.
func TestSchedule_whatBecomesOfAStartThatLacks(t *testing.T) {
	h := appointed(t)
	h.past = elsewhere
	h.now = h.now.Add(25 * time.Hour)
	h.step()
	if r := h.rollout(); r.Status != Planned || !strings.Contains(r.Schedule.Lapsed, "recent exposures have other units") || h.count(TypeUnscheduled) != 1 {
		t.Errorf("a day late: %s, %+v", r.Status, r.Schedule)
	}
	h.do(Command{Op: OpSchedule, Start: h.now.Add(time.Hour), Anyway: true, Comment: "the devices are ours"})
	h.now = h.now.Add(time.Hour)
	h.step()
	if r := h.rollout(); r.Status != Running || !strings.Contains(strings.Join(r.Doubts, ";"), "recent exposures have other units") {
		t.Errorf("anyway: %s, doubts %q", r.Status, r.Doubts)
	}
	h.verified()

	h = appointed(t)
	h.past = func(context.Context, Rollout, time.Time, time.Time) (Past, error) {
		return Past{}, errors.New("it is starting")
	}
	h.now = h.now.Add(time.Hour)
	if err := h.controller(h.part, h.log).Step(h.ctx, h.now); err == nil || !strings.Contains(err.Error(), "it is starting") {
		t.Errorf("got %v", err)
	}
	h.now = h.now.Add(startAgain)
	h.step()
	if p := h.rollout().Schedule; h.rollout().Status != Planned || p.Delayed == nil || !slices.Equal(p.Delayed.Lacks, []string{"past"}) {
		t.Errorf("it does not know, and starts: %s, %+v", h.rollout().Status, p)
	}
	h.past = elsewhere
	h.now = h.now.Add(startAgain)
	h.step()
	if d := h.rollout().Schedule.Delayed; d.N != 2 || !slices.Equal(d.Lacks, []string{"unit"}) {
		t.Errorf("another reason: %+v", d)
	}
	h.verified()
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
