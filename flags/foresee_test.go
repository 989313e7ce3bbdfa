package flags

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/event"
)

// TestForesee: what a command would come to is said before it is given, also
// what others have to agree to, and what would be refused is refused.
func TestForesee(t *testing.T) {
	h := newHouse(t)
	h.define(checkout())
	c := h.command("checkout.express", in(Disable))
	got, err := h.state.Foresee(c)
	if err != nil || !got.Was.Environments[production].Enabled || got.Is.Environments[production].Enabled || got.Asks() != "" {
		t.Errorf("to disable it: %+v, %v", got, err)
	}
	if f, _ := h.state.Flag("checkout.express"); !f.Environments[production].Enabled {
		t.Error("looking changed the flag")
	}
	if _, err := h.state.Foresee(h.command("checkout.express", in(Enable))); !errors.Is(err, ErrUnchanged) {
		t.Errorf("what is so already: %v", err)
	}
	stale := h.command("checkout.express", in(Disable))
	stale.Expect = 999
	if _, err := h.state.Foresee(stale); !errors.Is(err, event.ErrConflict) {
		t.Errorf("at another revision: %v", err)
	}
	_, err = h.state.Foresee(h.command("checkout.express", in(AddUnits, func(c *Change) { c.Variant, c.Units = "maybe", []string{"u"} })))
	wantRefusal(t, "a variant that is none", err, "changes[0].variant: is not a variant")
}

// TestMoved: a crowd is the same whenever it is made, holds the units that
// definitions name, and is asked by the evaluator that serves.
func TestMoved(t *testing.T) {
	h := newHouse(t)
	f := checkout()
	e := f.Environments[production]
	e.Targets = []Target{{Variant: "on", Units: []string{"w-named"}}}
	e.Rules = []Rule{{Name: "large", When: &Condition{Attribute: "seats", Op: Gt, Value: 100}, Serve: "on"}}
	f.Environments[production] = e
	h.define(f)
	was, _ := h.state.Flag(f.Key)
	is := was
	is.Environments = map[string]Environment{production: {Enabled: true}}
	before, after := h.state.Excerpt(production, was), h.state.Excerpt(production, is)
	crowd := NewCrowd(1000, f.Unit, before, after)
	if diff := cmp.Diff([]string{"seats"}, crowd.Drawn()); diff != "" || crowd.Named() != 1 {
		t.Errorf("attributes: %s, and %d named units", diff, crowd.Named())
	}
	a, b := NewSet(before, nil), NewSet(after, nil)
	if diff := cmp.Diff(Shift{Units: 1000, Changed: 1, Moves: []Move{{"on", "off", 1}}}, Moved(a, b, f.Key, crowd.Bare())); diff != "" {
		t.Errorf("without attributes: %s", diff)
	}
	with := Moved(a, b, f.Key, crowd.Attributed())
	if with.Changed < 150 || with.Changed > 350 { // seats is 99, 100, 101 or absent
		t.Errorf("with attributes %d of 1,000 get another variant", with.Changed)
	}
	if diff := cmp.Diff(with, Moved(a, b, f.Key, NewCrowd(1000, f.Unit, before, after).Attributed())); diff != "" {
		t.Errorf("another crowd every time: %s", diff)
	}
}

// TestExamples: values are made up that meet a test, and others that just miss
// it, for every operator that has such.
func TestExamples(t *testing.T) {
	for _, c := range []Condition{
		{Attribute: "a", Op: Eq, Value: "x"}, {Attribute: "a", Op: In, Values: []any{"x", 2.0, true}}, {Attribute: "a", Op: Lt, Value: 5}, {Attribute: "a", Op: Gte, Value: 5},
		{Attribute: "a", Op: SemverLt, Value: "2.0.0"}, {Attribute: "a", Op: SemverGte, Value: "2.0.0"}, {Attribute: "a", Op: Before, Value: "2027-01-01"}, {Attribute: "a", Op: After, Value: "2027-01-01"},
		{Attribute: "a", Op: CIDR, Values: []any{"10.0.0.0/8"}}, {Attribute: "a", Op: Modulo, Values: []any{10, 3}}, {Attribute: "a", Op: EndsWith, Values: []any{"@shop.example"}}, {Attribute: "a", Op: IsSet},
	} {
		n, faults := c.compile(nil)
		if err := faults.Err(); err != nil {
			t.Fatal(err)
		}
		met := false
		for _, v := range c.examples() {
			met = met || n.met(&Context{Attributes: map[string]any{"a": v}})
		}
		if !met {
			t.Errorf("%s: none of %v meets it", c.String(), c.examples())
		}
	}
	if got := (&Condition{Attribute: "a", Op: Regex, Value: "x+"}).examples(); got != nil {
		t.Errorf("an expression has examples: %v", got)
	}
}

// TestCrowd_mostIsMadeUp: a long list of named units does not take the crowd.
func TestCrowd_mostIsMadeUp(t *testing.T) {
	var ids []string
	for i := range 500 {
		ids = append(ids, fmt.Sprint("u", i))
	}
	r := Ruleset{Environment: production, Segments: []RecordedSegment{{Segment: Segment{Key: "s", Included: ListOf(ids...)}}}}
	if n := NewCrowd(1000, "", r).Named(); n != 100 {
		t.Errorf("%d of 1,000 are named", n)
	}
}
