package dashboards

import (
	"math"
	"strings"
	"testing"
	"time"
)

// plain makes the special characters of numbers readable in a test.
func plain(s string) string {
	return strings.NewReplacer(space, " ", comma, "_", minus, "-").Replace(s)
}

func TestNumber(t *testing.T) {
	for _, c := range []struct {
		v    float64
		want string
	}{
		{0, "0"}, {3.41234, "3.41"}, {12.345, "12.3"}, {9.996, "10.0"}, {0.0291, "0.0291"}, {1216.7, "1_220"},
		{999.6, "1_000"}, {1234567, "1_230_000"}, {-0.5, "-0.500"}, {math.Inf(1), "∞"}, {math.Inf(-1), "-∞"}, {math.NaN(), "—"},
		{1.5e-12, "1.50e-12"}, {2.5e17, "2.50e+17"},
	} {
		if got := plain(number(c.v)); got != c.want {
			t.Errorf("number(%v) = %q, want %q", c.v, got, c.want)
		}
	}
}

func TestChange(t *testing.T) {
	for _, c := range []struct {
		v    float64
		want string
	}{{0.05, "+5.00 %"}, {-0.04311, "-4.31 %"}, {0, "0 %"}, {12, "+1_200 %"}, {math.NaN(), "—"}} {
		if got := plain(change(c.v)); got != c.want {
			t.Errorf("change(%v) = %q, want %q", c.v, got, c.want)
		}
	}
}

func TestSpan(t *testing.T) {
	for _, c := range []struct {
		i    Interval
		want string
	}{
		{Interval{-0.0693, -0.0168}, "-6.93 % to -1.68 %"},
		{Interval{-0.009, 0.1234}, "-0.9 % to +12.3 %"}, // both with the digits of the larger
		{Interval{math.Inf(-1), 0.81}, "-∞ to +81.0 %"},
		{Interval{math.Inf(-1), math.Inf(1)}, "-∞ to +∞"},
		{Interval{-0.05, 0}, "-5.00 % to 0.00 %"},
		{unknown(), "not known"},
	} {
		if got := plain(span(c.i)); got != c.want {
			t.Errorf("span(%v) = %q, want %q", c.i, got, c.want)
		}
	}
}

func TestRow_units(t *testing.T) {
	ms, rate := Row{Measure: "ms"}, Row{Share: true}
	for _, c := range []struct{ got, want string }{
		{ms.value(1204.2), "1_200 ms"}, {ms.difference(12.5), "+12.5 ms"},
		{rate.value(0.190201), "19.0 %"}, {rate.difference(-0.0082), "-0.820 pp"},
		{Row{}.value(3.412), "3.41"},
		{short(0.055), "5.5 %"}, {short(0.95), "95 %"}, {count(-1234567), "-1_234_567"}, {count(999), "999"},
	} {
		if plain(c.got) != c.want {
			t.Errorf("got %q, want %q", plain(c.got), c.want)
		}
	}
}

func TestLength(t *testing.T) {
	for _, c := range []struct {
		d    time.Duration
		want string
	}{
		{0, "0 s"}, {-time.Hour, "0 s"}, {300 * time.Millisecond, "< 1 s"}, {9 * time.Second, "9 s"}, {90 * time.Second, "1 m 30 s"},
		{2 * time.Hour, "2 h"}, {31*time.Hour + 10*time.Minute, "1 d 7 h"}, {3*time.Hour + 59*time.Minute + 59*time.Second, "3 h 59 m"},
	} {
		if got := plain(length(c.d)); got != c.want {
			t.Errorf("length(%v) = %q, want %q", c.d, got, c.want)
		}
	}
}
