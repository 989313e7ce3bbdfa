package flags

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/event"
)

// tagged returns checkout with a tag and no rules of its own.
func tagged(tags ...string) Flag {
	f := checkout()
	f.Tags, f.Environments[production] = tags, Environment{Enabled: true}
	return f
}

// embargo is a rule that everybody with the tag payments inherits.
func embargo() InheritedRule {
	return InheritedRule{Tags: []string{"payments"}, Name: "embargo", When: &Condition{Attribute: "country", Op: Eq, Value: "XX"}, Serve: "off"}
}

func TestEnvironmentsInOrder(t *testing.T) {
	h := newHouse(t)
	h.environment(EnvironmentDoc{Key: "qa", Order: 2})
	h.environment(EnvironmentDoc{Key: "load-test"})
	h.environment(EnvironmentDoc{Key: "staging", Description: "before production"})
	want := []string{"development", "qa", "staging", "production", "load-test"}
	if diff := cmp.Diff(want, h.state.Environments()); diff != "" {
		t.Errorf("want -, got +\n%s", diff)
	}
	f := checkout()
	f.Environments["moon"] = Environment{}
	_, err := h.try(h.command(f.Key, Change{Op: Define, Flag: &f}))
	wantRefusal(t, "a flag", err, "environments.moon: is not an environment")
	h.environment(EnvironmentDoc{Key: "moon"})
	h.define(f)
	_, err = h.tryEnvironment("moon", nil)
	wantRefusal(t, "delete", err, "key: is an environment of checkout.express")
	h.granted(h.tryEnvironment("qa", nil))
	h.granted(h.tryEnvironment("staging", nil))
	want = []string{"development", "staging", "production", "load-test", "moon"}
	if e, ok := h.state.Environment("staging"); !ok || e.Description != "" || !slices.Equal(h.state.Environments(), want) {
		t.Errorf("got %v, %+v", h.state.Environments(), e)
	}
}

func TestEnvironmentFaults(t *testing.T) {
	h := newHouse(t)
	rule := func(change func(*InheritedRule)) EnvironmentDoc {
		r := embargo()
		change(&r)
		return EnvironmentDoc{Key: production, Rules: []InheritedRule{r}}
	}
	layers := func(list ...Layer) EnvironmentDoc { return EnvironmentDoc{Key: production, Layers: list} }
	for name, c := range map[string]struct {
		doc  EnvironmentDoc
		want string
	}{
		"another key":  {EnvironmentDoc{Key: "staging"}, "key: is not the environment that is being written, production"},
		"order":        {EnvironmentDoc{Key: production, Order: -1}, "order: is not a number from 1"},
		"no tags":      {rule(func(r *InheritedRule) { r.Tags = nil }), "rules[0].tags: is missing"},
		"no name":      {rule(func(r *InheritedRule) { r.Name = "" }), "rules[0].name: is empty"},
		"no variant":   {rule(func(r *InheritedRule) { r.Serve = "" }), "rules[0].serve: is missing"},
		"operator":     {rule(func(r *InheritedRule) { r.When.Op = "near" }), "rules[0].when.op: is not an operator"},
		"name twice":   {EnvironmentDoc{Key: production, Rules: []InheritedRule{embargo(), embargo()}}, "rules[1].name: is the name of an earlier rule"},
		"layer":        {layers(Layer{Name: "a b", Unit: "c d"}), "layers[0].name: has the character ' '; letters, digits, '-', '_' and '.' are allowed\nlayers[0].unit: has the character ' '; letters, digits, '-', '_' and '.' are allowed"},
		"layer twice":  {layers(Layer{Name: "a"}, Layer{Name: "a"}), "layers[1].name: is the name of an earlier layer"},
		"only holdout": {layers(Layer{Name: "a", Holdout: event.Everybody}), "layers[0].holdout: leaves nobody for experiments"},
	} {
		_, err := h.tryEnvironment(production, &c.doc)
		wantRefusal(t, name, err, c.want)
	}
	for key, want := range map[string]string{"a.b": "key: has a dot", "a b": "key: has the character ' '; letters, digits, '-', '_' and '.' are allowed"} {
		_, err := h.tryEnvironment(key, &EnvironmentDoc{Key: key})
		wantRefusal(t, key, err, want)
	}
}

// An inherited rule stands behind the flag's own and before served audiences.
func TestInheritedRules(t *testing.T) {
	h := newHouse(t)
	h.environment(EnvironmentDoc{Key: production, Rules: []InheritedRule{embargo()}})
	f := tagged("payments", "checkout")
	f.Environments[production] = Environment{Enabled: true, Rules: []Rule{{Name: "staff", When: &Condition{Attribute: "ring", Op: Eq, Value: "staff"}, Serve: "on"}}}
	other := tagged("search")
	other.Key = "search"
	h.define(f, other)
	h.do(f.Key, serve(Rule{Name: "beta", Serve: "on"}))
	set := h.state.Compile(production, nil)
	for want, c := range map[string]*Context{
		"staff": inWorkspace("w-1", "ring", "staff", "country", "XX"), "embargo": inWorkspace("w-1", "country", "XX"), "beta": inWorkspace("w-1"),
	} {
		if r := set.Evaluate(f.Key, c); r.Rule != want {
			t.Errorf("want %s, got %+v", want, r)
		}
	}
	if r := set.Evaluate("search", inWorkspace("w-1", "country", "XX")); r.Step != AtDefault {
		t.Errorf("a flag without the tag inherits: %+v", r)
	}
	x := set.Explain(f.Key, inWorkspace("w-1", "country", "XX"))
	if last := x.Looks[len(x.Looks)-1]; last.Why != "inherited by tag payments: the condition is met" {
		t.Errorf("got %+v", last)
	}
	_, err := h.tryEnvironment(production, &EnvironmentDoc{Key: production})
	wantRefusal(t, "the embargo keeps units from what the audience gets", err, "rules: gives more units what a rollout has for its audience beta alone")
	h.do(f.Key, in(Unserve, func(c *Change) { c.Name = "beta" }))
	set = h.state.Recompile(set, nil)
	next := h.environment(EnvironmentDoc{Key: production})
	changed := h.state.Recompile(set, nil)
	if changed.flags["search"] != set.flags["search"] || changed.flags[f.Key] == set.flags[f.Key] {
		t.Error("not the flags with the tag alone were compiled")
	}
	if r := changed.Evaluate(f.Key, inWorkspace("w-1", "country", "XX")); r.Step != AtDefault || changed.Version() != next {
		t.Errorf("the rule is gone: got %+v at %d", r, changed.Version())
	}
}

// What an inherited rule serves is a variant of every flag that inherits it,
// whichever of the two is written last.
func TestInheritedRulesServeVariantsThatFlagsHave(t *testing.T) {
	h := newHouse(t)
	h.define(tagged("payments"))
	rule := embargo()
	rule.Serve = "blocked"
	_, err := h.tryEnvironment(production, &EnvironmentDoc{Key: production, Rules: []InheritedRule{rule}})
	wantRefusal(t, "the rule", err, "rules[0].serve: is not a variant of checkout.express, which would inherit the rule")
	h.define(tagged())
	h.environment(EnvironmentDoc{Key: production, Rules: []InheritedRule{rule}})
	f := tagged("other", "payments")
	_, err = h.try(h.command(f.Key, Change{Op: Define, Flag: &f}))
	wantRefusal(t, "the tag", err, "tags[1]: brings the rule embargo of production, which serves blocked: not a variant of the flag")
	f.Variants = Variants{"on": json.RawMessage(`true`), "off": json.RawMessage(`false`), "blocked": json.RawMessage(`false`)}
	h.define(f)
	delete(f.Variants, "blocked")
	_, err = h.try(h.command(f.Key, Change{Op: Define, Flag: &f}))
	wantRefusal(t, "the variant", err, "tags[1]: brings the rule embargo of production, which serves blocked: not a variant of the flag")
}

func TestInheritedRulesThatWidenAComparison(t *testing.T) {
	h := newHouse(t)
	h.define(tagged("payments"))
	h.do("checkout.express", allocate(canary(2000)))
	rule := embargo()
	rule.Serve = "on"
	_, err := h.tryEnvironment(production, &EnvironmentDoc{Key: production, Rules: []InheritedRule{rule}})
	wantRefusal(t, "the rule", err, "rules[0].serve: gives more units what rollout production/checkout.express/1 compares")
	rule.Tags = []string{"search"}
	h.environment(EnvironmentDoc{Key: production, Rules: []InheritedRule{rule}})
	f := tagged("payments", "search")
	_, err = h.try(h.command(f.Key, Change{Op: Define, Flag: &f}))
	wantRefusal(t, "the tag", err, "tags: is a rule that a tag brings, and gives more units what rollout production/checkout.express/1 compares")
	h.environment(EnvironmentDoc{Key: production, Rules: []InheritedRule{embargo()}}) // gives fewer
}

// layered writes a document with one layer of workspaces.
func (h *house) layered(holdout event.Percent) {
	h.t.Helper()
	h.environment(EnvironmentDoc{Key: production, Layers: []Layer{{Name: "checkout", Unit: "workspace", Holdout: holdout}}})
}

// sliced allocates a free slice of the layer to a flag.
func (h *house) sliced(key string, share int) Slice {
	h.t.Helper()
	s, err := h.state.FreeSlice(production, "checkout", key, share)
	if err != nil {
		h.t.Fatal(err)
	}
	a := canary(Whole)
	a.Rollout, a.Salt, a.Slice = "production/"+key+"/1", key, &s
	h.do(key, allocate(a))
	return s
}

// Experiments of one layer share no unit, and the holdout is in none.
func TestSlicesShareNoUnit(t *testing.T) {
	h := newHouse(t)
	h.layered(5000)
	keys := []string{"a", "b", "c"}
	for _, key := range keys {
		f := tagged()
		f.Key = key
		h.define(f)
	}
	want := []Slice{{Salt: "production/checkout", From: 5000, To: 45000}, {Salt: "production/checkout", From: 45000, To: 75000}, {Salt: "production/checkout", From: 75000, To: 100000}}
	got := []Slice{h.sliced("a", 40000), h.sliced("b", 30000), h.sliced("c", 25000)}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("want -, got +\n%s", diff)
	}
	set, counts := h.state.Compile(production, nil), map[string]int{}
	const units = 20000
	for i := range units {
		in := []string{}
		for _, key := range keys {
			if r := set.Evaluate(key, inWorkspace(fmt.Sprintf("w-%d", i))); r.Enrolled {
				in = append(in, key)
			} else if r.Unenrolled != OutsideSlice {
				t.Fatalf("unit %d of %s: %+v", i, key, r)
			}
		}
		if len(in) > 1 {
			t.Fatalf("unit %d is in %v", i, in)
		}
		counts[slices.Concat(in, []string{"holdout"})[0]]++
	}
	for key, share := range map[string]float64{"a": 0.4, "b": 0.3, "c": 0.25, "holdout": 0.05} {
		near(t, key, counts[key], units, share)
	}
	h.do("b", in(Deallocate))
	if s, err := h.state.FreeSlice(production, "checkout", "new", 10000); err != nil || s.From != 45000 {
		t.Errorf("the slice that was given back: got %+v, %v", s, err)
	}
}

// An allocation that asks for a share gets a free slice, and keeps it for as
// long as its rollout compares.
func TestSliceOfAShare(t *testing.T) {
	h := newHouse(t)
	h.layered(5000)
	f := tagged()
	f.Key = "other"
	h.define(tagged(), f)
	h.sliced("other", 20000)
	ask := func(share, coverage int) Change {
		return after(func(a *Allocation) { a.Coverage, a.Slice = coverage, &Slice{Salt: "production/checkout", Share: share} })
	}
	slice := func() Slice {
		r, _ := h.state.Flag("checkout.express")
		return *r.Environments[production].Allocation.Slice
	}
	want := Slice{Salt: "production/checkout", From: 25000, To: 55000, Share: 30000}
	h.do("checkout.express", ask(30000, 1000))
	if got := slice(); got != want {
		t.Errorf("got %+v", got)
	}
	h.do("other", in(Deallocate))
	h.do("checkout.express", ask(30000, 2000))
	if got := slice(); got != want {
		t.Errorf("raised, it moves to %+v", got)
	}
	_, err := h.try(h.command("other", after(func(a *Allocation) { a.Slice = &Slice{Salt: "production/checkout", Share: 50000} })))
	wantRefusal(t, "no room", err, "changes[0].allocation.slice.share: is more than is free in one piece")
}

// The next rollout of a flag may take what the one before it holds: it takes
// its place.
func TestSliceOfTheNextRollout(t *testing.T) {
	h := newHouse(t)
	h.layered(5000)
	h.define(tagged())
	next := func(n int) Change {
		return after(func(a *Allocation) {
			a.Rollout, a.Slice = fmt.Sprint("production/checkout.express/", n), &Slice{Salt: "production/checkout", Share: 60000}
		})
	}
	h.do("checkout.express", next(1))
	h.do("checkout.express", in(Deallocate), next(2))
	f, _ := h.state.Flag("checkout.express")
	if got := f.Environments[production].Allocation.Slice; got.From != 5000 || got.To != 65000 {
		t.Errorf("got %+v", got)
	}
}

func TestSliceRefusals(t *testing.T) {
	h := newHouse(t)
	h.layered(5000)
	f := tagged()
	f.Key = "other"
	h.define(tagged(), f)
	h.sliced("other", 20000)
	const salt = "production/checkout"
	for name, c := range map[string]struct {
		slice Slice
		want  string
	}{
		"no such layer": {Slice{Salt: "production/none", From: 5000, To: 6000}, "changes[0].allocation.slice.salt: is not a layer of production"},
		"holdout":       {Slice{Salt: salt, From: 4999, To: 5000}, "changes[0].allocation.slice.from: is in the holdout of layer checkout, 5%"},
		"overlap":       {Slice{Salt: salt, From: 24999, To: 30000}, "changes[0].allocation.slice: overlaps that of rollout production/other/1, 5000 to 25000"},
		"no range":      {Slice{Salt: salt, From: 30000, To: 30000}, "changes[0].allocation.slice: is not a range between 0 and 100000"},
		"beyond":        {Slice{Salt: salt, From: 30000, To: Whole + 1}, "changes[0].allocation.slice: is not a range between 0 and 100000"},
	} {
		_, err := h.try(h.command("checkout.express", after(func(a *Allocation) { a.Slice = &c.slice })))
		wantRefusal(t, name, err, c.want)
	}
	users := checkout()
	users.Key, users.Unit, users.Environments[production] = "users", "", Environment{Enabled: true}
	h.define(users)
	_, err := h.try(h.command("users", after(func(a *Allocation) { a.Unit, a.Slice = DefaultUnit, &Slice{Salt: salt, From: 30000, To: 40000} })))
	wantRefusal(t, "another unit", err, "changes[0].allocation.unit: is not the unit of layer checkout")
	h.do("checkout.express", after(func(a *Allocation) { a.Slice = &Slice{Salt: salt, From: 25000, To: 30000} }))
	_, err = h.try(h.command("checkout.express", after(func(a *Allocation) { a.Slice = &Slice{Salt: salt, From: 25000, To: 40000} })))
	wantRefusal(t, "within an epoch", err, "changes[0].allocation.slice: has changed within epoch 1")

	for name, c := range map[string]struct {
		layers []Layer
		want   string
	}{
		"no layer":  {nil, "layers: has no layer production/checkout, and rollout production/checkout.express/1 holds a slice of it\nlayers: has no layer production/checkout, and rollout production/other/1 holds a slice of it"},
		"its unit":  {[]Layer{{Name: "checkout"}}, "layers: is another unit of layer checkout than rollout production/checkout.express/1 has\nlayers: is another unit of layer checkout than rollout production/other/1 has"},
		"a holdout": {[]Layer{{Name: "checkout", Unit: "workspace", Holdout: 10000}}, "layers: is a holdout of layer checkout that reaches into the slice of rollout production/other/1"},
	} {
		_, err := h.tryEnvironment(production, &EnvironmentDoc{Key: production, Layers: c.layers})
		wantRefusal(t, name, err, c.want)
	}
	for name, c := range map[string]struct {
		environment, layer string
		share              int
		want               string
	}{
		"environment": {"moon", "checkout", 1, "environment: is not an environment"},
		"layer":       {production, "none", 1, "name: is not a layer of production"},
		"nobody":      {production, "checkout", 0, "share: is not between 1 and 100000"},
		"too much":    {production, "checkout", 70001, "share: is more than is free in one piece"},
	} {
		_, err := h.state.FreeSlice(c.environment, c.layer, "new", c.share)
		wantRefusal(t, name, err, c.want)
	}
}
