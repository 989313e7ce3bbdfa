package stats

import (
	"errors"
	"math"
	"math/bits"
)

// Distribution is what a quantile of the events of an arm is made of: how many
// of its events have a value within each of a fixed set of buckets. Counts of
// buckets add up exactly, over units, arms and time.
//
// A value is an integer in the stored fixed point. From −511 to 511 each has a
// bucket of its own; beyond, every power of two is cut into 256 buckets of
// equal width, so that a bucket's middle is within 1/512 (0.2 %) of all of its
// values. The bounds are integers: no logarithm is taken that two machines
// could round differently. The buckets are those of HdrHistogram (Tene 2012)
// with 8 bits.
type Distribution struct {
	Nu       float64  `json:"nu"`       // which quantile, above 0 and below 1; kept to the millionth
	Estimate float64  `json:"estimate"` // middle of the bucket that holds it, 0 without events
	Events   int64    `json:"events"`
	Units    int64    `json:"units"` // that have events
	Scale    float64  `json:"scale"` // value of 1 in the fixed point
	Buckets  []Bucket `json:"buckets,omitempty"`
}

// Bucket is how many events have a value in one bucket.
type Bucket struct {
	I int   `json:"i"` // number of the bucket; that of −x is −I of x
	N int64 `json:"n"`
}

// inOctave is how many buckets a power of two is cut into.
const inOctave = 256

// Middle returns the middle of the values of bucket i, in the fixed point.
func Middle(i int) float64 {
	if i < 0 {
		return -Middle(-i)
	}
	if i < 2*inOctave {
		return float64(i)
	}
	shift := i/inOctave - 1
	least, width := math.Ldexp(float64(i-shift*inOctave), shift), math.Ldexp(1, shift)
	return least + (width-1)/2
}

// width returns how many values of the fixed point bucket i holds.
func width(i int) float64 {
	if i < 0 {
		i = -i
	}
	if i < 2*inOctave {
		return 1
	}
	return math.Ldexp(1, i/inOctave-1)
}

var errBuckets = errors.New("buckets are in order, each once, and hold at least one event; a quantile is above 0 and below 1")

// NewDistribution returns the distribution of the events of some units, which
// are in buckets in increasing order.
func NewDistribution(nu, scale float64, units int64, buckets []Bucket) (Distribution, error) {
	d := Distribution{Nu: nu, Units: units, Scale: scale, Buckets: buckets}
	for i, b := range buckets {
		if b.N <= 0 || i > 0 && b.I <= buckets[i-1].I {
			return Distribution{}, errBuckets
		}
		d.Events += b.N
	}
	if !(nu > 0 && nu < 1) {
		return Distribution{}, errBuckets
	}
	if i, ok := d.At(); ok {
		d.Estimate = Middle(i) * scale
	}
	return d, nil
}

// At returns the bucket that holds the quantile: that of the smallest value
// which at least Nu of the events do not exceed. There is none without events.
func (d Distribution) At() (bucket int, ok bool) {
	left := Rank(d.Events, d.Nu)
	for _, b := range d.Buckets {
		if left -= b.N; left <= 0 {
			return b.I, true
		}
	}
	return 0, false
}

// Merge returns the distribution of the events of both sets of units.
func (d Distribution) Merge(o Distribution) Distribution {
	out := Distribution{Nu: d.Nu, Units: d.Units + o.Units, Scale: d.Scale, Events: d.Events + o.Events}
	a, b := d.Buckets, o.Buckets
	for len(a) > 0 && len(b) > 0 {
		switch {
		case a[0].I < b[0].I:
			out.Buckets, a = append(out.Buckets, a[0]), a[1:]
		case a[0].I > b[0].I:
			out.Buckets, b = append(out.Buckets, b[0]), b[1:]
		default:
			out.Buckets, a, b = append(out.Buckets, Bucket{I: a[0].I, N: a[0].N + b[0].N}), a[1:], b[1:]
		}
	}
	out.Buckets = append(append(out.Buckets, a...), b...)
	if i, ok := out.At(); ok {
		out.Estimate = Middle(i) * out.Scale
	}
	return out
}

// Rank returns which of n values in increasing order, counted from 1, is the
// smallest that at least a share of them do not exceed: ⌈share n⌉, the share
// taken to the millionth so that it is computed in integers.
func Rank(n int64, share float64) int64 {
	hi, lo := bits.Mul64(uint64(n), uint64(Millionths(share)))
	lo, carry := bits.Add64(lo, 999_999, 0)
	rank, _ := bits.Div64(hi+carry, lo, 1_000_000)
	return int64(rank)
}

// Millionths returns a share as a whole number of millionths.
func Millionths(share float64) int64 { return int64(math.Round(share * 1e6)) }
