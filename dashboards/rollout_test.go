package dashboards

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/stats"
)

// deciding is who may do everything.
func deciding(path string) Frame {
	return Frame{Path: path, Person: "person:ana", Section: InRollouts, Rights: Rights{Write: true, Decide: true}}
}

// busy is a rollout about which everything that a page shows is known.
func busy() Seen {
	s := ended()
	r := &s.Rollout
	r.Status, r.Locked, r.Ended, r.Stage = decisions.Running, false, time.Time{}, 1
	r.Started, r.Since = at.Add(-50*time.Hour), at.Add(-20*time.Hour)
	r.Decisions[0].At, r.Decisions[1].At, r.Decisions[2].At = at.Add(-50*time.Hour), at.Add(-20*time.Hour), at.Add(-time.Hour)
	r.Decisions[2].Verdict = decisions.Verdict{Action: decisions.Review, Stage: 1, Text: "A person decides"}
	r.Plan.Stages[0].MinWindow, r.Plan.Stages[1].MinWindow = decisions.Window(24*time.Hour), decisions.Window(7*24*time.Hour)
	r.Plan.Metrics.Guardrails[0].Margin = percentOf(10_000)
	calm := stats.Guardrail{Margin: 0.1, Detect: 0.04}.Judge(s.Evidence.Metrics[1].Strata, r.Frozen["day_7"])
	s.Evidence.Metrics[1].Judgement = &calm
	r.Reported = map[string]decisions.External{"smoke-test": {State: decisions.Pass, Link: "https://ci.example/7"}}
	r.Return = &decisions.Return{Decided: at.Add(-30 * time.Hour), Proven: &decisions.Proving{TimeToSafe: event.Duration(1400 * time.Millisecond), Replicas: 3, Streams: 12, Exposures: 900}}
	r.Drills = []decisions.Drill{{At: at.Add(-time.Hour), Result: &decisions.Drilled{Replicas: 3, Streams: 12, Why: "2 connected SDKs hold an older revision", Older: 2}}}
	r.WayBack = &decisions.WayBack{Safe: "gate_30"}
	r.Versions = []decisions.VersionNote{{Revision: decisions.Revision{Version: 2, Changes: []string{"stages[canary].minUnits is now 2000 (was 1000)"}, Afresh: true}, By: "person:ana", At: at.Add(-3 * time.Hour), Comment: "too few"}}
	s.Verdict = &decisions.Verdict{Action: decisions.Hold, Stage: 1, Text: "44,700 of 60,000 units in the smaller arm", Next: at.Add(2 * time.Minute), Checks: []decisions.Check{
		{Name: decisions.CheckUnits, State: decisions.Wait, Text: "44,700 of 60,000 units in the smaller arm", Numbers: map[string]float64{"have": 44_700, "need": 60_000}, Next: at.Add(10 * time.Minute)},
		{Name: decisions.CheckRequires, Of: "check smoke-test", State: decisions.Pass, Text: "The external check smoke-test has passed"},
		{Name: decisions.CheckAdvanceWhen, Of: "manual games", State: decisions.Wait, Text: "Waits for games to confirm"},
		{Name: decisions.CheckApproval, State: decisions.Wait, Text: "Approval is asked for when everything else passes"},
	}}
	s.Evidence.Deployments = []decisions.Deployment{{Service: "matchmaker", Version: "v412", At: at.Add(-2 * time.Hour)}, {Service: "shop", Version: "v7", At: at.Add(-10 * time.Hour)}}
	s.Ask = &decisions.Ask{What: decisions.WantsDecision, Of: []string{"games"}, Since: at.Add(-time.Hour), Why: "A person decides", Next: &decisions.NextAsk{To: "lee", At: at.Add(time.Hour)}}
	s.Agreement = &decisions.Agreement{Needs: []decisions.Agreed{{Need: decisions.Need{Count: 2, Role: "games"}, Have: 1}}, Given: []decisions.Approval{{By: "person:lee", At: at.Add(-time.Hour), Roles: []string{"approver", "team:games"}, Comment: "fine"}}, Void: []decisions.Approval{{By: "person:kim", At: at.Add(-9 * time.Hour)}}}
	s.Can = []decisions.Op{decisions.OpOverride, decisions.OpAdvance, decisions.OpShip, decisions.OpHold, decisions.OpReduce, decisions.OpDrill, decisions.OpReject, decisions.OpRollback}
	s.Incidents = []decisions.Reported{{Incident: decisions.Incident{ID: "db-17", Severity: decisions.Minor, Since: at.Add(-time.Hour), Text: "the database is slow", Particulars: decisions.Particulars{Link: "https://status.example/17"}}, By: "service:alertmanager"},
		{Incident: decisions.Incident{ID: "db-16", Text: "over"}, Resolved: at.Add(-3 * time.Hour)}}
	for i := range 30 {
		s.Counted = append(s.Counted, Counted{"gate_30": int64(1490 * i), "gate_40": int64(1516 * i)})
	}
	return s
}

// crowded has as much of everything as a page ever shows.
func crowded() Seen {
	s := busy()
	p := &s.Rollout.Plan
	for i := range 60 {
		p.Metrics.Guardrails = append(p.Metrics.Guardrails, decisions.Guardrail{Metric: fmt.Sprintf("service_%d.latency_of_the_99th_percentile", i)})
	}
	for i := range 40 {
		p.Metrics.Diagnostics = append(p.Metrics.Diagnostics, decisions.Diagnostic{Metric: fmt.Sprintf("d%d", i)})
	}
	for i := range 200 {
		s.Rollout.Decisions = append(s.Rollout.Decisions, decisions.Decision{ID: fmt.Sprint("d", 4+i), At: at.Add(-time.Duration(200-i) * time.Minute), By: "controller", From: 1,
			Verdict: decisions.Verdict{Action: []decisions.Action{decisions.Hold, decisions.Pause}[i%2], Stage: 1, Text: strings.Repeat("a long reason ", 20)}})
	}
	for i := range 30 {
		s.Evidence.Deployments = append(s.Evidence.Deployments, decisions.Deployment{Service: strings.Repeat("service-", 20), Version: "v1", At: at.Add(-time.Duration(i) * time.Minute)})
	}
	return s
}

func rolloutSamples() map[string]Page {
	const path = "/rollouts/production/game.gate/1"
	over := ended()
	over.Can, over.Ask = []decisions.Op{decisions.OpExplain}, &decisions.Ask{What: decisions.WantsExplanation, Of: []string{"games"}, Since: at}
	return map[string]Page{
		"rollout-busy":  NewRollout(deciding(path), busy(), "/api/v1"+path, at),
		"rollout-many":  NewRollout(deciding(path), crowded(), "/api/v1"+path, at),
		"rollout-ended": NewRollout(deciding(path), over, "/api/v1"+path, at),
		"home-many":     NewHome(Frame{Path: "/", Person: "person:ana", Section: InRollouts, Environments: []string{"production", "staging"}}, crowd(200), sampleAsOf(), at),
		"rollout-plan":  NewRolloutPlan(deciding(path+"?tab=plan"), busy(), "flag: game.gate\nstages:\n  - {name: canary, treatment: 5%}\n"+strings.Repeat("#", 300)+"\n", "/api/v1"+path, at),
	}
}

// TestNewRollout_says: what a release owner looks for stands on the page.
func TestNewRollout_says(t *testing.T) {
	text := html(t, NewRollout(deciding("/"), busy(), "", at))
	for _, want := range []string{
		"44,700 of 60,000 units in the smaller arm", "Asked again on 2026-11-21 14:10:02", "in about 7" + space + "h", "1 of 2", "team:games", "void, the plan or the flag has changed since",
		"It waits for a decision", "Next is <bdi>lee</bdi>", "the database is slow", "https://ci.example/7", "/confirm?owner=games", "when=advanceWhen", "<strong>1.40" + space + "s</strong> to safe",
		"Not safe: 2 connected SDKs hold an older revision", "<strong>A</strong> <bdi>shop</bdi>", "<strong>B</strong> <bdi>matchmaker</bdi>", `class="button main" href="/rollouts/production/game.gate/1/ship"`, "Roll back…",
		"from 0 to 43,964 units over the last 30 looks",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not said", want)
		}
	}
	if strings.Contains(text, ">over<") {
		t.Error("an incident that is over is shown as open")
	}
}

// TestNewRollout_whoMayNot: there are commands in the place of buttons.
func TestNewRollout_whoMayNot(t *testing.T) {
	f := deciding("/")
	f.Rights = Rights{}
	text := html(t, NewRollout(f, busy(), "", at))
	if n := strings.Count(text, `aria-label="Command: sluice rollback`); n != 1 {
		t.Errorf("the command to roll back stands there %d times", n)
	}
	if strings.Contains(text, `class="button`) || !strings.Contains(text, "sluice rollback production/game.gate/1") {
		t.Error("who may not decide has a button, or no command")
	}
}

// TestNewRollout_listsTheNewest: the numbers stay those of the log.
func TestNewRollout_listsTheNewest(t *testing.T) {
	p := NewRollout(deciding("/"), crowded(), "", at)
	if n := len(p.Decisions); n != mostShown || n+len(p.Before) != mostListed || p.Decisions[0].Number != 203 || p.Before[0].Number != 203-mostShown || p.Earlier != "/decisions?rollout=production%2Fgame.gate%2F1" {
		t.Errorf("%d decisions and %d before them, the first is number %d, all are at %q", n, len(p.Before), p.Decisions[0].Number, p.Earlier)
	}
}
