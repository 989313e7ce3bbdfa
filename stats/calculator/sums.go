package calculator

import (
	"math"
	"math/big"

	"github.com/sluice-hq/sluice/stats"
)

// value is how the sums of one value of each unit are named.
type value struct{ name, sum, squares string }

func named(name string) value { return value{name, name + "_sum", name + "_sum_squares"} }

// shape is the sums that an arm consists of: of each value, of its square, and
// of the products of every two.
type shape struct {
	units   string // name of their number
	values  []value
	product string // end of the name of a sum of products
	sample  func(stats.Joint) stats.Sample
}

// shape returns what the arm consists of. Values before the first exposure
// explain variance where they are given.
func (a *arm) shape() shape {
	s := shape{units: "n", product: "_sum_product"}
	switch a.kind {
	case "cluster":
		s.units, s.product, s.sample = "clusters", "_product", stats.ClusterSample
		s.values = []value{{"sum", "sum", "sum_squares"}, named("n")}
		if a.has("pre_sum") {
			s.values = append(s.values, named("pre"), named("pre_n"))
		}
	case "ratio":
		s.sample, s.values = stats.RatioSample, []value{named("num"), named("den")}
		if a.has("post_num_sum") {
			s.values = []value{named("post_num"), named("post_den"), named("pre_num"), named("pre_den")}
		}
	default:
		s.sample, s.values = mean, []value{{"", "sum", "sum_squares"}}
		if a.has("post_sum") {
			s.values = []value{named("post"), named("pre")}
		}
		if a.has("new_sum") { // units without a past, whose value before says nothing
			s.values = append(s.values, named("new"))
		}
	}
	return s
}

// mean returns the sample of units' values, with what was known before.
func mean(j stats.Joint) stats.Sample {
	m := stats.Mean(j.Moments(0))
	if len(j.Means) > 1 {
		m = m.With(j)
	}
	return m
}

// summed reads an arm of sums.
func (a *arm) summed() (stats.Sample, *stats.Refusal) {
	s := a.shape()
	n, r := a.count(s.units)
	if r != nil {
		return stats.Sample{}, r
	}
	sums, squares := make([]*big.Rat, len(s.values)), make([]*big.Rat, len(s.values))
	for i, v := range s.values {
		if sums[i], r = a.take(v.sum).exact(a.field(v.sum)); r != nil {
			return stats.Sample{}, r
		}
		if squares[i], r = a.take(v.squares).exact(a.field(v.squares)); r != nil {
			return stats.Sample{}, r
		}
	}
	j, r := a.centred(s, n, sums, squares)
	if r != nil {
		return stats.Sample{}, r
	}
	return s.sample(j), nil
}

// centred returns the moments of n units with these sums.
func (a *arm) centred(s shape, n int64, sums, squares []*big.Rat) (stats.Joint, *stats.Refusal) {
	k := len(s.values)
	j := stats.Joint{N: n, Means: make([]float64, k)}
	spread := make([]float64, k)
	for i, v := range s.values {
		m, r := moments(n, sums[i], squares[i])
		if r != nil {
			r.Field = a.field(v.squares)
			return stats.Joint{}, r
		}
		j.Means[i], spread[i] = m.Mean, m.M2
	}
	for i := range k {
		j.M = append(j.M, spread[i])
		for l := i + 1; l < k; l++ {
			product, field, r := a.product(s, i, l)
			if r != nil {
				return stats.Joint{}, r
			}
			m, r := coMoment(n, [3]*big.Rat{sums[i], sums[l], product}, spread[i], spread[l])
			if r != nil {
				r.Field = field
				return stats.Joint{}, r
			}
			j.M = append(j.M, m)
		}
	}
	return j, nil
}

// product reads the sum of the products of two values, whichever stands first
// in its name.
func (a *arm) product(s shape, i, l int) (*big.Rat, string, *stats.Refusal) {
	name := s.values[i].name + "_" + s.values[l].name + s.product
	if other := s.values[l].name + "_" + s.values[i].name + s.product; a.have[name] == nil && a.have[other] != nil {
		name = other
	}
	v, r := a.take(name).exact(a.field(name))
	return v, a.field(name), r
}

// rounding is how much of a sum of squares may be lost to floats on its way
// here: deviations that are negative by less are those of equal values.
const rounding = 1e-12

// moments returns the moments of n values with these sums.
func moments(n int64, sum, squares *big.Rat) (stats.Moments, *stats.Refusal) {
	if n == 0 {
		if sum.Sign() != 0 || squares.Sign() != 0 {
			return stats.Moments{}, bad("", "sums of no units are 0")
		}
		return stats.Moments{}, nil
	}
	mean := new(big.Rat).Quo(sum, new(big.Rat).SetInt64(n))
	m := stats.Moments{N: n}
	m.Mean, _ = mean.Float64()
	m.M2, _ = new(big.Rat).Sub(squares, mean.Mul(mean, sum)).Float64()
	if size, _ := squares.Float64(); m.M2 < -rounding*size {
		return stats.Moments{}, bad("", "is less than the square of the sum allows")
	}
	if m.M2 < 0 || n == 1 {
		m.M2 = 0
	}
	return m, nil
}

// coMoment returns Σ(x−x̄)(y−ȳ) from Σx, Σy and Σxy, which is at most the root
// of the product of both sums of squared deviations.
func coMoment(n int64, of [3]*big.Rat, xx, yy float64) (float64, *stats.Refusal) {
	if n == 0 {
		if of[2].Sign() != 0 {
			return 0, bad("", "sums of no units are 0")
		}
		return 0, nil
	}
	mean := new(big.Rat).Quo(of[0], new(big.Rat).SetInt64(n))
	m, _ := new(big.Rat).Sub(of[2], mean.Mul(mean, of[1])).Float64()
	most := math.Sqrt(xx) * math.Sqrt(yy)
	size, _ := of[2].Float64()
	if math.Abs(m) > most*(1+1e-9)+rounding*math.Abs(size) {
		return 0, bad("", "is more than the sums of squares allow")
	}
	return max(-most, min(most, m)), nil
}
