package event_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/sluice-hq/sluice/event"
)

func TestParseDuration(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"0s": 0, "90s": 90 * time.Second, "24h": 24 * time.Hour, "7d": 168 * time.Hour, "2w": 336 * time.Hour,
		"1d12h": 36 * time.Hour, "1w1d1h1m1s": 8*24*time.Hour + time.Hour + time.Minute + time.Second,
		"1.5h": 90 * time.Minute, "250ms": 250 * time.Millisecond, "36500d": 36500 * 24 * time.Hour,
	} {
		if got, err := event.ParseDuration(text); err != nil || got != event.Duration(want) {
			t.Errorf("ParseDuration(%q) = %v, %v; want %v", text, time.Duration(got), err, want)
		}
	}
	for _, bad := range []string{
		"", " ", "7", "d", "w", "-1h", "-1d", "+1d", "1d-1h", "1.5d", "1d1w", "1w1w", "7 d", "7D", "1h1d", "x", "NaNs",
		"36501d", "36500w", "99999999999999999999d", "36500d1s", "1000000h",
	} {
		if got, err := event.ParseDuration(bad); err == nil {
			t.Errorf("ParseDuration(%q) = %v; want it refused", bad, got)
		} else if !errors.As(err, new(event.Invalid)) {
			t.Errorf("ParseDuration(%q) is refused with %v", bad, err)
		}
	}
}

func TestDurationRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		unit := rapid.SampledFrom([]time.Duration{1, time.Millisecond, time.Second, time.Minute, time.Hour, 24 * time.Hour}).Draw(t, "unit")
		d := event.Duration(unit * time.Duration(rapid.Int64Range(0, int64(36500*24*time.Hour/unit)).Draw(t, "count")))
		text, _ := d.MarshalText()
		var again event.Duration
		if err := again.UnmarshalText(text); err != nil || again != d {
			t.Fatalf("%d is written %q and read %d (%v)", d, text, again, err)
		}
	})
}

func TestDurationText(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0s", time.Hour: "1h", 10 * time.Minute: "10m", 70 * time.Minute: "1h10m", 36 * time.Hour: "1d12h",
		7 * 24 * time.Hour: "7d", 1500 * time.Millisecond: "1.5s", 24*time.Hour + time.Second: "1d1s", 20 * time.Hour: "20h",
	} {
		if got := event.Duration(d).String(); got != want {
			t.Errorf("%v is written %q, want %q", d, got, want)
		}
	}
}

func TestInvalids(t *testing.T) {
	var part, whole event.Invalids
	if part.Err() != nil {
		t.Error("no fault is an error")
	}
	part.Add("when", 7, "is no condition", "")
	part.Add("[1].op", strings.Repeat("é", 65), "is unknown", "write one of eq, ne")
	part.Add("", nil, "is missing", "")
	whole.Under("rules[0]", part)
	want := event.Invalids{
		{Path: "rules[0].when", Value: "7", Why: "is no condition"},
		{Path: "rules[0][1].op", Value: strings.Repeat("é", 63) + "…", Why: "is unknown", Fix: "write one of eq, ne"},
		{Path: "rules[0]", Why: "is missing"},
	}
	if d := cmp.Diff(want, whole); d != "" {
		t.Errorf("faults (-want +got):\n%s", d)
	}
	text := `rules[0].when "7" is no condition
rules[0][1].op "` + strings.Repeat("é", 63) + `…" is unknown; write one of eq, ne
rules[0] is missing`
	if got := whole.Err().Error(); got != text {
		t.Errorf("text:\n%s\nwant:\n%s", got, text)
	}
}

func TestCheckKey(t *testing.T) {
	for _, key := range []string{"a", "checkout.payments.express-pay", "A_1", "9", strings.Repeat("k", 128)} {
		if why := event.CheckKey(key); why != "" {
			t.Errorf("the key %q %s", key, why)
		}
	}
	for key, want := range map[string]string{
		"": "is empty", strings.Repeat("k", 129): "longer", ".a": "empty part", "a.": "empty part", "a..b": "empty part", ".": "empty part",
		"a b": "' '", "a/b": "'/'", "ä": "'ä'", "a>": "'>'", "a*": "'*'", "a\x00": `'\x00'`, "a\xff": "character", "a:b": "':'",
	} {
		if why := event.CheckKey(key); !strings.Contains(why, want) {
			t.Errorf("the key %q %q; want %q", key, why, want)
		}
	}
}

func TestFilterMatch(t *testing.T) {
	f := event.Filter{Subjects: []string{"flag.checkout.>", "seal"}}
	for subject, want := range map[string]bool{
		"flag.checkout.pay": true, "flag.checkout.pay.now": true, "seal": true,
		"flag.checkout": false, "flag.checkouts.pay": false, "seal.made": false, "": false,
	} {
		if f.Match(subject) != want {
			t.Errorf("Match(%q) = %t", subject, !want)
		}
		if !(event.Filter{}).Match(subject) {
			t.Errorf("the zero filter leaves out %q", subject)
		}
	}
}

func TestParseLevel(t *testing.T) {
	for text, want := range map[string]struct {
		value float64
		unit  string
	}{"200.5ms": {200.5, "ms"}, "3": {3, ""}, "-1.5 s": {-1.5, "s"}, "1e3 req/s": {1000, "req/s"}} {
		if value, unit, err := event.ParseLevel(text); value != want.value || unit != want.unit || err != nil {
			t.Errorf("ParseLevel(%q) = %v, %q, %v; want %v", text, value, unit, err, want)
		}
	}
	for _, bad := range []string{"", "ms", "fast", "1.2.3ms", "NaN", "1e999ms"} {
		if value, unit, err := event.ParseLevel(bad); err == nil {
			t.Errorf("ParseLevel(%q) = %v, %q; want it refused", bad, value, unit)
		} else if !errors.As(err, new(event.Invalid)) {
			t.Errorf("ParseLevel(%q) is refused with %v", bad, err)
		}
	}
}
