package decisions

import (
	"testing"

	"github.com/sluice-hq/sluice/flags"
)

// Rates of retention as published for the two gates, and such that the later
// gate is much worse.
var (
	published = map[string][2]float64{"day_1_retention": {0.4482, 0.4423}, "day_7_retention": {0.1902, 0.1820}}
	harmful   = map[string][2]float64{"day_1_retention": {0.45, 0.45}, "day_7_retention": {0.19, 0.15}}
	better    = map[string][2]float64{"day_1_retention": {0.40, 0.45}, "day_7_retention": {0.19, 0.19}}
)

func TestBreachRollsBack(t *testing.T) {
	h := newHouse(t)
	h.begin(catsPlan())
	h.want(Expand, "started")
	tr := newTraffic(harmful)
	for range 60 {
		h.send(tr, 1000)
		h.step()
		if h.rollout().Status == RolledBack {
			break
		}
	}
	h.want(Rollback, "guardrail day_7_retention breached")
	r := h.rollout()
	d, _ := r.Last()
	f, _ := h.flags.Flag("gate")
	forced := f.Environments["production"].Forced
	if forced == nil || forced.Decision != d.ID || d.Effect != f.Revision || !r.Locked {
		t.Errorf("after %q: forced %+v, effect %d, flag at %d, locked %t", d.Verdict.Text, forced, d.Effect, f.Revision, r.Locked)
	}
	report := h.verified()
	if report.Recompute.Checked < 3 || report.Effect.Checked != 3 || len(report.Pending) != 0 {
		t.Errorf("report %+v, want 3 effects: two stages and the rollback", report)
	}
	t.Log(d.Verdict.Text)
	_ = flags.Force
}
