package dashboards

import (
	"strings"
	"testing"

	"github.com/sluice-hq/sluice/decisions"
)

// TestActs: a page offers what can be done with the rollout as it stands, and
// nothing else.
func TestActs(t *testing.T) {
	approval := decisions.Verdict{Action: decisions.Hold, Checks: []decisions.Check{{Name: decisions.CheckApproval, State: decisions.Wait}}}
	for name, c := range map[string]struct {
		status  decisions.Status
		locked  bool
		verdict decisions.Verdict
		want    string
	}{
		"planned":     {decisions.Planned, false, decisions.Verdict{}, "Start"},
		"running":     {decisions.Running, false, decisions.Verdict{Action: decisions.Hold}, "Roll back"},
		"to approve":  {decisions.Running, false, approval, "Approve, Roll back"},
		"to review":   {decisions.Running, false, decisions.Verdict{Action: decisions.Review}, "Go on, Roll back"},
		"paused":      {decisions.Paused, false, decisions.Verdict{}, "Resume, Roll back"},
		"rolled back": {decisions.RolledBack, true, decisions.Verdict{}, "Explain"},
		"explained":   {decisions.RolledBack, false, decisions.Verdict{}, ""},
	} {
		s := ended()
		s.Rollout.Status, s.Rollout.Locked, s.Verdict = c.status, c.locked, &c.verdict
		var got []string
		for _, a := range acts(s) {
			got = append(got, a.Title)
			if !strings.Contains(a.Command, "production/game.gate/1") {
				t.Errorf("%s: the command %q names no rollout", name, a.Command)
			}
			last, _ := s.Rollout.Last()
			if a.Title == "Approve" && !strings.HasSuffix(a.Command, " --decision "+last.ID) {
				t.Errorf("%s: the command %q names no decision", name, a.Command)
			}
		}
		if strings.Join(got, ", ") != c.want {
			t.Errorf("%s: got %v, want %s", name, got, c.want)
		}
	}
}

// TestGate_behind: between a step and the first look after it, the checks on
// the page are those of the gate that was passed, and the page says so.
func TestGate_behind(t *testing.T) {
	s := ended()
	s.Rollout.Status, s.Rollout.Stage = decisions.Running, 1
	s.Verdict = &decisions.Verdict{Action: decisions.Expand, Stage: 1, Text: "Every check of canary passed; next is experiment"}
	page := NewRollout(Frame{}, s, "", at)
	if want := "Gate to experiment, passed"; page.Gate.Title != want {
		t.Errorf("got %q, want %q", page.Gate.Title, want)
	}
	if strings.Contains(page.Lead, "The plan says") {
		t.Errorf("the page recommends what is done: %q", page.Lead)
	}
	s.Verdict.Stage = 2
	if page := NewRollout(Frame{}, s, "", at); page.Gate.Title != "Gate from experiment to full" || !strings.Contains(page.Lead, "The plan says") {
		t.Errorf("got %q and %q", page.Gate.Title, page.Lead)
	}
}
