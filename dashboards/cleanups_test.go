package dashboards

import (
	"testing"
	"time"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/flags"
)

func endings() []EndSeen {
	r := ended().Rollout
	blocked := decisions.Readiness{State: decisions.Blocked, Reasons: []decisions.Reason{{State: decisions.Blocked, Why: "checkout.new-cart needs it", Fix: "end that flag first"}}}
	safe := decisions.Readiness{State: decisions.Safe}
	caution := decisions.Readiness{State: decisions.Caution, Reasons: []decisions.Reason{{State: decisions.Caution, Why: "it was evaluated 2 h ago"}}}
	closed := r
	closed.Closed = &decisions.Closed{How: "archived", By: "person:ana", At: at}
	return []EndSeen{
		{Rollout: r, State: decisions.CleanupOpen, EndState: flags.Promote, Winner: "gate_40", Readiness: caution},
		{Rollout: r, State: decisions.CleanupWaiting, EndState: flags.Promote, Winner: "gate_40", Due: at.Add(12 * 24 * time.Hour), Readiness: safe},
		{Rollout: r, State: decisions.CleanupOverdue, EndState: flags.Remove, Winner: "gate_30", Due: at.Add(-9 * 24 * time.Hour), Readiness: blocked},
		{Rollout: closed, State: decisions.CleanupClosed, EndState: flags.Remove, Due: at, Readiness: safe},
		{Rollout: closed, State: decisions.CleanupClosed, EndState: flags.Keep, Due: at, Readiness: safe},
	}
}

func cleanupSamples() map[string]Page {
	f := sampleFrame(InCleanup)
	f.Path, f.Refresh = "/cleanup", 0
	var weeks []decisions.DebtWeek
	for i := range 12 {
		weeks = append(weeks, decisions.DebtWeek{Until: at.AddDate(0, 0, 7*(i-11)), Flags: []int{0, 1, 1, 3, 4, 4, 6, 5, 5, 3, 2, 1}[i], Oldest: 3 * i})
	}
	key := func() string { return "018f" }
	return map[string]Page{
		"cleanup": NewCleanups(f, endings(), weeks, at), "cleanup-empty": NewCleanups(f, nil, nil, at),
		"ending": NewEndPage(f, endings()[2], "# Remove game.gate\n\n- [ ] src/gate.go:17", at, key), "ending-closed": NewEndPage(f, endings()[3], "done", at, key),
	}
}

// TestCleanups_lanes: every cleanup stands in one lane, by how far its end is.
func TestCleanups_lanes(t *testing.T) {
	p := NewCleanups(Frame{}, endings(), nil, at)
	for i, l := range p.Lanes {
		if len(l.Cards) != 1 {
			t.Errorf("%s holds %d cards", l.Name, len(l.Cards))
		}
		if want := []string{"while the rollout goes on", "due in 12" + space + "d", "9" + space + "d over", "closed", "closed"}[i]; l.Cards[0].When != want {
			t.Errorf("%s says %q, want %q", l.Name, l.Cards[0].When, want)
		}
	}
}

// TestEndPage_forms: what may be done is offered to those who may, until it is
// done.
func TestEndPage_forms(t *testing.T) {
	key := func() string { return "k" }
	may := Frame{Rights: Rights{Decide: true}}
	if p := NewEndPage(may, endings()[2], "", at, key); p.Carry == nil || p.Close == nil {
		t.Error("an overdue flag cannot be ended")
	}
	for name, p := range map[string]EndPage{"a viewer": NewEndPage(Frame{}, endings()[2], "", at, key), "a rollout under way": NewEndPage(may, endings()[0], "", at, key), "a closed one": NewEndPage(may, endings()[3], "", at, key)} {
		if p.Carry != nil || p.Close != nil {
			t.Errorf("%s offers to end the flag", name)
		}
	}
	carried := endings()[2]
	carried.Rollout.Carried = &decisions.Carried{By: "person:ana", At: at}
	if p := NewEndPage(may, carried, "", at, key); p.Carry != nil || p.Close == nil || p.Carried == "" {
		t.Error("what is carried out is offered again, or cannot be closed")
	}
}

// TestDebt_sentence: the chart's sentence is that of its ends.
func TestDebt_sentence(t *testing.T) {
	weeks := func(first, last int) []decisions.DebtWeek { return []decisions.DebtWeek{{Flags: first}, {Flags: last}} }
	for want, w := range map[string][]decisions.DebtWeek{
		"5 flags are past due, more than the 2 of 1 weeks ago.": weeks(2, 5), "2 flags are past due, fewer than the 5 of 1 weeks ago.": weeks(5, 2), "No flag was past due.": nil,
	} {
		if got := debtSentence(w); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
