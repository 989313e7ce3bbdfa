package dashboards

import (
	"strings"
	"testing"
	"time"

	"github.com/sluice-hq/sluice/decisions"
)

// TestUpNext: whoever is woken reads what happens next, and what does not happen
// without him.
func TestUpNext(t *testing.T) {
	looked := func(status decisions.Status, v decisions.Verdict) Seen {
		s := waiting("flag", 900, 1000, 9)
		s.Rollout.Status = status
		if len(v.Checks) == 0 {
			v.Checks = s.Verdict.Checks
		}
		v.Next = at.Add(2 * time.Minute)
		s.Verdict = &v
		return s
	}
	planned := func(w *decisions.Schedule) Seen {
		s := plannedSeen()
		s.Rollout.Schedule = w
		return s
	}
	approval := []decisions.Check{{Name: decisions.CheckApproval, State: decisions.Wait}}
	closed := ended()
	closed.Rollout.Locked, closed.Rollout.Return = false, &decisions.Return{}
	for want, s := range map[string]Seen{
		"The controller looks again at 14:02:02 UTC. Once every check has passed, it goes to full: everybody gets gate_40, in about": looked(decisions.Running, decisions.Verdict{Action: decisions.Hold}),
		"Nothing moves until it is approved. Then it goes to full":                                                                   looked(decisions.Running, decisions.Verdict{Action: decisions.Hold, Checks: approval}),
		"Nothing moves until a person decides; it is still watched, at 14:02:02 UTC again.":                                          looked(decisions.Running, decisions.Verdict{Action: decisions.Review}),
		"Nothing moves until somebody resumes it or rolls it back":                                                                   looked(decisions.Paused, decisions.Verdict{Action: decisions.Hold}),
		"Nothing moves until somebody says why it was rolled back.":                                                                  ended(),
		"It is being counted who still gets gate_40. Next is the cleanup, due on 2026-12-21":                                         closed,
		"Nothing happens until somebody starts it.":                                                                                  planned(nil),
		"It starts by itself on 2026-11-21 15:00:02 UTC.":                                                                            planned(&decisions.Schedule{At: at.Add(time.Hour)}),
		"Nothing happens until somebody starts it: the start on 2026-11-21 13:00:02 UTC was ref":                                     planned(&decisions.Schedule{At: at.Add(-time.Hour), Lapsed: "no metric"}),
	} {
		if got := strings.ReplaceAll(upNext(s), space, " "); !strings.HasPrefix(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
