package warehouse

import (
	"math/big"
	"slices"

	"github.com/sluice-hq/sluice/ingest"
	"github.com/sluice-hq/sluice/stats"
)

// value is what some events of a unit come to.
func value(a stats.Aggregate, events []ingest.MetricRow) *big.Int {
	total := new(big.Int)
	for _, e := range events {
		total.Add(total, big.NewInt(e.Value))
	}
	switch {
	case a == stats.Count:
		return big.NewInt(int64(len(events)))
	case a == stats.Average && len(events) > 0:
		return total.Quo(total.Mul(total, big.NewInt(1000)), big.NewInt(int64(len(events))))
	}
	return total
}

// vector is the values of a unit before they are cut, and what each stands for.
func (u *recounted) vector(m stats.Metric) (out []*big.Int, scales []float64) {
	fixed := map[stats.Aggregate]float64{stats.Count: 1, stats.Sum: m.Scale, stats.Ratio: m.Scale, stats.Average: m.Scale / 1000}[m.Aggregate]
	flag := func(b bool) *big.Int {
		if b {
			return big.NewInt(1)
		}
		return big.NewInt(0)
	}
	switch m.Aggregate {
	case stats.Ratio:
		out, scales = []*big.Int{value(stats.Sum, u.own), value(stats.Sum, u.under)}, []float64{fixed, fixed}
		if m.Lookback > 0 {
			out, scales = append(out, value(stats.Sum, u.before), value(stats.Sum, u.underBefore)), append(scales, fixed, fixed)
		}
		return out, scales
	case stats.Conversion, stats.Retention, stats.Failures:
		out, scales = []*big.Int{flag(len(u.own) > 0), value(stats.Count, u.before)}, []float64{1, 1}
	default:
		out, scales = []*big.Int{value(m.Aggregate, u.own), value(m.Aggregate, u.before)}, []float64{fixed, fixed}
	}
	if m.Lookback == 0 {
		return out[:1], scales[:1]
	}
	return append(out, flag(len(u.before) == 0)), append(scales, 1)
}

// least returns the smallest of some numbers that a share of them do not
// exceed.
func least(values []*big.Int, share float64) *big.Int {
	for _, v := range slices.SortedFunc(slices.Values(values), (*big.Int).Cmp) {
		var n int64
		for _, o := range values {
			if o.Cmp(v) <= 0 {
				n++
			}
		}
		if n*1_000_000 >= int64(len(values))*int64(share*1e6+0.5) {
			return v
		}
	}
	return nil
}

func (c recount) caps(m stats.Metric, units []*recounted) Caps {
	if given, ok := c.Caps[m.Key]; ok {
		return given
	}
	caps := Caps{Value: capOf(m, units, 0)}
	if m.Aggregate == stats.Ratio {
		caps.Denominator = capOf(m, units, 1)
	}
	return caps
}

func capOf(m stats.Metric, units []*recounted, i int) *big.Int {
	var sizes []*big.Int
	for _, u := range units {
		if v, _ := u.vector(m); v[i].Sign() != 0 {
			sizes = append(sizes, new(big.Int).Abs(v[i]))
		}
	}
	return least(sizes, m.Cap)
}

func clamp(v, limit *big.Int) *big.Int {
	if limit == nil || v.CmpAbs(limit) <= 0 {
		return v
	}
	if v.Sign() < 0 {
		return new(big.Int).Neg(limit)
	}
	return limit
}

// joint takes the moments of rows of values: means first, then deviations from
// them, in fractions.
func joint(rows [][]*big.Int, scales []float64) stats.Joint {
	k := len(scales)
	j := stats.Joint{N: int64(len(rows)), Means: make([]float64, k), M: make([]float64, 0, k*(k+1)/2)}
	means := make([]*big.Rat, k)
	for a := range k {
		means[a] = new(big.Rat)
		for _, r := range rows {
			means[a].Add(means[a], new(big.Rat).SetFrac(r[a], big.NewInt(j.N)))
		}
		f, _ := means[a].Float64()
		j.Means[a] = f * scales[a]
	}
	for a := range k {
		for b := a; b < k; b++ {
			m := new(big.Rat)
			for _, r := range rows {
				da := new(big.Rat).Sub(new(big.Rat).SetInt(r[a]), means[a])
				db := new(big.Rat).Sub(new(big.Rat).SetInt(r[b]), means[b])
				m.Add(m, da.Mul(da, db))
			}
			f, _ := m.Float64()
			if a == b {
				j.M = append(j.M, f*scales[a]*scales[a])
			} else {
				j.M = append(j.M, f*(scales[a]*scales[b]))
			}
		}
	}
	return j
}

// bucketBits is the bucket of a value: halved until nine bits are left.
func bucketBits(v int64) int {
	if v < 0 {
		return -bucketBits(-v)
	}
	halved := 0
	for ; v >= 512; v /= 2 {
		halved++
	}
	return halved*256 + int(v)
}

// sample makes the sample of the units of one arm of one stratum.
func (c recount) sample(m stats.Metric, units []*recounted, caps Caps) stats.Sample {
	kind := m.Aggregate.Kind()
	if kind == stats.KindQuantile {
		return quantileOf(m, units)
	}
	var rows [][]*big.Int
	_, scales := (&recounted{}).vector(m)
	for _, u := range units {
		if m.Aggregate == stats.Average && len(u.own) == 0 {
			continue
		}
		row, _ := u.vector(m)
		for i := range row {
			switch {
			case m.Cap == 0 || kind == stats.KindMean && i == 2: // the third says whether there is a past
			case kind == stats.KindRatio && i%2 == 1:
				row[i] = clamp(row[i], caps.Denominator)
			default:
				row[i] = clamp(row[i], caps.Value)
			}
		}
		rows = append(rows, row)
	}
	j := joint(rows, scales)
	s := stats.Sample{Kind: kind, N: j.N}
	switch kind {
	case stats.KindProportion:
		for _, r := range rows {
			s.X += r[0].Int64()
		}
	case stats.KindMean:
		s.Moments = stats.Moments{N: j.N, Mean: j.Means[0], M2: j.M[0]}
	}
	if len(scales) > 1 {
		s.Joint = &j
	}
	return s
}

func quantileOf(m stats.Metric, units []*recounted) stats.Sample {
	d := stats.Distribution{Nu: m.Nu, Scale: 1e-6}
	var all []*big.Int
	n := map[int]int64{}
	for _, u := range units {
		d.Units += min(1, int64(len(u.own)))
		for _, e := range u.own {
			n[bucketBits(e.Value)]++
			d.Events++
			all = append(all, big.NewInt(int64(bucketBits(e.Value))))
		}
	}
	for i := -20000; i <= 20000; i++ {
		if n[i] > 0 {
			d.Buckets = append(d.Buckets, stats.Bucket{I: i, N: n[i]})
		}
	}
	at := 0
	if len(all) > 0 {
		at = int(least(all, m.Nu).Int64())
		d.Estimate = stats.Middle(at) * 1e-6
	}
	var rows [][]*big.Int
	for _, u := range units {
		var below int64
		for _, e := range u.own {
			if bucketBits(e.Value) <= at {
				below++
			}
		}
		rows = append(rows, []*big.Int{big.NewInt(below), big.NewInt(int64(len(u.own)))})
	}
	j := joint(rows, []float64{1, 1})
	return stats.Sample{Kind: stats.KindQuantile, N: j.N, Joint: &j, Distribution: &d}
}
