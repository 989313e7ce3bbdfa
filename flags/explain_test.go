package flags

import "testing"

func TestExplain(t *testing.T) {
	h, needed := newHouse(t), checkout()
	needed.Key = "checkout.enabled"
	h.define(needed)
	h.do("checkout.express", define(func(f *Flag) {
		f.Environments[production] = Environment{
			Enabled: true, Prerequisites: []Prerequisite{{"checkout.enabled", "off"}}, Targets: []Target{{"on", []string{"w-17"}}},
			Rules: []Rule{
				{Name: "staff", Serve: "on", When: &Condition{Any: []Condition{
					{Attribute: "ring", Op: In, Values: []any{"internal", "beta"}}, {Attribute: "plan.tier", Op: Eq, Value: "staff"},
				}}},
				{Name: "half", When: &Condition{Attribute: "country", Op: Eq, Value: "DE"}, Split: Even("on", "off")},
			},
		}
	}))
	h.do("checkout.express", after(func(a *Allocation) { a.Audience = &Condition{Attribute: TargetingKey, Op: IsSet} }))
	set := h.state.Compile(production, nil)
	workspace := func(id string, more map[string]any) *Context {
		c := &Context{TargetingKey: "u-1", Attributes: map[string]any{"workspace": id, "ring": "public"}}
		for k, v := range more {
			c.Attributes[k] = v
		}
		return c
	}
	golden(t, "explanations.json", map[string]Explanation{
		"unknown":          set.Explain("checkout", &Context{}),
		"target":           set.Explain("checkout.express", workspace("w-17", nil)),
		"rule":             set.Explain("checkout.express", workspace("w-1", map[string]any{"ring": "beta"})),
		"split":            set.Explain("checkout.express", workspace("w-1", map[string]any{"country": "DE"})),
		"split, no unit":   set.Explain("checkout.express", &Context{Attributes: map[string]any{"country": "DE"}}),
		"outside coverage": set.Explain("checkout.express", workspace("w-1", nil)),
		"outside audience": set.Explain("checkout.express", &Context{Attributes: map[string]any{"workspace": "w-1"}}),
		"no unit":          set.Explain("checkout.express", &Context{TargetingKey: "u-1"}),
	})
	h.do("checkout.enabled", Change{Op: Archive, Variant: "on", Reason: "over"})
	h.do("checkout.express", in(Deallocate))
	unmet := h.state.Compile(production, nil).Explain("checkout.express", workspace("w-1", nil))
	if last := unmet.Looks[0]; last.Step != AtPrerequisite || last.Why != "checkout.enabled answers on, and must answer off" || unmet.Result.Variant != "off" {
		t.Errorf("unmet prerequisite: %+v", unmet)
	}
	// Forced, then disabled too, then archived too: each outranks the ones before.
	for i, change := range []Change{force("slow"), in(Disable), {Op: Archive}} {
		step := []Step{AtForced, AtDisabled, AtArchived}[i]
		h.do("checkout.express", change)
		x := h.state.Compile(production, nil).Explain("checkout.express", workspace("w-1", nil))
		if len(x.Looks) != 1 || x.Looks[0].Step != step || x.Result.Step != step || len(x.Buckets) == 0 {
			t.Errorf("%s: %+v", step, x)
		}
	}
}

// The last enrolled unit and the first arm are at the very edge of a bucket.
func TestEdgesOfCoverage(t *testing.T) {
	a := canary(0)
	c := &Context{Attributes: map[string]any{"workspace": "w-17"}}
	enrol, arm := Bucket(a.Salt+":enrol:w-17"), Bucket(a.Salt+":arm:w-17")
	for _, edge := range []struct {
		coverage, weight int
		enrolled         bool
		variant          string
	}{{enrol, arm, false, "off"}, {enrol + 1, arm, true, "off"}, {enrol + 1, arm + 1, true, "on"}} {
		a.Coverage, a.Arms = edge.coverage, []Arm{{"on", edge.weight}, {"off", Whole - edge.weight}}
		if r := allocated(a).Evaluate("checkout.express", c); r.Enrolled != edge.enrolled || r.Variant != edge.variant {
			t.Errorf("%+v: got %+v", edge, r)
		}
	}
}

func TestUnits(t *testing.T) {
	for _, c := range []struct {
		kind    string
		context Context
		want    string
	}{
		{"user", Context{TargetingKey: "u"}, "u"},
		{"user", Context{TargetingKey: "u", Attributes: map[string]any{"user": "v"}}, "v"},
		{"user", Context{TargetingKey: "u", Attributes: map[string]any{"user": ""}}, ""},
		{"user", Context{TargetingKey: "u", Attributes: map[string]any{"user": 5.0}}, ""},
		{"user", Context{}, ""},
		{"workspace", Context{TargetingKey: "u"}, ""},
		{"workspace", Context{TargetingKey: "u", Attributes: map[string]any{"workspace": "w"}}, "w"},
		{"workspace", Context{Attributes: map[string]any{"workspace": nil}}, ""},
	} {
		if got := c.context.unitID(c.kind); got != c.want {
			t.Errorf("%s of %+v: got %q, want %q", c.kind, c.context, got, c.want)
		}
	}
}

func TestEven(t *testing.T) {
	arms := Even("a", "b", "c")
	if arms[0].Weight != 33334 || arms[1].Weight != 33333 || arms[2].Weight != 33333 || len(Even()) != 0 {
		t.Errorf("got %+v", arms)
	}
	if Salt("k", 1) != "k" || Salt("k", 2) != "k#2" {
		t.Errorf("got %s and %s", Salt("k", 1), Salt("k", 2))
	}
}

// A log may hold what Handle refuses; evaluation still ends.
func TestCyclesEnd(t *testing.T) {
	loop := func(key, needs string) Recorded {
		f := checkout()
		f.Key, f.Environments = key, map[string]Environment{production: {Enabled: true, Prerequisites: []Prerequisite{{needs, "off"}, {needs, "off"}}}}
		return Recorded{Flag: f}
	}
	set := NewSet(rulesetOf(loop("a", "b"), loop("b", "a")), nil)
	if r := set.Evaluate("a", &Context{}); r.Variant != "off" {
		t.Errorf("got %+v", r)
	}
}
