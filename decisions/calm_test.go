package decisions

import (
	"context"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
	"github.com/sluice-hq/sluice/stats"
)

// counted counts how often evidence is asked for.
type counted struct {
	Facts
	asked int
}

func (c *counted) Evidence(ctx context.Context, r Rollout, now time.Time) (Evidence, error) {
	c.asked++
	return c.Facts.Evidence(ctx, r, now)
}

// thrifty lets one controller take all steps of a house. It spares the looks
// that would find nothing new, if marks are there.
func (h *house) thrifty(marks Marks) *counted {
	f := &counted{Facts: h.facts}
	h.steady = h.controller(h.part, h.log)
	h.steady.Facts, h.steady.Marks = f, marks
	return f
}

func (h *house) recorded() (all []event.Recorded) {
	h.t.Helper()
	for r, err := range h.log.Read(h.ctx, event.Filter{}, 0) {
		h.must(err)
		all = append(all, r)
	}
	return all
}

// A controller that spares looks and one that does not write the same log, event
// by event, whatever people, traffic, alerts, flags and the clock do: they make
// the same decisions on the same evidence at the same times.
func TestSparedLooksChangeNothing(t *testing.T) {
	steps, spared, all := often(t, "SLUICE_CALM", 1200), 0, 0
	for at := 0; at < steps; at += 300 {
		var logs [2][]event.Recorded
		var asked [2]int
		for i := range logs {
			w := newWalker(t, rand.New(rand.NewPCG(7, uint64(at))), map[Action]int{})
			marks := Marks(nil)
			if i == 1 {
				marks = w.facts.Mark
			}
			f := w.thrifty(marks)
			for range 300 {
				w.walk()
				for range w.IntN(8) {
					w.now = w.now.Add(time.Duration(w.IntN(60)) * time.Second)
					w.step()
				}
			}
			logs[i], asked[i] = w.recorded(), f.asked
		}
		if diff := cmp.Diff(logs[0], logs[1]); diff != "" {
			t.Fatalf("chapter at %d, -looking always +sparing:\n%s", at, diff)
		}
		spared, all = spared+asked[0]-asked[1], all+asked[0]
	}
	if spared*4 < all {
		t.Errorf("of %d looks %d were spared: too few to tell anything", all, spared)
	}
	t.Logf("of %d looks %d were spared", all, spared)
}

// Until the time that an input names, the clock alone changes neither action nor
// reason; at that time the next is asked for, and so on to the end.
func TestTheClockAloneTurnsNothingBeforeItsTime(t *testing.T) {
	turned := 0
	rapid.Check(t, func(rt *rapid.T) {
		in := drawer{rt, rapid.IntRange(0, 3).Draw(rt, "spoilt") == 0}.input()
		timed(rt, &in)
		for {
			now, until := must(Evaluate(in)), in.turns()
			last := in
			if last.Now = until.Add(-time.Nanosecond); until.IsZero() {
				last.Now = in.Now.Add(1000 * time.Hour)
			}
			then := must(Evaluate(last))
			if !last.Now.Before(in.Now) && !alike(now, then) {
				rt.Fatalf("at %v it is %s (%s), at %v %s (%s); the clock was to change nothing before %v",
					in.Now, now.Action, now.Reason, last.Now, then.Action, then.Reason, until)
			}
			if until.IsZero() {
				return
			}
			if in.Now = until.Add(time.Nanosecond); !alike(now, must(Evaluate(in))) {
				turned++
			}
		}
	})
	if turned == 0 {
		t.Error("time never changed anything")
	}
	t.Logf("%d turns", turned)
}

// timed draws whatever an input compares with the clock.
func timed(t *rapid.T, in *Input) {
	hours := func(name string, from, to int) time.Duration {
		return time.Duration(rapid.IntRange(from*60, to*60).Draw(t, name)) * time.Minute
	}
	in.State.Reported = maps.Clone(in.State.Reported)
	for _, name := range sorted(in.State.Reported) {
		r := in.State.Reported[name]
		r.Expires = noon.Add(hours(name, -2, 50))
		in.State.Reported[name] = r
	}
	in.Plan.Stages = slices.Clone(in.Plan.Stages)
	in.Plan.Stages[in.State.Stage].MaxWindow = Window(hours("longest", 0, 200))
	in.State.Since = noon.Add(-hours("since", -1, 150))
	in.Evidence.Newest = noon.Add(-hours("newest", 0, 1) / 6)
	for i := range in.Evidence.Metrics {
		m := &in.Evidence.Metrics[i]
		m.Quiet, m.Newest = event.Duration(hours("quiet", 0, 90)), noon.Add(-hours("newest", 0, 3))
		if rapid.Bool().Draw(t, "failures") {
			m.Judgement, m.Failures = nil, &stats.EventJudgement{State: stats.Safe}
			m.Sign, m.Alive = rapid.SampledFrom([]string{"", "beat"}).Draw(t, "sign"), noon.Add(-hours("alive", 0, 1)/6)
		}
	}
	if rapid.Bool().Draw(t, "traffic goes on") { // else exposures are missing before anything else is
		in.Plan.Health.Telemetry.MaxLag = Window(2 * time.Hour)
		in.Evidence.Newest = noon.Add(1000 * time.Hour)
	}
}

// alike reports whether the second of two verdicts is no news after the first.
func alike(a, b Verdict) bool {
	return a.Action == b.Action && a.Reason == b.Reason && a.Stage == b.Stage && cmp.Equal(a.Streaks, b.Streaks)
}

func must(v Verdict, err error) Verdict {
	if err != nil {
		panic(err)
	}
	return v
}

// Each of these ends a calm: nothing has come, and still it is looked again.
func TestWhatEndsACalm(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(*house)
		want int // looks
	}{
		{"nothing", func(h *house) { h.now = h.now.Add(time.Minute) }, 0},
		{"a unit comes", func(h *house) { h.send(newTraffic(harmless), 2) }, 1},
		{"telemetry gets late", func(h *house) { h.now = h.now.Add(11 * time.Minute) }, 1},
		{"an incident opens", func(h *house) {
			h.must(h.settle(IncidentCommand{Incident: "a", Severity: Minor, Text: "slow"}))
		}, 1},
		{"a person holds it", func(h *house) { h.do(Command{Op: OpHold, Comment: "wait"}) }, 1},
		{"the flag is edited", func(h *house) { h.edit(flags.Change{Op: flags.Disable, Environment: "production"}) }, 1},
		{"the clock goes back", func(h *house) { h.now = h.now.Add(-time.Second) }, 1},
		{"an event is missing", func(h *house) { h.facts.Unaccounted = 1 }, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newHouse(t)
			f := h.thrifty(h.facts.Mark)
			h.begin(catsPlan())
			h.send(newTraffic(harmless), 400)
			for range 4 {
				h.step()
			}
			before := f.asked
			c.do(h)
			h.step()
			if got := f.asked - before; got != c.want {
				t.Errorf("looked %d times, want %d", got, c.want)
			}
		})
	}
}

// Units that are too young to count grow old while nothing comes: that is no
// calm.
func TestYoungUnitsAreNoCalm(t *testing.T) {
	h := newHouse(t)
	f := h.thrifty(h.facts.Mark)
	h.begin(catsPlan())
	h.send(newTraffic(harmless), 400)
	r := h.rollout()
	stage, _ := r.Now()
	h.facts.Expose(r.ID, stage.Name, r.allocation(stage).Epoch, "gate_30", "young", h.now)
	for range 3 {
		h.step()
	}
	if f.asked != 3 {
		t.Errorf("looked %d times at units that were too young, want 3", f.asked)
	}
	h.now = h.now.Add(2 * time.Second)
	for range 3 {
		h.step()
	}
	if f.asked != 4 {
		t.Errorf("looked %d times in all, want once more when they were old enough", f.asked)
	}
}
