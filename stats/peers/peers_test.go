package peers

import (
	"math"
	"strings"

	"github.com/sluice-hq/sluice/stats"
)

// mean returns the sample of n units with these sums, the form in which all of
// the programs' tests hold their data.
func mean(n int64, sum, squares float64) stats.Sample {
	return stats.Mean(moments(n, sum, squares))
}

func moments(n int64, sum, squares float64) stats.Moments {
	if n == 0 {
		return stats.Moments{}
	}
	return stats.Moments{N: n, Mean: sum / float64(n), M2: squares - sum*sum/float64(n)}
}

// joint returns the moments of several values of n units from their sums and the
// sums of their products, packed as in stats.Joint.
func joint(n int64, sums, products []float64) stats.Joint {
	j := stats.Joint{N: n}
	at := 0
	for a, x := range sums {
		j.Means = append(j.Means, x/float64(n))
		for _, y := range sums[a:] {
			j.M = append(j.M, products[at]-x*y/float64(n))
			at++
		}
	}
	return j
}

func pair(control, treatment stats.Sample) []stats.Stratum {
	return []stats.Stratum{{Epoch: 1, Control: control, Treatment: treatment}}
}

func near(got, want, by float64) bool {
	return got == want || math.Abs(got-want) <= by
}

func nearInterval(got, want stats.Interval, by float64) bool {
	return near(got.Low, want.Low, by) && near(got.High, want.High, by)
}

// said reports whether the comparison warns of something.
func said(c stats.Comparison, warning string) bool {
	for _, w := range c.Warnings {
		if strings.Contains(w, warning) {
			return true
		}
	}
	return false
}

var inf = math.Inf(1)

// tallied returns the joint moments of raw values, one slice for each value.
func tallied(values ...[]float64) stats.Joint {
	var sums, products []float64
	for a, x := range values {
		sum := 0.0
		for _, v := range x {
			sum += v
		}
		sums = append(sums, sum)
		for _, y := range values[a:] {
			sum := 0.0
			for i := range x {
				sum += x[i] * y[i]
			}
			products = append(products, sum)
		}
	}
	return joint(int64(len(values[0])), sums, products)
}
