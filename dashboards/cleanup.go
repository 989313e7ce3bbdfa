package dashboards

import (
	"cmp"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/sluice-hq/sluice/dashboards/chart"
	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/flags"
)

// CleanupBoard is how far the end of every released flag is, and how many should
// have ended.
type CleanupBoard struct {
	Frame
	Lanes []EndLane
	Debt  *chart.Chart // nil: nothing was past due
	Weeks Form
	Empty *Empty
	AsOf  AsOf
}

func (CleanupBoard) template() string { return "cleanup" }

// EndLane is one column: how far an end is.
type EndLane struct {
	ID    Anchor
	Name  string
	Hint  string // what belongs here, shown while it is empty
	Cards []Ending
	Tally int
	More  string // address that shows all of them; empty: it does
}

// Ending is the end of one flag.
type Ending struct {
	Flag, Environment, Owner string
	Link, Rollout            string
	Mark                     Mark
	End                      string // what becomes of it: "promote gate_40"
	Due                      time.Time
	When                     string // "12 d over"; empty: the rollout goes on
	Late                     bool
	Seen                     time.Time // last evaluation; zero: Unseen says why there is none
	Unseen                   string
	Code                     []Fact // places by repository
	Uncoded                  string // why there are none; empty: there are
	Ticket                   string
	Reasons                  []EndReason
	Closed                   string // how it ended
	ClosedAt                 time.Time
}

// EndReason is one thing that speaks against it.
type EndReason struct {
	Mark     Mark
	Step     string // that it speaks against
	Why, Fix string
}

// Ended is a cleanup, as the server knows it.
type Ended struct {
	State       decisions.CleanupState
	EndState    flags.EndState
	Winner      string
	Due         *time.Time
	Ticket      string
	Carried     *decisions.Carried
	Closed      *decisions.Closed
	Ready       decisions.Readiness
	Seen        flags.Seen
	References  map[string]int // nil: no code was scanned
	Environment string
	Flag, Owner string
	ID          string // of the rollout
}

// laneShows is how many cards a lane shows of its own accord.
const laneShows = 20

// NewCleanupBoard makes the board. query may name the lane that is shown whole.
func NewCleanupBoard(f Frame, query url.Values, all []Ended, weeks []decisions.DebtWeek, now time.Time) CleanupBoard {
	p := CleanupBoard{Frame: f, Lanes: endLanes(), AsOf: AsOf{Log: f.Log, JSON: "/api/v1/cleanup?" + url.Values{"environment": {f.Environment}}.Encode()}, Weeks: weeksForm(f, query, len(weeks))}
	for _, e := range all {
		i := laneOf(e)
		p.Lanes[i].Cards = append(p.Lanes[i].Cards, NewEnding(e, now))
	}
	for i := range p.Lanes {
		p.Lanes[i].cut(f, query)
	}
	p.Debt = drawn(debt(weeks))
	if len(all) == 0 {
		p.Empty = &Empty{Title: "No flag has to end yet", Text: "Every plan of a rollout names what becomes of its flag, and when that is due. Start one:", Command: "sluice apply --start rollout.yaml"}
	}
	return p
}

func endLanes() []EndLane {
	return []EndLane{
		{ID: "open", Name: "Live", Hint: "No rollout is under way."}, {ID: "waiting", Name: "Decided", Hint: "Nothing is decided that is not due yet."},
		{ID: "due", Name: "Removal due", Hint: "Nothing is past due."}, {ID: "removed", Name: "Removed", Hint: "No flag was removed yet."},
		{ID: "kept", Name: "Kept on purpose", Hint: "No flag was kept."},
	}
}

func laneOf(e Ended) int {
	switch {
	case e.Closed != nil && e.Closed.How == decisions.ByKeeping:
		return 4
	case e.Closed != nil:
		return 3
	case e.State == decisions.CleanupOverdue:
		return 2
	case e.State == decisions.CleanupWaiting:
		return 1
	}
	return 0
}

// cut orders a lane, the most urgent or the newest first, and shows twenty of it.
func (l *EndLane) cut(f Frame, query url.Values) {
	slices.SortStableFunc(l.Cards, func(a, b Ending) int {
		return cmp.Or(b.ClosedAt.Compare(a.ClosedAt), a.Due.Compare(b.Due), strings.Compare(a.Link, b.Link))
	})
	l.Tally = len(l.Cards)
	if l.Tally > laneShows && query.Get("lane") != string(l.ID) {
		l.Cards = l.Cards[:laneShows]
		l.More = address(f.Here(), query, "lane", string(l.ID))
	}
}

// NewEnding says how far the end of a flag is.
func NewEnding(e Ended, now time.Time) Ending {
	c := Ending{Flag: e.Flag, Environment: e.Environment, Owner: e.Owner, Link: "/cleanup/" + e.ID, Rollout: "/rollouts/" + e.ID, Mark: readyMark(e.Ready.State),
		End: endText(e.EndState, e.Winner), Ticket: e.Ticket, Seen: e.Seen.Asked}
	if c.Seen.IsZero() {
		c.Unseen = unseen(e.Seen)
	}
	if e.Due != nil {
		c.Due, c.Late = *e.Due, e.Due.Before(now) && e.Closed == nil
		c.When = dueWords(*e.Due, now)
	}
	for _, repository := range slices.Sorted(maps.Keys(e.References)) {
		if n := e.References[repository]; n > 0 {
			c.Code = append(c.Code, Fact{repository, amount(n, "place")})
		}
	}
	switch {
	case e.References == nil:
		c.Uncoded = "no code was scanned"
	case len(c.Code) == 0:
		c.Uncoded = "no scanned code uses it"
	}
	for _, r := range e.Ready.Reasons {
		c.Reasons = append(c.Reasons, EndReason{readyMark(r.State), stepText(r.Step), sentence(r.Why), r.Fix})
	}
	if e.Closed != nil {
		c.Mark, c.When, c.Reasons, c.Closed, c.ClosedAt = Made, "", nil, closedText(*e.Closed), e.Closed.At
	}
	return c
}

func unseen(s flags.Seen) string {
	if s.Since.IsZero() {
		return "nobody counts evaluations"
	}
	return "none since " + moment(s.Since)
}

func dueWords(due, now time.Time) string {
	if d := now.Sub(due); d > 0 {
		return length(d) + " over"
	}
	return "in " + length(due.Sub(now))
}

func endText(end flags.EndState, winner string) string {
	switch end {
	case flags.Promote:
		return "promote " + winner
	case flags.Remove:
		return "remove: everybody gets " + winner
	case flags.Keep:
		return "keep it, with " + winner
	case flags.Convert:
		return "convert it, with " + winner
	}
	return string(end)
}

func readyMark(r decisions.Ready) Mark {
	switch r {
	case decisions.Caution:
		return Caution
	case decisions.Blocked:
		return Blocked
	case decisions.Safe:
	}
	return Safe
}

func stepText(s decisions.CleanupStep) string {
	if s == decisions.StepArchive {
		return "against archiving it"
	}
	return "against its last answer"
}

func closedText(c decisions.Closed) string {
	text := map[decisions.CloseWay]string{decisions.ByArchive: "archived", decisions.ByKeeping: "kept", decisions.BySuccessor: "another rollout followed", decisions.ByPerson: "closed by hand"}[c.How]
	text += " by " + c.By
	if c.Comment != "" {
		text += ": " + c.Comment
	}
	return text
}

func weeksForm(f Frame, q url.Values, weeks int) Form {
	choices := []Option{{"12", "12 weeks"}, {"26", "half a year"}, {"52", "a year"}}
	return Form{ID: "filter", Action: f.Here(), Get: true, Button: "Show", Fields: []Field{
		{Name: "environment", Kind: AsHidden, Value: f.Environment}, {Name: "lane", Kind: AsHidden, Value: q.Get("lane")},
		{Name: "weeks", Label: "Debt over", Kind: AsChoice, Value: fmt.Sprint(weeks), Options: choices},
	}}
}

// debt draws how many flags were past due at the end of each week, by age, the
// oldest below.
func debt(weeks []decisions.DebtWeek) chart.Plot {
	old, mid, young := chart.Band{Name: "over 90 days", Class: "two"}, chart.Band{Name: "30 to 90 days", Class: "one"}, chart.Band{Name: "up to 30 days", Class: "fixed"}
	p := chart.Plot{ID: "debt", Title: "Flags past due, by how long they are", X: chart.Axis{Time: true}, Y: chart.Axis{Label: "flags", Holds: []float64{0}},
		Table: chart.Table{Head: []string{"Week to", "Past due", "Over 90 days", "30 to 90 days", "Up to 30 days", "Came", "Went"}}}
	most := 0
	for _, w := range weeks {
		x, a, b := seconds(w.Until), float64(w.Older), float64(w.Older+w.Season)
		old.Points = append(old.Points, chart.Range{X: x, Lo: 0, Hi: a})
		mid.Points = append(mid.Points, chart.Range{X: x, Lo: a, Hi: b})
		young.Points = append(young.Points, chart.Range{X: x, Lo: b, Hi: float64(w.Flags)})
		most = max(most, w.Flags)
		row := []string{w.Until.UTC().Format(time.DateOnly)}
		for _, n := range []int{w.Flags, w.Older, w.Season, w.Month, w.Came, w.Went} {
			row = append(row, count(int64(n)))
		}
		p.Table.Rows = append(p.Table.Rows, row)
	}
	if most == 0 {
		return chart.Plot{} // nothing is to be drawn
	}
	p.Y.Holds = append(p.Y.Holds, float64(most))
	p.Bands, p.Desc = []chart.Band{old, mid, young}, debtSaid(weeks)
	return p
}

// debtSaid is the conclusion of the chart.
func debtSaid(weeks []decisions.DebtWeek) string {
	first, last := weeks[0], weeks[len(weeks)-1]
	text := "Nothing is past due now"
	if last.Flags > 0 {
		verb := " flags are past due"
		if last.Flags == 1 {
			verb = " flag is past due"
		}
		text = count(int64(last.Flags)) + verb + ", the oldest for " + amount(last.Oldest, "day")
	}
	switch change := last.Flags - first.Flags; {
	case change > 0:
		text += "; " + count(int64(change)) + " more than at the end of the first week shown"
	case change < 0:
		text += "; " + count(int64(-change)) + " fewer than at the end of the first week shown"
	default:
		text += "; as many as at the end of the first week shown"
	}
	return text + "."
}
