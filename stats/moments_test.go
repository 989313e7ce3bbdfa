package stats

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
)

// sums returns the exact sums of integers.
func sums(values []int64) (sum, squares *big.Int) {
	sum, squares = new(big.Int), new(big.Int)
	for _, v := range values {
		x := big.NewInt(v)
		sum.Add(sum, x)
		squares.Add(squares, new(big.Int).Mul(x, x))
	}
	return sum, squares
}

func momentsOf(values ...float64) Moments {
	var m Moments
	for _, v := range values {
		m = m.Merge(Moments{N: 1, Mean: v})
	}
	return m
}

// Values near 1.7e9 (times of day in seconds) with a deviation of 5: in floats
// the sums cancel to a negative variance, in integers they do not.
func TestFromSumsAtAnOffset(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	const n = 20000
	var values []int64
	var centred Moments
	for range n {
		v := math.Round(r.NormFloat64() * 5e6)
		values = append(values, 1_700_000_000_000_000+int64(v))
		centred = centred.Merge(Moments{N: 1, Mean: v * 1e-6})
	}
	m, err := FromSums(n, first2(sums(values)), second2(sums(values)), 1e-6)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := m.Variance(), centred.Variance(); math.Abs(got/want-1) > 1e-11 {
		t.Errorf("variance = %v, want %v", got, want)
	}
	if want := 1.7e9 + centred.Mean; math.Abs(m.Mean-want) > 1e-6 {
		t.Errorf("mean = %v, want %v", m.Mean, want)
	}
}

func first2(a, _ *big.Int) *big.Int  { return a }
func second2(_, b *big.Int) *big.Int { return b }

func TestFromSumsRefuses(t *testing.T) {
	b := big.NewInt
	huge := new(big.Int).Exp(b(10), b(400), nil)
	for _, tt := range []struct {
		name         string
		n            int64
		sum, squares *big.Int
	}{
		{"sums of nobody", 0, b(1), b(1)},
		{"negative count", -1, b(0), b(0)},
		{"squares too small", 2, b(10), b(49)},
		{"out of range", 2, b(0), huge},
	} {
		if m, err := FromSums(tt.n, tt.sum, tt.squares, 1); err == nil {
			t.Errorf("%s: got %v, want an error", tt.name, m)
		}
	}
	if m, err := FromSums(0, b(0), b(0), 1); err != nil || m != (Moments{}) {
		t.Errorf("no units: %v, %v", m, err)
	}
}

func TestMergeInAnyOrder(t *testing.T) {
	for _, offset := range []float64{0, 1e3, 1e9, -1.7e9} {
		mergesInAnyOrder(t, offset)
	}
}

func mergesInAnyOrder(t *testing.T, offset float64) {
	t.Helper()
	r := rand.New(rand.NewPCG(3, 4))
	var parts []Moments
	for range 50 {
		var values []float64
		for range 1 + r.IntN(40) {
			values = append(values, offset+r.ExpFloat64())
		}
		parts = append(parts, momentsOf(values...))
	}
	var want Moments
	for _, p := range parts {
		want = want.Merge(p)
	}
	for range 100 {
		r.Shuffle(len(parts), func(i, j int) { parts[i], parts[j] = parts[j], parts[i] })
		var got Moments
		for _, p := range parts {
			got = p.Merge(got)
		}
		if got.N != want.N || math.Abs(got.Mean/want.Mean-1) > 1e-12 || math.Abs(got.M2/want.M2-1) > 1e-12 {
			t.Fatalf("at %v: merged to %v, want %v", offset, got, want)
		}
	}
}

func TestVarianceOfFewUnits(t *testing.T) {
	for _, m := range []Moments{{}, {N: 1, Mean: 3}} {
		if v := m.Variance(); v != 0 {
			t.Errorf("variance of %v = %v, want 0", m, v)
		}
	}
	if v := momentsOf(1, 2, 3, 4).Variance(); math.Abs(v-5./3) > 1e-15 {
		t.Errorf("variance of 1, 2, 3, 4 = %v, want 5/3", v)
	}
}
