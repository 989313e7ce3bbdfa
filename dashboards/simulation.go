package dashboards

import (
	"fmt"
	"net/url"
	"strconv"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/flags"
)

// Simulation shows what made-up units get of flags, by the evaluator that
// serves: one cell for each unit.
type Simulation struct {
	Frame
	Choose  Form // which flags, which stage, how many units
	Grids   []Grid
	Sticky  *Sticky   // what the step to the chosen stage does to units; nil: no stage is chosen
	Crossed []Crossed // how the arms of two flags fall together
	Unit    *UnitLook // the unit that is looked at; nil: none
	Stages  []Tab     // of the first flag's plan

	Empty *Empty
	AsOf  AsOf
}

func (Simulation) template() string { return "simulate" }

// Grid is one flag with a cell for each unit.
type Grid struct {
	Flag, Link string
	Stage      string // of its rollout, that is shown; empty: as the flag is
	Desc       string // the conclusion in a sentence
	Keep       []Fact // the rest of the address, which choosing a cell keeps
	Cells      []Cell
	Tally      []InLot
}

// Cell is what one unit gets.
type Cell struct {
	ID   string
	Lot  Lot
	Here bool // it is the one that is looked at
}

// Lot is how a unit takes part.
type Lot string

// The parts.
const (
	Treated Lot = "treatment"
	Control Lot = "control"
	Chosen  Lot = "by a rule or target" // and in no comparison
	Outside Lot = "not in"
	Nothing Lot = "no answer" // the code decides
)

// Glyph is the sign of a part.
func (p Lot) Glyph() string {
	switch p {
	case Treated:
		return "▲"
	case Control:
		return "○"
	case Chosen:
		return "■"
	case Nothing:
		return "?"
	}
	return "·"
}

// Class names a part in the style sheet.
func (p Lot) Class() Anchor {
	switch p {
	case Treated:
		return "t"
	case Control:
		return "c"
	case Chosen:
		return "r"
	}
	return "o"
}

// InLot is how many units take part in one way.
type InLot struct {
	Lot   Lot
	Units int
}

// Sticky is what a step from one stage to another does to the treated units.
type Sticky struct {
	From, To          string
	Stay, Join, Leave int
	Swap              int // units that changed between the arms
}

// Mark says whether the step takes nobody's treatment away.
func (s Sticky) Mark() Mark {
	if s.Leave+s.Swap > 0 {
		return Failed
	}
	return Passed
}

// Text says so in a sentence.
func (s Sticky) Text() string {
	return fmt.Sprintf("From %s to %s %s units keep the treatment, %s get it, %s lose it and %s change arm.", s.From, s.To, count(int64(s.Stay)), count(int64(s.Join)), count(int64(s.Leave)), count(int64(s.Swap)))
}

// Crossed counts the units of two flags' arms together. Where the two are
// independent, each row splits as the whole does.
type Crossed struct {
	A, B string
	Rows []CrossedRow
}

// CrossedRow is the units that take part in A in one way, by their part in B.
type CrossedRow struct {
	Lot     Lot
	Treated int
	Control int
	Other   int
}

// Share is the treated part of those of B's two arms.
func (r CrossedRow) Share() float64 { return float64(r.Treated) / float64(r.Treated+r.Control) }

// UnitLook is what one unit gets of the first flag, and why.
type UnitLook struct {
	ID      string
	Variant string
	Looks   []Look
	Buckets []Hashed
	More    string // address of the page that explains with attributes
}

// Look is one thing that evaluation looked at.
type Look struct {
	Name    string
	Why     string
	Decided bool
}

// Hashed is one bucket with the text that was hashed.
type Hashed struct {
	Of, Text string
	Bucket   int
	Share    float64 // the bucket as a part of everybody
	Below    float64
	Variant  string
}

// Tried is one flag with its answers for the crowd.
type Tried struct {
	Flag    string
	Rollout *decisions.Rollout // whose stage is shown; nil: the flag is shown as it is
	Stage   int
	Arms    decisions.Arms // of its comparison, as far as there is one
	Before  []flags.Result // a stage earlier; nil: there is none
	Results []flags.Result
}

// NewSimulation makes the page. ids are the units in the order of the results;
// look explains the chosen one.
func NewSimulation(f Frame, query url.Values, ids []string, tried []Tried, look *flags.Explanation) Simulation {
	p := Simulation{Frame: f, Choose: simulationForm(f, query), AsOf: AsOf{Log: f.Log, JSON: "/api/v1/flags"}}
	if len(tried) == 0 {
		p.Empty = &Empty{Title: "No flag is chosen", Text: "Write the key of a flag above; several, one after the other, show whether they split independently. A flag is created by a document:", Command: "sluice apply flag.yaml"}
		return p
	}
	chosen := query.Get("unit")
	for _, t := range tried {
		p.Grids = append(p.Grids, newGrid(t, query, ids, chosen))
	}
	first := tried[0]
	p.AsOf.JSON = "/api/v1/flags/" + url.PathEscape(first.Flag)
	if r := first.Rollout; r != nil {
		p.Stages = stageTabs(f, query, *r, first.Stage)
	}
	if first.Before != nil {
		p.Sticky = newSticky(first)
	}
	for _, other := range tried[1:] {
		p.Crossed = append(p.Crossed, newCrossed(first, other))
	}
	if look != nil {
		p.Unit = newUnitLook(f, first.Flag, chosen, *look)
	}
	return p
}

func simulationForm(f Frame, q url.Values) Form {
	form := Form{ID: "choose", Action: "/simulate", Get: true, Button: "Show", Fields: []Field{
		{Name: "flags", Label: "Flags", Kind: AsLine, Value: q.Get("flags"), Hint: "checkout.payments.express-pay search.ranker"},
		{Name: "environment", Label: "Environment", Kind: AsChoice, Value: f.Environment},
		{Name: "stage", Kind: AsHidden, Value: q.Get("stage")},
		{Name: "share", Label: "Share of the treatment, %", Kind: AsNumber, Value: q.Get("share"), Hint: "the stage's own"},
		{Name: "unit", Label: "One unit", Kind: AsLine, Value: q.Get("unit"), Hint: "user-17"},
	}}
	for _, e := range f.Environments {
		form.Fields[1].Options = append(form.Fields[1].Options, Option{e, e})
	}
	return form
}

func stageTabs(f Frame, q url.Values, r decisions.Rollout, here int) []Tab {
	tabs := []Tab{{Name: "as the flag is", Link: address("/simulate", q, "stage", ""), Here: here < 0}}
	for i, s := range r.Plan.Stages {
		name := s.Name
		if share := s.Exposure(); share > 0 {
			name += " " + share.String()
		}
		tabs = append(tabs, Tab{Name: name, Link: address("/simulate", q, "stage", strconv.Itoa(i)), Here: i == here})
	}
	return tabs
}

func newGrid(t Tried, q url.Values, ids []string, chosen string) Grid {
	g := Grid{Flag: t.Flag, Link: "/flags/" + t.Flag}
	if t.Rollout != nil && t.Stage >= 0 {
		g.Stage = t.Rollout.Plan.Stages[t.Stage].Name
	}
	for _, name := range []string{"flags", "environment", "stage", "share"} {
		if v := q.Get(name); v != "" {
			g.Keep = append(g.Keep, Fact{name, v})
		}
	}
	tally := map[Lot]int{}
	for i, r := range t.Results {
		part := t.lotOf(r)
		tally[part]++
		g.Cells = append(g.Cells, Cell{ID: ids[i], Lot: part, Here: ids[i] == chosen})
	}
	for _, p := range []Lot{Treated, Control, Chosen, Outside, Nothing} {
		if tally[p] > 0 {
			g.Tally = append(g.Tally, InLot{p, tally[p]})
		}
	}
	g.Desc = fmt.Sprintf("Of %s units %s get the treatment, %s control, %s what a rule or target says, and %s are not in.",
		count(int64(len(ids))), count(int64(tally[Treated])), count(int64(tally[Control])), count(int64(tally[Chosen])), count(int64(tally[Outside]+tally[Nothing])))
	return g
}

// part says how a unit with that answer takes part.
func (t Tried) lotOf(r flags.Result) Lot {
	switch {
	case r.Error != "" || r.Variant == "":
		return Nothing
	case r.Enrolled && (r.Variant == t.Arms.Treatment || r.Shadow == t.Arms.Treatment && r.Shadow != ""):
		return Treated
	case r.Enrolled:
		return Control
	case r.Step == flags.AtRule || r.Step == flags.AtTarget || r.Step == flags.AtTargeting:
		return Chosen
	}
	return Outside
}

// treats reports whether an answer is the treatment, by whichever way.
func (t Tried) treats(r flags.Result) bool { return r.Variant != "" && r.Variant == t.Arms.Treatment }

func newSticky(t Tried) *Sticky {
	s := &Sticky{From: stageName(t.Rollout.Plan, t.Stage-1), To: stageName(t.Rollout.Plan, t.Stage)}
	for i, now := range t.Results {
		was, is := t.treats(t.Before[i]), t.treats(now)
		switch {
		case was && is:
			s.Stay++
		case is && t.lotOf(t.Before[i]) == Control:
			s.Swap++
		case is:
			s.Join++
		case was && t.lotOf(now) == Control:
			s.Swap++
		case was:
			s.Leave++
		}
	}
	return s
}

func newCrossed(a, b Tried) Crossed {
	x := Crossed{A: a.Flag, B: b.Flag, Rows: []CrossedRow{{Lot: Treated}, {Lot: Control}}}
	for i, r := range a.Results {
		row := -1
		switch a.lotOf(r) {
		case Treated:
			row = 0
		case Control:
			row = 1
		}
		if row < 0 {
			continue
		}
		switch b.lotOf(b.Results[i]) {
		case Treated:
			x.Rows[row].Treated++
		case Control:
			x.Rows[row].Control++
		default:
			x.Rows[row].Other++
		}
	}
	return x
}

func newUnitLook(f Frame, flag, unit string, x flags.Explanation) *UnitLook {
	u := &UnitLook{ID: unit, Variant: x.Result.Variant,
		More: "/flags/" + flag + "?" + url.Values{"tab": {"explain"}, "environment": {f.Environment}, "unit": {unit}}.Encode()}
	for _, l := range x.Looks {
		name := string(l.Step)
		if l.Name != "" {
			name += " " + l.Name
		}
		u.Looks = append(u.Looks, Look{Name: name, Why: sentence(l.Why), Decided: l.Decided})
	}
	for _, b := range x.Buckets {
		u.Buckets = append(u.Buckets, Hashed{Of: b.Of, Text: b.Text, Bucket: b.Bucket, Share: float64(b.Bucket) / flags.Whole, Below: float64(b.Below) / flags.Whole, Variant: b.Variant})
	}
	return u
}
