package dashboards

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
)

func sampleEnded(flag string, change func(*Ended)) Ended {
	due := at.Add(-12 * 24 * time.Hour)
	e := Ended{ID: "production/" + flag + "/1", Flag: flag, Environment: "production", Owner: "payments-team", State: decisions.CleanupOverdue, EndState: flags.Promote, Winner: "on", Due: &due,
		Ticket: "https://tickets.example/GAME-17", Seen: flags.Seen{Asked: at.Add(-time.Hour), Since: at.AddDate(0, -1, 0)}, References: map[string]int{"github.com/acme/shop": 12, "github.com/acme/app": 1, "github.com/acme/docs": 0},
		Ready: decisions.Readiness{State: decisions.Caution, Reasons: []decisions.Reason{{State: decisions.Caution, Step: decisions.StepArchive, Why: "it was asked for an hour ago", Fix: "take it out of the code"}}}}
	if change != nil {
		change(&e)
	}
	return e
}

func sampleCleanups() []Ended {
	soon := at.Add(40 * 24 * time.Hour)
	return []Ended{
		sampleEnded("game.gate-position", func(e *Ended) {
			e.State, e.Due, e.References, e.Seen = decisions.CleanupOpen, nil, nil, flags.Seen{}
			e.Ready = decisions.Readiness{State: decisions.Blocked, Reasons: []decisions.Reason{{State: decisions.Blocked, Step: decisions.StepEnd, Why: "production/game.gate-position/1 is running", Fix: "wait for its end, or roll it back"}}}
		}),
		sampleEnded("search.ranker-v3", func(e *Ended) {
			e.State, e.Due, e.EndState, e.Winner = decisions.CleanupWaiting, &soon, flags.Remove, "off"
			e.Ready, e.References, e.Seen.Asked = decisions.Readiness{State: decisions.Safe}, map[string]int{"github.com/acme/shop": 0}, time.Time{}
		}),
		sampleEnded("checkout.payments.express-pay", nil),
		sampleEnded("old.one", func(e *Ended) {
			e.State, e.Closed = decisions.CleanupClosed, &decisions.Closed{How: decisions.ByArchive, By: "person:ana", At: at.Add(-time.Hour), Comment: "no code uses it"}
		}),
		sampleEnded("switch.of-payments", func(e *Ended) {
			e.State, e.EndState, e.Closed = decisions.CleanupClosed, flags.Keep, &decisions.Closed{How: decisions.ByKeeping, By: "person:lee", At: at}
		}),
	}
}

func sampleWeeks() (all []decisions.DebtWeek) {
	for i := range 12 {
		w := decisions.DebtWeek{Until: at.AddDate(0, 0, 7*(i-11)), Month: 4 - i%3, Season: i / 2, Older: max(0, i-6), Oldest: 10 * i, Came: 1 + i%2, Went: i % 2}
		w.Flags = w.Month + w.Season + w.Older
		all = append(all, w)
	}
	return all
}

func cleanupSamples() map[string]Page {
	f := sampleFrame(InCleanup)
	f.Path = "/cleanup?environment=production"
	var many []Ended
	for i := range 200 {
		many = append(many, sampleEnded(fmt.Sprintf("team-%d.a-flag-with-quite-a-long-name-%d", i%7, i), func(e *Ended) { *e.Due = e.Due.AddDate(0, 0, -i) }))
	}
	one := f
	one.Path, one.Environments, one.Refresh = "/cleanup/production/checkout.payments.express-pay/1", nil, 0
	carried := sampleEnded("checkout.payments.express-pay", func(e *Ended) { e.Carried = &decisions.Carried{By: "person:lee", At: at} })
	wish := EndWish{EndState: "convert", Purpose: "kill-switch", Why: "payments need a switch", Review: "2027-06-30"}
	seen := Foreseen{Key: carried.Flag, Differences: []string{"the default becomes on"}, Samples: []Sample{{Environment: "production", Bare: flags.Shift{Units: 1000, Changed: 20, Moves: []flags.Move{{From: "off", To: "on", Units: 20}}}}}}
	return map[string]Page{
		"cleanup":       NewCleanupBoard(f, url.Values{}, sampleCleanups(), sampleWeeks(), at),
		"cleanup-many":  NewCleanupBoard(f, url.Values{}, many, sampleWeeks(), at),
		"cleanup-empty": NewCleanupBoard(f, url.Values{}, nil, make([]decisions.DebtWeek, 12), at),
		"cleanup-one":   NewCleanupPage(one, carried, "# Remove `checkout.payments.express-pay`\n\n- [ ] `pay.go:7`\n", "018f", at),
		"cleanup-do":    NewEnd(one, carried.ID, seen, wish, nil, "018f"),
		"cleanup-no":    NewEnd(one, carried.ID, Foreseen{Key: carried.Flag}, EndWish{EndState: "keep"}, event.Invalids{{Path: "why", Why: "is missing", Fix: "say why the flag stays"}}, "018f"),
	}
}

// TestCleanupBoard: each end stands where it belongs, the most urgent first, and
// a long lane is cut.
func TestCleanupBoard(t *testing.T) {
	p := cleanupSamples()["cleanup"].(CleanupBoard)
	for i, want := range []string{"game.gate-position", "search.ranker-v3", "checkout.payments.express-pay", "old.one", "switch.of-payments"} {
		if l := p.Lanes[i]; l.Tally != 1 || l.Cards[0].Flag != want {
			t.Errorf("%s holds %+v, want %s", l.Name, l.Cards, want)
		}
	}
	due := p.Lanes[2].Cards[0]
	if due.When != "12\u00a0d over" || !due.Late || len(due.Code) != 2 || due.Code[1].Value != "12\u00a0places" || due.Mark != Caution || len(due.Reasons) != 1 {
		t.Errorf("what is due: %+v", due)
	}
	if live := p.Lanes[0].Cards[0]; live.When != "" || live.Uncoded != "no code was scanned" || live.Unseen != "nobody counts evaluations" || live.Mark != Blocked {
		t.Errorf("what is live: %+v", live)
	}
	if kept := p.Lanes[4].Cards[0]; kept.Closed != "kept by person:lee" || kept.Late || kept.Reasons != nil {
		t.Errorf("what is kept: %+v", kept)
	}
	many := cleanupSamples()["cleanup-many"].(CleanupBoard).Lanes[2]
	if many.Tally != 200 || len(many.Cards) != laneShows || many.More != "/cleanup?lane=due" || !strings.HasSuffix(many.Cards[0].Flag, "-199") {
		t.Errorf("of %d, %d are shown, the first %s; more at %s", many.Tally, len(many.Cards), many.Cards[0].Flag, many.More)
	}
	var all []Ended
	for range 30 {
		all = append(all, sampleEnded("a", nil))
	}
	if whole := NewCleanupBoard(Frame{}, url.Values{"lane": {"due"}}, all, nil, at).Lanes[2]; len(whole.Cards) != 30 || whole.More != "" {
		t.Errorf("the lane that was asked for shows %d", len(whole.Cards))
	}
}

// TestDebt_drawn: the bands of the ages lie one upon the other, up to all flags
// that are past due.
func TestDebt_drawn(t *testing.T) {
	p := debt([]decisions.DebtWeek{{Until: at.AddDate(0, 0, -7), Flags: 1, Month: 1}, {Until: at, Flags: 6, Older: 1, Season: 2, Month: 3, Oldest: 91}})
	for i, want := range [][2]float64{{0, 1}, {1, 3}, {3, 6}} {
		if r := p.Bands[i].Points[1]; r.Lo != want[0] || r.Hi != want[1] {
			t.Errorf("%s is from %v to %v, want %v", p.Bands[i].Name, r.Lo, r.Hi, want)
		}
	}
	if p.Desc != "6 flags are past due, the oldest for 91\u00a0days; 5 more than at the end of the first week shown." || len(p.Table.Rows) != 2 {
		t.Errorf("it says %q", p.Desc)
	}
	c := p.Draw()
	if top := c.YTicks[len(c.YTicks)-1]; top.Text != "6" {
		t.Errorf("the axis ends at %s: a band is cut", top.Text)
	}
	if got := debtSaid([]decisions.DebtWeek{{Flags: 2}, {}}); got != "Nothing is past due now; 2 fewer than at the end of the first week shown." {
		t.Errorf("it says %q", got)
	}
	if drawn(debt(make([]decisions.DebtWeek, 3))) != nil {
		t.Error("a chart of nothing")
	}
}

// TestNewEnd: the form holds what was looked at; what is refused has none.
func TestNewEnd(t *testing.T) {
	p := cleanupSamples()["cleanup-do"].(Change)
	if p.Form == nil || p.Form.Action != "/cleanup/production/checkout.payments.express-pay/1/do" || p.Form.Fields[2].Value != "kill-switch" ||
		p.Command != "sluice cleanup do production/checkout.payments.express-pay/1 --end-state convert --purpose 'kill-switch' --why 'payments need a switch' --review '2027-06-30' -m 'why'" {
		t.Errorf("got %+v, %s", p.Form, p.Command)
	}
	no := cleanupSamples()["cleanup-no"].(Change)
	if no.Form != nil || no.Again.Fields[2].Fault == "" || len(no.Refused) == 0 {
		t.Errorf("refused is %+v", no)
	}
	if held := NewEnd(Frame{}, "a/b/1", Foreseen{}, EndWish{}, errors.New("is running"), ""); held.Form != nil || len(held.Again.Faults) != 0 {
		t.Errorf("it is said twice: %+v", held.Again.Faults)
	}
}
