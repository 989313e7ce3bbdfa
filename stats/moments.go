package stats

import (
	"errors"
	"math"
	"math/big"
)

// Moments is the count, mean and sum of squared deviations of the values of
// some units. It is centred: sums of squares of large values (times of day in
// seconds, amounts in cents) cancel to nonsense, deviations do not.
type Moments struct {
	N    int64   `json:"n"`
	Mean float64 `json:"mean"`
	M2   float64 `json:"m2"` // sum of squared deviations from Mean, never negative

	// Low is what the mean exceeds Mean by: less than a float of that size can
	// hold. With it the order of merging does not show, also at times of day in
	// seconds, whose floats are 0.2 µs apart.
	Low float64 `json:"low,omitempty"`
}

// Merge returns the moments of both sets of units together (Chan, Golub &
// LeVeque 1983).
func (m Moments) Merge(o Moments) Moments {
	if m.N == 0 || o.N == 0 {
		return Moments{N: m.N + o.N, Mean: m.Mean + o.Mean, M2: m.M2 + o.M2, Low: m.Low + o.Low}
	}
	n := float64(m.N + o.N)
	d := gap(m.Mean, m.Low, o.Mean, o.Low)
	out := Moments{N: m.N + o.N, M2: m.M2 + o.M2 + d*d*float64(m.N)*float64(o.N)/n}
	out.Mean, out.Low = shift(m.Mean, m.Low, d*float64(o.N)/n)
	return out
}

// gap returns how far a mean is above another, low parts included.
func gap(from, low, to, toLow float64) float64 { return (to - from) + (toLow - low) }

// shift returns a mean that is moved by so much, and its low part: what the sum
// has lost, exactly (Knuth, The Art of Computer Programming 2, section 4.2.2).
func shift(mean, low, by float64) (sum, lost float64) {
	by += low
	sum = mean + by
	part := sum - mean
	return sum, (mean - (sum - part)) + (by - part)
}

// Variance returns the sample variance (divisor N−1), 0 below two units.
func (m Moments) Variance() float64 {
	if m.N < 2 {
		return 0
	}
	return m.M2 / float64(m.N-1)
}

// Errors of sums that no set of values can have.
var (
	errNoUnits      = errors.New("sums of no units are not zero")
	errInconsistent = errors.New("the sum of squares is less than the square of the sum allows")
	errRange        = errors.New("the moments are out of the range of a float")
)

// FromSums returns the moments of n values from their exact sums: sum and
// squares are those of integers, each of which stands for itself times scale.
// The subtraction that cancels is done in integers, so that the result is
// exact to the last rounding at any offset, and equal whatever the order the
// sums were made in.
func FromSums(n int64, sum, squares *big.Int, scale float64) (Moments, error) {
	if n <= 0 {
		if n < 0 || sum.Sign() != 0 || squares.Sign() != 0 {
			return Moments{}, errNoUnits
		}
		return Moments{}, nil
	}
	count := big.NewInt(n)
	deviations := new(big.Int).Mul(count, squares) // n Σx² − (Σx)² = n M2
	deviations.Sub(deviations, new(big.Int).Mul(sum, sum))
	if deviations.Sign() < 0 {
		return Moments{}, errInconsistent
	}
	mean, _ := new(big.Rat).SetFrac(sum, count).Float64()
	m2, _ := new(big.Rat).SetFrac(deviations, count).Float64()
	m := Moments{N: n, Mean: mean * scale, M2: m2 * scale * scale}
	if !finite(m.Mean) || !finite(m.M2) {
		return Moments{}, errRange
	}
	return m, nil
}

func finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }
