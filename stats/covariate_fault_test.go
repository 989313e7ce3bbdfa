package stats

import "testing"

// Joint moments of different values cannot be added up: it was a panic in the
// tests of gates and in the effect over all units.
func TestCovariatesOfSamplesAgree(t *testing.T) {
	three := Joint{N: 1000, Means: []float64{0.5, 1, 0.3}, M: []float64{250, 10, 0, 1000, 0, 200}}
	more, fewer := Proportion(1000, 500).With(three), withFlatHistory(1000, 500)
	for name, s := range map[string][]Stratum{
		"of two arms":   oneStratum(more, fewer),
		"of two strata": append(oneStratum(more, more), oneStratum(fewer, fewer)...),
		"of ratios": oneStratum(RatioSample(Joint{N: 1000, Means: []float64{1, 2}, M: []float64{10, 0, 10}}),
			RatioSample(Joint{N: 1000, Means: []float64{1, 2, 1, 2}, M: []float64{10, 0, 0, 0, 10, 0, 0, 10, 0, 10}})),
	} {
		c := Compare(s, Options{})
		if c.Refused == nil || c.Refused.Code != BadInput || c.Refused.Field != "strata" {
			t.Errorf("%s: %v", name, c.Refused)
		}
		if _, ok := Freeze(s); ok {
			t.Errorf("%s: frozen", name)
		}
	}
	if c := Compare(append(oneStratum(more, more), oneStratum(Proportion(1000, 500), Proportion(1000, 500))...), Options{}); c.Refused != nil {
		t.Errorf("a stratum without covariates: %v", c.Refused)
	}
}

// The square of a slope on values of 1e152 is less than a float holds, and the
// variance that the slope explains was taken off twice.
func TestCovariateOutOfRange(t *testing.T) {
	s := valued(1000, 1e-10, 1e-10)
	huge := Joint{N: 1000, Means: []float64{1e-10, 1}, M: []float64{s.Moments.M2, 0.6e142 * 999, 1e304 * 999}}
	c := Compare(oneStratum(s.With(huge), s.With(huge)), Options{})
	if c.Refused == nil || c.Refused.Code != BadInput || c.Refused.Field != "control.sum" {
		t.Errorf("%v, se %v", c.Refused, c.SE)
	}
}
