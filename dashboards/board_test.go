package dashboards

import (
	"slices"
	"testing"
	"time"

	"github.com/sluice-hq/sluice/decisions"
)

// with returns a rollout of a flag, changed.
func with(flag string, change func(*Seen)) Seen {
	s := catSeen()
	s.Rollout.Plan.Flag, s.Rollout.ID = flag, decisions.RolloutID("production", flag, 1)
	s.Verdict.Action, s.Verdict.Checks = decisions.Hold, []decisions.Check{{Name: decisions.CheckUnits, State: decisions.Wait}}
	if change != nil {
		change(&s)
	}
	return s
}

func TestNewHome_lanes(t *testing.T) {
	for _, c := range []struct {
		name   string
		lane   int
		status Mark
		change func(*Seen)
	}{
		{"waiting for units", 1, Running, nil},
		{"telemetry is missing", 2, Holding, func(s *Seen) {
			s.Verdict.Checks = append(s.Verdict.Checks, decisions.Check{Name: decisions.CheckTelemetry, State: decisions.Fail})
		}},
		{"approval is all that is missing", 0, Running, func(s *Seen) {
			s.Verdict.Checks = []decisions.Check{{Name: decisions.CheckUnits, State: decisions.Pass}, {Name: decisions.CheckApproval, State: decisions.Wait}}
		}},
		{"approval is not yet due", 1, Running, func(s *Seen) {
			s.Verdict.Checks = append(s.Verdict.Checks, decisions.Check{Name: decisions.CheckApproval, State: decisions.Wait})
		}},
		{"inconclusive at the end", 0, Review, func(s *Seen) { s.Verdict.Action = decisions.Review }},
		{"paused", 0, Paused, func(s *Seen) { s.Rollout.Status = decisions.Paused }},
		{"not started", 0, Planned, func(s *Seen) { s.Rollout.Status, s.Rollout.Stage, s.Verdict = decisions.Planned, -1, nil }},
		{"rolled back, not explained", 0, RolledBack, func(s *Seen) { s.Rollout.Status, s.Rollout.Locked, s.Rollout.Ended = decisions.RolledBack, true, at }},
		{"rolled back, explained", 3, RolledBack, func(s *Seen) { s.Rollout.Status, s.Rollout.Ended = decisions.RolledBack, at }},
		{"cleanup overdue", 0, CleanupDue, func(s *Seen) {
			s.Rollout.Status, s.Rollout.Ended = decisions.CleanupDue, at.Add(-31*24*time.Hour)
		}},
		{"served to all, watched", 3, Shipped, func(s *Seen) { s.Rollout.Status, s.Rollout.Stage = decisions.Observing, 2 }},
	} {
		h := NewHome(Frame{}, []Seen{with("f", c.change)}, AsOf{}, at)
		for i, l := range h.Lanes {
			if len(l.Cards) == 1 != (i == c.lane) {
				t.Errorf("%s: lane %s has %d cards", c.name, l.Name, len(l.Cards))
			}
		}
		if cards := h.Lanes[c.lane].Cards; len(cards) == 1 && cards[0].Status != c.status {
			t.Errorf("%s: status %s, want %s", c.name, cards[0].Status, c.status)
		}
	}
}

func TestNewHome_showsTheNewestOfEachFlag(t *testing.T) {
	second := with("f", func(s *Seen) { s.Rollout.Number, s.Rollout.ID = 2, decisions.RolloutID("production", "f", 2) })
	h := NewHome(Frame{}, []Seen{with("f", nil), second, with("g", nil)}, AsOf{}, at)
	cards := h.Lanes[1].Cards
	if len(cards) != 2 || cards[0].Link != "/rollouts/production/f/2" || cards[1].Flag != "g" {
		t.Errorf("cards are %+v", cards)
	}
}

func TestNewHome_search(t *testing.T) {
	all := []Seen{with("checkout.pay", nil), with("search.ranker", nil)}
	for _, c := range []struct {
		query string
		want  int
	}{{"", 2}, {" CHECKOUT ", 1}, {"progression", 2}, {"nothing", 0}} {
		h := NewHome(Frame{Query: c.query}, all, AsOf{}, at)
		if got := len(h.Lanes[1].Cards); got != c.want {
			t.Errorf("search %q finds %d, want %d", c.query, got, c.want)
		}
	}
}

func TestNewHome_empty(t *testing.T) {
	if got := NewHome(Frame{}, nil, AsOf{}, at).Empty; !slices.Equal(got, []string{ApplyCommand, StartCommand}) {
		t.Errorf("an empty board says %q", got)
	}
}

func TestReach(t *testing.T) {
	for _, c := range []struct {
		name, want string
		change     func(*decisions.Rollout)
	}{
		{"ramp", "50 % of units get gate_40", func(*decisions.Rollout) {}},
		{"before the first stage", "nobody gets gate_40", func(r *decisions.Rollout) { r.Stage = -1 }},
		{"rolled back", "nobody gets gate_40", func(r *decisions.Rollout) { r.Status = decisions.RolledBack }},
		{"full", "everybody gets gate_40", func(r *decisions.Rollout) { r.Stage = 2 }},
		{"holdback", "99 % of units get gate_40", func(r *decisions.Rollout) { r.Stage, r.Plan.Stages[2].Holdback = 2, 1000 }},
		{"audience", "employees get gate_40", func(r *decisions.Rollout) {
			r.Plan.Stages[1] = decisions.Stage{Name: "internal", Serve: "treatment", To: "employees"}
		}},
		{"shadow", "nobody gets gate_40; it runs in the shadow of gate_30", func(r *decisions.Rollout) {
			r.Plan.Stages[1] = decisions.Stage{Name: "dark", Dark: true}
		}},
	} {
		r := catRollout()
		c.change(&r)
		if got := plain(reach(r)); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}
