package groupseq

import "math"

// fineness is r of the grid of [JT, section 19.2], and finest the most that a
// narrow step makes of it.
const (
	fineness = 18
	finest   = 1000
)

// fine returns the r whose nodes are a third apart of the width of a step, in
// Z: between two looks with nearly the same information Z hardly moves, and
// [JT]'s own choice would step over the move.
func fine(width float64) float64 {
	return math.Min(math.Max(fineness, math.Ceil(2.25/width)), finest)
}

// grid returns nodes of Z between two bounds, with Simpson's weights: dense
// where the density is, in logarithmic steps in its tails [JT, section 19.2].
func grid(lower, upper, r float64) (z, weight []float64) {
	x := ends(lower, upper, r)
	if len(x) < 2 {
		return nil, nil
	}
	z, weight = make([]float64, 2*len(x)-1), make([]float64, 2*len(x)-1)
	for i := range len(x) - 1 {
		h := (x[i+1] - x[i]) / 6
		z[2*i], z[2*i+1] = x[i], (x[i]+x[i+1])/2
		weight[2*i] += h
		weight[2*i+1] = 4 * h
		weight[2*i+2] = h
	}
	z[len(z)-1] = x[len(x)-1]
	return z, weight
}

// ends returns where the parabolas of Simpson's rule meet. A side that nothing
// bounds ends with the grid.
func ends(lower, upper, r float64) []float64 {
	if !(lower < upper) {
		return nil
	}
	x := make([]float64, 0, 6*int(r)+1)
	if !math.IsInf(lower, 0) {
		x = append(x, lower)
	}
	for i := 1.0; i < 6*r; i++ {
		if v := node(i, r); v > lower && v < upper {
			x = append(x, v)
		}
	}
	if !math.IsInf(upper, 0) {
		x = append(x, upper)
	}
	return x
}

func node(i, r float64) float64 {
	switch {
	case i < r:
		return -3 - 4*math.Log(r/i)
	case i > 5*r:
		return 3 + 4*math.Log(r/(6*r-i))
	}
	return -3 + 3*(i-r)/(2*r)
}
