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

// ParseDuration reads the text form. Negative lengths are refused.
func ParseDuration(s string) (Duration, error) {
	rest, total := s, time.Duration(0)
	for _, unit := range []struct {
		mark string
		size time.Duration
	}{{"w", 7 * day}, {"d", day}} {
		n, tail, ok := strings.Cut(rest, unit.mark)
		if !ok {
			continue
		}
		count, err := strconv.Atoi(n)
		if err != nil || count < 0 || count > 36500 {
			return 0, badDuration(s)
		}
		total, rest = total+time.Duration(count)*unit.size, tail
	}
	if rest == "" && s != "" {
		return Duration(total), nil
	}
	d, err := time.ParseDuration(rest)
	if err != nil || d < 0 {
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
