package main

import (
	"fmt"
	"maps"
	"math"
	"math/bits"
	"math/rand/v2"
	"slices"

	"github.com/sluice-hq/sluice/stats"
)

// latency is events in milliseconds, of units that are fast or slow: the
// logarithm of an event's value is normal, and half of its variance is the
// unit's.
type latency struct {
	nu    float64
	level float64
}

// truth returns the quantile that all units have.
func (l latency) truth() float64 {
	z := map[float64]float64{0.5: 0, 0.9: 1.2815515655446004, 0.99: 2.3263478740408408}[l.nu]
	return l.level * 200 * math.Exp(0.8*z)
}

// sample draws n units with one event and more.
func (l latency) sample(r *rand.Rand, n int64) stats.Sample {
	counts := map[int]int64{}
	of := make([][]int, n)
	for i := range of {
		own := r.NormFloat64()
		for range 1 + int(poisson(r, 3)) {
			ms := l.level * 200 * math.Exp(0.8*math.Sqrt(0.5)*(own+r.NormFloat64()))
			b := bucket(uint64(math.Round(ms * 1000)))
			of[i] = append(of[i], b)
			counts[b]++
		}
	}
	return sampled(l.nu, counts, of)
}

// bucket returns the bucket of a value in the fixed point; see
// stats.Distribution.
func bucket(v uint64) int {
	shift := max(bits.Len64(v)-9, 0)
	return int(v>>shift) + shift*256
}

// sampled returns the sample of units whose events are in those buckets.
func sampled(nu float64, counts map[int]int64, of [][]int) stats.Sample {
	var buckets []stats.Bucket
	for _, i := range slices.Sorted(maps.Keys(counts)) {
		buckets = append(buckets, stats.Bucket{I: i, N: counts[i]})
	}
	d, err := stats.NewDistribution(nu, 0.001, int64(len(of)), buckets)
	if err != nil {
		panic(err) // unreachable unless the buckets above are out of order
	}
	at, _ := d.At()
	both := make([]float64, 0, 2*len(of))
	for _, events := range of {
		below := 0
		for _, b := range events {
			below += count(b <= at)
		}
		both = append(both, float64(below), float64(len(events)))
	}
	return stats.QuantileSample(d, joint(2, both))
}

// waiting is how often the interval of a quantile holds the truth.
func waiting(p plan) *table {
	runs := p.runs(4000)
	t := &table{title: "Coverage of quantiles of events", under: fmt.Sprintf(
		"%d comparisons a row. Units have four events on average, whose values are alike: a correlation of a half. Promised: 0.95 ± 0.01, with 3,000 units an arm.", runs),
		head: []string{"quantile", "units per arm", "absolute", "relative", "always valid"}}
	for i, nu := range []float64{0.5, 0.9, 0.99} {
		for k, n := range []int64{500, 3000} {
			c, tr := latency{nu, 1}, latency{nu, 1.1}
			type holds struct{ absolute, relative, band bool }
			all := repeat(p.seed+uint64(10*i+k), runs, func(r *rand.Rand) holds {
				s := []stats.Stratum{{Control: c.sample(r, n), Treatment: tr.sample(r, n)}}
				a, b := stats.Compare(s, stats.Options{}), stats.Compare(s, stats.Options{Relative: true})
				return holds{a.Fixed.Contains(tr.truth() - c.truth()), b.Fixed.Contains(0.1), a.Band.Contains(tr.truth() - c.truth())}
			})
			slack := 2 * deviation(0.95, runs)
			cell := func(x float64) string {
				if n < 3000 {
					return rate(x)
				}
				return t.within(x, 0.94-slack, 0.96+slack, fmt.Sprintf("p%g", 100*nu))
			}
			t.add(fmt.Sprintf("p%g", 100*nu), fmt.Sprint(n),
				cell(share(all, func(h holds) bool { return h.absolute })), cell(share(all, func(h holds) bool { return h.relative })),
				rate(share(all, func(h holds) bool { return h.band })))
		}
	}
	return t
}
