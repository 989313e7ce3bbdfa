package flags

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestRulesetSince: what a holder lacks is what changed, and the segments that
// it now needs and may never have had.
func TestRulesetSince(t *testing.T) {
	asks := func(key string, revision uint64, segments ...string) Recorded {
		f := Recorded{Flag: checkout(), Revision: revision}
		f.Key = key
		var rules []Rule
		for _, s := range segments {
			rules = append(rules, Rule{Name: s, When: inSegment(s), Serve: "on"})
		}
		f.Environments = map[string]Environment{production: {Enabled: true, Rules: rules}}
		return f
	}
	segment := func(key string, revision uint64) RecordedSegment {
		return RecordedSegment{Segment: Segment{Key: key}, Stamp: Stamp{Revision: revision}}
	}
	r := Ruleset{
		Environment: production, Revision: 20,
		Flags:    []Recorded{asks("new", 20, "old-segment"), asks("old", 5, "unused", "changed")},
		Segments: []RecordedSegment{segment("changed", 15), segment("inherited", 3), segment("old-segment", 2), segment("unused", 4)},
		Rules:    []InheritedRule{{Tags: []string{"none-has-it"}, Name: "staff", When: inSegment("inherited"), Serve: "on"}},
	}
	want := r
	want.Flags = r.Flags[:1]
	want.Segments = r.Segments[:3]
	if diff := cmp.Diff(want, r.Since(10)); diff != "" {
		t.Errorf("since 10 (-want +got):\n%s", diff)
	}
	if got := r.Since(0); len(got.Flags) != 2 || len(got.Segments) != 4 {
		t.Errorf("since 0: %d flags and %d segments, want all", len(got.Flags), len(got.Segments))
	}
	if got := r.Since(20); got.Flags == nil || len(got.Flags) > 0 {
		t.Errorf("since the newest revision: %v, want an empty list", got.Flags)
	}
	last := Ruleset{Revision: 10, Segments: r.Segments[1:2]}
	want.Segments = []RecordedSegment{r.Segments[0], r.Segments[2]}
	if diff := cmp.Diff(want, r.After(last)); diff != "" {
		t.Errorf("after a ruleset that is known (-want +got):\n%s", diff)
	}
}

func inSegment(key string) *Condition {
	return &Condition{Op: InSegment, Value: key}
}
