package stats

import (
	"math"
	"testing"

	"github.com/sluice-hq/sluice/stats/groupseq"
)

// Whoever looks by a plan has the answer of its bounds: of O'Brien-Fleming-type
// spending at five looks (ldbounds' vignette: 2.6803 at the third), and of
// Pocock's constant (Jennison & Turnbull 2000, Table 2.1: 2.413).
func TestSequencePublished(t *testing.T) {
	strata := arms(10000, 1000, 10000, 1110)
	third := []float64{0.2, 0.4, 0.6}
	for _, tt := range []struct {
		s    Sequence
		want float64
	}{
		{Sequence{Information: third}, 2.6803},
		{Sequence{Information: third, Design: "pocock", Looks: 5}, 2.413},
		{Sequence{Information: third, Design: "obrien-fleming", Looks: 5}, 2.040 * math.Sqrt(5./3)},
		{Sequence{Information: third, Spending: groupseq.Spending{Family: groupseq.Pocock}}, 2.4102},
	} {
		c := Compare(strata, Options{Inference: GroupSequential, Sequence: &tt.s})
		if c.Refused != nil || c.Looked == nil || !near(c.Looked.Critical, tt.want, 1e-3) {
			t.Errorf("%+v: %+v, %v, want %v", tt.s, c.Looked, c.Refused, tt.want)
		}
	}
}

// The p-value, the interval and the answer never contradict each other.
func TestSequenceAgrees(t *testing.T) {
	for _, s := range []Sequence{
		{Information: []float64{0.3, 0.7}},
		{Information: []float64{0.3, 0.7, 1.2}, Spending: groupseq.Spending{Family: groupseq.HSD, Gamma: -4}},
		{Information: []float64{0.25, 0.5}, Design: "pocock", Looks: 4},
		{Information: []float64{0.25, 0.5, 0.75, 1}, Design: "obrien-fleming", Looks: 4},
	} {
		for _, side := range []Side{TwoSided, Greater, Less} {
			for xt := int64(20); xt < 400; xt += 31 {
				o := Options{Inference: GroupSequential, Side: side, Alpha: 0.03, Sequence: &s}
				c := Compare(noisy(300, 1, 1, 300, float64(xt)/200, 1), o)
				i, p := c.Answer()
				if c.Looked.Crossed != (p < 0.03) || c.Looked.Crossed == i.Contains(0) {
					t.Errorf("%+v, %s, %d: crossed %v, p %v, %v", s, side, xt, c.Looked.Crossed, p, i)
				}
			}
		}
	}
}

func TestSequenceRefuses(t *testing.T) {
	for name, tt := range map[string]struct {
		field string
		s     *Sequence
	}{
		"none":           {"information", nil},
		"no looks":       {"information", &Sequence{}},
		"shrinking":      {"information", &Sequence{Information: []float64{0.5, 0.4}}},
		"NaN":            {"information", &Sequence{Information: []float64{math.NaN()}}},
		"spending":       {"rho", &Sequence{Information: []float64{0.5}, Spending: groupseq.Spending{Family: groupseq.Power}}},
		"design":         {"design", &Sequence{Information: []float64{0.5}, Design: "guess", Looks: 2}},
		"too few looks":  {"looks", &Sequence{Information: []float64{0.5, 1}, Design: "pocock", Looks: 1}},
		"too many looks": {"looks", &Sequence{Information: []float64{0.5}, Design: "pocock", Looks: 101}},
	} {
		c := Compare(arms(1000, 100, 1000, 120), Options{Inference: GroupSequential, Sequence: tt.s})
		if i, p := c.Answer(); c.Refused == nil || c.Refused.Field != tt.field || p != 1 || i != Open() {
			t.Errorf("%s: %v, want %s refused", name, c.Refused, tt.field)
		}
	}
}
