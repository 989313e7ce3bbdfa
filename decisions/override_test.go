package decisions

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/flags"
)

func TestOverride_goesOnAgainstTheEvidence(t *testing.T) {
	h := newHouse(t)
	h.begin(catsPlan())
	h.refused(Command{Op: OpOverride, Comment: "now"}, "nobody has looked at")
	h.send(newTraffic(harmless), 400)
	h.step()
	if v := h.last(); v.Action != Hold {
		t.Fatalf("it is to %s", v.Action)
	}
	asked, _ := h.rollout().Last()
	h.refused(Command{Op: OpOverride}, "comment is missing")
	h.refused(Command{Op: OpOverride, Comment: "now", Decision: "another"}, "the recommendation has changed since decision another")
	h.do(Command{Op: OpOverride, Actor: lee, Comment: "we know this change", Decision: asked.ID})
	r := h.rollout()
	if o := r.Overrides; len(o) != 1 || o[0].Decision != asked.ID || o[0].Against != asked.Verdict.recommends() || o[0].By != lee || len(o[0].Checks) == 0 {
		t.Fatalf("noted as %+v, want it against %s", o, asked.ID)
	}
	h.refused(Command{Op: OpOverride, Comment: "now", Decision: "stale"}, "the recommendation has changed")
	h.step()
	h.want(Expand, "overruled by person:lee")
	d, _ := h.rollout().Last()
	text := ""
	for _, c := range d.Verdict.Checks {
		if c.State == Overruled {
			text += c.Text
		}
	}
	if !strings.Contains(text, "overruled by person:lee: we know this change") || !d.ByController() {
		t.Errorf("the decision says %q, want who overruled what in the controller's own record", text)
	}
	if r := h.rollout(); r.Stage != 1 || r.Overruled != nil {
		t.Errorf("in stage %d overruled is %+v, want it to end with its stage", r.Stage, r.Overruled)
	}
	h.verified()
}

// A harm that is established is never overruled, and neither is other people's
// say.
func TestOverride_leavesWhatIsFirm(t *testing.T) {
	v := Verdict{Action: Pause, Checks: []Check{
		{Name: CheckWindow, State: Wait, Code: "open"},
		{Name: CheckGuardrail, Metric: "m", State: Fail, Code: codeBreached, Asks: Rollback},
		{Name: CheckIncidents, State: Fail, Code: "blocking db", Asks: Pause},
		{Name: CheckFlag, State: Fail, Code: "off"},
		{Name: CheckAdvanceWhen, Of: "manual payments-team", State: Wait, Code: "open"},
		{Name: CheckFreeze, State: Wait, Code: "holidays"},
		{Name: CheckHours, State: Wait, Code: "closed"},
		{Name: CheckApproval, State: Wait, Code: "missing"},
		{Name: CheckUnits, State: Pass},
	}}
	want := []OverruledItem{{"window", Wait, ""}, {"incidents blocking db", Fail, Pause}}
	if diff := cmp.Diff(want, v.overrulable()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// What was overruled may say so in other words, but not get worse.
func TestOverride_ofACheckThatGetsWorse(t *testing.T) {
	waits := []OverruledItem{{"exclusion m", Wait, ""}, {"incidents blocking db", Fail, Pause}, {"guardrail m", Fail, Pause}}
	g := gate{Input: Input{State: Standing{Overruled: &Overrule{By: lee, Why: "so", Checks: waits}}}}
	for _, c := range []struct {
		check Check
		want  CheckState
	}{
		{Check{Name: CheckExclusion, Metric: "m", State: Wait, Code: "open"}, Overruled},
		{Check{Name: CheckExclusion, Metric: "m", State: Fail, Code: "notExcluded", Asks: Review}, Fail},
		{Check{Name: CheckExclusion, Metric: "n", State: Wait, Code: "open"}, Wait},
		{Check{Name: CheckIncidents, State: Fail, Code: "blocking db", Asks: Pause}, Overruled},
		{Check{Name: CheckIncidents, State: Fail, Code: "blocking db-2", Asks: Pause}, Fail},
		{Check{Name: CheckGuardrail, Metric: "m", State: Fail, Code: "harmed", Asks: Pause}, Overruled},
		{Check{Name: CheckGuardrail, Metric: "m", State: Fail, Code: codeBreached, Asks: Rollback}, Fail},
		{Check{Name: CheckGuardrail, Metric: "m", State: Pass, Code: "safe"}, Pass},
	} {
		if got := g.overruled(c.check); got.State != c.want {
			t.Errorf("%s %s: got %s, want %s", c.check.key(), c.check.Code, got.State, c.want)
		}
	}
}

func TestOverride_ofABreachRollsBack(t *testing.T) {
	h := newHouse(t)
	h.begin(catsPlan())
	tr := newTraffic(harmful)
	h.send(tr, 100)
	h.step()
	h.do(Command{Op: OpOverride, Comment: "it will be fine"})
	h.rounds(tr, 2000, 60, is(RolledBack))
	h.want(Rollback, "guardrail day_7_retention breached")
	h.verified()
}

func TestOverride_stillAsksOthers(t *testing.T) {
	h := newHouse(t)
	h.governed(flags.Releases{Approvals: flags.Approvals{Count: 1}})
	h.begin(catsPlan())
	h.do(Command{Op: OpApprove, Actor: lee})
	h.step()
	h.send(newTraffic(harmless), 400)
	h.step()
	h.do(Command{Op: OpOverride, Comment: "we know this change"})
	h.step()
	h.want(Hold, "approval missing")
	h.do(Command{Op: OpApprove, Actor: lee})
	h.step()
	h.want(Expand, "overruled by person:ana")
	h.verified()
}

// It wakes what was paused, and lasts only while its reason does.
func TestOverride_ofAPause(t *testing.T) {
	h := newHouse(t)
	h.begin(catsPlan())
	h.incident("db", Blocking, false)
	h.send(newTraffic(harmless), 10)
	h.step()
	h.want(Pause, "incidents blocking db")
	h.refused(Command{Op: OpOverride, Comment: "another database", Checks: []string{"approval"}}, `checks[0] "approval" is not a check that can be overruled now`)
	h.do(Command{Op: OpOverride, Comment: "another database", Checks: []string{"incidents blocking db"}})
	if r := h.rollout(); r.Status != Running || r.Held != "" {
		t.Errorf("status %s, held %q", r.Status, r.Held)
	}
	h.step()
	if v := h.last(); v.Action != Hold || h.rollout().Overruled == nil {
		t.Errorf("then it is to %s (%s): want it to wait for units, whatever the incident", v.Action, v.Reason)
	}
	h.incident("db", Blocking, true)
	h.incident("db-2", Blocking, false)
	h.step()
	h.want(Pause, "incidents blocking db-2")
	h.verified()
}

func TestOverride_waitsForALook(t *testing.T) {
	h := newHouse(t)
	h.do(Command{Op: OpPlan, Plan: ptr(catsPlan())})
	h.refused(Command{Op: OpOverride, Comment: "now"}, "is planned and cannot be overridden")
	h.do(Command{Op: OpStart})
	h.refused(Command{Op: OpOverride, Comment: "now"}, "nobody has looked at")
	h.step()
	h.send(newTraffic(harmless), 10)
	h.step()
	h.do(Command{Op: OpAdvance, Comment: "on"})
	h.refused(Command{Op: OpOverride, Comment: "now"}, "nobody has looked at")
}
