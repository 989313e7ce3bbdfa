package rehearsal

import (
	"fmt"
	"math"
	"time"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/stats"
)

// Truth is what units are like before the change: how many come, and what they
// do.
type Truth struct {
	Traffic stats.Traffic    `json:"traffic"`
	Metrics map[string]Model `json:"metrics"` // by key
}

// Model is what one metric is like in units that do not meet the change.
type Model struct {
	Mean  float64 `json:"mean" yaml:"mean"`                       // of a conversion, retention or failures: the share of units; of a ratio: the ratio
	SD    float64 `json:"sd,omitempty" yaml:"sd,omitempty"`       // of a unit's value; zero: as the shape has it
	Shape Shape   `json:"shape,omitempty" yaml:"shape,omitempty"` // of a unit's values; default: lognormal with an sd, else poisson
	Size  float64 `json:"size,omitempty" yaml:"size,omitempty"`   // of a ratio: mean denominator of a unit, at least 1; default 3
}

// Shape is how the values of units are distributed.
type Shape string

// The shapes of values. A proportion has none.
const (
	Normal    Shape = "normal"
	Lognormal Shape = "lognormal" // right-skewed: times, amounts
	Poisson   Shape = "poisson"   // counts
)

// ModelOf returns the model that a sample of the past suggests: its mean and
// spread. The shape it takes for lognormal, as most sums and times are.
func ModelOf(s stats.Sample) (Model, bool) {
	switch {
	case s.Kind == stats.KindProportion && s.N > 0:
		return Model{Mean: float64(s.X) / float64(s.N)}, true
	case s.Kind == stats.KindMean && s.N > 1 && s.Moments.Mean > 0:
		return Model{Mean: s.Moments.Mean, SD: math.Sqrt(s.Moments.Variance())}, true
	case s.Kind == stats.KindRatio && s.N > 1 && s.Joint != nil && s.Joint.Means[1] > 0:
		return Model{Mean: s.Joint.Means[0] / s.Joint.Means[1], Size: max(1, s.Joint.Means[1])}, true
	}
	return Model{}, false
}

// TruthOf returns what the past says of the metrics of a plan and of who comes.
// What it does not say is missing.
func TruthOf(p decisions.Past) Truth {
	t := Truth{Traffic: p.Traffic, Metrics: map[string]Model{}}
	for key, sample := range p.Metrics {
		if m, ok := ModelOf(sample); ok {
			t.Metrics[key] = m
		}
	}
	return t
}

// fill completes the model with defaults.
func (m Model) fill() Model {
	switch {
	case m.Shape != "":
	case m.SD > 0:
		m.Shape = Lognormal
	default:
		m.Shape = Poisson
	}
	m.Size = or(m.Size, 3)
	return m
}

// check says what is wrong with a model of a metric.
func (m Model) check(path string, def stats.Metric, faults *event.Invalids) {
	proportion := def.Aggregate.Proportion()
	switch m = m.fill(); {
	case math.IsNaN(m.Mean) || math.IsInf(m.Mean, 0) || m.Mean < 0:
		faults.Add(path+".mean", m.Mean, "is not a number from 0", "write what units do before the change")
	case proportion && m.Mean > 1:
		faults.Add(path+".mean", m.Mean, "is more than all units", "write a share of the units such as 0.19")
	case !proportion && m.Mean == 0:
		faults.Add(path+".mean", m.Mean, "is missing", "write the mean of a unit's value")
	}
	if !(m.SD >= 0) || math.IsInf(m.SD, 0) {
		faults.Add(path+".sd", m.SD, "is not a number from 0", "write the standard deviation of a unit's value")
	}
	if m.Shape != Normal && m.Shape != Lognormal && m.Shape != Poisson {
		faults.Add(path+".shape", m.Shape, "is not a shape", "write normal, lognormal or poisson")
	}
	if !proportion && m.Shape == Normal && m.SD == 0 {
		faults.Add(path+".sd", nil, "is missing", "normal values vary: write their standard deviation")
	}
	if !(m.Size >= 1) || math.IsInf(m.Size, 0) {
		faults.Add(path+".size", m.Size, "is not a number from 1", "write how large the denominator of a unit is on average")
	}
}

// Validate says all that keeps a rehearsal from being carried out. What is wrong
// with the plan itself it does not say; the log does when it is planned.
func (r Rehearsal) Validate() error {
	var faults event.Invalids
	r = r.whole()
	if r.Truth.Traffic.By(1) <= 0 && r.Record == nil {
		faults.Add("units", nil, "is missing", "say how many new units come a day: units: 20000")
	}
	for _, key := range r.Plan.Measured() {
		def, known := r.Metrics[key]
		switch model, said := r.Truth.Metrics[key]; {
		case !known:
			faults.Add("metrics."+key, nil, "is not a declared metric", "put its declaration beside the plan (kind: Metric)")
		case def.Aggregate == stats.Quantile:
			faults.Add("metrics."+key, string(def.Aggregate), "cannot be rehearsed: it is made of all events of a unit", "leave it out of the plan that is rehearsed")
		case r.Record != nil:
		case !said:
			faults.Add("metrics."+key, nil, "is missing", fmt.Sprintf("say what units do before the change: metrics: {%s: {mean: …}}", key))
		default:
			model.check("metrics."+key, def, &faults)
		}
	}
	r.Settings.check(&faults)
	return faults.Err()
}

// mostLooks bounds one run: a look costs about half a millisecond.
const mostLooks = 50_000

func (s Settings) check(faults *event.Invalids) {
	if min(s.Every, s.Patience, s.Answer, s.Horizon) < 0 {
		faults.Add("every", s.Every, "is negative", "write a length of time such as 1h")
	}
	if longest := s.every() * mostLooks; time.Duration(s.Horizon) > longest {
		faults.Add("horizon", s.Horizon, fmt.Sprintf("is more than %d looks away", mostLooks), "look less often, or end earlier")
	}
}
