package stats

import (
	"fmt"
	"math"
)

// mostPlanned is more units than anybody has.
const mostPlanned = 1e15

// needed returns the units of control that see the effect with the wanted
// power.
func (d Design) needed(t looking) (float64, *Refusal) {
	s := d.signal(d.size())
	if !(s.distance > 0) {
		return 0, refuse(BadInput, "effect", "lies where the test does not look: it is never seen")
	}
	short := func(n float64) float64 { return s.power(t, n) - d.Power }
	n := 2 * s.cluster / min(1, s.share)
	if short(n) >= 0 {
		return n, nil
	}
	for short(2*n) < 0 {
		if n *= 2; n > mostPlanned {
			return 0, refuse(TooFewUnits, "effect", "no number of units that anybody has sees an effect so small")
		}
	}
	return root(n, 2*n, short), nil
}

// smallest returns the smallest effect that n units of control see with the
// wanted power, or the smallest margin that they exclude.
func (d Design) smallest(t looking, n float64) (float64, *Refusal) {
	sign := 1.0
	if d.Margin == 0 && (d.Effect < 0 || d.Side == Less) {
		sign = -1
	}
	short := func(size float64) float64 { return d.signal(sign*size).power(t, n) - d.Power }
	most := d.largest(sign)
	low, high := 0.0, min(most, d.start(n))
	for short(high) < 0 {
		if high >= most {
			return 0, refuse(TooFewUnits, "n", fmt.Sprintf("so few units see no effect that this metric can have with a power of %g", d.Power))
		}
		low, high = high, min(2*high, most)
	}
	return root(low, high, short), nil
}

// start is a size that is about what n units see.
func (d Design) start(n float64) float64 {
	s := d.noise(1, d.Metric.Level)
	return s.truth / math.Sqrt(n) / d.unit()
}

// largest is the largest size that the metric can have.
func (d Design) largest(sign float64) float64 {
	relative := !d.Absolute
	switch {
	case d.Margin != 0 && relative && d.Direction != Decrease:
		return 1
	case d.Margin == 0 && d.Metric.Kind == KindProportion && sign > 0:
		return (1 - d.Metric.Level) / d.unit()
	case d.Margin == 0 && d.Metric.Kind == KindProportion:
		return d.Metric.Level / d.unit()
	}
	return largestMean / max(1, d.unit())
}
