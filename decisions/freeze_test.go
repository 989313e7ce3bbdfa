package decisions

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/flags"
)

// utc is a time in UTC: "2026-12-24 18:00".
func utc(t *testing.T, text string) time.Time {
	t.Helper()
	v, err := time.Parse("2006-01-02 15:04", text)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestClosures(t *testing.T) {
	office := []flags.Hours{{Days: []string{"mon", "tue", "wed", "thu", "fri"}, From: "08:00", To: "16:00"}}
	winter := flags.Freeze{From: utc(t, "2026-12-20 00:00"), To: utc(t, "2027-01-02 08:00"), Why: "winter holidays"}
	for _, c := range []struct {
		name, now string
		p         RolloutPolicy
		want      []Closure
	}{
		{"nothing is asked", "2026-12-24 18:00", RolloutPolicy{}, nil},
		{"before the freeze", "2026-12-19 23:59", RolloutPolicy{Freezes: []flags.Freeze{winter}}, nil},
		{"in the freeze", "2026-12-20 00:00", RolloutPolicy{Freezes: []flags.Freeze{winter}}, []Closure{{CheckFreeze, "winter holidays", winter.To}}},
		{"at its end", "2027-01-02 08:00", RolloutPolicy{Freezes: []flags.Freeze{winter}}, nil},
		{"within the hours", "2026-11-20 08:00", RolloutPolicy{Windows: office}, nil},
		{"early in the morning", "2026-11-20 07:59", RolloutPolicy{Windows: office}, []Closure{{Kind: CheckHours, Until: utc(t, "2026-11-20 08:00")}}},
		{"on a Friday evening", "2026-11-20 16:00", RolloutPolicy{Windows: office}, []Closure{{Kind: CheckHours, Until: utc(t, "2026-11-23 08:00")}}},
		{"a week later", "2026-11-20 16:00", RolloutPolicy{Windows: []flags.Hours{{Days: []string{"fri"}, From: "08:00", To: "16:00"}}}, []Closure{{Kind: CheckHours, Until: utc(t, "2026-11-27 08:00")}}},
		{"both", "2026-12-24 18:00", RolloutPolicy{Freezes: []flags.Freeze{winter}, Windows: office}, []Closure{{CheckFreeze, "winter holidays", winter.To}, {Kind: CheckHours, Until: utc(t, "2026-12-25 08:00")}}},
	} {
		if diff := cmp.Diff(c.want, closures(c.p, utc(t, c.now))); diff != "" {
			t.Errorf("%s: -want +got:\n%s", c.name, diff)
		}
	}
}

// A freeze holds what would expand, names itself and its end, and binds people
// too; to go back is always possible.
func TestFreeze_holdsExpansion(t *testing.T) {
	h := newHouse(t)
	h.governed(flags.Releases{Freezes: []flags.Freeze{{From: h.now.Add(-time.Hour), To: h.now.Add(24 * time.Hour), Why: "winter holidays"}}})
	h.begin(catsPlan())
	h.want(Hold, "freeze winter holidays")
	if text := h.last().Text; !strings.Contains(text, "Frozen: winter holidays; until 2026-11-03 09:00:00 UTC") {
		t.Errorf("it says %q", text)
	}
	h.refused(Command{Op: OpAdvance, Comment: "now"}, "Frozen: winter holidays; until 2026-11-03 09:00:00 UTC")
	h.refused(Command{Op: OpOverride, Comment: "now"}, "nothing in it is a single person's to overrule")
	h.now = h.now.Add(24 * time.Hour)
	h.step()
	h.want(Expand, "started")
	h.verified()
}

func TestFreeze_neverHoldsARollback(t *testing.T) {
	h := newHouse(t)
	h.begin(catsPlan())
	h.governed(flags.Releases{Freezes: []flags.Freeze{{From: h.now.Add(-time.Hour), To: h.now.Add(240 * time.Hour), Why: "winter holidays"}}})
	h.rounds(newTraffic(harmful), 1000, 90, is(RolledBack))
	h.want(Rollback, "guardrail day_7_retention breached")
	h.verified()
}

func TestFreeze_holdsNoPersonBack(t *testing.T) {
	h := newHouse(t)
	h.begin(catsPlan())
	h.send(newTraffic(harmless), 10)
	h.step()
	h.governed(flags.Releases{Windows: []flags.Hours{{Days: []string{"sun"}, From: "08:00", To: "09:00"}}})
	h.refused(Command{Op: OpShip, Comment: "now"}, "It is outside the hours in which a stage may begin; until 2026-11-08 08:00:00 UTC")
	h.do(Command{Op: OpRollback, Comment: "customers call"})
	h.step()
	if h.rollout().Status != RolledBack {
		t.Errorf("status %s", h.rollout().Status)
	}
}
