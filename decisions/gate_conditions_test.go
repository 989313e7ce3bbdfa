package decisions

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// itemOf returns the check with that key.
func itemOf(t *testing.T, v Verdict, key string) Check {
	t.Helper()
	i := slices.IndexFunc(v.Checks, func(c Check) bool { return c.key() == key })
	if i < 0 {
		t.Fatalf("there is no check %q in %+v", key, v.Checks)
	}
	return v.Checks[i]
}

func passed(name string) func(*Input) {
	return func(in *Input) {
		in.State.Reported = keeping(in.State.Reported, name, External{State: Pass, By: "service:ci", At: noon.Add(-time.Hour), Expires: noon.Add(time.Hour)})
	}
}

func failed(name string) func(*Input) {
	return func(in *Input) {
		in.State.Reported = keeping(in.State.Reported, name, External{State: Fail, By: "service:ci", At: noon.Add(-time.Hour), Expires: noon.Add(time.Hour), Text: "3 of 40"})
	}
}

func expired(name string) func(*Input) {
	return func(in *Input) {
		in.State.Reported = keeping(in.State.Reported, name, External{State: Pass, By: "service:ci", At: noon.Add(-time.Hour), Expires: noon})
	}
}

func confirms(key string) func(*Input) {
	return func(in *Input) {
		in.State.Confirmed = keeping(in.State.Confirmed, key, Confirmation{By: ana, At: noon, Comment: "looked at it"})
	}
}

func open(s Severity) func(*Input) {
	return func(in *Input) {
		in.Plan.Incidents.Minor = Hold
		in.Evidence.Incidents = []Incident{{ID: "db", Severity: s, Since: noon, Text: "slow"}}
	}
}

func harmed(in *Input) {
	j := judgementOf(in, 1)
	j.Harmed, j.Safe = true, false
}

// Every condition that a stage can have, met and not met.
func TestConditions(t *testing.T) {
	nothing := func(*Input) {}
	requires := Stage{Requires: []string{"smoke"}}
	advance := func(c Condition) Stage { return Stage{AdvanceWhen: []Condition{c}} }
	pause := func(c Condition) Stage { return Stage{PauseWhen: []Condition{c}} }
	back := func(c Condition) Stage { return Stage{RollbackWhen: []Condition{c}} }
	check, manual, rail := Condition{Check: "smoke"}, Condition{Manual: "games"}, Condition{Guardrail: "day_7_retention"}
	minor, blocking := Condition{Incident: "minor"}, Condition{Incident: "blocking"}
	tests := []struct {
		name   string
		stage  Stage
		change func(*Input)
		action Action
		reason string
	}{
		{"required, not reported", requires, nothing, Hold, "requires smoke missing"},
		{"required, passed", requires, passed("smoke"), Expand, "every check passed"},
		{"required, failed", requires, failed("smoke"), Hold, "requires smoke failed"},
		{"required, expired just now", requires, expired("smoke"), Hold, "requires smoke expired"},
		{"required, another passed", requires, passed("load"), Hold, "requires smoke missing"},

		{"advance on a check, not reported", advance(check), nothing, Hold, "advanceWhen check smoke missing"},
		{"advance on a check, passed", advance(check), passed("smoke"), Expand, "every check passed"},
		{"advance on a check, failed", advance(check), failed("smoke"), Hold, "advanceWhen check smoke failed"},
		{"pause on a check, not reported", pause(check), nothing, Hold, "pauseWhen check smoke missing"},
		{"pause on a check, failed", pause(check), failed("smoke"), Pause, "pauseWhen check smoke failed"},
		{"pause on a check, passed", pause(check), passed("smoke"), Expand, "every check passed"},
		{"roll back on a check, failed", back(check), failed("smoke"), Rollback, "rollbackWhen check smoke failed"},
		{"roll back on a check, expired", back(check), expired("smoke"), Hold, "rollbackWhen check smoke expired"},

		{"advance by hand, not yet", advance(manual), nothing, Hold, "advanceWhen manual games missing"},
		{"advance by hand", advance(manual), confirms("advanceWhen manual games"), Expand, "every check passed"},
		{"advance by hand, confirmed elsewhere", advance(manual), confirms("pauseWhen manual games"), Hold, "advanceWhen manual games missing"},
		{"pause by hand, not said", pause(manual), nothing, Expand, "every check passed"},
		{"pause by hand", pause(manual), confirms("pauseWhen manual games"), Pause, "pauseWhen manual games confirmed"},
		{"roll back by hand", back(manual), confirms("rollbackWhen manual games"), Rollback, "rollbackWhen manual games confirmed"},

		{"pause on any incident", pause(minor), open(Minor), Pause, "pauseWhen incident minor open db"},
		{"pause on one that is worse", pause(minor), open("odd"), Pause, "incidents odd db"},
		{"roll back on one that blocks", back(blocking), open(Blocking), Rollback, "rollbackWhen incident blocking open db"},
		{"not on a milder one", back(blocking), open(Minor), Hold, "incidents minor db"},
		{"advance without one", advance(minor), nothing, Expand, "every check passed"},
		{"not with one", advance(minor), open(Minor), Hold, "incidents minor db"},

		{"advance on a guardrail that is safe", advance(rail), nothing, Expand, "every check passed"},
		{"not on one that only found nothing", advance(rail), func(in *Input) { judgementOf(in, 1).Safe = false }, Hold, "advanceWhen day_7_retention open"},
		{"pause on a guardrail", pause(rail), harmed, Pause, "guardrail day_7_retention harmed"},
		{"roll back on a guardrail, first look", back(rail), harmed, Pause, "guardrail day_7_retention harmed"},
		{"roll back on a guardrail, second look", back(rail), func(in *Input) {
			harmed(in)
			in.State.Streaks = map[string]Streak{"rollbackWhen day_7_retention": {Looks: 1, Information: 9}}
		}, Rollback, "rollbackWhen day_7_retention breached"},
		{"roll back on a guardrail without data", back(rail), func(in *Input) { in.Evidence.Metrics[1].Judgement = nil }, Hold, "guardrail day_7_retention noData"},
	}
	for _, test := range tests {
		in := ready(0)
		s := &in.Plan.Stages[0]
		s.Requires, s.AdvanceWhen, s.PauseWhen, s.RollbackWhen = test.stage.Requires, test.stage.AdvanceWhen, test.stage.PauseWhen, test.stage.RollbackWhen
		test.change(&in)
		if v := evaluate(t, in); v.Action != test.action || v.Reason != test.reason {
			t.Errorf("%s: %s (%s: %s), want %s (%s)", test.name, v.Action, v.Reason, v.Text, test.action, test.reason)
		}
	}
}

// Every incident that a condition is about is an item of its own: whoever went on
// over one, or overruled it, has seen that one and no other.
func TestConditionsOnIncidentsTellThemApart(t *testing.T) {
	second := Incident{ID: "mail", Severity: Minor, Since: noon, Text: "late"}
	in := ready(0)
	in.Plan.Stages[0].PauseWhen = []Condition{{Incident: "minor"}}
	open(Minor)(&in)
	in.State.Acknowledged = []string{"pauseWhen incident minor open db"}
	if v := evaluate(t, in); v.Action != Hold {
		t.Errorf("resumed over the only one: %s (%s)", v.Action, v.Reason)
	}
	in.Evidence.Incidents = append(in.Evidence.Incidents, second)
	if v := evaluate(t, in); v.Action != Pause || v.Reason != "pauseWhen incident minor open mail" {
		t.Errorf("another has opened: %s (%s)", v.Action, v.Reason)
	}

	in.State.Acknowledged = nil
	var named []string
	for _, i := range evaluate(t, in).overrulable() {
		named = append(named, i.Check)
	}
	want := []string{"incidents minor db", "incidents minor mail", "pauseWhen incident minor open db", "pauseWhen incident minor open mail"}
	if diff := cmp.Diff(want, named); diff != "" {
		t.Errorf("what can be overruled (-want +got):\n%s", diff)
	}

	in.Plan.Stages[0].PauseWhen, in.Plan.Stages[0].RollbackWhen = nil, []Condition{{Incident: "minor"}}
	in.State.Reverted = []string{"rollbackWhen incident minor open db"}
	if v := evaluate(t, in); v.Action != Rollback || v.Reason != "rollbackWhen incident minor open mail" {
		t.Errorf("one took it back before, another has opened: %s (%s)", v.Action, v.Reason)
	}
}

// A guardrail that is asked within an attribute is shown to be safe when it is,
// and no value of it is known to be worse: the item that stands for all values
// proves nothing, and is not asked to.
func TestAdvanceOnAGuardrailWithin(t *testing.T) {
	in := ready(0)
	in.Plan.Metrics.Guardrails[0].Within = "region"
	in.Plan.Stages[0].AdvanceWhen = []Condition{{Guardrail: "day_7_retention"}}
	part := Part{Value: "eu", Judgement: judgementOf(&in, 1)}
	measured := &in.Evidence.Metrics[1]
	measured.Parts = []Part{part}
	if v := evaluate(t, in); v.Action != Expand {
		t.Errorf("safe in all and in one: %s (%s: %s)", v.Action, v.Reason, v.Text)
	}
	unknown := *part.Judgement
	unknown.Safe = false
	measured.Parts = append(measured.Parts, Part{Value: "asia", Judgement: &unknown})
	if v := evaluate(t, in); v.Action != Expand {
		t.Errorf("safe in all, and one value unknown: %s (%s: %s)", v.Action, v.Reason, v.Text)
	}
	unknown.Harmed = true
	if v := evaluate(t, in); v.Action != Pause {
		t.Errorf("one value is worse: %s (%s)", v.Action, v.Reason)
	}
	measured.Parts[1].Judgement, measured.Judgement = part.Judgement, &unknown
	unknown.Harmed = false
	if v := evaluate(t, in); v.Action != Hold || v.Reason != "advanceWhen day_7_retention open" {
		t.Errorf("safe in two values, and not in all: %s (%s)", v.Action, v.Reason)
	}
}

// A record of the first rules has the verdict that it had: its stages had no
// conditions, and what they say now means nothing there.
func TestConditionsAreOfTheSecondRules(t *testing.T) {
	in := ready(0)
	in.Plan.Stages[0].Requires = []string{"smoke"}
	in.Rules = 1
	if v := evaluate(t, in); v.Action != Expand {
		t.Errorf("%s (%s)", v.Action, v.Reason)
	}
}

// The checks stand in the order of the design: what comes from outside between
// health and guardrails, conditions on guardrails behind them.
func TestConditionsInOrder(t *testing.T) {
	in := ready(0)
	s := &in.Plan.Stages[0]
	s.Requires = []string{"smoke"}
	s.AdvanceWhen = []Condition{{Manual: "games"}, {Guardrail: "day_7_retention"}}
	s.PauseWhen, s.RollbackWhen = []Condition{{Incident: "minor"}}, []Condition{{Check: "probe"}}
	v := evaluate(t, in)
	var names []string
	for _, c := range v.Checks {
		names = append(names, c.key())
	}
	want := "window, flag, telemetry, sampleRatio, twoArms, unaccounted, incidents, requires smoke, rollbackWhen check probe, " +
		"pauseWhen incident minor, advanceWhen manual games, guardrail day_7_retention, guardrail support_contacts, " +
		"advanceWhen day_7_retention, units, exclusion day_7_retention, exclusion support_contacts, approval"
	if got := strings.Join(names, ", "); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	for _, c := range v.Checks {
		if byHand := c.Of == "manual games"; c.Text == "" || c.open() == c.Next.IsZero() && !byHand || byHand && !c.Next.IsZero() {
			t.Errorf("%s: %q, next look %v", c.key(), c.Text, c.Next)
		}
	}
}

// conditioned is the plan whose canary asks for a check and a person.
func conditioned() Plan {
	p := catsPlan()
	p.Stages[0].Requires = []string{"smoke"}
	p.Stages[0].AdvanceWhen = []Condition{{Manual: ana}}
	p.Stages[0].PauseWhen = []Condition{{Manual: lee}}
	return p
}

// A release waits for a test suite and for a person; what the suite said holds
// until it expires, and what the person said for that stage alone.
func TestReportsAndConfirmations(t *testing.T) {
	h := newHouse(t)
	h.begin(conditioned())
	smoke := func(s CheckState) {
		h.do(Command{Op: OpReport, Actor: "service:ci", Report: &Reporting{Check: "smoke", State: s, For: 6 * time.Hour, Text: "run 7"}})
	}
	tr := newTraffic(harmless)
	h.rounds(tr, 500, 6, is(Running))
	h.want(Hold, "requires smoke missing")
	smoke(Fail)
	h.send(tr, 500)
	h.step()
	h.want(Hold, "requires smoke failed")
	smoke(Pass)
	h.send(tr, 500)
	h.step()
	h.want(Hold, "advanceWhen manual "+ana+" missing")

	h.do(Command{Op: OpConfirm, Actor: lee, Comment: "something smells", Confirm: &Confirming{When: CheckPauseWhen, Owner: lee}})
	h.send(tr, 500)
	h.step()
	h.want(Pause, "pauseWhen manual "+lee+" confirmed")
	h.do(Command{Op: OpResume, Comment: "we know"})
	h.send(tr, 500)
	h.step()
	h.want(Hold, "advanceWhen manual "+ana+" missing") // he can say it again

	h.do(Command{Op: OpConfirm, Comment: "looked at the errors", Confirm: &Confirming{Owner: ana}})
	h.rounds(tr, 3000, 40, inStage(1))
	if r := h.rollout(); len(r.Confirmed) != 0 || r.Reported["smoke"].State != Pass {
		t.Errorf("behind the stage: %+v and %+v", r.Confirmed, r.Reported)
	}
	h.verified()
}

func TestRefusedReports(t *testing.T) {
	h := newHouse(t)
	p := conditioned()
	h.do(Command{Op: OpPlan, Plan: &p})
	h.state.known.Speaks = func(actor, owner string) bool { return actor == owner }
	report := func(r Reporting) Command { return Command{Op: OpReport, Report: &r} }
	confirm := func(c Confirming) Command { return Command{Op: OpConfirm, Comment: "so", Confirm: &c} }
	refused := func(name string, c Command, want string) {
		t.Helper()
		if _, _, err := h.try(c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want a refusal with %q", name, err, want)
		}
	}
	refused("no check", Command{Op: OpReport}, "is not an external check of the plan")
	refused("a check that the plan does not name", report(Reporting{Check: "load", State: Pass}), "name one of smoke")
	refused("a state that is none", report(Reporting{Check: "smoke", State: Wait}), "write pass or fail")
	refused("believed for ever", report(Reporting{Check: "smoke", State: Pass, For: 31 * 24 * time.Hour}), "write a time up to 30d")
	refused("believed for less than nothing", report(Reporting{Check: "smoke", State: Pass, For: -1}), "write a time up to 30d")
	refused("before the first stage", confirm(Confirming{Owner: ana}), "cannot be confirmed")
	if _, _, err := h.try(report(Reporting{Check: "smoke", State: Pass})); err != nil {
		t.Errorf("before the start: %v", err)
	}

	h.do(Command{Op: OpStart})
	h.step()
	refused("a person whom the stage does not ask", confirm(Confirming{Owner: lee}), "has nothing to confirm in canary")
	refused("a list that is none", confirm(Confirming{Owner: ana, When: CheckWindow}), "is not a list of conditions")
	refused("for somebody else", Command{Op: OpConfirm, Actor: lee, Comment: "so", Confirm: &Confirming{Owner: ana}}, "does not speak for")
	refused("without a word", Command{Op: OpConfirm, Confirm: &Confirming{Owner: ana}}, "say why")
	h.do(confirm(Confirming{Owner: ana}))
	refused("twice", confirm(Confirming{Owner: ana}), "has confirmed that already")

	h.do(Command{Op: OpRollback, Comment: "so"})
	h.step()
	refused("behind the end", report(Reporting{Check: "smoke", State: Pass}), "cannot take a report")

	none := catsPlan()
	if _, err := (Rollout{Plan: none}).report(Command{Report: &Reporting{Check: "smoke", State: Pass}}); err == nil {
		t.Error("taken by a rollout that is nowhere")
	}
}

// What else went live is named where a release stops, the newest first.
func TestDeploymentsAreNamed(t *testing.T) {
	in := ready(0)
	judgementOf(&in, 2).Breached = true
	for i := range 5 {
		in.Evidence.Deployments = append(in.Evidence.Deployments, Deployment{"cart", string(rune('9' - i)), noon})
	}
	const want = ". Since the stage began went live: cart 9 at 2026-11-02 12:00:00 UTC, cart 8 at 2026-11-02 12:00:00 UTC, cart 7 at 2026-11-02 12:00:00 UTC and 2 more"
	if v := evaluate(t, in); v.Action != Pause || !strings.HasSuffix(v.Text, want) {
		t.Errorf("%s: %s", v.Action, v.Text)
	}
	in.Rules = 1
	if v := evaluate(t, in); strings.Contains(v.Text, "cart") {
		t.Errorf("by the first rules: %s", v.Text)
	}
}

func TestWhatIsHandedOutNeverChanges(t *testing.T) {
	r := Rollout{}
	r.Reported = keeping(nil, "smoke", External{State: Pass})
	before := r.Reported
	r.Reported = keeping(r.Reported, "smoke", External{State: Fail})
	values := map[string][]string{"latency": {"eu"}}
	after := pinned(values, map[string][]string{"latency": {"eu", "us"}})
	if before["smoke"].State != Pass || len(values["latency"]) != 1 || !cmp.Equal(after["latency"], []string{"eu", "us"}) {
		t.Errorf("%v, %v, %v", before, values, after)
	}
}
