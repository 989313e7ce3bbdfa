package main

import (
	"math"
	"math/bits"
	"math/rand/v2"

	"github.com/sluice-hq/sluice/stats"
)

// binomial draws how many of n units have an outcome of chance p. It decides
// for 64 units at once: bit by bit from the last, random words say for each
// whether a uniform number is below p, which is taken to 32 binary digits.
func binomial(r *rand.Rand, n int64, p float64) int64 {
	digits := uint64(math.Round(min(max(p, 0), 1) * (1 << 32)))
	if digits == 1<<32 {
		return n
	}
	count := int64(0)
	for ; n > 0; n -= 64 {
		below := uint64(0)
		for d := range 32 {
			if digits>>d&1 == 1 {
				below |= r.Uint64()
			} else {
				below &= r.Uint64()
			}
		}
		if n < 64 {
			below &= 1<<n - 1
		}
		count += int64(bits.OnesCount64(below))
	}
	return count
}

// poisson draws a count with that mean, which is small (Knuth, section 3.4.1).
func poisson(r *rand.Rand, mean float64) float64 {
	least, product, n := math.Exp(-mean), r.Float64(), 0.0
	for ; product > least; n++ {
		product *= r.Float64()
	}
	return n
}

// moments returns the moments of some values.
func moments(values []float64) stats.Moments {
	m := stats.Moments{N: int64(len(values))}
	for _, x := range values {
		m.Mean += x / float64(m.N)
	}
	for _, x := range values {
		m.M2 += (x - m.Mean) * (x - m.Mean)
	}
	return m
}

// joint returns the joint moments of units with k values each, of which all
// holds one unit after the other.
func joint(k int, all []float64) stats.Joint {
	n := len(all) / k
	j := stats.Joint{N: int64(n), Means: make([]float64, k), M: make([]float64, k*(k+1)/2)}
	for i, x := range all {
		j.Means[i%k] += x / float64(n)
	}
	for i := 0; i < len(all); i += k {
		at := 0
		for a := range k {
			for b := a; b < k; b++ {
				j.M[at] += (all[i+a] - j.Means[a]) * (all[i+b] - j.Means[b])
				at++
			}
		}
	}
	return j
}
