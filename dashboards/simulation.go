package dashboards

import (
	"fmt"
	"net/url"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/flags"
)

// Simulation shows what made-up units get of flags, by the evaluator that
// serves: one cell for each unit.
type Simulation struct {
	Frame
	Flags   string // as somebody wrote them
	Unit    string // that is looked at; empty: none
	Plans   []StageChoice
	Sticky  []Sticky // what the steps to the chosen stages and shares do to units; none: no stage is chosen
	Grids   []Grid
	Crossed []Crossed // how the arms of two flags fall together
	Notes   []string  // what the grids cannot tell

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
	Unit       *UnitLook // the unit that is looked at; nil: none
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

// Both reports whether there is anybody to compare.
func (r CrossedRow) Both() bool { return r.Treated+r.Control > 0 }

// Share is the treated part of those of B's two arms.
func (r CrossedRow) Share() float64 { return float64(r.Treated) / float64(r.Treated+r.Control) }

// Tried is one flag with its answers for the crowd.
type Tried struct {
	Flag    string
	Rollout *decisions.Rollout // whose stage is shown; nil: the flag is shown as it is
	Stage   int
	Arms    decisions.Arms // of its comparison, as far as there is one
	Results []flags.Result
	Shares  []decisions.Percent // of each stage of its plan, as the sliders stand
	Was     string              // what is shown, for the next question: "1:10" is 10 % in the second stage; empty: no stage
	Steps   []Passage           // from which its stage was reached
	Look    *flags.Explanation  // of the unit that is looked at; nil: none
}

// NewSimulation makes the page of what the address asks for. ids are the units in
// the order of the results.
func NewSimulation(f Frame, q url.Values, ids []string, tried []Tried) Simulation {
	p := Simulation{Frame: f, Flags: q.Get("flags"), Unit: q.Get("unit"), AsOf: AsOf{Log: f.Log, JSON: "/api/v1/flags"}}
	if len(tried) == 0 {
		p.Empty = &Empty{Title: "No flag is chosen", Text: "Write the key of a flag above; several, one after the other, show whether they split independently. A flag is created by a document:", Command: "sluice apply flag.yaml"}
		return p
	}
	keep := kept(q, tried)
	for place, t := range tried {
		p.Grids = append(p.Grids, newGrid(f, t, q, keep, ids))
		if t.Rollout != nil {
			p.Plans = append(p.Plans, newStageChoice(place, t))
		}
		for _, step := range t.Steps {
			s := newSticky(t, step)
			if len(tried) > 1 {
				s.Of = t.Flag
			}
			p.Sticky = append(p.Sticky, s)
		}
	}
	first := tried[0]
	p.AsOf.JSON = "/api/v1/flags/" + url.PathEscape(first.Flag)
	for _, other := range tried[1:] {
		p.Crossed = append(p.Crossed, newCrossed(first, other))
	}
	p.Notes = sharedLayers(tried)
	return p
}

func newGrid(f Frame, t Tried, q url.Values, keep []Fact, ids []string) Grid {
	g := Grid{Flag: t.Flag, Link: "/flags/" + url.PathEscape(t.Flag), Keep: keep}
	chosen := q.Get("unit")
	if t.Rollout != nil && t.Stage >= 0 {
		g.Stage = t.Rollout.Plan.Stages[t.Stage].Name
	}
	if t.Look != nil {
		g.Unit = newUnitLook(f, t.Flag, chosen, *t.Look)
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

// kept is what an address says beside the unit.
func kept(q url.Values, tried []Tried) (all []Fact) {
	names := []string{"flags", "environment"}
	for place, t := range tried {
		names = append(names, OfFlag(place, "stage"), OfFlag(place, "was"))
		for stage := range t.Shares {
			names = append(names, shareName(place, stage))
		}
	}
	for _, name := range names {
		if v := q.Get(name); v != "" {
			all = append(all, Fact{name, v})
		}
	}
	return all
}

// sharedLayers says of which flags the grids cannot show that they keep out of
// each other's way: each is shown as if it were the first to take its part.
func sharedLayers(tried []Tried) (notes []string) {
	by := map[string][]string{}
	for _, t := range tried {
		if t.Rollout == nil || t.Stage < 0 || t.Rollout.Plan.Layer == nil {
			continue
		}
		layer := t.Rollout.Plan.Layer.Name
		if by[layer] = append(by[layer], t.Flag); len(by[layer]) == 2 {
			notes = append(notes, "Several of these share the layer "+layer+". Which part of it each takes is decided when it begins; here each is shown as if it were the first, so that they may overlap as they never will.")
		}
	}
	return notes
}

// lotOf says how a unit with that answer takes part.
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
