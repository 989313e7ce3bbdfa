package stats

import (
	"errors"
	"fmt"
	"math/big"
)

// Joint is the moments of several values of each unit together: a numerator
// and its denominator, a value and what was known before. Like Moments it is
// centred, mergeable and made of exact sums.
type Joint struct {
	N     int64     `json:"n"`
	Means []float64 `json:"means"`
	// M are the co-moments Σ(x−x̄)(y−ȳ), the upper triangle row by row: of
	// three values 00, 01, 02, 11, 12, 22.
	M []float64 `json:"m"`
	// Lows are what the means exceed Means by; see Moments. Nil are zeros.
	Lows []float64 `json:"lows,omitempty"`
}

// packed returns where the co-moment of i and j stands among those of k values.
func packed(i, j, k int) int {
	if i > j {
		i, j = j, i
	}
	return i*k - i*(i-1)/2 + j - i
}

// Of returns the co-moment of two values, counted from 0.
func (j Joint) Of(a, b int) float64 { return j.M[packed(a, b, len(j.Means))] }

// Moments returns the moments of one of the values alone.
func (j Joint) Moments(i int) Moments {
	return Moments{N: j.N, Mean: j.Means[i], M2: j.Of(i, i), Low: j.low(i)}
}

func (j Joint) low(i int) float64 {
	if j.Lows == nil {
		return 0
	}
	return j.Lows[i]
}

// Merge returns the moments of both sets of units together, which have the
// same values (Pébay 2008, section 3).
func (j Joint) Merge(o Joint) Joint {
	if j.N == 0 {
		return o
	}
	if o.N == 0 {
		return j
	}
	n, k := float64(j.N+o.N), len(j.Means)
	out := Joint{N: j.N + o.N, Means: make([]float64, k), M: make([]float64, len(j.M)), Lows: make([]float64, k)}
	gaps := make([]float64, k)
	for a := range k {
		gaps[a] = gap(j.Means[a], j.low(a), o.Means[a], o.low(a))
		out.Means[a], out.Lows[a] = shift(j.Means[a], j.low(a), gaps[a]*float64(o.N)/n)
	}
	for a := range k {
		for b := a; b < k; b++ {
			at := packed(a, b, k)
			out.M[at] = j.M[at] + o.M[at] + gaps[a]*gaps[b]*float64(j.N)*float64(o.N)/n
		}
	}
	return out
}

var errShape = errors.New("k values have k sums, k scales and k(k+1)/2 sums of products")

// FromJointSums returns the moments of n units from the exact sums of their
// values and of the products of their values, packed as in Joint. The values
// are integers, each of which stands for itself times its scale; see FromSums.
func FromJointSums(n int64, sums, products []*big.Int, scales []float64) (Joint, error) {
	k := len(sums)
	if len(scales) != k || len(products) != k*(k+1)/2 {
		return Joint{}, errShape
	}
	j := Joint{N: n, Means: make([]float64, k), M: make([]float64, len(products))}
	for a := range k {
		m, err := FromSums(n, sums[a], products[packed(a, a, k)], scales[a])
		if err != nil {
			return Joint{}, fmt.Errorf("value %d: %w", a, err)
		}
		j.Means[a], j.M[packed(a, a, k)] = m.Mean, m.M2
	}
	for a := range k {
		for b := a + 1; b < k; b++ {
			at := packed(a, b, k)
			var err error
			if j.M[at], err = coMoment(n, [3]*big.Int{sums[a], sums[b], products[at]}, scales[a]*scales[b]); err != nil {
				return Joint{}, fmt.Errorf("values %d and %d: %w", a, b, err)
			}
		}
	}
	return j, nil
}

// coMoment returns Σ(x−x̄)(y−ȳ) from Σx, Σy and Σxy. What cancels is subtracted
// in integers.
func coMoment(n int64, of [3]*big.Int, scale float64) (float64, error) {
	if n <= 0 {
		if of[2].Sign() != 0 {
			return 0, errNoUnits
		}
		return 0, nil
	}
	count := big.NewInt(n)
	deviations := new(big.Int).Mul(count, of[2]) // n Σxy − Σx Σy = n M
	deviations.Sub(deviations, new(big.Int).Mul(of[0], of[1]))
	m, _ := new(big.Rat).SetFrac(deviations, count).Float64()
	if m *= scale; !finite(m) {
		return 0, errRange
	}
	return m, nil
}
