package dashboards

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/dashboards/chart"
	"github.com/sluice-hq/sluice/decisions"
)

// TestRamp_actual: the line follows the decisions that had an effect, to zero
// with a rollback.
func TestRamp_actual(t *testing.T) {
	s := ended()
	r := ramp{s.Rollout, at, nil}
	r.Started = at.Add(-2 * time.Hour)
	r.Ended = at
	first, second, last := seconds(at.Add(-time.Hour)), seconds(at.Add(-time.Minute)), seconds(at)
	want := []chart.Point{{X: seconds(r.Started)}, {X: first, Y: r.Plan.Stages[0].Exposure().Fraction()}, {X: second, Y: r.Plan.Stages[1].Exposure().Fraction()}, {X: last}, {X: seconds(at.Add(6 * time.Minute))}}
	if diff := cmp.Diff(want, r.actual()); diff != "" {
		t.Error(diff)
	}
	r.Decisions = slices.Clone(r.Decisions)
	r.Decisions[1].Lapsed = "the flag has changed"
	if got := r.actual(); len(got) != 4 {
		t.Errorf("a decision without effect is drawn: %v", got)
	}
}

// TestRamp_planned: each stage takes its shortest window, and the line ends with
// the rollout.
func TestRamp_planned(t *testing.T) {
	r := ramp{busy().Rollout, at, nil}
	points := r.planned()
	if len(points) != len(r.Plan.Stages)+1 || points[1].X-points[0].X != 24*3600 || points[2].X-points[1].X != 7*24*3600 {
		t.Errorf("planned is %v", points)
	}
	untimed := r
	untimed.Plan.Stages = []decisions.Stage{{Name: "a", Treatment: 5000}, {Name: "b", Serve: "treatment", Observe: decisions.Window(time.Hour)}}
	if points := untimed.planned(); len(points) > 0 {
		t.Errorf("a plan without windows is drawn as %v", points)
	}
	r.Ended = r.Started.Add(time.Hour)
	if points := r.planned(); len(points) != 2 || points[1].X > seconds(r.end()) {
		t.Errorf("planned behind the end: %v", points)
	}
}

// TestAfter: where a decision leads.
func TestAfter(t *testing.T) {
	p := decisions.Plan{Stages: []decisions.Stage{{Name: "a", Treatment: 5000}, {Name: "b", Treatment: 50_000}}}
	for _, c := range []struct {
		d    decisions.Decision
		want float64
	}{
		{decisions.Decision{From: 0, Verdict: decisions.Verdict{Action: decisions.Expand, Stage: 1}}, 0.5},
		{decisions.Decision{From: 1, Verdict: decisions.Verdict{Action: decisions.Reduce, Stage: 1, Share: 20_000}}, 0.2},
		{decisions.Decision{From: 1, Verdict: decisions.Verdict{Action: decisions.Rollback, Stage: 0}}, 0.05},
		{decisions.Decision{From: 1, Verdict: decisions.Verdict{Action: decisions.Rollback, Stage: 1}}, 0},
		{decisions.Decision{From: 1, Verdict: decisions.Verdict{Action: decisions.Ship, Stage: 9}}, 0},
	} {
		if got := after(p, c.d); got != c.want {
			t.Errorf("%s to %d: %v, want %v", c.d.Verdict.Action, c.d.Verdict.Stage, got, c.want)
		}
	}
}

// TestRamp_marks: the numbers are those of the list, the newest of them, and
// letters are in the order of time.
func TestRamp_marks(t *testing.T) {
	s := crowded()
	c := ramp{s.Rollout, at, deployments(s.Evidence)}.chart()
	if len(c.Flags) > mostDecided+mostDeployed || c.Flags[len(c.Flags)-1].Text == "" {
		t.Errorf("%d marks", len(c.Flags))
	}
	if !slices.ContainsFunc(c.Flags, func(f chart.Flag) bool { return f.Text == "203" }) {
		t.Error("the newest decision has no mark")
	}
	if c.Frame.Bottom-c.Frame.Top < 120 {
		t.Errorf("the frame is %v high", c.Frame.Bottom-c.Frame.Top)
	}
}
