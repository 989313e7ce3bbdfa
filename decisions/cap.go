package decisions

import (
	"reflect"

	"github.com/sluice-hq/sluice/stats"
)

// Cap is what the value of a unit is cut to, from below and from above. It is
// taken from the units of one look and kept: a test that looks often must not
// meet another cap at every look, which an outlier that comes later would move.
type Cap struct {
	Value       Bound  `json:"value"`
	Denominator *Bound `json:"denominator,omitempty"` // of a ratio
}

// Bound is one of the numbers of a cap. Exact is what counts: floating point
// may not hold it.
type Bound struct {
	At    float64 `json:"at"`    // in the metric's unit
	Exact string  `json:"exact"` // whole number of the parts that values are counted in, such as millionths
}

// Caps returns the caps that this look freezes: those of the metrics whose
// variance is frozen at this look too, or was before and has no cap yet.
func Caps(r Rollout, e Evidence, baselines map[string]stats.Frozen) map[string]Cap {
	out := map[string]Cap{}
	for _, m := range e.Metrics {
		_, before := r.Frozen[m.Metric]
		_, had := r.Caps[m.Metric]
		_, now := baselines[m.Metric]
		if m.Cap != nil && !had && (before || now) {
			out[m.Metric] = *m.Cap
		}
	}
	return out
}

// cutAs reports whether the values in the evidence were cut at the caps that the
// rollout keeps.
func (r Rollout) cutAs(e Evidence) bool {
	for _, m := range e.Metrics {
		if c, ok := r.Caps[m.Metric]; ok && !reflect.DeepEqual(m.Cap, &c) {
			return false
		}
	}
	return true
}
