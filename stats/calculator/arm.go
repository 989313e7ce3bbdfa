package calculator

import (
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"strconv"

	"github.com/sluice-hq/sluice/stats"
)

// pairs is the part of a question that holds the data: two arms, or strata of
// two arms, at the top or within an object.
type pairs struct {
	Control   *armJSON   `json:"control"`
	Treatment *armJSON   `json:"treatment"`
	Strata    []pairJSON `json:"strata"`
}

type pairJSON struct {
	Control   *armJSON `json:"control"`
	Treatment *armJSON `json:"treatment"`
}

// samples returns the strata of a question.
func (p pairs) samples() ([]stats.Stratum, *stats.Refusal) {
	given := p.Strata
	if p.Control != nil || p.Treatment != nil {
		if len(given) > 0 {
			return nil, bad("strata", "the data are two arms or strata, not both")
		}
		given = []pairJSON{{p.Control, p.Treatment}}
	}
	strata := make([]stats.Stratum, 0, len(given))
	for i, g := range given {
		if g.Control == nil || g.Treatment == nil {
			return nil, bad("control", "a comparison needs control and treatment")
		}
		strata = append(strata, stats.Stratum{Epoch: i + 1, Control: g.Control.sample, Treatment: g.Treatment.sample})
	}
	if len(strata) == 0 {
		return nil, bad("control", "a comparison needs control and treatment, or strata")
	}
	return strata, nil
}

// armJSON is an arm in the interchange form: sums.
type armJSON struct{ sample stats.Sample }

// UnmarshalJSON implements json.Unmarshaler.
func (a *armJSON) UnmarshalJSON(b []byte) error {
	var kind struct {
		Type    string          `json:"type"`
		PostSum json.RawMessage `json:"post_sum"`
	}
	if err := json.Unmarshal(b, &kind); err != nil {
		return err
	}
	switch {
	case kind.PostSum != nil:
		return bad("post_sum", "an arm with a covariate is not carried out here")
	case kind.Type == "mean":
		return a.mean(b)
	case kind.Type == "proportion":
		return a.proportion(b)
	case kind.Type == "":
		return bad("type", "an arm says its type: mean or proportion")
	case kind.Type == "events":
		return bad("type", "counts of failures are judged by events")
	}
	return bad("type", fmt.Sprintf("an arm of type %q is not carried out here; mean and proportion are", kind.Type))
}

func (a *armJSON) proportion(b []byte) error {
	var v struct {
		Type string `json:"type"`
		N    number `json:"n"`
		Sum  number `json:"sum"`
	}
	if r := decode(b, &v); r != nil {
		return r
	}
	n, r := v.N.count("n")
	if r != nil {
		return r
	}
	x, r := v.Sum.count("sum")
	if r != nil {
		return r
	}
	if x > n {
		return bad("sum", "the units that had the outcome are 0 to n")
	}
	a.sample = stats.Proportion(n, x)
	return nil
}

func (a *armJSON) mean(b []byte) error {
	var v struct {
		Type    string `json:"type"`
		N       number `json:"n"`
		Sum     number `json:"sum"`
		Squares number `json:"sum_squares"`
	}
	if r := decode(b, &v); r != nil {
		return r
	}
	n, r := v.N.count("n")
	if r != nil {
		return r
	}
	sum, r := v.Sum.exact("sum")
	if r != nil {
		return r
	}
	squares, r := v.Squares.exact("sum_squares")
	if r != nil {
		return r
	}
	m, r := centred(n, sum, squares)
	if r != nil {
		return r
	}
	a.sample = stats.Mean(m)
	return nil
}

// centred returns the moments of n values with these sums. Sums of large values
// that were rounded on their way here can make the deviations slightly
// negative; then the values are as good as equal.
func centred(n int64, sum, squares *big.Rat) (stats.Moments, *stats.Refusal) {
	if n == 0 {
		return stats.Moments{}, &stats.Refusal{Code: stats.TooFewUnits, Field: "n", Message: "an arm without units has no mean"}
	}
	count := new(big.Rat).SetInt64(n)
	mean := new(big.Rat).Quo(sum, count)
	m2 := new(big.Rat).Sub(squares, new(big.Rat).Mul(mean, sum))
	m := stats.Moments{N: n}
	m.Mean, _ = mean.Float64()
	m.M2, _ = m2.Float64()
	rounding, _ := squares.Float64()
	switch {
	case m.M2 >= 0:
	case m.M2 > -1e-12*rounding:
		m.M2 = 0
	default:
		return stats.Moments{}, bad("sum_squares", "is less than the square of the sum allows")
	}
	if n == 1 {
		m.M2 = 0
	}
	return m, nil
}

// number is a JSON number with all its digits.
type number struct{ text string }

// UnmarshalJSON implements json.Unmarshaler.
func (n *number) UnmarshalJSON(b []byte) error {
	var v json.Number
	if len(b) == 0 || b[0] == '"' {
		return bad("", "a number is written without quotes")
	}
	if err := json.Unmarshal(b, &v); err != nil {
		return err
	}
	n.text = v.String()
	return nil
}

// float returns the number in range, so that nothing that follows overflows.
func (n number) float(field string) (float64, *stats.Refusal) {
	if n.text == "" {
		return 0, bad(field, "is missing")
	}
	v, err := strconv.ParseFloat(n.text, 64)
	if err != nil || math.Abs(v) > 1e100 {
		return 0, bad(field, "is not a finite number below 1e100")
	}
	return v, nil
}

// count returns the number as a count of units.
func (n number) count(field string) (int64, *stats.Refusal) {
	v, r := n.float(field)
	switch {
	case r != nil:
		return 0, r
	case v != math.Trunc(v):
		return 0, bad(field, "is not a whole number")
	case v < 0:
		return 0, bad(field, "is counted from 0")
	case v > 1<<53:
		return 0, bad(field, "is more than 2^53")
	}
	return int64(v), nil
}

// exact returns the number without rounding it to a float, unless it has more
// digits than a sum of squares needs.
func (n number) exact(field string) (*big.Rat, *stats.Refusal) {
	v, r := n.float(field)
	if r != nil {
		return nil, r
	}
	if len(n.text) <= 80 && math.Abs(v) > 1e-100 {
		if exact, ok := new(big.Rat).SetString(n.text); ok {
			return exact, nil
		}
	}
	return new(big.Rat).SetFloat64(v), nil
}
