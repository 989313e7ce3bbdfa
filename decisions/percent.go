package decisions

import (
	"math"
	"strconv"
	"strings"

	"github.com/sluice-hq/sluice/event"
)

// Percent is a share in thousandths of a percent, the grain in which units are
// hashed: 5% is 5000, and All is everybody. Its text form is "5%".
type Percent int

// All is 100%.
const All Percent = 100_000

// ParsePercent reads the text form: digits with at most three decimals and the
// sign "%". Percentages above 100% are read (harm may triple a rate); where
// they make no sense, the plan refuses them.
func ParsePercent(s string) (Percent, error) {
	number, ok := strings.CutSuffix(s, "%")
	f, err := strconv.ParseFloat(number, 64)
	thousandths := math.Round(f * 1000)
	switch {
	case !ok || err != nil || math.IsNaN(f) || strings.ContainsAny(number, "eExXpP_+ "):
		return 0, event.Invalid{Value: s, Why: "is not a percentage", Fix: "write one such as 5% or 0.5%"}
	case f < 0:
		return 0, event.Invalid{Value: s, Why: "is negative", Fix: "write a percentage from 0%"}
	case f > 1_000_000:
		return 0, event.Invalid{Value: s, Why: "is too large", Fix: "write at most 1000000%"}
	case math.Abs(f*1000-thousandths) > 1e-6:
		return 0, event.Invalid{Value: s, Why: "has more than three decimals", Fix: "units are hashed in steps of 0.001%"}
	}
	return Percent(thousandths), nil
}

// Fraction returns the share as a number: 0.05 for 5%.
func (p Percent) Fraction() float64 { return float64(p) / float64(All) }

// String returns the text form.
func (p Percent) String() string { return strconv.FormatFloat(float64(p)/1000, 'f', -1, 64) + "%" }

// MarshalText implements encoding.TextMarshaler.
func (p Percent) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (p *Percent) UnmarshalText(b []byte) error {
	v, err := ParsePercent(string(b))
	*p = v
	return err
}

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
			err = event.Invalid{Value: s, Why: "is no change", Fix: "write the smallest harm that matters, such as 10% or 2x"}
		}
		return Size{Change: change}, err
	}
	f, err := strconv.ParseFloat(number, 64)
	if err != nil || math.IsNaN(f) || f <= 1 || f > 10_000 {
		return Size{}, event.Invalid{Value: s, Why: "is not a factor above 1", Fix: "write one such as 2x"}
	}
	return Size{Change: Percent(math.Round((f - 1) * float64(All))), Factor: true}, nil
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
