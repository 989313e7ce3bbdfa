package growthbook

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"testing"

	"github.com/sluice-hq/sluice/flags"
	"github.com/sluice-hq/sluice/flags/peers"
	"github.com/sluice-hq/sluice/flags/peers/peerstest"
)

// published is testdata/growthbook.json: lists of cases, each a list.
type published struct {
	Hash       [][]json.RawMessage `json:"hash"`
	Ranges     [][]json.RawMessage `json:"getBucketRange"`
	Namespaces [][]json.RawMessage `json:"inNamespace"`
	Conditions [][]json.RawMessage `json:"evalCondition"`
	Features   [][]json.RawMessage `json:"feature"`
}

func read(t *testing.T) published {
	var p published
	peerstest.Read(t, "../testdata/growthbook.json", &p)
	return p
}

// as decodes a part of a case.
func as[T any](t *testing.T, raw json.RawMessage) T {
	t.Helper()
	var v T
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
	return v
}

// here returns attributes as a client of ours sends them.
func here(attributes map[string]any, numbers ...string) *flags.Context {
	c := &flags.Context{Attributes: map[string]any{}}
	for name, v := range attributes {
		c.Attributes[name] = v
	}
	switch id := c.Attributes["id"].(type) {
	case string:
		c.TargetingKey = id
	case float64: // a targeting key is a text
		c.TargetingKey = strconv.FormatFloat(id, 'f', -1, 64)
	}
	delete(c.Attributes, "id")
	peerstest.Numbers(c, numbers)
	return c
}

// bring imports one feature and compiles it.
func bring(t *testing.T, features, groups any) (peers.Brought, *flags.Set) {
	t.Helper()
	doc, err := json.Marshal(map[string]any{"features": features, "savedGroups": groups})
	if err != nil {
		t.Fatal(err)
	}
	b, err := Import(doc, peers.Options{Environment: "production", Owner: "growth"})
	if err != nil {
		t.Fatalf("%s: %v", doc, err)
	}
	return b, peerstest.Compile(b)
}

// left says why a feature is left out, "" when it is not.
func left(b peers.Brought, key string) string {
	for _, n := range b.Notes {
		if n.Left && n.Flag == key {
			return n.Text
		}
	}
	return ""
}

func TestPublishedHashes(t *testing.T) {
	tally := peerstest.NewTally(t)
	for _, c := range read(t).Hash {
		seed, value, version := as[string](t, c[0]), as[string](t, c[1]), as[int](t, c[2])
		name := fmt.Sprintf("hash %q %q %d", seed, value, version)
		want := as[*float64](t, c[3])
		if want == nil {
			_, _, err := (&importer{desk: &peers.Desk{}}).hash(seed, "", version)
			tally.Count(name, "", err != nil) // there is no such hash
			continue
		}
		at := math.Round(*want*10000) / 10000
		filter := map[string]any{"hashVersion": version, "seed": seed, "attribute": "id", "ranges": [][]float64{{at, at + 0.0001}}}
		rule := map[string]any{"force": true, "filters": []any{filter}}
		_, set := bring(t, map[string]any{"f": map[string]any{"defaultValue": false, "rules": []any{rule}}}, nil)
		r := set.Evaluate("f", here(map[string]any{"id": value}))
		tally.Count(name, "", r.Variant == "true")
	}
	tally.Compare("testdata/published-hash.txt")
}

func TestPublishedBucketRanges(t *testing.T) {
	tally := peerstest.NewTally(t)
	for _, c := range read(t).Ranges {
		in := as[[]json.RawMessage](t, c[1])
		got := bucketRanges(as[int](t, in[0]), as[*float64](t, in[1]), as[[]float64](t, in[2]))
		want := as[[][2]float64](t, c[2])
		same := len(got) == len(want)
		for i := range want {
			same = same && math.Abs(got[i][0]-want[i][0]) < 1e-6 && math.Abs(got[i][1]-want[i][1]) < 1e-6 // they round in the file
		}
		tally.Count(as[string](t, c[0]), "", same)
	}
	tally.Compare("testdata/published-ranges.txt")
}

func TestPublishedNamespaces(t *testing.T) {
	tally := peerstest.NewTally(t)
	for _, c := range read(t).Namespaces {
		rule := map[string]any{"variations": []any{true, true}, "namespace": c[2]}
		_, set := bring(t, map[string]any{"f": map[string]any{"defaultValue": false, "rules": []any{rule}}}, nil)
		r := set.Evaluate("f", here(map[string]any{"id": as[string](t, c[1])}))
		tally.Count(as[string](t, c[0]), "", (r.Variant == "true") == as[bool](t, c[3]))
	}
	tally.Compare("testdata/published-namespaces.txt")
}

// differs are conditions that come out otherwise, and why.
var differs = map[string]string{
	"version a.b.c.d.e.f > 1.2.3":              notWritten,
	"version 1-2-3 == 1.2.3":                   notWritten,
	"version 1-2-3 == v1.2.3":                  notWritten,
	"version 1.2.3.4 == 1.2.3-4":               notWritten,
	"$inGroup fails for improperly typed data": "a targeting key is a text here: a number of the group is compared as such",
	"include experiments when forced":          "the caller forces a variation, which no context does here",
}

const notWritten = "the attribute is not written as versions are here"

func TestPublishedConditions(t *testing.T) {
	tally := peerstest.NewTally(t)
	for _, c := range read(t).Conditions {
		var groups any
		if len(c) > 4 {
			groups = as[any](t, c[4])
		}
		name := as[string](t, c[0])
		rule := map[string]any{"force": true, "condition": c[1]}
		b, set := bring(t, map[string]any{"f": map[string]any{"defaultValue": false, "rules": []any{rule}}}, groups)
		r := set.Evaluate("f", here(as[map[string]any](t, c[2]), b.Numbers...))
		reason := left(b, "f")
		same := (r.Variant == "true") == as[bool](t, c[3])
		if reason == "" && !same {
			reason = differs[name]
		}
		tally.Count(name, reason, same)
	}
	tally.Compare("testdata/published-conditions.txt")
}

func TestPublishedFeatures(t *testing.T) {
	tally := peerstest.NewTally(t)
	for _, c := range read(t).Features {
		name, key := as[string](t, c[0]), as[string](t, c[2])
		in := as[struct {
			Attributes map[string]any `json:"attributes"`
			Features   map[string]any `json:"features"`
			Groups     any            `json:"savedGroups"`
		}](t, c[1])
		if in.Features == nil {
			in.Features = map[string]any{} // which an export has
		}
		want := as[struct {
			Value json.RawMessage `json:"value"`
		}](t, c[3])
		b, set := bring(t, in.Features, in.Groups)
		r := set.Evaluate(key, here(in.Attributes, b.Numbers...))
		if r.Error == flags.FlagNotFound && string(want.Value) == "null" && in.Features[key] == nil {
			tally.Count(name, "", true) // nobody knows such a feature
			continue
		}
		reason, same := left(b, key), peerstest.Same(r.Value, want.Value) || r.Value == nil && string(want.Value) == "null"
		if reason == "" && !same {
			reason = differs[name]
		}
		tally.Count(name, reason, same)
	}
	tally.Compare("testdata/published-features.txt")
}
