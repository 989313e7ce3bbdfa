package flags

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/sluice-hq/sluice/event"
)

// While a rollout compares a variant, nobody hands it out past the gate.
func TestDefineRefusesToWidenWhatIsCompared(t *testing.T) {
	everybody := Rule{Name: "everybody", When: &Condition{Attribute: "plan", Op: IsSet}, Serve: "on"}
	edit := func(change func(*Environment)) Change {
		return define(func(f *Flag) {
			e := f.Environments[production]
			change(&e)
			f.Environments[production] = e
		})
	}
	tests := []struct {
		name, path string
		change     Change
	}{
		{"default", "default", define(func(f *Flag) { f.Default = "on" })},
		{"target", "environments.production.targets[0]", edit(func(e *Environment) { e.Targets = []Target{{Variant: "on", Units: []string{"w-1"}}} })},
		{"rule", "environments.production.rules[1]", edit(func(e *Environment) { e.Rules = append(slices.Clip(e.Rules), everybody) })},
		{"split", "environments.production.rules[1]", edit(func(e *Environment) {
			e.Rules = append(slices.Clip(e.Rules), Rule{Name: "half", When: everybody.When, Split: Even("on", "off")})
		})},
		{"wider rule", "environments.production.rules[0]", edit(func(e *Environment) {
			e.Rules = []Rule{{Name: "staff", When: everybody.When, Serve: "on"}}
		})},
	}
	full := canary(Whole)
	full.Epoch, full.Arms = 2, []Arm{{Variant: "on", Weight: Whole}}
	for _, test := range tests {
		h := newHouse(t)
		h.define(checkout())
		h.do("checkout.express", allocate(canary(5000)))
		_, err := h.try(h.command("checkout.express", test.change))
		var faults event.Invalids
		if !errors.As(err, &faults) || len(faults) != 1 || faults[0].Path != test.path {
			t.Errorf("%s: %v, want a refusal at %s", test.name, err, test.path)
		}
		h.do("checkout.express", allocate(full)) // shipped: there is nothing left to compare
		h.do("checkout.express", test.change)
	}
	h := newHouse(t)
	h.define(checkout())
	h.do("checkout.express", allocate(canary(5000)))
	h.do("checkout.express", edit(func(e *Environment) { e.Rules = nil })) // fewer get it
}

// keepsAway is checkout with everything that keeps units from what staff gets.
func keepsAway() Flag {
	f := checkout()
	f.Variants["legacy"] = json.RawMessage(`false`)
	e := f.Environments[production]
	e.Prerequisites = []Prerequisite{{Flag: "checkout.enabled", Variant: "on"}}
	e.Targets = []Target{{Variant: "on", Units: []string{"w-1", "w-2"}}, {Variant: "off", Units: []string{"w-3"}}}
	e.Rules = slices.Concat([]Rule{
		{Name: "blocked", When: asks("blocked"), Serve: "off"},
		{Name: "first", When: &Condition{Attribute: "plan", Op: Eq, Value: "pro"}, Serve: "on"},
	}, e.Rules)
	f.Environments[production] = e
	return f
}

func keeping(t *testing.T) *house {
	h := newHouse(t)
	h.segment(Segment{Key: "blocked", Unit: "workspace", Included: ListOf("w-8", "w-9")})
	h.define(enabler(), keepsAway())
	h.do("checkout.express", allocate(canary(5000)))
	return h
}

// What keeps units from a variant stays where it is while that is compared:
// without it more units get the variant, though no rule that serves it is new.
func TestWhatKeepsUnitsAwayStays(t *testing.T) {
	const place = "environments.production."
	for name, c := range map[string]struct {
		change Change
		want   string // path, "": the change is made
	}{
		"a rule goes":  {in(RemoveRule, func(c *Change) { c.Name = "blocked" }), place + "rules[0] " + place + "rules[1]"},
		"a rule moves": {in(MoveRule, func(c *Change) { c.Name = "blocked" }), place + "rules[0] " + place + "rules[1]"},
		"a rule is altered": {in(ChangeRule, func(c *Change) {
			c.Name, c.Rule = "blocked", &Rule{When: asks("blocked"), Serve: "off", Until: "2027-01-01"}
		}), place + "rules[1] " + place + "rules[2]"},
		"a prerequisite goes":     {in(RemovePrerequisite, func(c *Change) { c.Name = "checkout.enabled" }), place + "prerequisites"},
		"a target goes":           {in(RemoveUnits, func(c *Change) { c.Variant, c.Units = "off", []string{"w-3"} }), place + "targets"},
		"safe":                    {Change{Op: SetSafe, Variant: "on"}, "safe"},
		"another variant's value": {Change{Op: ChangeVariant, Variant: "legacy", Value: json.RawMessage(`true`)}, "variants.legacy"},
		"a rule that served it":   {in(RemoveRule, func(c *Change) { c.Name = "first" }), ""},
		"they change places":      {in(MoveRule, func(c *Change) { c.Name, c.Place = "first", 3 }), ""},
		"fewer targets":           {in(RemoveUnits, func(c *Change) { c.Variant, c.Units = "on", []string{"w-1"} }), ""},
		"more who do not get it":  {in(AddUnits, func(c *Change) { c.Variant, c.Units = "off", []string{"w-4"} }), ""},
		"a rule that keeps more":  {in(AddRule, func(c *Change) { c.Place, c.Rule = 1, &Rule{Name: "nobody", Serve: "off"} }), ""},
	} {
		h := keeping(t)
		_, err := h.try(h.command("checkout.express", c.change))
		var faults event.Invalids
		errors.As(err, &faults)
		var paths []string
		for _, f := range faults {
			paths = append(paths, f.Path)
		}
		if got := strings.Join(paths, " "); got != c.want || err != nil && faults == nil {
			t.Errorf("%s: refused at %q (%v), want %q", name, got, err, c.want)
		}
	}
}

// Another variant of the same value is what is compared by another name.
func TestSameValueWidensToo(t *testing.T) {
	h := keeping(t)
	h.do("checkout.express", Change{Op: AddVariant, Variant: "again", Value: json.RawMessage(`true`)})
	_, err := h.try(h.command("checkout.express", Change{Op: SetDefault, Variant: "again"}))
	wantRefusal(t, "default", err, "default: gives more units what rollout production/checkout.express/1 compares")
}

// A flag that was disabled comes back as what was compared, and nothing else.
func TestDisabledFlagIsNotWidened(t *testing.T) {
	h := keeping(t)
	h.do("checkout.express", in(Disable))
	_, err := h.try(h.command("checkout.express", Change{Op: SetDefault, Variant: "on"}))
	wantRefusal(t, "disabled", err, "default: gives more units what rollout production/checkout.express/1 compares")
	h.do("checkout.express", Change{Op: Archive, Reason: "by mistake"})
	_, err = h.try(h.command("checkout.express", Change{Op: Restore}, Change{Op: SetDefault, Variant: "on"}))
	wantRefusal(t, "restored", err, "default: gives more units what rollout production/checkout.express/1 compares")
	h.do("checkout.express", Change{Op: Restore}, force("rolled back"))
	h.do("checkout.express", Change{Op: SetDefault, Variant: "on"})
}

// A segment that keeps units away may keep more of them away, and not fewer.
func TestSegmentThatKeepsUnitsAway(t *testing.T) {
	for name, c := range map[string]struct {
		when    *Condition
		widens  SegmentOp
		narrows SegmentOp
	}{
		"members": {asks("blocked"), SegmentRemove, SegmentAdd},
		"others":  {&Condition{Op: NotInSegment, Value: "blocked"}, SegmentAdd, SegmentRemove},
		"none":    {&Condition{None: []Condition{*asks("blocked")}}, SegmentAdd, SegmentRemove},
	} {
		h := newHouse(t)
		h.segment(Segment{Key: "blocked", Unit: "workspace", Included: ListOf("w-8", "w-9")})
		f := keepsAway()
		f.Environments[production].Rules[0].When = c.when
		h.define(enabler(), f)
		h.do("checkout.express", allocate(canary(5000)))
		units := map[SegmentOp][]string{SegmentAdd: {"w-7"}, SegmentRemove: {"w-8"}}
		_, err := h.trySegment("blocked", SegmentChange{Op: c.widens, List: IncludedList, Units: units[c.widens]})
		wantRefusal(t, name, err, "key: decides who gets what production/checkout.express/1 compares")
		h.granted(h.trySegment("blocked", SegmentChange{Op: c.narrows, List: IncludedList, Units: units[c.narrows]}))
	}
}

// A rollout that serves an audience compares nothing yet, and what it releases
// is for that audience alone.
func TestWhatAnAudienceGetsFirst(t *testing.T) {
	h := newHouse(t)
	h.define(checkout())
	h.do("checkout.express", serve(Rule{Name: "rollout-1.internal", When: &Condition{Attribute: "ring", Op: Eq, Value: "us"}, Serve: "on"}))
	_, err := h.try(h.command("checkout.express", Change{Op: SetDefault, Variant: "on"}))
	wantRefusal(t, "default", err, "default: gives more units what a rollout has for its audience rollout-1.internal alone")
	h.do("checkout.express", in(Unserve, func(c *Change) { c.Name = "rollout-1.internal" }))
	h.do("checkout.express", Change{Op: SetDefault, Variant: "on"})
}
