package calculator

import (
	"encoding/json"
	"math"
	"math/big"
	"strconv"

	"github.com/sluice-hq/sluice/stats"
)

// number is a JSON number with all its digits. It takes what is no number too,
// so that the refusal names the field.
type number struct{ text string }

// UnmarshalJSON implements json.Unmarshaler.
func (n *number) UnmarshalJSON(b []byte) error {
	n.text = ""
	if string(b) != "null" {
		n.text = string(b)
	}
	return nil
}

// float returns the number in range, so that nothing that follows overflows.
func (n number) float(field string) (float64, *stats.Refusal) {
	var v json.Number
	switch {
	case n.text == "":
		return 0, bad(field, "is missing")
	case n.text[0] == '"':
		return 0, bad(field, "a number is written without quotes")
	case json.Unmarshal([]byte(n.text), &v) != nil:
		return 0, bad(field, "is no number")
	}
	x, err := strconv.ParseFloat(v.String(), 64)
	if err != nil || math.Abs(x) > 1e100 {
		return 0, bad(field, "is not a finite number below 1e100")
	}
	return x, nil
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
