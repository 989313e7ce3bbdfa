package rehearsal

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
)

// asking is a release that asks people and systems at every turn.
func asking() Rehearsal {
	r := release()
	canary := &r.Plan.Stages[0]
	canary.Approve, canary.ApproveBy = 2, "payments"
	canary.Requires = []string{"load-test"}
	canary.AdvanceWhen = []decisions.Condition{{Manual: "dana"}, {Check: "probe"}}
	canary.PauseWhen = []decisions.Condition{{Check: "error-budget"}, {Manual: "dana"}}
	return r
}

// What a plan asks of people and systems is answered: at once, or after a delay,
// and what has expired is reported again.
func TestWhatIsAskedIsAnswered(t *testing.T) {
	at := func(answer time.Duration) time.Duration {
		r := asking()
		r.Settings.Answer = event.Duration(answer)
		run := runs(t, r, Scenario{Kind: Better}, 1)[0]
		after := time.Duration(-1)
		for _, d := range run.Decisions {
			if d.Action == decisions.Expand && d.To == "week" {
				after = time.Duration(d.After)
			}
		}
		if after < 0 || run.Ended != Shipped {
			t.Fatalf("answered after %s it ended %s: %+v", answer, run.Ended, run.Decisions)
		}
		return after
	}
	promptly, slowly := at(0), at(2*day)
	if promptly > 2*day || slowly-promptly < 2*day || slowly-promptly > 6*day {
		t.Errorf("the canary was left after %s, and with answers two days later after %s", promptly, slowly)
	}
}

// Without an answer the release waits until somebody has enough of it.
func TestWhatNobodyAnswersWaits(t *testing.T) {
	r := asking()
	if kinds := r.Scenarios(); kinds[len(kinds)-1].Kind != Unconfirmed {
		t.Errorf("it is not rehearsed that nobody answers: %+v", kinds)
	}
	for stage, r := range map[string]Rehearsal{"canary": r, "": approved(release())} { // a policy asks before anybody is exposed
		run := runs(t, r, Scenario{Kind: Unconfirmed}, 1)[0]
		last := run.Decisions[len(run.Decisions)-1]
		if run.Ended != Unanswered || last.From != stage || time.Duration(run.Lasted) > 14*day {
			t.Errorf("ended %s after %s with %+v", run.Ended, run.Lasted, last)
		}
	}
	for _, s := range release().Scenarios() {
		if s.Kind == Unconfirmed {
			t.Error("a plan that asks nobody is rehearsed without answers")
		}
	}
}

func approved(r Rehearsal) Rehearsal {
	r.Policy.Approvals = flags.Approvals{Count: 1, Role: "approver"}
	return r
}

// What policies ask holds in a rehearsal as it would in production: guardrails,
// checks, approvals and hours.
func TestPoliciesAreRehearsed(t *testing.T) {
	r := release()
	r.Plan.Metrics.Guardrails = r.Plan.Metrics.Guardrails[1:]
	delete(r.Plan.Stages[0].Exclude, "returns")
	r.Policy = flags.Releases{
		Guardrails: []flags.ReleaseGuardrail{{Metric: "returns", Margin: percent(10), Exclude: decisions.Size{Change: 50_000}}},
		Approvals:  flags.Approvals{Count: 1}, Requires: []string{"load-test"},
		Windows: []flags.Hours{{Days: []string{"thu"}, From: "09:00", To: "17:00"}},
	}
	harmed := runs(t, r, Scenario{Kind: Breach, Metric: "returns", By: decisions.Size{Change: 50_000}}, 1)[0]
	if harmed.Ended != RolledBack {
		t.Errorf("a guardrail of a policy alone: ended %s", harmed.Ended)
	}
	healthy := runs(t, r, Scenario{Kind: Healthy}, 1)[0]
	i := slices.IndexFunc(healthy.Decisions, func(d Decided) bool { return d.To == "canary" })
	if i < 0 || begins.Add(time.Duration(healthy.Decisions[i].After)).Weekday() != time.Thursday {
		t.Errorf("it began outside of the hours: %+v", healthy.Decisions)
	}
	if silent := runs(t, r, Scenario{Kind: Unconfirmed}, 1)[0]; silent.Ended != Unanswered {
		t.Errorf("without the check and the approval: ended %s: %+v", silent.Ended, silent.Decisions)
	}
	r.Policy.Guardrails = append(r.Policy.Guardrails, flags.ReleaseGuardrail{Metric: "tickets", Margin: percent(10)})
	if err := r.Validate(); err == nil || !strings.Contains(err.Error(), "metrics.tickets is not a declared metric") {
		t.Errorf("a policy's metric that nobody declared: %v", err)
	}
}

// A stage that compares variants of its own is rehearsed on those.
func TestArmsOfAStage(t *testing.T) {
	r := release()
	r.Flag.Variants["third"], r.Flag.Type = []byte(`"third"`), flags.String
	r.Flag.Variants["on"], r.Flag.Variants["off"] = []byte(`"on"`), []byte(`"off"`)
	r.Plan.Stages[0].Arms = &decisions.Arms{Treatment: "third"}
	run := runs(t, r, Scenario{Kind: Breach, Metric: "returns", By: decisions.Size{Change: 80_000}}, 1)[0]
	last := run.Decisions[len(run.Decisions)-1]
	if run.Ended != RolledBack || last.From != "canary" || run.Harmed == 0 {
		t.Errorf("ended %s with %+v after %d harmed units", run.Ended, last, run.Harmed)
	}
	if calm := runs(t, r, Scenario{Kind: Healthy}, 1)[0]; calm.Treated < 20_000 {
		t.Errorf("only %d units met the treatment", calm.Treated)
	}
}

// A guardrail that says what it is sharpest for, and no margin, is one of margin
// 0: its breach is rehearsed.
func TestABreachWithoutAMargin(t *testing.T) {
	r := release()
	r.Plan.Metrics.Guardrails = []decisions.Guardrail{{Metric: "crashes", Detect: decisions.Size{Change: decisions.All, Factor: true}}}
	r.Plan.Stages[0].Exclude = map[string]decisions.Size{"crashes": {Change: 1_000_000, Factor: true}}
	all := r.Scenarios()
	i := slices.IndexFunc(all, func(s Scenario) bool { return s.Kind == Breach })
	if i < 0 || all[i].Metric != "crashes" || all[i].By.IsZero() {
		t.Fatalf("no breach of it is rehearsed: %+v", all)
	}
	if run := runs(t, r, all[i], 1)[0]; run.Ended != RolledBack {
		t.Errorf("ended %s", run.Ended)
	}
}
