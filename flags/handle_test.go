package flags

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/event"
)

// refusal returns "path: why" for each fault, or the text of another error.
func refusal(err error) string {
	var faults event.Invalids
	if !errors.As(err, &faults) {
		if err == nil {
			return ""
		}
		return err.Error()
	}
	lines := make([]string, len(faults))
	for i, f := range faults {
		lines[i] = f.Path + ": " + f.Why
	}
	return strings.Join(lines, "\n")
}

func define(change func(*Flag)) Change {
	f := checkout()
	if change != nil {
		change(&f)
	}
	return Change{Op: Define, Flag: &f}
}

func serve(r Rule) Change { return in(Serve, func(c *Change) { c.Rule = &r }) }

// target gives a flag imported targeting in production.
func target(f *Flag, rule string) {
	e := f.Environments[production]
	e.Targeting = Logic(rule)
	f.Environments[production] = e
}

// after returns an allocation of the canary that was changed.
func after(change func(*Allocation)) Change {
	a := canary(5000)
	change(a)
	return allocate(a)
}

// A story: what was done to checkout before, and a command that is refused.
func TestRefusals(t *testing.T) {
	beta := Rule{Name: "beta", Serve: "on"}
	for name, c := range map[string]struct {
		before []Change
		change Change
		want   string
	}{
		"unknown op":         {nil, Change{Op: "explode"}, `changes[0].op: is not a change`},
		"no op":              {nil, Change{}, `changes[0].op: is missing`},
		"define nothing":     {nil, Change{Op: Define}, `flag: is missing`},
		"imported operator":  {nil, define(func(f *Flag) { target(f, `{"if":[{"nope":1},"on"]}`) }), `environments.production.targeting.if[0].nope: is not an operator: "nope"`},
		"targeting, no JSON": {nil, define(func(f *Flag) { target(f, `{`) }), `environments.production.targeting: is not JSON: unexpected EOF`},
		"roll out targeting": {[]Change{define(func(f *Flag) { target(f, `"on"`) })}, allocate(canary(1)), `changes[0].op: is refused: the flag has imported targeting, which decides before a rollout could`},
		"serve, safe unset":  {[]Change{define(func(f *Flag) { f.Safe, f.CodeDefault = "", true })}, serve(beta), `changes[0].op: is refused: the flag has no safe variant to roll back to`},
		"target a rollout":   {[]Change{allocate(canary(1))}, define(func(f *Flag) { target(f, `"on"`) }), `environments.production.targeting: is refused: rollout production/checkout.express/1 holds the environment`},
		"unset safe":         {[]Change{allocate(canary(1))}, define(func(f *Flag) { f.Safe, f.CodeDefault = "", true }), `safe: is missing, and a rollout holds production`},
		"hash without split": {nil, define(func(f *Flag) { f.Environments[production].Rules[0].Hash = &HashInput{By: "x"} }), `environments.production.rules[0].hash: has no meaning without a split`},
		"hash of nothing": {nil, define(func(f *Flag) {
			r := &f.Environments[production].Rules[0]
			r.Serve, r.Split, r.Hash = "", Even("on"), &HashInput{}
		}), `environments.production.rules[0].hash.by: is missing`},
		"define another":       {nil, define(func(f *Flag) { f.Key = "other" }), `key: is not the flag that is being defined, checkout.express`},
		"define badly":         {nil, define(func(f *Flag) { f.Owner = "" }), `owner: is missing`},
		"rule that is over":    {nil, define(func(f *Flag) { f.Environments[production].Rules[0].Until = "2026-11-02" }), `environments.production.rules[0].until: has passed`},
		"adopt by nobody":      {nil, Change{Op: Adopt}, `changes[0].name: is empty`},
		"no environment":       {nil, Change{Op: Enable}, `changes[0].environment: is missing`},
		"unknown environment":  {nil, Change{Op: Enable, Environment: "moon"}, `changes[0].environment: is not an environment of the flag`},
		"force without reason": {nil, force(" "), `changes[0].reason: is missing`},
		"unserve nothing":      {nil, in(Unserve), `changes[0].name: is missing`},
		"serve nothing":        {nil, in(Serve), `changes[0].rule: is missing`},
		"serve a missing arm":  {nil, serve(Rule{Name: "beta", Serve: "blue"}), `changes[0].rule.serve: is not a variant`},
		"serve under a rule":   {nil, serve(Rule{Name: "staff", Serve: "on"}), `changes[0].rule.name: is the name of a rule of the definition`},
		"serve until":          {nil, serve(Rule{Name: "beta", Serve: "on", Until: "2027-01-01"}), `changes[0].rule.until: has no meaning for a served audience`},
		"serve when forced":    {[]Change{force("slow")}, serve(beta), `changes[0].op: is refused: the flag is forced to its safe variant (slow)`},
		"allocate nothing":     {nil, in(Allocate), `changes[0].allocation: is missing`},
		"allocate when forced": {[]Change{force("slow")}, allocate(canary(1)), `changes[0].op: is refused: the flag is forced to its safe variant (slow)`},
		"arm not a variant": {nil, after(func(a *Allocation) { a.Arms = Even("on", "blue") }),
			`changes[0].allocation.arms[1].variant: is not a variant`},
		"another unit": {nil, after(func(a *Allocation) { a.Unit = "user" }), `changes[0].allocation.unit: is not the flag's unit`},
		"coverage":     {nil, after(func(a *Allocation) { a.Coverage = Whole + 1 }), `changes[0].allocation.coverage: is not between 0 and 100000`},
		"hash version": {nil, after(func(a *Allocation) { a.HashVersion = 3 }), `changes[0].allocation.hashVersion: is not a hash of this version`},
		"empty": {nil, allocate(&Allocation{}),
			"changes[0].allocation.rollout: is missing\nchanges[0].allocation.salt: is missing\nchanges[0].allocation.epoch: is not a number from 1\n" +
				"changes[0].allocation.unit: is missing\nchanges[0].allocation.arms: is missing"},
		"audience": {nil, after(func(a *Allocation) { a.Audience = &Condition{Attribute: "a", Op: "is"} }),
			`changes[0].allocation.audience.op: is not an operator`},
		"another rollout": {[]Change{allocate(canary(1))}, after(func(a *Allocation) { a.Rollout = "production/checkout.express/2" }),
			`changes[0].allocation.rollout: is refused: rollout production/checkout.express/1 holds the environment`},
		"same epoch, other arms": {[]Change{allocate(canary(1))}, after(func(a *Allocation) { a.Arms = Even("off", "on") }),
			`changes[0].allocation.arms: has changed within epoch 1`},
		"same epoch, other salt": {[]Change{allocate(canary(1))}, after(func(a *Allocation) { a.Salt = "x" }),
			`changes[0].allocation.salt: has changed within epoch 1`},
		"same epoch, other audience": {[]Change{allocate(canary(1))}, after(func(a *Allocation) { a.Audience = &Condition{Attribute: "a", Op: IsSet} }),
			`changes[0].allocation.audience: has changed within epoch 1`},
		"same epoch, other eligible": {[]Change{allocate(canary(1))}, after(func(a *Allocation) { a.Eligible = "low-risk" }),
			`changes[0].allocation.eligible: has changed within epoch 1`},
		"same epoch, after a pause": {[]Change{allocate(canary(1)), in(Deallocate)}, after(func(a *Allocation) { a.Arms = Even("off", "on") }),
			`changes[0].allocation.arms: has changed within epoch 1`},
		"an epoch that is over": {[]Change{after(func(a *Allocation) { a.Epoch = 3 })}, after(func(a *Allocation) { a.Epoch = 2 }),
			`changes[0].allocation.epoch: is over: the rollout is in epoch 3`},
		"archived": {[]Change{{Op: Archive}}, in(Enable), `changes[0].op: is refused: the flag is archived`},
		"archive under way": {[]Change{allocate(canary(1))}, Change{Op: Archive},
			`changes[0].op: is refused: rollout production/checkout.express/1 is under way`},
		"archive to nothing": {nil, Change{Op: Archive, Variant: "blue"}, `changes[0].variant: is not a variant`},
		"define an allocation": {nil, define(func(f *Flag) { f.Environments[production] = Environment{Allocation: canary(1)} }),
			`environments.production.allocation: belongs to a rollout`},
		"define the forced state": {nil, define(func(f *Flag) { f.Environments[production] = Environment{Forced: &Forced{}} }),
			`environments.production.forced: is set by forcing the flag`},
		"define an audience": {nil, define(func(f *Flag) { f.Environments[production] = Environment{Served: []Rule{beta}} }),
			`environments.production.served: belongs to a rollout`},
		"take the environment": {[]Change{force("slow")}, define(func(f *Flag) { f.Environments = nil }),
			`environments.production: is missing, and a rollout holds it`},
		"take an arm": {[]Change{allocate(canary(1))}, define(func(f *Flag) {
			f.Variants = Variants{"off": json.RawMessage(`false`)}
			f.Environments[production] = Environment{Enabled: true}
		}), `variants.on: is missing, and is used by rollout production/checkout.express/1`},
		"take a served variant": {[]Change{serve(beta)}, define(func(f *Flag) {
			f.Variants = Variants{"off": json.RawMessage(`false`)}
			f.Environments[production] = Environment{Enabled: true}
		}), `variants.on: is missing, and is used by an audience served in production`},
		"turn an arm": {[]Change{allocate(canary(1))}, define(func(f *Flag) { f.Variants["on"] = json.RawMessage(`false`) }),
			`variants.on: has another value, and is an arm of rollout production/checkout.express/1`},
		"change the unit": {[]Change{allocate(canary(1))}, define(func(f *Flag) { f.Unit = "user" }), `unit: is not the unit of production/checkout.express/1`},
		"a rule in an audience's place": {[]Change{serve(beta)}, define(func(f *Flag) {
			f.Environments[production].Rules[0].Name, f.Environments[production].Rules[0].Serve = "beta", "off"
		}),
			`environments.production.rules[0].name: is the name of an audience that a rollout serves`},
	} {
		h := newHouse(t)
		h.define(checkout())
		for _, change := range c.before {
			h.do("checkout.express", change)
		}
		_, err := h.try(h.command("checkout.express", c.change))
		if diff := cmp.Diff(c.want, refusal(err)); diff != "" {
			t.Errorf("%s: want -, got +\n%s", name, diff)
		}
	}
}

func TestRefusedCommands(t *testing.T) {
	h := newHouse(t)
	if _, err := h.try(h.command("checkout.express", in(Enable))); !errors.Is(err, ErrUnknown) {
		t.Errorf("unknown flag: got %v", err)
	}
	if _, err := h.try(h.command("checkout.express")); !errors.Is(err, ErrUnknown) {
		t.Errorf("no changes to an unknown flag: got %v", err)
	}
	h.define(checkout())
	c := h.command("checkout.express")
	c.Actor = ""
	if _, err := h.try(c); refusal(err) != "changes: is missing\nactor: is missing" {
		t.Errorf("empty command: got %v", err)
	}
	c = h.command("checkout.express", in(Disable))
	c.Expect = 7
	if _, err := h.try(c); !errors.Is(err, event.ErrConflict) {
		t.Errorf("other revision: got %v", err)
	}
	if _, err := h.try(h.command("checkout.express", in(Disable), in("x"))); refusal(err) != "changes[1].op: is not a change" {
		t.Errorf("second change at fault: got %v", err)
	}
	if r, _ := h.state.Flag("checkout.express"); !r.Environments[production].Enabled {
		t.Error("a refused command was carried out by half")
	}
}

func TestUnchanged(t *testing.T) {
	h := newHouse(t)
	h.define(checkout())
	for _, c := range []Change{define(nil), in(Enable), in(Unforce), in(Deallocate), in(Unserve, func(c *Change) { c.Name = "x" }), {Op: Restore}} {
		if _, err := h.try(h.command("checkout.express", c)); !errors.Is(err, ErrUnchanged) {
			t.Errorf("%s: got %v, want ErrUnchanged", c.Op, err)
		}
	}
	effect := h.command("checkout.express", in(Enable))
	effect.Cause = "a decision"
	if _, err := h.try(effect); err != nil {
		t.Errorf("the effect of a decision is refused: %v", err)
	}
}

// A document that was read, with what rollouts hold, can be applied again.
func TestDefineKeepsWhatRolloutsOwn(t *testing.T) {
	h := newHouse(t)
	h.define(checkout())
	h.do("checkout.express", serve(Rule{Name: "beta", Serve: "on"}), allocate(canary(5000)))
	h.do("checkout.express", force("latency"))
	before, _ := h.state.Flag("checkout.express")
	read := before.Flag
	if _, err := h.try(h.command("checkout.express", Change{Op: Define, Flag: &read})); !errors.Is(err, ErrUnchanged) {
		t.Errorf("the flag as it was read: got %v, want ErrUnchanged", err)
	}
	h.do("checkout.express", define(func(f *Flag) { f.Owner = "others" }))
	got, _ := h.state.Flag("checkout.express")
	if diff := cmp.Diff(before.Environments, got.Environments); diff != "" || got.Owner != "others" {
		t.Errorf("owner %s; before -, after +\n%s", got.Owner, diff)
	}
}

func TestDefinitionIsRecordedInOneForm(t *testing.T) {
	h := newHouse(t)
	f := checkout()
	f.Type, f.Variants = Object, Variants{"on": json.RawMessage(`{"b": 1.50, "a":[ ]}`), "off": json.RawMessage(`{}`)}
	h.define(f)
	f.Variants["on"] = json.RawMessage(`{"a":[],"b":1.50}`)
	if _, err := h.try(h.command(f.Key, Change{Op: Define, Flag: &f})); !errors.Is(err, ErrUnchanged) {
		t.Errorf("the same value in another form: got %v", err)
	}
	h.do(f.Key, allocate(canary(1)))
	read, _ := h.state.Flag(f.Key)
	read.Owner = "others"
	e, _, err := h.state.Handle(h.command(f.Key, Change{Op: Define, Flag: &read.Flag}))
	if err != nil || strings.Contains(string(e.Data), "allocation") {
		t.Errorf("error %v; recorded with what a rollout owns: %s", err, e.Data)
	}
}

// Handle runs beside readers, so it must not write behind a slice they hold.
func TestHandleWritesToNoSharedSlice(t *testing.T) {
	h := newHouse(t)
	h.define(checkout())
	for _, name := range []string{"a", "b", "c"} {
		h.do("checkout.express", serve(Rule{Name: name, Serve: "on"}))
	}
	r, _ := h.state.Flag("checkout.express")
	served := r.Environments[production].Served
	behind := append(served[:len(served):len(served)], served[len(served):cap(served)]...)
	if _, _, err := h.state.Handle(h.command("checkout.express", serve(Rule{Name: "d", Serve: "on"}))); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(behind, served[:cap(served)]); diff != "" {
		t.Errorf("before -, after +\n%s", diff)
	}
}

func TestServeReplacesByName(t *testing.T) {
	h := newHouse(t)
	h.define(checkout())
	h.do("checkout.express", serve(Rule{Name: "beta", Serve: "on"}), serve(Rule{Name: "staff2", Serve: "on"}))
	early, _ := h.state.Flag("checkout.express")
	h.do("checkout.express", serve(Rule{Name: "beta", Serve: "off"}), in(Unserve, func(c *Change) { c.Name = "staff2" }))
	late, _ := h.state.Flag("checkout.express")
	if diff := cmp.Diff([]Rule{{Name: "beta", Serve: "off"}}, late.Environments[production].Served); diff != "" {
		t.Errorf("want -, got +\n%s", diff)
	}
	if got := early.Environments[production].Served; len(got) != 2 || got[0].Serve != "on" {
		t.Errorf("what was read before has changed: %+v", got)
	}
}

func TestArchiveAnswersTheEndState(t *testing.T) {
	for end, want := range map[EndState]string{Promote: "on", Remove: "off"} {
		h := newHouse(t)
		h.do("checkout.express", define(func(f *Flag) { f.Cleanup.EndState, f.Default = end, "on" }))
		h.do("checkout.express", Change{Op: Archive})
		r := h.state.Compile("anywhere", nil).Evaluate("checkout.express", &Context{})
		if r.Variant != want || r.Step != AtArchived {
			t.Errorf("%s: got %s at %s, want %s", end, r.Variant, r.Step, want)
		}
		h.do("checkout.express", Change{Op: Restore})
		if r := h.state.Compile(production, nil).Evaluate("checkout.express", &Context{}); r.Step != AtDefault {
			t.Errorf("restored: got %+v", r)
		}
	}
}

func TestPrerequisites(t *testing.T) {
	needs := func(key, flag, variant string) Flag {
		f := checkout()
		f.Key, f.Environments = key, map[string]Environment{production: {Enabled: true, Prerequisites: []Prerequisite{{flag, variant}}}}
		return f
	}
	h := newHouse(t)
	h.define(checkout(), needs("b", "checkout.express", "on"))
	for name, c := range map[string]struct {
		flag Flag
		want string
	}{
		"unknown": {needs("c", "nothing", "on"), `environments.production.prerequisites[0].flag: is not a flag`},
		"variant": {needs("c", "checkout.express", "blue"), `environments.production.prerequisites[0].variant: is not a variant`},
		"chain":   {needs("c", "b", "on"), `environments.production.prerequisites[0].flag: has prerequisites of its own, and chains deeper than 1 are refused`},
		"cycle":   {needs("checkout.express", "b", "on"), `environments.production.prerequisites[0].flag: needs this flag itself (b needs checkout.express): that is a cycle`},
	} {
		if _, err := h.try(h.command(c.flag.Key, Change{Op: Define, Flag: &c.flag})); refusal(err) != c.want {
			t.Errorf("%s: got %s", name, refusal(err))
		}
	}
	f := checkout()
	f.Key = "base"
	h.define(f)
	f = needs("checkout.express", "base", "on")
	if _, err := h.try(h.command(f.Key, Change{Op: Define, Flag: &f})); refusal(err) != "environments.production.prerequisites: makes the chain that begins with b deeper than 1" {
		t.Errorf("chain from below: got %s", refusal(err))
	}
	f = checkout()
	f.Variants, f.Environments = Variants{"off": json.RawMessage(`false`)}, nil
	if _, err := h.try(h.command(f.Key, Change{Op: Define, Flag: &f})); refusal(err) != "variants.on: is missing, and is used by the prerequisites of b" {
		t.Errorf("variant that is needed: got %s", refusal(err))
	}
	if _, err := h.try(h.command(f.Key, Change{Op: Archive})); refusal(err) != "changes[0].op: is refused: it is a prerequisite of b" {
		t.Errorf("archive of what is needed: got %s", refusal(err))
	}
	h.do(f.Key, Change{Op: Archive, Reason: "b is going too"})
	if got := h.state.Dependants("checkout.express"); !cmp.Equal(got, []string{"b"}) {
		t.Errorf("dependants: got %v", got)
	}
}

func TestAllocationAt(t *testing.T) {
	h := newHouse(t)
	h.define(checkout())
	first := h.do("checkout.express", allocate(canary(1000)))
	second := h.do("checkout.express", allocate(canary(5000)))
	forced := h.do("checkout.express", force("latency"))
	unforced := h.do("checkout.express", in(Unforce))
	defined := h.do("checkout.express", define(func(f *Flag) { f.Owner = "others" }))
	disabled := h.do("checkout.express", in(Disable))
	enabled := h.do("checkout.express", in(Enable))
	archived := h.do("checkout.express", Change{Op: Archive, Reason: "over"})
	want := map[uint64]int{0: -1, first - 1: -1, first: 1000, second: 5000, forced: -1, unforced: 5000, defined: 5000, disabled: -1, enabled: 5000, archived: -1, archived + 9: -1}
	for revision, coverage := range want {
		a, ok := h.state.AllocationAt(production, "checkout.express", revision)
		if ok != (coverage >= 0) || ok && a.Coverage != coverage {
			t.Errorf("revision %d: got %v %+v, want coverage %d", revision, ok, a, coverage)
		}
	}
	for _, c := range [][2]string{{"staging", "checkout.express"}, {production, "other"}} {
		if _, ok := h.state.AllocationAt(c[0], c[1], second); ok {
			t.Errorf("%v has an allocation", c)
		}
	}
}

func TestExpired(t *testing.T) {
	h := newHouse(t)
	defined := h.command("checkout.express", define(func(f *Flag) { f.Environments[production].Rules[0].Until = "2027-01-01" }))
	if _, err := h.try(defined); err != nil {
		t.Fatal(err)
	}
	until := time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
	if got := h.state.Expired(until.Add(-time.Second)); len(got) != 0 {
		t.Errorf("before its time: %+v", got)
	}
	due := h.state.Expired(until)
	if len(due) != 1 || due[0].Cause != defined.ID.String() || due[0].ID != h.state.Expired(until.Add(time.Hour))[0].ID {
		t.Fatalf("got %+v", due)
	}
	seq, err := h.try(due[0])
	if at, ok := h.state.Applied(due[0].ID); err != nil || !ok || at != seq {
		t.Errorf("error %v, applied %v at %d, want %d", err, ok, at, seq)
	}
	if r, _ := h.state.Flag("checkout.express"); len(r.Environments[production].Rules) != 0 || len(h.state.Expired(until)) != 0 {
		t.Errorf("the rule is still there: %+v", r)
	}
}

func TestHandleLeavesTheCommandAlone(t *testing.T) {
	h := newHouse(t)
	c := h.command("checkout.express", define(func(f *Flag) { f.Default, f.Unit = "", "" }))
	if _, err := h.try(c); err != nil {
		t.Fatal(err)
	}
	if f := c.Changes[0].Flag; f.Default != "" || f.Unit != "" {
		t.Errorf("the caller's document was changed: %+v", f)
	}
	if r, _ := h.state.Flag("checkout.express"); r.Default != "off" || r.Unit != DefaultUnit {
		t.Errorf("defaults are not recorded: %+v", r.Flag)
	}
}
