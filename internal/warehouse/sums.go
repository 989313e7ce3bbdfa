package warehouse

import (
	"fmt"
	"math/big"
	"strings"

	"github.com/sluice-hq/sluice/stats"
)

// sums are the columns that add up the values and the products of each pair,
// over the units of a sample. Int128 and Int256 keep both exact: 2^64 values of
// Int64 fit the one, their products the other, so that any order gives the same
// sums.
func (s shape) sums() string {
	var b strings.Builder
	fmt.Fprintf(&b, "countIf(%s)", s.of)
	for _, v := range s.values {
		fmt.Fprintf(&b, ",\n  sumIf(%s, %s)", v, s.of)
	}
	for i, v := range s.values {
		for _, o := range s.values[i:] {
			fmt.Fprintf(&b, ",\n  sumIf(toInt256(%s) * toInt256(%s), %s)", v, o, s.of)
		}
	}
	return b.String()
}

// added is a row of those columns.
type added struct {
	n              uint64
	sums, products []*big.Int
}

// dest returns where the columns are scanned to.
func (a *added) dest(s shape) []any {
	k := len(s.values)
	*a = added{sums: make([]*big.Int, k), products: make([]*big.Int, k*(k+1)/2)}
	dest := []any{&a.n}
	for _, list := range [][]*big.Int{a.sums, a.products} {
		for i := range list {
			list[i] = new(big.Int)
			dest = append(dest, list[i])
		}
	}
	return dest
}

// sample returns the sample that has these sums. That of a quantile also needs
// the distribution.
func (a *added) sample(kind stats.Kind, s shape, d stats.Distribution) (stats.Sample, error) {
	joint, err := stats.FromJointSums(int64(a.n), a.sums, a.products, s.scales)
	if err != nil {
		return stats.Sample{}, err
	}
	var out stats.Sample
	switch kind {
	case stats.KindRatio:
		return stats.RatioSample(joint), nil
	case stats.KindQuantile:
		return stats.QuantileSample(d, joint), nil
	case stats.KindProportion:
		out = stats.Proportion(int64(a.n), a.sums[0].Int64())
	case stats.KindMean:
		out = stats.Mean(joint.Moments(0))
	}
	if len(s.values) > 1 {
		return out.With(joint), nil
	}
	return out, nil
}
