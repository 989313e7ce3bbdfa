package decisions

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/stats"
)

// Recomputed is a recorded decision, made again from its record alone.
type Recomputed struct {
	Same     bool     `json:"same"`             // verdict for verdict, to the last bit
	Verdict  Verdict  `json:"verdict"`          // as it is made again
	Why      string   `json:"why,omitempty"`    // what differs, empty when nothing does
	Evidence string   `json:"evidence"`         // hash of all that was asked for the evidence
	Faults   []string `json:"faults,omitempty"` // queries whose recorded hash is not theirs
}

// FromRecord evaluates a recorded input again and compares the verdict with the
// one that was recorded. It needs nothing but its arguments.
func FromRecord(doc []byte, recorded Verdict) (Recomputed, error) {
	in, err := readInput(doc)
	if err != nil {
		return Recomputed{}, err
	}
	again, err := Evaluate(in)
	if err != nil {
		return Recomputed{}, err
	}
	out := Recomputed{Verdict: again, Same: equal(again, recorded), Evidence: in.Evidence.Asked().String(), Faults: in.Evidence.forged()}
	if !out.Same {
		out.Why = fmt.Sprintf("the record gives %s (%s), and what was recorded is %s (%s)", again.Action, again.Reason, recorded.Action, recorded.Reason)
	}
	return out, nil
}

// forged returns the queries whose hash is not that of their text.
func (e Evidence) forged() (faults []string) {
	for i, q := range e.Queries {
		if event.Sum(slices.Concat([]byte(q.SQL), []byte{0}, q.Params)) != q.Hash {
			faults = append(faults, fmt.Sprintf("query %d, of %s, does not have the hash that is recorded with it", i+1, strings.Join(q.Of, " and ")))
		}
	}
	return faults
}

// Recounted is a recorded decision beside the same look at the data of today.
type Recounted struct {
	Late        bool         `json:"late"`        // with what has come since; false: at the watermark of the record
	Same        bool         `json:"same"`        // no number differs
	Verdict     Verdict      `json:"verdict"`     // what those numbers would have given, by the rules of the record
	SameVerdict bool         `json:"sameVerdict"` // at that, to the last bit
	Differences []Difference `json:"differences"`
}

// Difference is one number that came out otherwise.
type Difference struct {
	Of       string `json:"of"`       // which number, in words
	Recorded string `json:"recorded"` // as people write it
	Now      string `json:"now"`
	Change   string `json:"change,omitempty"`
}

// Recount makes a recorded decision again with other counts: those of today at
// the watermark of the record, or of all that has come since. What the house knew
// itself (the flag, incidents, checks) stays as it was recorded.
func Recount(in Input, counted Evidence, late bool) (Recounted, error) {
	r := Rollout{Standing: in.State, Plan: in.Plan, Metrics: in.Metrics}
	was := in.Evidence
	then, err := Evaluate(in)
	if err != nil {
		return Recounted{}, err
	}
	in.Evidence, err = settled(Read(r, was.counting(counted)))
	if err != nil {
		return Recounted{}, err
	}
	out := Recounted{Late: late, Verdict: then, Differences: differences(was, in.Evidence, in.Metrics, late)}
	if out.Same = len(out.Differences) == 0; !out.Same { // else the recorded statistics stand: floating point is never repeated
		if out.Verdict, err = Evaluate(in); err != nil {
			return Recounted{}, err
		}
	}
	out.SameVerdict = equal(out.Verdict, then)
	return out, nil
}

// Then returns the rollout as it was when a decision was made from an input.
func (r Rollout) Then(in Input, decision string) Rollout {
	r.Standing, r.Plan, r.Metrics = in.State, in.Plan, in.Metrics
	if i := r.decision(decision); i >= 0 {
		r.Decisions = r.Decisions[:i:i]
	}
	return r
}

// settled returns the evidence as it comes back from a record.
func settled(e Evidence) (out Evidence, err error) {
	b, err := json.Marshal(e)
	if err == nil {
		err = json.Unmarshal(b, &out)
	}
	if err != nil {
		return out, fmt.Errorf("encoding the evidence: %w", err)
	}
	return out, nil
}

// counting returns the evidence with other counts.
func (e Evidence) counting(c Evidence) Evidence {
	e.Exposures, e.Newest, e.Units = c.Exposures, c.Newest, c.Units
	e.TwoArms, e.Quarantined, e.Strays = c.TwoArms, c.Quarantined, c.Strays
	e.Metrics = c.Metrics
	return e
}

// differences compares what was counted, and what was made of it. With what came
// late, neither the number of exposures nor how fresh they are says anything: it
// holds all that came later, too.
func differences(was, is Evidence, metrics map[string]stats.Metric, late bool) []Difference {
	d := diff{all: []Difference{}}
	if !late {
		d.count("exposures", was.Exposures, is.Exposures)
		d.text("newest exposure", clock(was.Newest), clock(is.Newest))
		d.strays(was.Strays, is.Strays)
	}
	d.units("units", was.Units, is.Units)
	d.count("units that saw two arms", was.TwoArms, is.TwoArms)
	if len(was.Quarantined) > 0 { // else there were none, or they were not counted by arm yet
		d.units("units left out", was.Quarantined, is.Quarantined)
	}
	for _, m := range is.Metrics {
		old, ok := was.Metric(m.Metric)
		if !ok {
			d.text(m.Metric, "not counted", "counted")
			continue
		}
		d.metric(metrics[m.Metric], old, m)
		if !late {
			d.text("newest event of "+m.Metric, clock(old.Newest), clock(m.Newest))
		}
	}
	return d.all
}

// diff collects differences.
type diff struct{ all []Difference }

func (d *diff) text(of, was, is string) {
	if was != is {
		d.all = append(d.all, Difference{Of: of, Recorded: was, Now: is})
	}
}

func (d *diff) count(of string, was, is int64) {
	if was != is {
		d.all = append(d.all, Difference{Of: of, Recorded: count(was), Now: count(is), Change: signed(count(is-was), is > was)})
	}
}

// number adds two numbers that differ, with as many digits as it takes to see it.
func (d *diff) number(of string, was, is float64, show func(float64) string) {
	if was == is || math.IsNaN(was) && math.IsNaN(is) {
		return
	}
	x := Difference{Of: of, Recorded: show(was), Now: show(is)}
	if x.Recorded == x.Now {
		x.Recorded, x.Now = exact(was), exact(is)
	} else if !math.IsInf(is-was, 0) && !math.IsNaN(is-was) {
		x.Change = signed(show(is-was), is > was)
	}
	d.all = append(d.all, x)
}

func exact(x float64) string { return minus(strconv.FormatFloat(x, 'g', -1, 64)) }

func signed(text string, more bool) string {
	if more {
		return "+" + text
	}
	return minus(text)
}

func (d *diff) units(of string, was, is []Count) {
	for _, c := range is {
		d.count(fmt.Sprintf("%s in %s, %s", of, c.Stage, c.Arm), at(was, c), c.N)
	}
	for _, c := range was {
		if !slices.ContainsFunc(is, func(x Count) bool { return x.Epoch == c.Epoch && x.Stage == c.Stage && x.Arm == c.Arm }) {
			d.count(fmt.Sprintf("%s in %s, %s", of, c.Stage, c.Arm), c.N, 0)
		}
	}
}

// strays compares exposures of units of other kinds, where there were any: else
// there were none, or they were not counted yet.
func (d *diff) strays(was, is []Stray) {
	if len(was) == 0 {
		return
	}
	n := map[string][2]int64{}
	for _, s := range was {
		n[s.Kind] = [2]int64{s.Exposures, n[s.Kind][1]}
	}
	for _, s := range is {
		n[s.Kind] = [2]int64{n[s.Kind][0], s.Exposures}
	}
	for _, kind := range sorted(n) {
		d.count("exposures of units of the kind "+kind, n[kind][0], n[kind][1])
	}
}

func at(all []Count, like Count) (n int64) {
	for _, c := range all {
		if c.Epoch == like.Epoch && c.Stage == like.Stage && c.Arm == like.Arm {
			n += c.N
		}
	}
	return n
}

// metric compares one metric: the units and levels of both arms, and the lift
// with the interval that is valid at every look. Samples that differ in nothing
// that is shown are still told apart.
func (d *diff) metric(def stats.Metric, was, is Measured) {
	if equal(was.Strata, is.Strata) && equal(was.Cap, is.Cap) && equal(was.Served, is.Served) && equal(was.Parts, is.Parts) {
		return
	}
	before := len(d.all)
	show := func(x float64) string { return quantity(x, def.UnitOfMeasure) }
	if def.Aggregate.Proportion() {
		show = percent
	}
	for _, arm := range []struct {
		name string
		of   func(stats.Stratum) stats.Sample
	}{
		{"control", func(s stats.Stratum) stats.Sample { return s.Control }},
		{"treatment", treated},
	} {
		d.count(is.Metric+", units of "+arm.name, units(was.Strata, arm.of), units(is.Strata, arm.of))
	}
	d.count(is.Metric+", units of the audience", units(was.Served, treated), units(is.Served, treated))
	for _, p := range is.Parts {
		d.count(fmt.Sprintf("%s, units with %q", is.Metric, p.Value), was.within(p.Value), is.within(p.Value))
	}
	if a, b := was.Comparison, is.Comparison; a != nil && b != nil && a.Refused == nil && b.Refused == nil {
		d.number(is.Metric+", level of control", a.Control.Mean, b.Control.Mean, show)
		d.number(is.Metric+", level of treatment", a.Treatment.Mean, b.Treatment.Mean, show)
		d.number(is.Metric+", lift", a.Estimate, b.Estimate, percent)
		d.number(is.Metric+", lift at least", a.Band.Low, b.Band.Low, percent)
		d.number(is.Metric+", lift at most", a.Band.High, b.Band.High, percent)
	}
	if len(d.all) == before {
		d.text(is.Metric+", what was added up", "recorded", "another sum")
	}
}

func treated(s stats.Stratum) stats.Sample { return s.Treatment }

// within returns the units of both arms that have a value of the attribute.
func (m Measured) within(value string) (n int64) {
	for _, p := range m.Parts {
		if p.Value == value {
			n += units(p.Strata, treated) + units(p.Strata, func(s stats.Stratum) stats.Sample { return s.Control })
		}
	}
	return n
}

func units(strata []stats.Stratum, of func(stats.Stratum) stats.Sample) (n int64) {
	for _, s := range strata {
		n += of(s).N
	}
	return n
}
