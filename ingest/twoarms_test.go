package ingest_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/sluice-hq/sluice/ingest"
)

// met makes exposures a minute apart, one for each letter: the arm. A capital
// arrives two hours late; sdk names who sent an arm.
func met(arms string, sdk map[rune]string) (out []ingest.Meeting) {
	for i, arm := range arms {
		at := noon.Add(time.Duration(i) * time.Minute)
		m := ingest.Meeting{At: at, Received: at.Add(time.Second), Arm: strings.ToLower(string(arm)), SDK: sdk[arm]}
		if m.Arm != string(arm) {
			m.Received = at.Add(2 * time.Hour)
		}
		out = append(out, m)
	}
	return out
}

func TestLikelyCause(t *testing.T) {
	same, own := map[rune]string{'a': "go", 'b': "go"}, map[rune]string{'a': "go", 'b': "js"}
	for _, c := range []struct {
		arms string
		sdk  map[rune]string
		want ingest.Cause
		why  string
	}{
		{"abab", nil, ingest.UnstableID, "changed 3 times"},
		{"aab", nil, ingest.OtherCause, "too few"},
		{"ab", same, ingest.OtherCause, "too few"},
		{"aaabb", nil, ingest.Login, "one arm until 2026-11-20T12:03:00Z"},
		{"aaaaaaab", same, ingest.Login, "2026-11-20T12:07:00Z"},
		{"aB", nil, ingest.Replayed, "more than an hour"},
		{"aBaBa", own, ingest.Replayed, ""},
		{"AB", nil, ingest.OtherCause, ""}, // everything was late: a slow sender
		{"aAbB", nil, ingest.OtherCause, ""},
		{"abab", own, ingest.Senders, "each arm comes from"},
		{"abab", map[rune]string{'a': "go"}, ingest.UnstableID, ""}, // one is not named
		{"aaaa", nil, ingest.OtherCause, ""},
		{"", nil, ingest.OtherCause, ""},
		{strings.Repeat("a", 99) + "b", nil, ingest.Login, ""},
	} {
		got, why := ingest.LikelyCause(met(c.arms, c.sdk))
		if got != c.want || !strings.Contains(why, c.why) {
			t.Errorf("%s: got %s (%s), want %s", c.arms, got, why, c.want)
		}
	}
}

func TestUnitText(t *testing.T) {
	for _, unit := range []uint64{0, 1, math.MaxUint64} {
		if got, ok := ingest.ParseUnit(ingest.UnitText(unit)); !ok || got != unit {
			t.Errorf("%d is read back as %d, %v", unit, got, ok)
		}
	}
	if _, ok := ingest.ParseUnit("u-17"); ok {
		t.Error("an id is a hash")
	}
}
