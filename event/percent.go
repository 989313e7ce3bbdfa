package event

import (
	"math"
	"strconv"
	"strings"
)

// Percent is a share in thousandths of a percent, the grain in which units are
// hashed: 5% is 5000. Its text form is "5%".
type Percent int

// Everybody is 100%.
const Everybody Percent = 100_000

// ParsePercent reads the text form: digits with at most three decimals and the
// sign "%". Percentages above 100% are read (harm may triple a rate); where
// they make no sense, the document is refused.
func ParsePercent(s string) (Percent, error) {
	number, ok := strings.CutSuffix(s, "%")
	f, err := strconv.ParseFloat(number, 64)
	thousandths := math.Round(f * 1000)
	switch {
	case !ok || err != nil || math.IsNaN(f) || strings.ContainsAny(number, "eExXpP_+ "):
		return 0, Invalid{Value: s, Why: "is not a percentage", Fix: "write one such as 5% or 0.5%"}
	case f < 0:
		return 0, Invalid{Value: s, Why: "is negative", Fix: "write a percentage from 0%"}
	case f > 1_000_000:
		return 0, Invalid{Value: s, Why: "is too large", Fix: "write at most 1000000%"}
	case math.Abs(f*1000-thousandths) > 1e-6:
		return 0, Invalid{Value: s, Why: "has more than three decimals", Fix: "units are hashed in steps of 0.001%"}
	}
	return Percent(thousandths), nil
}

// Fraction returns the share as a number: 0.05 for 5%.
func (p Percent) Fraction() float64 { return float64(p) / float64(Everybody) }

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
