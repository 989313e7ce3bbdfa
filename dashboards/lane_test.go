package dashboards

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/sluice-hq/sluice/decisions"
)

// waiting is a rollout that waits for units: so many are there, and as many came
// in each hour as hours have gone by.
func waiting(flag string, have, need int64, hours int) Seen {
	return with(flag, func(s *Seen) {
		s.Rollout.Since = at.Add(-time.Duration(hours) * time.Hour)
		e := *s.Evidence
		e.Units = []decisions.Count{{Stage: "experiment", Arm: "gate_30", N: have}, {Stage: "experiment", Arm: "gate_40", N: have}}
		s.Evidence = &e
		s.Verdict = &decisions.Verdict{Action: decisions.Hold, Text: "exclusion is open", Checks: []decisions.Check{
			{Name: decisions.CheckUnits, State: decisions.Wait, Text: fmt.Sprintf("%d of %d units in the smaller arm", have, need), Numbers: map[string]float64{"have": float64(have), "need": float64(need)}}}}
	})
}

// TestLane_order: those come first that will need a person next.
func TestLane_order(t *testing.T) {
	asked := func(flag string, since time.Duration) Seen {
		return with(flag, func(s *Seen) {
			s.Rollout.Status, s.Ask = decisions.Paused, &decisions.Ask{What: decisions.WantsResume, Of: []string{"games"}, Since: at.Add(-since)}
		})
	}
	h := NewHome(Frame{}, []Seen{
		waiting("slow", 100, 1000, 2), waiting("fast", 900, 1000, 2), with("unknown", func(s *Seen) { s.Evidence = nil }), asked("new", time.Hour), asked("old", 9*time.Hour),
	}, AsOf{}, at)
	for i, want := range []string{"old new", "fast slow unknown"} {
		var got []string
		for _, c := range h.Lanes[i].Cards {
			got = append(got, c.Flag)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("in %s are %v, want %s", h.Lanes[i].Name, got, want)
		}
	}
	if c := h.Lanes[0].Cards[0]; c.Asked != "games" {
		t.Errorf("asked is %q", c.Asked)
	}
	if got := h.Lanes[1].Cards[1].Gate; got != "exclusion is open. 100 of 1000 units in the smaller arm. About 18"+space+"h left." {
		t.Errorf("the gate says %q", got)
	}
}

// crowd is a board of n rollouts, each with sixty guardrails.
func crowd(n int) []Seen {
	var all []Seen
	for i := range n {
		s := waiting(fmt.Sprintf("checkout.payments.express-pay-%03d", i), 100, 1000, 1+i)
		for k := range 60 {
			s.Rollout.Plan.Metrics.Guardrails = append(s.Rollout.Plan.Metrics.Guardrails, decisions.Guardrail{Metric: fmt.Sprintf("latency_%d", k)})
		}
		all = append(all, s)
	}
	return all
}

// TestLane_room: a lane shows twenty, and all when its address says so; a card
// names the guardrails that matter most.
func TestLane_room(t *testing.T) {
	all := crowd(45)
	for path, want := range map[string]int{"/": 20, "/?lane=running": 45, "/?lane=needs-you": 20, "/?lane=all": 45} {
		l := NewHome(Frame{Path: path, Environment: "production"}, all, AsOf{}, at).Lanes[1]
		if len(l.Cards) != want || l.Tally != 45 || (l.More == "") != (want == 45) {
			t.Errorf("%s: %d cards of %d, more at %q", path, len(l.Cards), l.Tally, l.More)
		}
		if l.More != "" && l.More != "/?environment=production&lane=running#running" {
			t.Errorf("all are at %s", l.More)
		}
	}
	c := NewHome(Frame{}, all[:1], AsOf{}, at).Lanes[1].Cards[0]
	if len(c.Lights) != mostLights || c.Unlit+mostLights != 60+len(guardrails(catRollout().Plan.Metrics)) || c.Lights[0].Mark != Worse {
		t.Errorf("a card names %v and %d more", c.Lights, c.Unlit)
	}
}

// TestHome_table: one row for each rollout, as the board has it.
func TestHome_table(t *testing.T) {
	rows := NewHome(Frame{Path: "/?lane=all"}, crowd(45), AsOf{}, at).Table()
	if len(rows) != 46 || len(rows[0]) != len(rows[1]) || rows[1][0] != "Running" || rows[1][7] != "experiment" {
		t.Errorf("%d rows, the first is %v", len(rows), rows[1])
	}
}
