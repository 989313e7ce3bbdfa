package flags

import (
	"context"
	"encoding/json"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// A ruleset, after a way through JSON, answers as the state that it was made
// of, and is at the same revision.
func TestRulesetAnswersAsTheState(t *testing.T) {
	h := sharedStory(t)
	_, lists := large(t, "w-1", "w-2")
	b, err := json.Marshal(h.state.Ruleset(production))
	if err != nil {
		t.Fatal(err)
	}
	var r Ruleset
	if err := json.Unmarshal(b, &r); err != nil {
		t.Fatal(err)
	}
	set, direct := NewSet(r, lists), h.state.Compile(production, lists)
	if len(r.Lists()) != 1 || r.Revision != direct.Version() || set.Version() != direct.Version() {
		t.Errorf("lists %v; revisions %d and %d, want %d", r.Lists(), r.Revision, set.Version(), direct.Version())
	}
	for _, key := range h.state.Keys() {
		for _, id := range []string{"w-1", "w-2", "w-3", "w-9", "w-40", ""} {
			for _, more := range [][]any{nil, {"plan", "pro"}, {"country", "XX"}} {
				c := inWorkspace(id, more...)
				got, want := set.Explain(key, c), direct.Explain(key, c)
				if a, b := toJSON(t, got), toJSON(t, want); a != b {
					t.Errorf("%s of %s %v:\n%s\n%s", key, id, more, a, b)
				}
			}
		}
	}
}

func toJSON(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// A changed segment compiles the flags that ask for it, and no other.
func TestRecompileAfterASegment(t *testing.T) {
	h, other := newHouse(t), checkout()
	other.Key = "other"
	h.segment(fellows("w-1"))
	h.segment(Segment{Key: "guests"})
	h.define(forSegment("fellows"), other)
	first := h.state.Compile(production, nil)
	h.segment(Segment{Key: "guests", Included: ListOf("u-1")})
	second := h.state.Recompile(first, nil)
	if second.flags["other"] != first.flags["other"] || second.flags["checkout.express"] != first.flags["checkout.express"] || second.Version() != first.Version() {
		t.Error("a segment that nothing asks for compiles flags")
	}
	if got := second.Changed(first); got != nil {
		t.Errorf("a segment that nothing asks for changes %q", got)
	}
	revision := h.granted(h.trySegment("fellows", SegmentChange{Op: SegmentAdd, List: IncludedList, Units: []string{"w-2"}}))
	third := h.state.Recompile(second, nil)
	if third.flags["other"] != first.flags["other"] || third.flags["checkout.express"] == first.flags["checkout.express"] || third.Version() != revision {
		t.Error("not the flag that asks for the segment alone was compiled")
	}
	if got := third.Changed(second); !slices.Equal(got, []string{"checkout.express"}) {
		t.Errorf("a segment changes %q", got)
	}
	if r := third.Evaluate("checkout.express", inWorkspace("w-2")); r.Rule != "members" {
		t.Errorf("got %+v", r)
	}
}

// Whatever happens, compiling from what there was gives what compiling from
// nothing does.
func TestRecompileIsCompile(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		h := newHouse(t)
		h.segment(fellows("w-1"))
		h.segment(Segment{Key: "guests", Included: ListOf("u-1")})
		set := h.state.Compile(production, nil)
		renewed := NewSet(h.state.Ruleset(production), nil)
		for range rapid.IntRange(1, 25).Draw(rt, "commands") {
			if rapid.Bool().Draw(rt, "shared") {
				_ = genShared(rt, h) // a refusal changes nothing
			} else {
				key := genFlagKey(rt)
				_, _ = h.try(h.command(key, genChange(rt, key)))
			}
			if err := h.p.Catch(context.Background(), h.log); err != nil {
				rt.Fatal(err)
			}
			set, renewed = h.state.Recompile(set, nil), renewed.Renew(h.state.Ruleset(production), nil)
			fresh, c := h.state.Compile(production, nil), genContext(rt)
			for _, key := range fresh.Keys() {
				if a, b := asJSON(rt, set.Explain(key, c)), asJSON(rt, fresh.Explain(key, c)); a != b || set.Version() != fresh.Version() {
					rt.Fatalf("%s at %d and %d:\n%s\n%s", key, set.Version(), fresh.Version(), a, b)
				}
				if a, b := asJSON(rt, renewed.Explain(key, c)), asJSON(rt, fresh.Explain(key, c)); a != b || renewed.Version() != fresh.Version() {
					rt.Fatalf("%s renewed at %d and %d:\n%s\n%s", key, renewed.Version(), fresh.Version(), a, b)
				}
			}
		}
	})
}

// A flag that goes on as it was, because a list of its segment's new revision is
// not there, takes that up when the list is, though nothing has changed since.
func TestRecompileWhenAListArrives(t *testing.T) {
	h := newHouse(t)
	h.segment(fellows("w-1"))
	h.define(forSegment("fellows"))
	set := h.state.Compile(production, nil)
	doc, lists := large(t, "w-2", "w-3")
	h.segment(doc)
	for _, step := range []struct {
		lists Lists
		want  Step // of w-2
	}{{nil, AtDefault}, {nil, AtDefault}, {lists, AtRule}} {
		set = h.state.Recompile(set, step.lists)
		if r := set.Evaluate("checkout.express", inWorkspace("w-2")); r.Step != step.want {
			t.Errorf("with %d lists it is answered at %s", len(step.lists), r.Step)
		}
	}
}
