package flags_test

import (
	"encoding/json"
	"flag"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/flags"
)

const goldenBuckets = "../docs/schemas/golden-buckets.json"

// golden is what evaluators in other languages are held to.
type golden struct {
	Whole       int            `json:"whole"`
	Buckets     map[string]int `json:"buckets"`
	Allocations []given        `json:"allocations"`
}

// given is what an allocation gives units: a variant, or null for who takes no part.
type given struct {
	Salt     string             `json:"salt"`
	Coverage int                `json:"coverage"`
	Arms     []flags.Arm        `json:"arms"`
	Units    map[string]*string `json:"units"`
}

var texts = []string{"", "a", "ab", "abc", "abcd", "abcde", "checkout:arm:u-1", "checkout:enrol:u-1", "checkout#2:arm:u-1", "Łódź", "日本", "🙂", "fractional-flagjack", "line\nbreak"}

func made() golden {
	g := golden{Whole: flags.Whole, Buckets: map[string]int{}}
	for _, text := range texts {
		g.Buckets[text] = flags.Bucket(text)
	}
	for _, a := range []flags.Allocation{
		{Salt: "checkout", Coverage: 10_000, Arms: flags.Even("on", "off")},
		{Salt: "checkout", Coverage: 50_000, Arms: flags.Even("on", "off")},
		{Salt: "checkout#2", Coverage: flags.Whole, Arms: flags.Even("a", "b", "c")},
		{Salt: "Łódź", Coverage: 33_333, Arms: []flags.Arm{{Variant: "on", Weight: 1}, {Variant: "off", Weight: flags.Whole - 1}}},
	} {
		out := given{Salt: a.Salt, Coverage: a.Coverage, Arms: a.Arms, Units: map[string]*string{}}
		for _, unit := range []string{"u-1", "u-2", "u-3", "u-4", "u-5", "u-6", "u-7", "u-8", "w-17", "user@example.com", "日本", "0b5f8d4e-3b0e-4d0a-9a55-8f3f5b0c1d2e"} {
			out.Units[unit] = nil
			if v := a.Given(unit); v != "" {
				out.Units[unit] = &v
			}
		}
		g.Allocations = append(g.Allocations, out)
	}
	return g
}

// TestGoldenBuckets pins the published file to the evaluator. If it changes, the arms
// of existing users change with it, and so does every evaluator that was held to it.
func TestGoldenBuckets(t *testing.T) {
	if f := flag.Lookup("update"); f != nil && f.Value.String() == "true" {
		b, err := json.MarshalIndent(made(), "", "  ")
		if err == nil {
			err = os.WriteFile(goldenBuckets, append(b, '\n'), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(goldenBuckets)
	if err != nil {
		t.Fatal(err)
	}
	var published golden
	if err := json.Unmarshal(b, &published); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(made(), published); diff != "" {
		t.Errorf("-evaluator +published:\n%s", diff)
	}
	in, out := 0, 0
	for _, a := range published.Allocations {
		for _, v := range a.Units {
			if v == nil {
				out++
			} else {
				in++
			}
		}
	}
	if in < 10 || out < 10 {
		t.Errorf("%d units take part and %d do not: too few to tell evaluators apart", in, out)
	}
}
