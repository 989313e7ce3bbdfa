package event

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Duration is a length of time as people write it: "90s", "24h", "7d", "2w",
// "1d12h". A day is 24 hours.
type Duration time.Duration

const day = 24 * time.Hour

// maxDays bounds a length, so that no sum overflows.
const maxDays = 36500

// ParseDuration reads the text form. Negative lengths and those beyond 100
// years are refused.
func ParseDuration(s string) (Duration, error) {
	rest, days := s, 0
	for _, unit := range []struct {
		mark string
		days int
	}{{"w", 7}, {"d", 1}} {
		n, tail, ok := strings.Cut(rest, unit.mark)
		if !ok {
			continue
		}
		count, err := strconv.ParseUint(n, 10, 16)
		if days += int(count) * unit.days; err != nil || days > maxDays {
			return 0, badDuration(s)
		}
		rest = tail
	}
	total := time.Duration(days) * day
	if rest == "" && s != "" {
		return Duration(total), nil
	}
	d, err := time.ParseDuration(rest)
	if err != nil || d < 0 || d > maxDays*day-total {
		return 0, badDuration(s)
	}
	return Duration(total + d), nil
}

func badDuration(s string) error {
	return Invalid{Value: s, Why: "is not a length of time", Fix: "write one such as 90s, 24h or 7d"}
}

// String returns the shortest text that ParseDuration reads back.
func (d Duration) String() string {
	t := time.Duration(d)
	if t == 0 {
		return "0s"
	}
	var b strings.Builder
	if days := t / day; days > 0 {
		fmt.Fprintf(&b, "%dd", days)
		t -= days * day
	}
	if t > 0 {
		text := t.String()
		if strings.HasSuffix(text, "m0s") {
			text = strings.TrimSuffix(text, "0s")
		}
		if strings.HasSuffix(text, "h0m") {
			text = strings.TrimSuffix(text, "0m")
		}
		b.WriteString(text)
	}
	return b.String()
}

// MarshalText implements encoding.TextMarshaler.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *Duration) UnmarshalText(b []byte) error {
	v, err := ParseDuration(string(b))
	*d = v
	return err
}
