package calculator

import (
	"encoding/json"
	"fmt"

	"github.com/sluice-hq/sluice/stats"
)

// pairs is the part of a question that holds the data: two arms, or strata of
// two arms.
type pairs struct {
	Control   json.RawMessage `json:"control"`
	Treatment json.RawMessage `json:"treatment"`
	Strata    []pair          `json:"strata"`
}

// pair is the two arms of one stratum, within which the mixture of the arms was
// constant.
type pair struct {
	Control   json.RawMessage `json:"control"`
	Treatment json.RawMessage `json:"treatment"`
}

// given returns the strata of a question, and where each stands in it.
func (p pairs) given() ([]pair, func(i int) string, *stats.Refusal) {
	two := p.Control != nil || p.Treatment != nil
	switch {
	case two && len(p.Strata) > 0:
		return nil, nil, bad("strata", "the data are two arms or strata, not both")
	case two:
		return []pair{{p.Control, p.Treatment}}, func(int) string { return "" }, nil
	case len(p.Strata) == 0:
		return nil, nil, bad("control", "a comparison needs control and treatment, or strata")
	}
	return p.Strata, func(i int) string { return fmt.Sprintf("strata[%d].", i) }, nil
}

// data is what a question holds: strata of samples, or counts of events.
type data struct {
	strata []stats.Stratum
	counts []stats.EventCounts
	nu     float64 // of the quantiles, 0 for other samples
}

// data reads the arms of a question, which are all of one kind.
func (p pairs) data() (data, *stats.Refusal) {
	var d data
	given, at, r := p.given()
	for i, g := range given {
		control, r := newArm(g.Control, at(i)+"control")
		if r != nil {
			return d, r
		}
		treatment, r := newArm(g.Treatment, at(i)+"treatment")
		if r != nil {
			return d, r
		}
		if r := d.add(control, treatment); r != nil {
			return d, r
		}
	}
	return d, r
}

// add adds a stratum.
func (d *data) add(control, treatment *arm) *stats.Refusal {
	epoch := len(d.strata) + len(d.counts) + 1
	if control.kind == "events" && treatment.kind == "events" && d.strata == nil {
		c, r := control.counts()
		t, r2 := treatment.counts()
		d.counts = append(d.counts, stats.EventCounts{Epoch: epoch, Control: c.events, Treatment: t.events, Traffic: [2]float64{c.exposure, t.exposure}})
		return first(r, r2)
	}
	c, r := d.sample(control)
	t, r2 := d.sample(treatment)
	d.strata = append(d.strata, stats.Stratum{Epoch: epoch, Control: c, Treatment: t})
	return first(r, r2)
}

// sample reads an arm that is no count of events.
func (d *data) sample(a *arm) (stats.Sample, *stats.Refusal) {
	if a.kind == "events" || d.counts != nil {
		return stats.Sample{}, bad(a.field("type"), "counts of events are compared with counts of events alone")
	}
	s, r := a.sample()
	if r == nil && d.nu != 0 && a.nu != 0 && a.nu != d.nu {
		r = bad(a.field("nu"), "all arms of a comparison are of one quantile")
	}
	d.nu = max(d.nu, a.nu)
	return s, first(r, a.whole())
}
