package peers

import (
	"bytes"
	"encoding/json"
	"flag"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/sluice-hq/sluice/flags"
	"github.com/sluice-hq/sluice/flags/flagd"
)

var (
	exported = flag.Int("flags", 250, "random flags to export")
	units    = flag.Int("units", 1000, "random units to evaluate each of them for")
)

// TestExportedFlagsAnswerAlike evaluates random flags here, and their export
// by flagd's way.
func TestExportedFlagsAnswerAlike(t *testing.T) {
	var targeted, compared atomic.Int64
	t.Run("rulesets", func(t *testing.T) {
		for i := range *exported / together {
			t.Run(strconv.Itoa(i), func(t *testing.T) {
				t.Parallel()
				compareExport(t, rulesetMaker{rand.New(rand.NewPCG(*seed, uint64(i)))}, &targeted, &compared)
			})
		}
	})
	t.Logf("%d flags, %d with targeting, %d answers alike", *exported, targeted.Load(), compared.Load())
	if targeted.Load() < int64(*exported/2) {
		t.Errorf("%d flags have targeting, want at least half of %d", targeted.Load(), *exported)
	}
}

// together is how many flags one ruleset has.
const together = 10

func compareExport(t *testing.T, g rulesetMaker, targeted, compared *atomic.Int64) {
	r := g.ruleset(together)
	set := flags.NewSet(r, nil)
	doc, left := flagd.Export(r, nil)
	if len(left) > 0 {
		t.Fatalf("seed %d: %v", *seed, left)
	}
	theirs := read(t, doc)
	for _, key := range slices.Sorted(maps.Keys(theirs)) {
		d := theirs[key]
		if d.Targeting != nil {
			targeted.Add(1)
		}
		for range *units {
			c := g.context()
			want := set.Evaluate(key, &c).Variant
			got, err := d.answer(key, attributes(c))
			if err != nil || got != want {
				text, _ := json.Marshal(d.Targeting)
				context, _ := json.Marshal(attributes(c))
				t.Fatalf("seed %d: %s for %s\nexported %s\nanswers %q (%v) there and %q here: %+v", *seed, key, context, text, got, err, want, set.Explain(key, &c))
			}
			compared.Add(1)
		}
	}
}

// TestFlagdTakesExports hands the documents to flagd itself: its schema has
// nothing to say against them, and its answers are those of here.
func TestFlagdTakesExports(t *testing.T) {
	compared := 0
	for i := range 20 {
		g := rulesetMaker{rand.New(rand.NewPCG(*seed, uint64(i)))}
		r := g.ruleset(together)
		doc, left := flagd.Export(r, nil)
		if len(left) > 0 {
			t.Fatalf("seed %d: %v", *seed, left)
		}
		theirs, complaints := serve(t, doc)
		if len(complaints) > 0 {
			t.Fatalf("seed %d: %s\n%s", *seed, complaints, doc.JSON())
		}
		set := flags.NewSet(r, nil)
		for range 50 {
			c := g.context()
			for _, key := range set.Keys() {
				want := set.Evaluate(key, &c).Variant
				if got, err := theirs.answer(t.Context(), key, attributes(c)); err != nil || got != want {
					context, _ := json.Marshal(attributes(c))
					t.Fatalf("seed %d: %s for %s: %q (%v) there and %q here\n%s", *seed, key, context, got, err, want, doc.JSON())
				}
				compared++
			}
		}
	}
	t.Logf("%d answers alike", compared)
}

// read goes through JSON, as a provider does.
func read(t *testing.T, doc flagd.Document) map[string]definition {
	t.Helper()
	var out struct{ Flags map[string]definition }
	if err := json.NewDecoder(bytes.NewReader(doc.JSON())).Decode(&out); err != nil {
		t.Fatal(err)
	}
	return out.Flags
}

// attributes is the context as providers send it.
func attributes(c flags.Context) map[string]any {
	m := maps.Clone(c.Attributes)
	if c.TargetingKey != "" {
		m["targetingKey"] = c.TargetingKey
	}
	return m
}
