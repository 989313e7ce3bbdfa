package stats

import (
	"math"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// jointSums adds up rows of integers, as the warehouse does.
func jointSums(rows [][]int64) (sums, products []*big.Int) {
	k := len(rows[0])
	for a := range k {
		sum := new(big.Int)
		for _, r := range rows {
			sum.Add(sum, big.NewInt(r[a]))
		}
		sums = append(sums, sum)
		for b := a; b < k; b++ {
			product := new(big.Int)
			for _, r := range rows {
				product.Add(product, new(big.Int).Mul(big.NewInt(r[a]), big.NewInt(r[b])))
			}
			products = append(products, product)
		}
	}
	return sums, products
}

func roughly(tolerance float64) cmp.Option {
	return cmp.Comparer(func(x, y float64) bool { return math.Abs(x-y) <= tolerance*math.Max(1, math.Abs(x)) })
}

// Three units with the values (1, 2), (3, 2) and (5, 8): means 3 and 4,
// deviations (−2, −2), (0, −2), (2, 4).
func TestFromJointSums_byHand(t *testing.T) {
	sums, products := jointSums([][]int64{{1, 2}, {3, 2}, {5, 8}})
	got, err := FromJointSums(3, sums, products, []float64{1, 0.5})
	want := Joint{N: 3, Means: []float64{3, 2}, M: []float64{8, 6, 6}}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	if got.Of(1, 0) != 6 || got.Moments(1) != (Moments{N: 3, Mean: 2, M2: 6}) {
		t.Errorf("Of(1, 0) = %v, moments %+v", got.Of(1, 0), got.Moments(1))
	}
}

// The values of one alone are those of FromSums, bit for bit, and merging two
// halves gives the whole, as far as the means' rounding at 1.7e9 lets it.
func TestJoint_partsMakeTheWhole(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	var rows [][]int64
	for range 1000 {
		x := 1_700_000_000_000_000 + r.Int64N(1e7)
		rows = append(rows, []int64{x, x/3 + r.Int64N(1e6), r.Int64N(2)})
	}
	scales := []float64{1e-6, 1e-6, 1}
	of := func(rows [][]int64) Joint {
		sums, products := jointSums(rows)
		j, err := FromJointSums(int64(len(rows)), sums, products, scales)
		if err != nil {
			t.Fatal(err)
		}
		return j
	}
	whole := of(rows)
	merged := of(rows[:300]).Merge(of(rows[300:]))
	merged.Lows = nil // exact sums have none, their means are rounded
	if diff := cmp.Diff(whole, merged, roughly(1e-7)); diff != "" {
		t.Errorf("(-whole +merged):\n%s", diff)
	}
	if diff := cmp.Diff(whole, whole.Merge(Joint{})); diff != "" {
		t.Errorf("merged with nothing:\n%s", diff)
	}
	if diff := cmp.Diff(whole, Joint{}.Merge(whole)); diff != "" {
		t.Errorf("nothing merged with it:\n%s", diff)
	}
	for i := range scales {
		var column []int64
		for _, row := range rows {
			column = append(column, row[i])
		}
		want, err := FromSums(1000, first2(sums(column)), second2(sums(column)), scales[i])
		if err != nil || whole.Moments(i) != want {
			t.Errorf("value %d: %+v, alone %+v, %v", i, whole.Moments(i), want, err)
		}
	}
}

// Parts of values near a billion merge to one result in any order, although
// their means are rounded to a ten-millionth.
func TestJoint_mergesInAnyOrder(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	var parts []Joint
	for range 40 {
		var j Joint
		for range 1 + r.IntN(20) {
			x := r.NormFloat64()
			j = j.Merge(jointOf([]float64{1e9 + x, -1.7e9 + x + r.NormFloat64(), r.ExpFloat64()}))
		}
		parts = append(parts, j)
	}
	merge := func() (all Joint) {
		for _, p := range parts {
			all = p.Merge(all)
		}
		all.Lows = nil // what is left of rounding, not a result
		return all
	}
	want := merge()
	for range 50 {
		r.Shuffle(len(parts), func(i, j int) { parts[i], parts[j] = parts[j], parts[i] })
		if diff := cmp.Diff(want, merge(), roughly(1e-12)); diff != "" {
			t.Fatalf("(-want +got):\n%s", diff)
		}
	}
}

func TestFromJointSums_refuses(t *testing.T) {
	b := func(values ...int64) (out []*big.Int) {
		for _, v := range values {
			out = append(out, big.NewInt(v))
		}
		return out
	}
	huge := new(big.Int).Lsh(big.NewInt(1), 2000)
	for _, c := range []struct {
		name           string
		n              int64
		sums, products []*big.Int
		why            string
	}{
		{"too few products", 1, b(1, 1), b(1, 1), "k(k+1)/2"},
		{"no units with a product", 0, b(0, 0), b(0, 1, 0), "values 0 and 1: sums of no units"},
		{"no units with a sum", 0, b(0, 1), b(0, 0, 0), "value 1: sums of no units"},
		{"squares too small", 2, b(0, 4), b(0, 0, 7), "value 1: the sum of squares"},
		{"products beyond any float", 2, b(0, 0), []*big.Int{big.NewInt(0), huge, big.NewInt(0)}, "values 0 and 1: the moments are out of"},
	} {
		if j, err := FromJointSums(c.n, c.sums, c.products, []float64{1, 1}); err == nil || !strings.Contains(err.Error(), c.why) {
			t.Errorf("%s: %+v, %v", c.name, j, err)
		}
	}
	if j, err := FromJointSums(0, b(0, 0), b(0, 0, 0), []float64{1, 1}); err != nil || j.N != 0 {
		t.Errorf("no units: %+v, %v", j, err)
	}
}
