package stats

import "math"

func logGamma(x float64) float64 {
	v, _ := math.Lgamma(x)
	return v
}

func logBeta(a, b float64) float64 { return logGamma(a) + logGamma(b) - logGamma(a+b) }

// logBetaBelow returns log I_x(a,b), the probability that a Beta(a,b) variable
// is below x. It works in logarithms, because the probabilities that failures
// in hundreds give underflow a float.
func logBetaBelow(x, a, b float64) float64 {
	switch {
	case x <= 0:
		return math.Inf(-1)
	case x >= 1:
		return 0
	case x < (a+1)/(a+b+2):
		return logBetaTail(x, a, b)
	}
	above := logBetaTail(1-x, b, a)
	if above >= 0 {
		return math.Inf(-1)
	}
	return math.Log1p(-math.Exp(above))
}

// logBetaTail is logBetaBelow where its continued fraction converges fast
// (Numerical Recipes, section 6.4, by the modified method of Lentz).
func logBetaTail(x, a, b float64) float64 {
	const tiny, enough = 1e-300, 1e-15
	c, d := 1.0, 1/away(1-(a+b)*x/(a+1), tiny)
	h := d
	for m := 1.0; m < 10000; m++ {
		even := m * (b - m) * x / ((a + 2*m - 1) * (a + 2*m))
		d, c = 1/away(1+even*d, tiny), away(1+even/c, tiny)
		h *= d * c
		odd := -(a + m) * (a + b + m) * x / ((a + 2*m) * (a + 2*m + 1))
		d, c = 1/away(1+odd*d, tiny), away(1+odd/c, tiny)
		h *= d * c
		if math.Abs(d*c-1) < enough {
			break
		}
	}
	return a*math.Log(x) + b*math.Log1p(-x) - logBeta(a, b) + math.Log(h/a)
}

// away returns x, or tiny where x is too near to 0 to divide by.
func away(x, tiny float64) float64 {
	if math.Abs(x) < tiny {
		return tiny
	}
	return x
}
