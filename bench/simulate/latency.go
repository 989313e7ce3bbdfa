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

// unit draws the events of one unit, in their buckets.
func (l latency) unit(r *rand.Rand) (buckets []int) {
	own := r.NormFloat64()
	for range 1 + int(poisson(r, 3)) {
		ms := l.level * 200 * math.Exp(0.8*math.Sqrt(0.5)*(own+r.NormFloat64()))
		buckets = append(buckets, bucket(uint64(math.Round(ms*1000))))
	}
	return buckets
}

// sample draws n units.
func (l latency) sample(r *rand.Rand, n int64) stats.Sample {
	return (&requests{latency: l, counts: map[int]int64{}}).more(r, n)
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
	runs := p.runs(2000)
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

// requests is the events of an arm that come in: how many of them are in which
// bucket, and those of each unit.
type requests struct {
	latency
	counts map[int]int64
	of     [][]int
}

func (q *requests) more(r *rand.Rand, n int64) stats.Sample {
	for range n {
		events := q.unit(r)
		for _, b := range events {
			q.counts[b]++
		}
		q.of = append(q.of, events)
	}
	return sampled(q.nu, q.counts, q.of)
}

// slowing is the guardrail of a quantile of events, looked at as they come.
func slowing(p plan) *table {
	const looks, every = 40, 250
	runs := p.runs(300)
	t := &table{title: "Stop: false alarms of quantiles of events", under: fmt.Sprintf(
		"%d rollouts a row of %d units with four events on average, half of them treated, with a look after every %d. The harm is exactly the margin. Promised: at most 0.05 for breached and band.", runs, looks*every, every),
		head: []string{"quantile", "margin", "breached", "band leaves truth", "fixed, any look"}}
	for i, nu := range []float64{0.5, 0.9} {
		for k, g := range []stats.Guardrail{{Detect: detect, Direction: stats.Decrease}, {Margin: margin, Direction: stats.Decrease}} {
			all := repeat(p.seed+uint64(10*i+k), runs, func(r *rand.Rand) (c cries) {
				control, treated := arriving(nu, 1), arriving(nu, 1+g.Margin)
				var f first
				for range looks {
					n := binomial(r, every, 0.5)
					strata := []stats.Stratum{{Control: control.more(r, every-n), Treatment: treated.more(r, n)}}
					if f.look(strata) {
						c = c.hear(g.Judge(strata, f.frozen), g.Margin)
					}
				}
				return c
			})
			what := fmt.Sprintf("p%g, margin %s", 100*nu, percent(g.Margin))
			t.add(fmt.Sprintf("p%g", 100*nu), percent(g.Margin),
				t.atMost(share(all, func(c cries) bool { return c.breach }), 0.05, runs, what),
				t.atMost(share(all, func(c cries) bool { return c.band }), 0.05, runs, what+", band"),
				rate(share(all, func(c cries) bool { return c.fixed })))
		}
	}
	return t
}

func arriving(nu, level float64) *requests {
	return &requests{latency: latency{nu, level}, counts: map[int]int64{}}
}
