package decisions

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
)

// chapter is how many steps a walk makes on one log. Logs of that length are
// verified in a moment, and each begins anew from nothing.
const chapter = 500

// walker does at random whatever people, traffic, alerts, flags and the clock
// may do.
type walker struct {
	*house
	*rand.Rand
	pour  pour
	seen  map[Action]int
	alert int
}

// TestLongWalk walks at random and holds every chapter against the four laws. It
// is TestLawsOverARandomWalk without the shrinking, as far as one likes: make
// torment goes 100,000 steps.
func TestLongWalk(t *testing.T) {
	const seed = 20261122
	steps, checked := often(t, "SLUICE_WALK", 3000), Report{}
	seen := map[Action]int{}
	for at := 0; at < steps; at += chapter {
		w := newWalker(t, rand.New(rand.NewPCG(seed, uint64(at))), seen)
		for range min(chapter, steps-at) {
			w.walk()
		}
		r := w.judged(at)
		checked.Events += r.Events
		checked.Recompute.Checked += r.Recompute.Checked
		checked.Cause.Checked += r.Cause.Checked
		checked.Effect.Checked += r.Effect.Checked
	}
	for _, a := range []Action{Hold, Expand, Pause, Rollback, Review, Ship} {
		if seen[a] == 0 {
			t.Errorf("the walk never came to %s: %v", a, seen)
		}
	}
	t.Logf("seed %d: %d steps, %d events; %d verdicts recomputed, %d causes, %d effects; decisions %v",
		seed, steps, checked.Events, checked.Recompute.Checked, checked.Cause.Checked, checked.Effect.Checked, seen)
}

func newWalker(t *testing.T, r *rand.Rand, seen map[Action]int) *walker {
	truth := []map[string][2]float64{harmful, harmless, better}[r.IntN(3)]
	return &walker{house: newHouse(t), Rand: r, pour: pour{rng: r, rates: truth}, seen: seen}
}

// judged verifies the log of a chapter, and folds it once more.
func (w *walker) judged(at int) Report {
	w.t.Helper()
	w.step()
	for _, r := range w.state.Rollouts() {
		for _, d := range r.Decisions {
			w.seen[d.Verdict.Action]++
		}
	}
	report := w.verified()
	if len(report.Pending) > 0 {
		w.t.Fatalf("chapter at %d: pending %v", at, report.Pending)
	}
	t := w.t.(*testing.T)
	if a, b := marks(t, w.house, w.part), marks(t, w.house, w.open(w.log)); a != b {
		w.t.Fatalf("chapter at %d: running %s, replayed %s", at, a, b)
	}
	return report
}

// walk does one thing: half of the time something that the rollout as it stands
// allows, so that the walk comes far, and else anything.
func (w *walker) walk() {
	ops := []Op{OpPlan, OpStart, OpHold, OpResume, OpApprove, OpAdvance, OpRollback, OpExplain}
	r, planned := w.state.Newest("production", "gate")
	switch n := w.IntN(40); {
	case n < 3:
		w.person(ops[w.IntN(len(ops))])
	case n < 20 && planned && r.Open() && r.Stage >= 0 && r.Status != Paused:
		w.house.pour(&w.pour, w.IntN(6000))
		w.step()
	case n < 20:
		w.onward(r)
	case n < 21:
		change := []flags.Op{flags.Enable, flags.Disable, flags.Unforce}[w.IntN(3)]
		w.edit(flags.Change{Op: change, Environment: "production"})
	case n < 23:
		w.now = w.now.Add(time.Duration(w.IntN(660)-60) * time.Minute)
	case n < 25:
		w.now = w.now.Add(4 * 24 * time.Hour)
		w.house.pour(&w.pour, w.IntN(6000))
		w.step()
	case n < 26:
		w.incident()
	default:
		w.now = w.now.Add(time.Minute)
		w.step()
	}
}

// onward does what lets a rollout that stands still go on, or the next one
// begin.
func (w *walker) onward(r Rollout) {
	switch {
	case r.Status == Paused:
		w.person(OpResume)
	case r.Locked:
		w.person(OpExplain)
	case r.Status == Planned:
		w.person(OpStart)
	default:
		w.edit(flags.Change{Op: flags.Unforce, Environment: "production"})
		w.edit(flags.Change{Op: flags.Enable, Environment: "production"})
		w.person(OpPlan)
	}
}

// incident opens one that is not dangerous, or resolves the last one.
func (w *walker) incident() {
	c := IncidentCommand{Environment: "production", Flag: "gate", Severity: []Severity{Minor, Minor, Blocking}[w.IntN(3)], Text: "it burns", At: w.now, Actor: "token:alerts"}
	if open := w.state.Incidents("production", "gate"); len(open) > 0 {
		c.Incident, c.Resolve = open[0].ID, true
	} else {
		w.alert++
		c.Incident = fmt.Sprint("alert-", w.alert)
	}
	c.ID = event.Derive("incident", c.Incident, fmt.Sprint(c.Resolve))
	e, expect, err := w.state.HandleIncident(c)
	w.write(e, expect, err)
}
