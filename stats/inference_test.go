package stats

import "testing"

func TestAnswer(t *testing.T) {
	strata := arms(10000, 1000, 10000, 1100)
	for inference, want := range map[Inference]func(Comparison) (Interval, float64){
		"":           func(c Comparison) (Interval, float64) { return c.Fixed, c.P },
		FixedHorizon: func(c Comparison) (Interval, float64) { return c.Fixed, c.P },
		AlwaysValid:  func(c Comparison) (Interval, float64) { return c.Band, c.BandP },
	} {
		c := Compare(strata, Options{Inference: inference})
		i, p := c.Answer()
		if wi, wp := want(c); i != wi || p != wp || c.Refused != nil {
			t.Errorf("%q: %v, p %v, %v, want %v, %v", inference, i, p, c.Refused, wi, wp)
		}
	}
	c := Compare(strata, Options{Inference: "guess"})
	if i, p := c.Answer(); c.Refused == nil || c.Refused.Field != "inference" || p != 1 || i != Open() {
		t.Errorf("an unknown inference: %v, p %v, %v", i, p, c.Refused)
	}
}
