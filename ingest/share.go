package ingest

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/sluice-hq/sluice/event"
)

// Share is a part of a whole in parts per million, 0 to 1,000,000; its text
// form is a percentage with at most four decimals: "0.1%".
type Share int

const whole Share = 1_000_000

// Float returns the share as a number from 0 to 1.
func (s Share) Float() float64 { return float64(s) / float64(whole) }

// String returns the percentage.
func (s Share) String() string {
	text := fmt.Sprintf("%d.%04d", s/10_000, s%10_000)
	return strings.TrimRight(strings.TrimRight(text, "0"), ".") + "%"
}

// MarshalText implements encoding.TextMarshaler.
func (s Share) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *Share) UnmarshalText(b []byte) error {
	digits, percent := strings.CutSuffix(string(b), "%")
	before, after, _ := strings.Cut(digits, ".")
	n, err := strconv.ParseUint(before+after+strings.Repeat("0", max(0, 4-len(after))), 10, 32)
	if err != nil || !percent || before == "" || len(after) > 4 || n > uint64(whole) {
		return event.Invalid{Value: string(b), Why: "is not a percentage up to 100%", Fix: "write one such as 5% or 0.1%"}
	}
	*s = Share(n)
	return nil
}
