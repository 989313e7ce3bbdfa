package flags

import (
	"math"
	"strconv"
	"testing"
)

// What each project publishes of its own arithmetic, as the place of Whole.
var publishedPlaces = []struct {
	hash  HashInput
	id    string
	place int
}{
	// launchdarkly/go-server-sdk-evaluation, evaluator_bucketing_testdata_test.go: 0.42157587 and so on.
	{HashInput{Version: LaunchDarkly, Salt: "hashKey.saltyA."}, "userKeyA", 42157},
	{HashInput{Version: LaunchDarkly, Salt: "hashKey.saltyA."}, "userKeyB", 67084},
	{HashInput{Version: LaunchDarkly, Salt: "hashKey.saltyA."}, "userKeyC", 10343},
	{HashInput{Version: LaunchDarkly, Salt: "hashKey.saltyA."}, "33333", 54771},
	{HashInput{Version: LaunchDarkly, Salt: "hashKey.saltyA."}, "99999", 73096},
	{HashInput{Version: LaunchDarkly, Salt: "61."}, "userKeyA", 9801},
	{HashInput{Version: LaunchDarkly, Salt: "61."}, "userKeyB", 14483},
	{HashInput{Version: LaunchDarkly, Salt: "61."}, "userKeyC", 92426},
	// Unleash's clients: normalised 73 and 25 of 1 … 100, and 96 and 60 with the seed of variants.
	{HashInput{Version: Unleash, Salt: "gr1:"}, "123", 72000},
	{HashInput{Version: Unleash, Salt: "groupX:"}, "999", 24000},
	{HashInput{Version: UnleashVariant, Salt: "gr1:", Of: 100}, "123", 95000},
	{HashInput{Version: UnleashVariant, Salt: "groupX:", Of: 100}, "999", 59000},
	// growthbook/growthbook, packages/sdk-js/test/cases.json, "hash".
	{HashInput{Version: GrowthBook1}, "a", 22000},
	{HashInput{Version: GrowthBook1}, "b", 7700},
	{HashInput{Version: GrowthBook1, Salt: "b"}, "a", 94600},
	{HashInput{Version: GrowthBook1, Salt: "ef"}, "d", 65200},
	// Flagsmith/flagsmith-go-client, hashing_test.go: ["foo", "bar"] three times is 85.37707541508301.
	{HashInput{Version: Flagsmith, Salt: "foo,bar,foo,bar,foo,"}, "bar", 85377},
}

func TestPublishedPlaces(t *testing.T) {
	for _, c := range publishedPlaces {
		c.hash.By = TargetingKey
		if got, ok := c.hash.bucket(&Context{TargetingKey: c.id}); !ok || got != c.place {
			t.Errorf("%v for %s: got %d, want %d", &c.hash, c.id, got, c.place)
		}
	}
}

// Recorded places of every arithmetic: if they change, the arms of units that
// were brought along change.
func TestRecordedForeignPlaces(t *testing.T) {
	got := map[string]int{}
	for _, version := range []Foreign{Unleash, UnleashVariant, LaunchDarkly, GrowthBook1, GrowthBook2, FeatBit, Flagsmith} {
		for _, salt := range []string{"", "g:", "checkout.express.0b5f8d4e3b0e4d0a9a558f3f5b0c1d2e."} {
			for _, id := range []string{"1", "u-1", "user-123", "0b5f8d4e-3b0e-4d0a-9a55-8f3f5b0c1d2e", "Łódź"} {
				h := HashInput{Version: version, Salt: salt}
				got[string(version)+"|"+salt+"|"+id] = h.place(id)
			}
		}
	}
	golden(t, "foreign-buckets.json", got)
}

// Every place of every arithmetic is below Whole, and the places of many ids
// are spread over all of it.
func TestForeignPlacesAreSpread(t *testing.T) {
	const n = 20000
	for _, version := range []Foreign{Unleash, UnleashVariant, LaunchDarkly, GrowthBook1, GrowthBook2, FeatBit, Flagsmith} {
		h, tenths := HashInput{Version: version, Salt: "salt."}, [10]int{}
		for i := range n {
			tenths[h.place("u-"+strconv.Itoa(i))*10/Whole]++
		}
		for tenth, got := range tenths {
			if math.Abs(float64(got)-n/10) > 300 { // seven standard deviations
				t.Errorf("%s: %d of %d in tenth %d", version, got, n, tenth)
			}
		}
	}
}

// Three variants of one weight each: what remains of three is told apart.
func TestWeightsThatDoNotDivideWhole(t *testing.T) {
	h := HashInput{Version: UnleashVariant, Salt: "g:", Of: 3}
	seen := map[int]bool{}
	for i := range 100 {
		seen[h.place("u-"+strconv.Itoa(i))] = true
	}
	if len(seen) != 3 {
		t.Errorf("%d places, and there are three", len(seen))
	}
	for place := range seen {
		if place != 0 && place != 33334 && place != 66667 {
			t.Errorf("place %d is none of three", place)
		}
	}
}

func TestWhatForeignArithmeticsHash(t *testing.T) {
	with := func(v any) *Context { return &Context{TargetingKey: "u-1", Attributes: map[string]any{"account": v}} }
	place := func(v Foreign, id string) int { h := HashInput{Version: v, Salt: "s."}; return h.place(id) }
	for _, c := range []struct {
		version Foreign
		context *Context
		want    int // -1: nothing to be hashed
	}{
		{Unleash, with("a"), place(Unleash, "a")},
		{Unleash, with(42.0), place(Unleash, "42")},
		{GrowthBook2, with(true), place(GrowthBook2, "true")},
		{GrowthBook2, with(""), -1},
		{GrowthBook2, with([]any{"a"}), -1},
		{Flagsmith, with(nil), -1},
		{LaunchDarkly, with(""), place(LaunchDarkly, "")},
		{LaunchDarkly, with(nil), 0}, // who lacks the attribute is first in line
		{LaunchDarkly, with(true), 0},
		{LaunchDarkly, with(1.5), 0},
		{LaunchDarkly, with(7.0), place(LaunchDarkly, "7")},
		{GrowthBook1, with(0.0), -1}, // what is false in JavaScript is nobody
		{GrowthBook2, with(false), -1},
		{FeatBit, with(nil), place(FeatBit, "")}, // and here it is an empty text
	} {
		h := HashInput{Version: c.version, Salt: "s.", By: "account"}
		got, ok := h.bucket(c.context)
		if !ok {
			got = -1
		}
		if got != c.want {
			t.Errorf("%s of %v: got %d, want %d", c.version, c.context.Attributes["account"], got, c.want)
		}
	}
	h := HashInput{Version: LaunchDarkly, Salt: "s.", By: TargetingKey}
	if _, ok := h.bucket(&Context{}); ok {
		t.Error("a context without a targeting key has a place")
	}
}

// portioned is checkout with one rule for a quarter of the units, by another
// program's hash, and a split by another one.
func portioned(from, to int) Flag {
	f := checkout()
	f.Environments[production] = Environment{Enabled: true, Rules: []Rule{
		{Name: "quarter", Serve: "on", When: &Condition{Op: InBucket, Hash: &HashInput{Version: Unleash, Salt: "g:", By: TargetingKey}, Values: []any{from, to}}},
		{Name: "rest", Split: Even("on", "off"), Hash: &HashInput{Version: LaunchDarkly, Salt: "k.s.", By: TargetingKey}},
	}}
	return f
}

func TestPortionsGrowAndKeepTheirUnits(t *testing.T) {
	var before map[string]bool
	for _, to := range []int{0, 10_000, 25_000, 50_000, Whole} {
		h := newHouse(t)
		h.define(portioned(0, to))
		set, now := h.state.Compile(production, nil), map[string]bool{}
		for i := range 1000 {
			id := "u-" + strconv.Itoa(i)
			now[id] = set.Evaluate("checkout.express", &Context{TargetingKey: id}).Rule == "quarter"
			if before[id] && !now[id] {
				t.Errorf("%s is gone from a larger portion", id)
			}
		}
		before = now
	}
}

func TestExplainForeignHashes(t *testing.T) {
	h := newHouse(t)
	h.define(portioned(0, 25_000))
	x := h.state.Compile(production, nil).Explain("checkout.express", &Context{TargetingKey: "123"})
	place := func(in HashInput) int { return in.place("123") }
	want := Hashed{Of: "rest", Text: "k.s.123", Version: LaunchDarkly, Bucket: place(HashInput{Version: LaunchDarkly, Salt: "k.s."})}
	if len(x.Buckets) != 1 || x.Buckets[0].Text != want.Text || x.Buckets[0].Bucket != want.Bucket || x.Buckets[0].Version != want.Version {
		t.Errorf("got %+v, want %+v", x.Buckets, want)
	}
	tested := x.Looks[0].Condition
	is := place(HashInput{Version: Unleash, Salt: "g:"})
	if tested.Condition != `unleash bucket of "g:" + targetingKey in [0 25000]` || string(tested.Is) != strconv.Itoa(is) {
		t.Errorf("got %+v, with place %d", tested, is)
	}
}

func TestForeignHashesAllocateNothing(t *testing.T) {
	for _, version := range []Foreign{Unleash, UnleashVariant, LaunchDarkly, GrowthBook1, GrowthBook2, FeatBit, Flagsmith} {
		f := portioned(0, 25_000)
		f.Environments[production].Rules[0].When.Hash.Version = version
		f.Environments[production].Rules[1].Hash.Version = version
		h := newHouse(t)
		h.define(f)
		set, c := h.state.Compile(production, nil), &Context{TargetingKey: "0b5f8d4e-3b0e-4d0a-9a55-8f3f5b0c1d2e"}
		if n := testing.AllocsPerRun(100, func() { sink = set.Evaluate("checkout.express", c) }); n != 0 {
			t.Errorf("%s: Evaluate makes %v allocations, want 0", version, n)
		}
	}
}

func BenchmarkEvaluateForeignHash(b *testing.B) {
	for _, version := range []Foreign{Unleash, UnleashVariant, LaunchDarkly, GrowthBook1, GrowthBook2, FeatBit, Flagsmith} {
		b.Run(string(version), func(b *testing.B) {
			f := checkout()
			f.Environments[production] = Environment{Enabled: true, Rules: []Rule{
				{Name: "rest", Split: Even("on", "off"), Hash: &HashInput{Version: version, Salt: "checkout.salt.", By: TargetingKey}},
			}}
			h := newHouse(b)
			h.define(f)
			measure(b, h.state.Compile(production, nil), &Context{TargetingKey: "0b5f8d4e-3b0e-4d0a-9a55-8f3f5b0c1d2e"})
		})
	}
}
