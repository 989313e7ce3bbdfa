package flags_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
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
	Hashes      []hashed       `json:"hashes"`
}

// given is what an allocation gives units: a variant, or null for who takes no part.
type given struct {
	Salt     string             `json:"salt"`
	Coverage int                `json:"coverage"`
	Arms     []flags.Arm        `json:"arms"`
	Slice    *flags.Slice       `json:"slice,omitempty"`
	Units    map[string]*string `json:"units"`
}

// hashed is where a hash that was brought along puts what it hashes.
type hashed struct {
	Hash   flags.HashInput `json:"hash"`
	Values []placed        `json:"values"`
}

// placed is a targeting key, or the value of the attribute that the hash is by,
// and its place; null where there is nothing to be hashed. A value of null is
// absent.
type placed struct {
	Is    any  `json:"is"`
	Place *int `json:"place"`
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
		{Salt: "checkout#3", Coverage: 80_000, Arms: flags.Even("on", "off"), Slice: &flags.Slice{Salt: "payments", From: 20_000, To: 70_000}},
		{Salt: "Łódź", Coverage: 33_333, Arms: []flags.Arm{{Variant: "on", Weight: 1}, {Variant: "off", Weight: flags.Whole - 1}}},
	} {
		out := given{Salt: a.Salt, Coverage: a.Coverage, Arms: a.Arms, Slice: a.Slice, Units: map[string]*string{}}
		for _, unit := range []string{"u-1", "u-2", "u-3", "u-4", "u-5", "u-6", "u-7", "u-8", "w-17", "user@example.com", "日本", "0b5f8d4e-3b0e-4d0a-9a55-8f3f5b0c1d2e"} {
			out.Units[unit] = nil
			if v := a.Given(unit); v != "" {
				out.Units[unit] = &v
			}
		}
		g.Allocations = append(g.Allocations, out)
	}
	for _, h := range hashes {
		g.Hashes = append(g.Hashes, hashed{h, places(h)})
	}
	return g
}

// hashes are of every arithmetic, with the salts that their projects publish
// values for (foreign_test.go), by the targeting key and by an attribute.
var hashes = []flags.HashInput{
	{By: "targetingKey", Salt: "checkout"},
	{By: "account", Salt: "checkout"},
	{By: "account", Salt: " checkout-", Joined: true},
	{By: "targetingKey", Version: flags.Unleash, Salt: "gr1:"},
	{By: "account", Version: flags.Unleash, Salt: "groupX:"},
	{By: "targetingKey", Version: flags.UnleashVariant, Salt: "gr1:", Of: 100},
	{By: "account", Version: flags.UnleashVariant, Salt: "groupX:"},
	{By: "account", Version: flags.UnleashVariant, Salt: "groupX:", Of: 3},
	{By: "targetingKey", Version: flags.LaunchDarkly, Salt: "hashKey.saltyA."},
	{By: "account", Version: flags.LaunchDarkly, Salt: "61."},
	{By: "targetingKey", Version: flags.GrowthBook1},
	{By: "account", Version: flags.GrowthBook1, Salt: "b"},
	{By: "targetingKey", Version: flags.GrowthBook2, Salt: "seed"},
	{By: "account", Version: flags.GrowthBook2, Salt: "b"},
	{By: "targetingKey", Version: flags.FeatBit, Salt: "checkout"},
	{By: "account", Version: flags.FeatBit, Salt: "checkout"},
	{By: "targetingKey", Version: flags.Flagsmith, Salt: "foo,bar,foo,bar,foo,"},
	{By: "account", Version: flags.Flagsmith, Salt: "checkout,production,"},
}

func places(h flags.HashInput) (out []placed) {
	values := []any{"", "123", "999", "a", "d", "bar", "userKeyA", "userKeyB", "33333", "user@example.com", "0b5f8d4e-3b0e-4d0a-9a55-8f3f5b0c1d2e", "Łódź", "日本"}
	if h.By != flags.TargetingKey {
		values = append(values, " a ", 42.0, 0.0, 1.5, -7.0, true, false, nil)
	}
	for _, v := range values {
		c := &flags.Context{Attributes: map[string]any{h.By: v}}
		c.TargetingKey, _ = v.(string)
		p := placed{Is: v}
		if at, ok := h.Place(c); ok {
			p.Place = &at
		}
		out = append(out, p)
	}
	return out
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

// TestGoldenBucketsInPython holds the evaluator that docs/sdk.md shows to the
// file: what is written there is enough to write another one.
func TestGoldenBucketsInPython(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("python3 is not installed: the example of docs/sdk.md is not run")
	}
	out, err := exec.CommandContext(t.Context(), python, "../docs/sdk/buckets.py", goldenBuckets).CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	spoilt := filepath.Join(t.TempDir(), "spoilt.json")
	b, err := os.ReadFile(goldenBuckets)
	if err == nil {
		err = os.WriteFile(spoilt, bytes.Replace(b, []byte(`"place": 72000`), []byte(`"place": 72001`), 1), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), python, "../docs/sdk/buckets.py", spoilt).CombinedOutput(); err == nil || !strings.Contains(string(out), "golden is 72001") {
		t.Errorf("a wrong place passes: %s", out)
	}
}
