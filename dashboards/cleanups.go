package dashboards

import (
	"fmt"
	"time"

	"github.com/sluice-hq/sluice/dashboards/chart"
	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/flags"
)

// Cleanups is the board of flags that have to end some time, by how far their
// end is, and what they cost until then.
type Cleanups struct {
	Frame
	Lanes []EndLane
	Debt  chart.Chart
	Owed  bool // there is, or was, any debt to draw
	Empty *Empty
	AsOf  AsOf
}

func (Cleanups) template() string { return "cleanup" }

// EndLane is one column of the board.
type EndLane struct {
	ID    Anchor
	Name  string
	Hint  string // what belongs here, shown while it is empty
	Cards []Ending
}

// Ending is one flag on its way out.
type Ending struct {
	Flag, Environment, Owner string
	Link                     string // of its page
	Rollout                  string // of the rollout's page
	Mark                     Mark   // how ready it is
	Readiness                decisions.Ready
	End                      string // what becomes of it: "promote gate_40"
	When                     string // "due in 12 d", "9 d over"
	Ticket                   string
	Reasons                  []string
}

// EndSeen is a cleanup as the server knows it.
type EndSeen struct {
	Rollout   decisions.Rollout
	State     decisions.CleanupState
	EndState  flags.EndState
	Winner    string
	Due       time.Time // zero: the rollout goes on
	Readiness decisions.Readiness
}

// NewCleanups makes the board.
func NewCleanups(f Frame, all []EndSeen, weeks []decisions.DebtWeek, now time.Time) Cleanups {
	p := Cleanups{Frame: f, AsOf: AsOf{Log: f.Log, JSON: "/api/v1/cleanup"}, Lanes: []EndLane{
		{ID: "live", Name: "Live", Hint: "No flag with an end in sight is being released."},
		{ID: "decided", Name: "Decided", Hint: "Nothing is decided and not yet due."},
		{ID: "due", Name: "Removal due", Hint: "Nothing is overdue."},
		{ID: "removed", Name: "Removed", Hint: "No flag was ended yet."},
		{ID: "kept", Name: "Kept on purpose", Hint: "No flag is kept on purpose."},
	}}
	for _, e := range all {
		lane := &p.Lanes[endLane(e)]
		lane.Cards = append(lane.Cards, newEnding(e, now))
	}
	p.Debt, p.Owed = newDebt(weeks)
	if len(all) == 0 {
		p.Empty = &Empty{Title: "No flag has to end", Text: "A plan says what becomes of its flag, and when, before the release begins:", Command: "sluice apply rollout.yaml"}
	}
	return p
}

func endLane(e EndSeen) int {
	stays := e.EndState == flags.Keep || e.EndState == flags.Convert
	switch {
	case e.State == decisions.CleanupClosed && stays:
		return 4
	case e.State == decisions.CleanupClosed:
		return 3
	case e.Due.IsZero():
		return 0
	case e.State == decisions.CleanupWaiting:
		return 1
	}
	return 2
}

func newEnding(e EndSeen, now time.Time) Ending {
	r := e.Rollout
	out := Ending{Flag: r.Plan.Flag, Environment: r.Plan.Environment, Owner: r.Plan.Owner, Link: "/cleanup/" + r.ID, Rollout: link(r),
		Mark: ready(e.Readiness.State), Readiness: e.Readiness.State, End: string(e.EndState), When: endWhen(e, now)}
	if e.EndState == flags.Promote {
		out.End += " " + e.Winner
	}
	if r.Plan.Cleanup != nil {
		out.Ticket = r.Plan.Cleanup.Ticket
	}
	for _, reason := range e.Readiness.Reasons {
		out.Reasons = append(out.Reasons, sentence(reason.Why))
	}
	return out
}

func endWhen(e EndSeen, now time.Time) string {
	switch {
	case e.State == decisions.CleanupClosed:
		return "closed"
	case e.Due.IsZero():
		return "while the rollout goes on"
	case now.After(e.Due):
		return length(now.Sub(e.Due)) + " over"
	}
	return "due in " + length(e.Due.Sub(now))
}

// ready is the mark of a readiness.
func ready(r decisions.Ready) Mark {
	switch r {
	case decisions.Safe:
		return Passed
	case decisions.Blocked:
		return Failed
	}
	return Waiting
}

// newDebt draws the flags that were past due, week by week.
func newDebt(weeks []decisions.DebtWeek) (chart.Chart, bool) {
	line, table, most := chart.Line{Name: "flags past due", Class: "worse", Step: true}, chart.Table{Head: []string{"Week that ended", "Past due", "Oldest"}}, 0
	for _, w := range weeks {
		line.Points = append(line.Points, chart.Point{X: float64(w.Until.Unix()), Y: float64(w.Flags)})
		table.Rows = append(table.Rows, []string{w.Until.UTC().Format(time.DateOnly), count(int64(w.Flags)), count(int64(w.Oldest)) + space + "d"})
		most = max(most, w.Flags)
	}
	p := chart.Plot{ID: "debt", Title: "Flags past due", Desc: debtSentence(weeks), X: chart.Axis{Time: true}, Y: chart.Axis{Label: "flags", Holds: []float64{0, 1}},
		Lines: []chart.Line{line}, Table: table}
	return p.Draw(), most > 0
}

func debtSentence(weeks []decisions.DebtWeek) string {
	if len(weeks) == 0 {
		return "No flag was past due."
	}
	first, last := weeks[0], weeks[len(weeks)-1]
	way := "as many as"
	switch {
	case last.Flags > first.Flags:
		way = "more than"
	case last.Flags < first.Flags:
		way = "fewer than"
	}
	return fmt.Sprintf("%s flags are past due, %s the %s of %d weeks ago.", count(int64(last.Flags)), way, count(int64(first.Flags)), len(weeks)-1)
}

// EndPage is the end of one flag: what speaks against it, what to delete where,
// and the forms that carry it out.
type EndPage struct {
	Frame
	Card    Ending
	Against []Against
	Carried string // who carried the end state out, and when; empty: nobody yet
	Closed  string // how it ended; empty: it is open
	Text    string // of a ticket, as Markdown
	Carry   *Form  // nil: it is carried out, or whoever looks may not
	Close   *Form
	Command string
	AsOf    AsOf
}

func (EndPage) template() string { return "ending" }

// Against is one thing that speaks against ending a flag, and what to do.
type Against struct {
	Mark     Mark
	Why, Fix string
}

// NewEndPage makes the page of one cleanup. key names the request of each form.
func NewEndPage(f Frame, e EndSeen, ticket string, now time.Time, key func() string) EndPage {
	r := e.Rollout
	p := EndPage{Frame: f, Card: newEnding(e, now), Text: ticket, AsOf: AsOf{Log: f.Log, JSON: "/api/v1/cleanup/" + r.ID}, Command: "sluice cleanup do " + r.ID}
	for _, reason := range e.Readiness.Reasons {
		p.Against = append(p.Against, Against{ready(reason.State), sentence(reason.Why), reason.Fix})
	}
	if c := r.Carried; c != nil {
		p.Carried = "carried out by " + c.By + ", " + moment(c.At)
	}
	if c := r.Closed; c != nil {
		p.Closed = string(c.How) + " by " + c.By + ", " + moment(c.At)
		return p
	}
	if f.Rights.Decide && !e.Due.IsZero() {
		p.Close = &Form{ID: "close", Action: "/cleanup/" + r.ID + "/close", Key: key(), Button: "Close it", Fields: []Field{
			{Name: "comment", Label: "Why nothing is left to do", Kind: AsText, Rows: 2, Must: true}}}
		p.Carry = endForm(e, key())
	}
	return p
}

func endForm(e EndSeen, key string) *Form {
	if e.Rollout.Carried != nil {
		return nil
	}
	return &Form{ID: "end", Action: "/cleanup/" + e.Rollout.ID + "/do", Key: key, Button: "Carry it out", Grave: true, Fields: []Field{
		{Name: "endState", Label: "What becomes of the flag", Kind: AsChoice, Value: string(e.EndState), Must: true, Options: []Option{
			{"promote", "promote: everybody gets " + e.Winner}, {"remove", "remove: everybody gets the safe variant"}, {"keep", "keep it as it is, on purpose"}, {"convert", "convert it to another purpose"}}},
		{Name: "comment", Label: "Why", Kind: AsText, Rows: 2, Help: "It stands in the flag's history."},
		{Name: "why", Label: "Why it stays", Kind: AsLine, Help: "Of keep and convert."},
		{Name: "review", Label: "When to ask again", Kind: AsLine, Hint: "2027-06-30", Help: "Of keep and convert: a date."},
		{Name: "purpose", Label: "New purpose", Kind: AsChoice, Options: []Option{{"", "none"}, {"operational", "operational"}, {"permission", "permission"}, {"kill-switch", "kill switch"}}, Help: "Of convert."},
		{Name: "reason", Label: "Why although it is blocked", Kind: AsLine, Help: "Asked when the readiness is blocked."},
	}}
}
