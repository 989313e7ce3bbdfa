package event

import (
	"math"
	"strconv"
	"strings"
)

// Size is how much worse a metric gets: "30%" for a relative change, or "5x"
// for a rate that multiplies, which is a change of 400%. The zero Size is "not
// given"; a size of nothing cannot be written.
type Size struct {
	Change Percent // relative change for the worse
	Factor bool    // written as a factor
}

// ParseSize reads either text form.
func ParseSize(s string) (Size, error) {
	number, factor := strings.CutSuffix(s, "x")
	if !factor {
		change, err := ParsePercent(s)
		if err == nil && change == 0 {
			err = Invalid{Value: s, Why: "is no change", Fix: "write the smallest harm that matters, such as 10% or 2x"}
		}
		return Size{Change: change}, err
	}
	f, err := strconv.ParseFloat(number, 64)
	if err != nil || math.IsNaN(f) || f <= 1 || f > 10_000 {
		return Size{}, Invalid{Value: s, Why: "is not a factor above 1", Fix: "write one such as 2x"}
	}
	return Size{Change: Percent(math.Round((f - 1) * float64(Everybody))), Factor: true}, nil
}

// IsZero reports whether no size was given.
func (z Size) IsZero() bool { return z.Change == 0 }

// Relative returns the change as a number: 0.3 for 30%, 4 for 5x.
func (z Size) Relative() float64 { return z.Change.Fraction() }

// String returns the text form as it was written.
func (z Size) String() string {
	switch {
	case z.IsZero():
		return ""
	case z.Factor:
		return strconv.FormatFloat(1+z.Relative(), 'f', -1, 64) + "x"
	}
	return z.Change.String()
}

// MarshalText implements encoding.TextMarshaler.
func (z Size) MarshalText() ([]byte, error) { return []byte(z.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (z *Size) UnmarshalText(b []byte) error {
	v, err := ParseSize(string(b))
	*z = v
	return err
}
