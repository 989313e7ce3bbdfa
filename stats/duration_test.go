package stats

import (
	"math"
	"testing"
)

func TestTraffic(t *testing.T) {
	// 100 units on the first day, half of them again on the next, 40 new ones a day since.
	falling := Traffic{Reach: []float64{100, 150, 190, 230, 270, 310, 350, 390, 430}}
	for _, c := range []struct {
		days, units float64
	}{{0.5, 50}, {1, 100}, {1.5, 125}, {2, 150}, {9, 430}, {10, 470}, {19, 830}} {
		if got := falling.By(c.days); math.Abs(got-c.units) > 1e-9 {
			t.Errorf("%v units within %v days, want %v", got, c.days, c.units)
		}
		if got := falling.Days(c.units); math.Abs(got-c.days) > 1e-9 {
			t.Errorf("%v days until %v units, want %v", got, c.units, c.days)
		}
	}
	if got := Daily(250).Days(1000); math.Abs(got-4) > 1e-9 {
		t.Errorf("250 a day are 1,000 after %v days", got)
	}
}

func TestTrafficThatNeverSuffices(t *testing.T) {
	for name, traffic := range map[string]Traffic{
		"none": {}, "no units": {Reach: []float64{0, 0}}, "no new ones": {Reach: []float64{100, 100, 100, 100, 100, 100, 100, 100}},
	} {
		if got := traffic.Days(200); !math.IsInf(got, 1) {
			t.Errorf("%s: 200 units after %v days, want never", name, got)
		}
		if got := traffic.Days(0); got != 0 {
			t.Errorf("%s: no units after %v days", name, got)
		}
	}
	if got := (Traffic{Reach: []float64{10}}).By(-1); got != 0 {
		t.Errorf("%v units before the first day", got)
	}
}
