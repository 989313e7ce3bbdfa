package dashboards

import (
	"cmp"
	"maps"
	"slices"
	"strconv"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/ingest"
	"github.com/sluice-hq/sluice/stats"
)

// Health is whether the data can be believed.
type Health struct {
	Exposures Exposures
	Quarantine
	Ratios    []RatioTable
	Counts    []Fact
	Balance   []HealthRow
	Influence []HealthRow
	Warnings  []string
	Split     Form // for the sample ratio by another attribute
}

// Quarantine is the units that saw two arms.
type Quarantine struct {
	Mark   Mark
	Text   string
	Causes []Fact
	Units  []TwoArmed
	More   string // address of the whole list; empty: these are all
}

// TwoArmed is a unit that saw two arms, with the likely cause.
type TwoArmed struct {
	Unit, Cause, Why string
	Link             string // address of what becomes of its events
	Exposures        int64
}

// RatioTable is the sample ratio part by part.
type RatioTable struct {
	ID    Anchor
	Title string
	Rows  []RatioRow
}

// RatioRow is one part.
type RatioRow struct {
	Name               string
	Control, Treatment int64
	Share, Expected    float64 // of the treatment
	P                  float64
	Mark               Mark
}

// HealthRow is what a check says of one metric.
type HealthRow struct {
	Metric string
	Mark   Mark
	Text   string
}

// health fills in the tab: what the evidence says at once, the rest when it was
// read.
func (p *ReadoutPage) health(g Glance, a Asked) {
	p.Refresh = 0
	h := Health{Exposures: exposures(g.Seen), Counts: accounted(*g.Evidence), Quarantine: quarantine(g)}
	h.Split = Form{ID: "by", Action: ReadoutLink(g.Rollout), Get: true, Button: "Check", Fields: []Field{
		{Name: "segment", Label: "Sample ratio by attribute", Kind: AsLine, Must: true, Value: a.Segment, Hint: "browser"},
		{Name: "tab", Kind: AsHidden, Value: string(OfHealth)}, {Name: "read", Kind: AsHidden, Value: "now"},
	}}
	p.Health = &h
	if p.keepsNone(g, a) {
		return
	}
	p.part(g, a, "The sample ratio by day and by segment, units in two arms, and the largest units are read from the raw events.")
	if p.Part.Read && p.Part.Fault == "" {
		h.fill(g)
	}
}

func (h *Health) fill(g Glance) {
	f := g.Found
	for i, r := range f.Ratios {
		t := ratioTable(r)
		t.ID = Anchor("ratio-" + strconv.Itoa(i))
		h.Ratios = append(h.Ratios, t)
	}
	for _, b := range f.Balance {
		h.Balance = append(h.Balance, balanced(b))
	}
	for _, i := range f.Influence {
		h.Influence = append(h.Influence, influenced(g.Rollout, i))
	}
	h.Warnings = f.Warnings
	h.Quarantine.list(g)
}

// accounted counts events: what was told, what is on its way, what is missing.
func accounted(e decisions.Evidence) []Fact {
	var late event.Duration
	for _, p := range e.Watermark {
		late = max(late, p.Behind)
	}
	all := []Fact{{"Exposures counted, each once however often it was sent", count(e.Exposures)}}
	if !e.Newest.IsZero() {
		all = append(all, Fact{"Newest exposure", moment(e.Newest)})
	}
	waiting := "none"
	if late > 0 {
		waiting = "the oldest waits for " + late.String()
	}
	all = append(all, Fact{"Events that arrived and are not counted yet", waiting}, Fact{"Events acknowledged and unaccounted for", count(e.Unaccounted)})
	for _, s := range e.Strays {
		all = append(all, Fact{"Exposures of units of the kind " + s.Kind + ", which count nowhere", count(s.Exposures)})
	}
	return all
}

// quarantine says how many units saw two arms, and whether that does harm.
func quarantine(g Glance) Quarantine {
	e := g.Evidence
	q := Quarantine{Mark: Passed, Text: "No unit saw two arms."}
	if e.TwoArms == 0 {
		return q
	}
	q.Text = count(e.TwoArms) + " units saw two arms and are in no other number."
	switch j := e.Quarantine; {
	case j == nil || j.Refused != nil:
		q.Mark = Waiting
	case j.TooMany:
		q.Mark = Failed
		q.Text += " That is " + percent(j.Share) + " of all, more than the plan allows."
	case j.Lopsided:
		q.Mark = Failed
		q.Text += " They begin in one arm more often than in the other: what is left is no fair split."
	default:
		q.Text += " That is " + percent(j.Share) + " of all, and they begin in both arms as units do."
	}
	return q
}

// list adds the first units, and how many of them have which likely cause.
func (q *Quarantine) list(g Glance) {
	causes := map[ingest.Cause]int64{}
	for _, u := range g.Found.TwoArms {
		q.Units = append(q.Units, TwoArmed{Unit: u.Unit, Link: followed(g.Rollout, u.Unit), Cause: causeName(u.Cause), Why: u.Why, Exposures: u.Exposures})
		causes[u.Cause]++
	}
	for _, c := range slices.SortedFunc(maps.Keys(causes), func(a, b ingest.Cause) int { return cmp.Or(cmp.Compare(causes[b], causes[a]), cmp.Compare(a, b)) }) {
		q.Causes = append(q.Causes, Fact{causeName(c), count(causes[c])})
	}
	if g.Found.More {
		q.More = "/api/v1" + ReadoutLink(g.Rollout) + "/two-arms"
	}
}

func causeName(c ingest.Cause) string {
	switch c {
	case ingest.UnstableID:
		return "unstable id"
	case ingest.Login:
		return "login"
	case ingest.Replayed:
		return "sent again"
	case ingest.Senders:
		return "different senders"
	}
	return "not known"
}

func ratioTable(r Ratios) RatioTable {
	t := RatioTable{Title: "Sample ratio by day of first exposure"}
	if r.By != "" {
		t.Title = "Sample ratio by " + r.By
	}
	for _, p := range r.Parts {
		row := RatioRow{Name: p.Value, Control: p.Control, Treatment: p.Treatment, Expected: p.Expected, P: p.P, Mark: Passed}
		if r.By != "" {
			row.Name = valueName(p.Value, p.Rest)
		}
		if n := p.Control + p.Treatment; n > 0 {
			row.Share = float64(p.Treatment) / float64(n)
		}
		if p.StandsOut {
			row.Mark = Failed
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

func balanced(b Balanced) HealthRow {
	row := HealthRow{Metric: b.Metric, Mark: Passed}
	switch {
	case b.Refused != nil:
		row.Mark, row.Text = Waiting, b.Refused.Message
	case b.Alarm:
		row.Mark, row.Text = Failed, "the arms differed before the first exposure by "+number(b.Difference)+" standard deviations: the effect is not the treatment's alone"
	default:
		row.Text = "the arms were alike before the first exposure: " + number(b.Difference) + " standard deviations, p " + equals(b.P)
	}
	return row
}

func influenced(r decisions.Rollout, i Influenced) HealthRow {
	def := r.Metrics[i.Metric]
	row := Row{Share: def.Aggregate.Proportion(), Measure: def.UnitOfMeasure}
	out := HealthRow{Metric: i.Metric, Mark: Passed}
	switch {
	case i.Refused != nil:
		out.Mark, out.Text = Waiting, i.Refused.Message
	default:
		out.Text = "the largest unit, " + i.Unit + " in " + arm(r, i.Largest) + ", has " + row.value(i.Value) + ", " + percent(i.Share) + " of its arm: lift " +
			change(i.With.Estimate) + " with it, " + change(i.Without.Estimate) + " without"
		if i.Turns {
			out.Mark = Failed
			out.Text += "; the answer hangs on this unit"
		}
	}
	return out
}

func arm(r decisions.Rollout, l stats.Largest) string {
	if l.Treatment {
		return r.Plan.Arms.Treatment
	}
	return r.Plan.Arms.Control
}
