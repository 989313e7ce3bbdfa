package rehearsal

import (
	"math"
	"math/rand/v2"
)

// poisson draws a count with that mean. Small means by multiplication (Knuth,
// section 3.4.1), large ones by transformed rejection (PTRS; Hörmann 1993, "The
// transformed rejection method for generating Poisson random variables",
// Insurance: Mathematics and Economics 12:39, valid from a mean of 10).
func poisson(r *rand.Rand, mean float64) int64 {
	switch {
	case !(mean > 0):
		return 0
	case mean < 10:
		least, product, n := math.Exp(-mean), r.Float64(), int64(0)
		for ; product > least; n++ {
			product *= r.Float64()
		}
		return n
	}
	b := 0.931 + 2.53*math.Sqrt(mean)
	a := -0.059 + 0.02483*b
	inverse, fast := 1.1239+1.1328/(b-3.4), 0.9277-3.6224/(b-2)
	for {
		u, v := r.Float64()-0.5, r.Float64()
		us := 0.5 - math.Abs(u)
		k := math.Floor((2*a/us+b)*u + mean + 0.43)
		switch {
		case us >= 0.07 && v <= fast:
			return int64(k)
		case k < 0 || us < 0.013 && v > us:
			continue
		}
		if math.Log(v*inverse/(a/(us*us)+b)) <= k*math.Log(mean)-mean-logGamma(k+1) {
			return int64(k)
		}
	}
}

// binomial draws how many of n units have an outcome of chance p: by waiting
// times where few have it (Devroye 1986, section X.4.3), else by transformed
// rejection (BTRS; Hörmann 1993, "The generation of binomial random variates",
// J. Stat. Comput. Simul. 46:101, valid from n p = 10).
func binomial(r *rand.Rand, n int64, p float64) int64 {
	switch {
	case n <= 0 || !(p > 0):
		return 0
	case p >= 1:
		return n
	case p > 0.5:
		return n - binomial(r, n, 1-p)
	case float64(n)*p < 10:
		return waiting(r, n, p)
	}
	size := float64(n)
	spread := math.Sqrt(size * p * (1 - p))
	b := 1.15 + 2.53*spread
	a, fast := -0.0873+0.0248*b+0.01*p, 0.92-4.2/b
	alpha, odds := (2.83+5.1/b)*spread, math.Log(p/(1-p))
	mode := math.Floor((size + 1) * p)
	top := logGamma(mode+1) + logGamma(size-mode+1)
	for {
		u, v := r.Float64()-0.5, r.Float64()
		us := 0.5 - math.Abs(u)
		k := math.Floor((2*a/us+b)*u + size*p + 0.5)
		switch {
		case us >= 0.07 && v <= fast:
			return int64(k)
		case k < 0 || k > size:
			continue
		}
		if math.Log(v*alpha/(a/(us*us)+b)) <= top-logGamma(k+1)-logGamma(size-k+1)+(k-mode)*odds {
			return int64(k)
		}
	}
}

// waiting counts outcomes by the geometric number of units until the next one.
func waiting(r *rand.Rand, n int64, p float64) (found int64) {
	scale := math.Log1p(-p)
	for at := int64(0); ; found++ {
		gap := math.Floor(math.Log(1-r.Float64()) / scale)
		if gap >= float64(n-at) {
			return found
		}
		at += int64(gap) + 1
	}
}

// gamma draws with that shape, at least 1, and the scale 1 (Marsaglia & Tsang
// 2000, "A simple method for generating gamma variables").
func gamma(r *rand.Rand, shape float64) float64 {
	d := shape - 1.0/3
	c := 1 / math.Sqrt(9*d)
	for {
		x := r.NormFloat64()
		v := 1 + c*x
		if v = v * v * v; v <= 0 {
			continue
		}
		if math.Log(1-r.Float64()) < 0.5*x*x+d-d*v+d*math.Log(v) {
			return d * v
		}
	}
}

// chiSquare draws with so many degrees of freedom.
func chiSquare(r *rand.Rand, df int64) float64 {
	switch df {
	case 0:
		return 0
	case 1:
		x := r.NormFloat64()
		return x * x
	}
	return 2 * gamma(r, float64(df)/2)
}

func logGamma(x float64) float64 {
	y, _ := math.Lgamma(x)
	return y
}
