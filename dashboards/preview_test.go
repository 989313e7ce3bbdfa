package dashboards

import (
	"strconv"
	"strings"
	"testing"

	"github.com/sluice-hq/sluice/decisions"
)

func previewed(s Seen, p Prospect) Page {
	page, _ := NewPreview(Frame{Path: "/rollouts/production/game.gate/1/" + string(p.Op), Person: "person:ana", Rights: Rights{Decide: true}, Section: InRollouts}, s, p, "018f2c1e")
	return page
}

func rollingBack() Prospect {
	return Prospect{Prospect: decisions.Prospect{
		Op: decisions.OpRollback, Reason: true, Advice: "d3", Advises: "rollback: guardrail day_7 breached", Tells: []string{"decision.made", "decision.rollback"},
		Effects: []string{"Everybody gets gate_30, rules and targets included: 45,489 units (player) that got gate_40 so far", "It needs no approval, and keeps all evidence", "The rollout is locked until somebody explains what happened"},
		Frozen:  "The record names the evidence of decision 3, of 2026-11-21 14:00:02 UTC, SHA-256 " + hash, Void: []string{"The approval of person:lee, of 2026-11-21 12:00:00 UTC, is void"},
	}, Webhooks: []string{"release", "support"}, Hearing: "SDKs with an open stream hear of it at once: 12 of rules and 3 of notices are open to this replica.", JSON: "/api/v1/rollouts/production/game.gate/1/rollback"}
}

func overriding(n int) Prospect {
	p := Prospect{Prospect: decisions.Prospect{Op: decisions.OpOverride, Reason: true, Against: true, Advice: "d3", Advises: "hold: units open", Effects: []string{"The checks that are ticked no longer stand in the way of leaving canary"}}}
	for i := range n {
		p.Checks = append(p.Checks, decisions.OverruledItem{Check: "exclusion metric_" + strconv.Itoa(i), State: decisions.Wait})
	}
	return p
}

func previewSamples() map[string]Page {
	starting := Prospect{Prospect: decisions.Prospect{Op: decisions.OpStart, Effects: []string{"The plan is checked once more and frozen as version 1"}}, Preflight: decisions.Preflight{
		{Name: "owner", State: decisions.Given, Path: "owner", Text: "games answers for the release"},
		{Name: "metric", State: decisions.Lacking, Path: "metrics.success[0]", Text: "no event of day_1 in 14 days", Fix: "send it, or leave it out"},
		{Name: "past", State: decisions.Doubted, Text: "nobody came in the past"},
	}}
	reducing := Prospect{Prospect: decisions.Prospect{Op: decisions.OpReduce, Reason: true, Ways: []decisions.Way{{Stage: "canary", Reach: "1 % of units get gate_40"}, {Stage: strings.Repeat("long-stage-", 12), Reach: "5 % of units get gate_40"}}}}
	confirming := Prospect{Prospect: decisions.Prospect{Op: decisions.OpConfirm, Reason: true, Effects: []string{"The condition of games is met"}}, Owner: "games", When: decisions.CheckAdvanceWhen}
	return map[string]Page{
		"preview":          previewed(ended(), rollingBack()),
		"preview-start":    previewed(plannedSeen(), starting),
		"preview-schedule": previewed(plannedSeen(), Prospect{Prospect: decisions.Prospect{Op: decisions.OpSchedule, Effects: []string{"It starts by itself"}}}),
		"preview-override": previewed(ended(), overriding(12)),
		"preview-reduce":   previewed(ended(), reducing),
		"preview-confirm":  previewed(ended(), confirming),
		"preview-refused":  previewed(ended(), Prospect{Prospect: decisions.Prospect{Op: decisions.OpShip, Refused: "the rollout does not allow that: production/game.gate/1 is rolled back and cannot ship"}}),
	}
}

// TestNewPreview: each operation asks for what it takes, and only what stops
// nothing names the rollout that was seen.
func TestNewPreview(t *testing.T) {
	for _, m := range moves {
		page := previewed(ended(), Prospect{Prospect: decisions.Prospect{Op: m.op, Reason: true}}).(Preview)
		names := map[string]bool{}
		for _, f := range page.Form.Fields {
			names[f.Name] = true
		}
		if names["seen"] == m.calm || !names["comment"] || !names["decision"] {
			t.Errorf("%s: the form has %v", m.op, names)
		}
		if !strings.Contains(page.Command, "production/game.gate/1") {
			t.Errorf("%s: the command is %q", m.op, page.Command)
		}
	}
	if _, ok := NewPreview(Frame{}, ended(), Prospect{Prospect: decisions.Prospect{Op: "dance"}}, ""); ok {
		t.Error("there is a page of an operation that is none")
	}
}

// TestNewPreview_against: a decision against the recommendation says so before it
// is made.
func TestNewPreview_against(t *testing.T) {
	if text := html(t, previewed(ended(), overriding(2))); !strings.Contains(text, "This is not what is recommended.") || strings.Count(text, `type="checkbox"`) != 3 { // one is of the shortcuts
		t.Error("an override does not say what it is against, or which checks")
	}
	if text := html(t, previewed(ended(), rollingBack())); strings.Contains(text, "not what is recommended") {
		t.Error("a rollback is said to be against the recommendation, which it is not")
	}
}

// TestNewPreview_refused: what cannot be done has no form.
func TestNewPreview_refused(t *testing.T) {
	text := html(t, previewSamples()["preview-refused"])
	if strings.Contains(text, `id="do"`) || !strings.Contains(text, "cannot ship") {
		t.Error("what cannot be done has a form, or no reason")
	}
}
