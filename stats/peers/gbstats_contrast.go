package peers

import "math"

// contrast returns the estimate and its variance by the delta method, as
// PostStratificationSummary and …Ratio of models/tests.py do.
func (e effect) contrast(relative bool) (estimate, variance float64) {
	var g []float64
	switch m := e.mean; {
	case len(m) == 2 && relative:
		estimate = m[1] / math.Abs(m[0])
		g = []float64{-m[1] / (m[0] * m[0]), 1 / m[0]}
	case len(m) == 2:
		estimate, g = m[1], []float64{0, 1}
	case relative:
		estimate, g = ratioLift(m)
	default:
		estimate, g = ratioDifference(m)
	}
	for i := range g {
		for j := range g {
			variance += g[i] * e.cov[i][j] * g[j]
		}
	}
	return estimate, variance
}

// ratioDifference returns the difference of two ratios and its gradient.
func ratioDifference(m []float64) (float64, []float64) {
	nt, dt := m[0]+m[1], m[2]+m[3]
	g := make([]float64, 4)
	g[1] = 1 / dt
	g[0] = g[1] - 1/m[2]
	g[3] = -nt / (dt * dt)
	g[2] = g[3] + m[0]/(m[2]*m[2])
	return nt/dt - m[0]/m[2], g
}

// ratioLift returns the relative difference of two ratios and its gradient.
func ratioLift(m []float64) (float64, []float64) {
	nt, dt := m[0]+m[1], m[2]+m[3]
	up, down := m[2]*nt, m[0]*dt
	g := []float64{
		(m[2]*down - dt*up) / (down * down),
		m[2] / down,
		(nt*down - m[0]*up) / (down * down),
		-up / (m[0] * dt * dt),
	}
	return (up/down - 1) * math.Copysign(1, m[0]/m[2]), g
}
