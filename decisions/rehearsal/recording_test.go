package rehearsal

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/stats"
)

func at(minutes int) time.Time { return begins.Add(time.Duration(minutes) * time.Minute) }

func exposure(unit, variant string, minutes int) Event {
	return Event{Kind: "exposure", At: at(minutes), Flag: "gate", Variant: variant, Unit: EventUnit{"user", unit}}
}

func happened(unit, name string, value float64, minutes int) Event {
	return Event{Kind: "metric", At: at(minutes), Name: name, Value: value, Units: map[string]string{"user": unit}, Attributes: map[string]string{"plan": "pro"}}
}

// TestUnitsOfARecording makes values of events by every aggregate: those within
// the window, of the event's name and conditions, in whatever order they come.
func TestUnitsOfARecording(t *testing.T) {
	p := release().Plan
	p.Metrics = decisions.Metrics{}
	defs := map[string]stats.Metric{}
	for _, def := range []stats.Metric{
		{Key: "any", Event: "sale", Aggregate: stats.Conversion, GateWindow: time.Hour},
		{Key: "times", Event: "sale", Aggregate: stats.Count, GateWindow: time.Hour},
		{Key: "sum", Event: "sale", Aggregate: stats.Sum, GateWindow: time.Hour},
		{Key: "mean", Event: "sale", Aggregate: stats.Average, GateWindow: time.Hour},
		{Key: "ratio", Event: "sale", Aggregate: stats.Ratio, GateWindow: time.Hour, Denominator: &stats.Source{Event: "view"}},
		{Key: "free", Event: "sale", Aggregate: stats.Count, GateWindow: time.Hour, Where: []stats.Condition{{Attribute: "plan", Values: []string{"free"}}}},
		{Key: "back", Event: "sale", Aggregate: stats.Retention, Return: &stats.Return{From: 50 * time.Minute, To: 100 * time.Minute}},
	} {
		defs[def.Key] = def
		p.Metrics.Diagnostics = append(p.Metrics.Diagnostics, decisions.Diagnostic{Metric: def.Key})
	}
	r := NewRecorder(p, defs)
	for _, e := range []Event{
		happened("ann", "sale", 5, 20), happened("ann", "sale", 7, 69), happened("ann", "sale", 100, 70), // the last is an hour after
		happened("ann", "view", 4, 30), happened("ann", "sale", 9, 9), // before the exposure
		exposure("ann", "on", 15), exposure("ann", "on", 10), exposure("bob", "off", 40),
		happened("eve", "sale", 1, 50), // who was not exposed
		{Kind: "exposure", At: at(1), Flag: "door", Variant: "on", Unit: EventUnit{"user", "eve"}},
		{Kind: "deployment", At: at(2)},
	} {
		r.Add(e)
	}
	got, err := r.Recorded()
	if err != nil {
		t.Fatal(err)
	}
	want := []RecordedUnit{
		{Arm: "on", Values: []RecordedValue{{Value: 1}, {Value: 2}, {Value: 12}, {Value: 6}, {Value: 12, Size: 4}, {}, {Value: 1}}},
		{Arm: "off", After: 30 * time.Minute, Values: []RecordedValue{{}, {}, {}, {None: true}, {}, {}, {}}},
	}
	if diff := cmp.Diff(want, got.Units); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if _, err := NewRecorder(p, defs).Recorded(); err == nil {
		t.Error("nobody was recorded, and nothing is said of it")
	}
}

// recordedDays is a recording of some days in which treated units return less.
func recordedDays(units int, control, treatment float64) *Recorded {
	r := rand.New(rand.NewPCG(5, 5))
	out := &Recorded{Metrics: []string{"wins", "returns", "crashes"}}
	for i := range units {
		arm, rate := "off", control
		if i%2 == 0 {
			arm, rate = "on", treatment
		}
		u := RecordedUnit{After: time.Duration(i) * 3 * time.Second, Arm: arm, Values: make([]RecordedValue, 3)}
		for k, p := range []float64{0.45, rate, 0.004} {
			if r.Float64() < p {
				u.Values[k].Value = 1
			}
		}
		out.Units = append(out.Units, u)
	}
	return out
}

func TestARecordingIsRehearsed(t *testing.T) {
	r := release()
	r.Record = recordedDays(80_000, 0.3, 0.2)
	for _, run := range runs(t, r, Scenario{Kind: Healthy}, 3) {
		if run.Ended != RolledBack || run.Treated > 40_000 {
			t.Errorf("seed %d: %s after %d treated units", run.Seed, run.Ended, run.Treated)
		}
	}
	r.Record = recordedDays(60_000, 0.3, 0.3)
	for _, run := range runs(t, r, Scenario{Kind: Healthy}, 3) {
		if run.Ended != Running && run.Ended != Reviewed {
			t.Errorf("seed %d, the recording ends: %s, %+v", run.Seed, run.Ended, run.Decisions)
		}
	}
	r.Record = recordedDays(60_000, 0.3, 0.3)
	harm := Scenario{Kind: Breach, Metric: "returns", By: decisions.Size{Change: 40_000}}
	for _, run := range runs(t, r, harm, 3) {
		if run.Ended != RolledBack {
			t.Errorf("seed %d, harmed: %s", run.Seed, run.Ended)
		}
	}
}

// TestAPoolIsDrawnOnce lets nobody come twice, and takes units of a time before
// the change for either arm.
func TestAPoolIsDrawnOnce(t *testing.T) {
	r := release()
	r.Record = &Recorded{Metrics: []string{"wins", "returns", "crashes"}}
	for i := range 10 {
		r.Record.Units = append(r.Record.Units, RecordedUnit{Arm: "off", Values: []RecordedValue{{Value: float64(i % 2)}, {}, {}}})
	}
	rng := rand.New(rand.NewPCG(1, 1))
	p := r.pooled(rng, begins)
	draw := p.draws(rng, "on", 4)
	first, rest := draw("wins", 3, 1), draw("wins", 1, 1)
	if p.left("on") != 6 || p.left("off") != 6 || first.N != 3 || rest.N != 1 {
		t.Errorf("%d and %d left, %v and %v drawn", p.left("on"), p.left("off"), first, rest)
	}
	all := p.draws(rng, "off", 6)("wins", 6, 1)
	if got := fmt.Sprint(first.X + rest.X + all.X); got != "5" {
		t.Errorf("%s of ten have it, want 5", got)
	}
}

func TestHarmMovesRecordedProportions(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	less, more := moved(r, 10_000, 3000, 0.5).X, moved(r, 10_000, 3000, 1.5).X
	if less < 1400 || less > 1600 || more < 4350 || more > 4650 || moved(r, 10_000, 3000, 1).X != 3000 {
		t.Errorf("half of 3000 is %d, one and a half times %d", less, more)
	}
}
