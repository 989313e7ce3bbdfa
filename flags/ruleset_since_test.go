package flags

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestRulesetSince: whoever held the ruleset at any revision and gets what it
// lacks holds the present one.
func TestRulesetSince(t *testing.T) {
	const seed = 1
	w := &changing{State: NewState(), Rand: rand.New(rand.NewPCG(seed, seed))}
	var past []Ruleset
	for range 400 {
		w.change()
		now := w.Ruleset(production)
		past = append(past, now)
		held := past[w.IntN(len(past))]
		lacks := w.RulesetSince(production, held.Revision)
		if diff := cmp.Diff(now, held.with(lacks)); diff != "" {
			t.Fatalf("seed %d, revision %d from %d (-want +got):\n%s", seed, now.Revision, held.Revision, diff)
		}
		if diff := cmp.Diff(now, held.With(lacks)); diff != "" {
			t.Fatalf("seed %d, revision %d from %d, merged (-want +got):\n%s", seed, now.Revision, held.Revision, diff)
		}
		for _, f := range lacks.Flags {
			if f.Revision <= held.Revision {
				t.Fatalf("flag %s at %d was sent to a holder of %d", f.Key, f.Revision, held.Revision)
			}
		}
	}
	if got := w.RulesetSince(production, w.seq); got.Flags == nil || len(got.Flags)+len(got.Segments) > 0 {
		t.Errorf("the newest revision lacks %d flags and %d segments", len(got.Flags), len(got.Segments))
	}
}

// with returns what a holder of r has after a patch. It keeps every segment
// that it was ever sent; those in use are compared.
func (r Ruleset) with(patch Ruleset) Ruleset {
	flags, segments := map[string]Recorded{}, map[pin]RecordedSegment{}
	for _, part := range []Ruleset{r, patch} {
		for _, f := range part.Flags {
			flags[f.Key] = f
		}
		for _, s := range part.Segments {
			segments[pin{s.Key, s.Revision}] = s
		}
	}
	held := NewState()
	for key, f := range flags {
		held.flags[key] = &record{Recorded: f}
	}
	for p, s := range segments {
		last := held.shared.Segments[p.key].last()
		if last.Revision < p.revision {
			held.shared.Segments[p.key] = shelf{s}
		}
	}
	if len(patch.Rules) > 0 {
		held.shared.Environments[production] = RecordedEnvironment{EnvironmentDoc: EnvironmentDoc{Key: production, Rules: patch.Rules}}
	}
	out := held.Ruleset(production)
	out.Revision = max(r.Revision, patch.Revision)
	return out
}

// changing is a state that changes at random.
type changing struct {
	*State
	*rand.Rand
	seq uint64
}

func (w *changing) change() {
	w.seq++
	stamp := Stamp{Revision: w.seq}
	switch w.IntN(4) {
	case 0, 1:
		f := Recorded{Flag: checkout(), Revision: w.seq}
		f.Key = w.key("flag")
		f.Environments = map[string]Environment{production: {Enabled: true, Rules: []Rule{{Name: "a", When: w.condition(), Serve: "on"}}}}
		if w.IntN(4) == 0 {
			f.Tags = []string{"payments"}
		}
		w.flags[f.Key] = &record{Recorded: f}
	case 2:
		key := w.key("segment")
		w.shared.Segments[key] = append(w.shared.Segments[key], RecordedSegment{Segment: Segment{Key: key}, Stamp: stamp})
	case 3:
		rules := []InheritedRule{{Tags: []string{"payments"}, Name: "staff", When: w.condition(), Serve: "on"}}
		w.shared.Environments[production] = RecordedEnvironment{EnvironmentDoc: EnvironmentDoc{Key: production, Rules: rules}, Stamp: stamp}
	}
}

func (w *changing) key(kind string) string { return fmt.Sprintf("%s-%d", kind, w.IntN(6)) }

func (w *changing) condition() *Condition {
	if w.IntN(2) == 0 {
		return nil
	}
	return &Condition{Op: InSegment, Value: w.key("segment")}
}
