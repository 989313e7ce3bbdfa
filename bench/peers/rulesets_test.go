package peers

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"

	"github.com/sluice-hq/sluice/flags"
)

// rulesetMaker makes random rulesets that flagd can say, and contexts that
// their rules have an opinion on.
type rulesetMaker struct{ *rand.Rand }

const environment = "production"

func (g rulesetMaker) chance(percent int) bool { return g.IntN(100) < percent }

func pickOne[T any](g rulesetMaker, list ...T) T { return list[g.IntN(len(list))] }

func several[T any](g rulesetMaker, make func() T) []T {
	var out []T
	for range 1 + g.IntN(3) {
		out = append(out, make())
	}
	return out
}

// ruleset makes n flags with the segments and inherited rules that they use.
func (g rulesetMaker) ruleset(n int) flags.Ruleset {
	r := flags.Ruleset{Environment: environment, Revision: 99}
	for i := range 4 {
		for revision := range uint64(1 + g.IntN(2)) {
			r.Segments = append(r.Segments, g.segment(fmt.Sprintf("s%d", i), revision+1))
		}
	}
	r.Rules = []flags.InheritedRule{
		{Tags: []string{"shop"}, Name: "everywhere", When: g.condition(1), Serve: "on"},
		{Tags: []string{"web", "shop"}, Name: "anywhere", When: g.condition(1), Serve: "off"},
	}
	for i := range n {
		r.Flags = append(r.Flags, g.flag(i, r.Flags))
	}
	return r
}

func (g rulesetMaker) segment(key string, revision uint64) flags.RecordedSegment {
	s := flags.RecordedSegment{Segment: flags.Segment{Key: key, Unit: pickOne(g, "user", "workspace")}}
	s.Revision = revision
	if g.chance(70) {
		s.When = g.plain(1)
	}
	if g.chance(60) {
		s.Included = flags.ListOf(g.ids()...)
	}
	if g.chance(40) {
		s.Excluded = flags.ListOf(g.ids()...)
	}
	return s
}

// odd are ids and names of attributes that a writer of JSON, a path or a cat
// may trip over.
var odd = []string{" u ", "u\u00a0", "\u2028ü", `a"b\c`, "<&>", "\x00", "0", "-1", "a b", "current", "accumulator", "Größe", "{}", "[]", "null"}

func (g rulesetMaker) id() string {
	if g.chance(10) {
		return pickOne(g, odd...)
	}
	return fmt.Sprintf("u-%d", g.IntN(30))
}

func (g rulesetMaker) name() string {
	if g.chance(10) {
		return pickOne(g, odd...)
	}
	return pickOne(g, "plan", "age", "version", "tags", "user", "targetingKey", "beta")
}

func (g rulesetMaker) ids() []string {
	seen := map[string]bool{}
	var out []string
	for range 1 + g.IntN(8) {
		if id := g.id(); !seen[id] {
			seen[id], out = true, append(out, id)
		}
	}
	return out
}

func (g rulesetMaker) flag(i int, before []flags.Recorded) flags.Recorded {
	f := flags.Flag{
		Key: fmt.Sprintf("flag-%d", i), Type: flags.String, Unit: pickOne(g, "", "user", "workspace"),
		Variants: flags.Variants{"on": json.RawMessage(`"1"`), "off": json.RawMessage(`"0"`), "blue": json.RawMessage(`"b"`)},
		Default:  g.variant(), Safe: g.variant(),
	}
	if g.chance(30) {
		f.Tags = []string{pickOne(g, "shop", "web", "other")}
	}
	if g.chance(5) {
		f.CodeDefault, f.Default = true, ""
	}
	e := flags.Environment{Enabled: !g.chance(4)}
	if g.chance(3) {
		e.Forced = &flags.Forced{Reason: "test"}
	}
	if g.chance(30) && len(before) > 0 {
		e.Prerequisites = []flags.Prerequisite{{Flag: before[g.IntN(len(before))].Key, Variant: g.variant()}}
	}
	if g.chance(40) {
		e.Targets = []flags.Target{{Variant: g.variant(), Units: g.ids()}}
	}
	for j := range g.IntN(4) {
		e.Rules = append(e.Rules, g.rule(fmt.Sprintf("rule-%d", j)))
	}
	if g.chance(20) {
		e.Served = []flags.Rule{{Name: "served", When: g.condition(1), Serve: g.variant()}}
	}
	if g.chance(60) {
		e.Allocation = g.allocation(f)
	}
	f.Environments = map[string]flags.Environment{environment: e}
	if g.chance(2) {
		f.Environments = nil
	}
	return flags.Recorded{Flag: f, Revision: uint64(i + 1), Archived: g.chance(2), Answer: "blue"}
}

func (g rulesetMaker) variant() string { return pickOne(g, "on", "off", "blue") }

func (g rulesetMaker) arms() []flags.Arm {
	first := 1 + g.IntN(flags.Whole-2)
	if g.chance(30) {
		return flags.Even("on", "off", "blue")
	}
	return []flags.Arm{{Variant: "on", Weight: first}, {Variant: "off", Weight: flags.Whole - first}}
}

func (g rulesetMaker) rule(name string) flags.Rule {
	r := flags.Rule{Name: name, When: g.condition(2)}
	switch {
	case g.chance(60):
		r.Serve = g.variant()
		return r
	case g.chance(30):
		r.Hash = &flags.HashInput{Salt: pickOne(g, "", "salt", "flag-1", "end ", `"<\`), By: pickOne(g, "targetingKey", "user", "plan", "age", g.name()), Joined: g.chance(50)}
	}
	r.Split = g.arms()
	return r
}

func (g rulesetMaker) allocation(f flags.Flag) *flags.Allocation {
	a := &flags.Allocation{Rollout: "r", Epoch: 1, Salt: f.Key + "#2", Unit: f.Unit, Coverage: g.IntN(flags.Whole + 1), Arms: g.arms()}
	if g.chance(50) {
		a.Audience = g.condition(1)
		a.Segments = map[string]uint64{"s0": 1, "s1": 1, "s2": 1, "s3": 1}
	}
	if g.chance(30) {
		from := g.IntN(flags.Whole)
		a.Slice = &flags.Slice{Salt: "layer", From: from, To: from + 1 + g.IntN(flags.Whole-from)}
	}
	return a
}

// condition may ask for segments, plain ones do not.
func (g rulesetMaker) condition(depth int) *flags.Condition {
	if g.chance(10) {
		return nil
	}
	c := g.node(depth, true)
	return &c
}

func (g rulesetMaker) plain(depth int) *flags.Condition {
	c := g.node(depth, false)
	return &c
}

func (g rulesetMaker) node(depth int, segments bool) flags.Condition {
	sub := func() flags.Condition { return g.node(depth-1, segments) }
	switch {
	case depth > 0 && g.chance(20):
		return flags.Condition{All: several(g, sub)}
	case depth > 0 && g.chance(20):
		return flags.Condition{Any: several(g, sub)}
	case depth > 0 && g.chance(20):
		return flags.Condition{None: several(g, sub)}
	case segments && g.chance(20):
		return flags.Condition{Op: pickOne(g, flags.InSegment, flags.NotInSegment), Values: several(g, func() any { return fmt.Sprintf("s%d", g.IntN(4)) })}
	}
	return g.leaf()
}

func (g rulesetMaker) leaf() flags.Condition {
	c := flags.Condition{Attribute: g.name()}
	switch g.IntN(7) {
	case 0:
		c.Op, c.Value = pickOne(g, flags.Eq, flags.Ne), g.scalar()
	case 1:
		c.Op, c.Values = pickOne(g, flags.In, flags.NotIn), several(g, g.scalar)
	case 2:
		c.Op, c.Value = pickOne(g, flags.Lt, flags.Lte, flags.Gt, flags.Gte), pickOne[any](g, 0, 1, 18, 1.5, -1)
	case 3:
		c.Op, c.Values = pickOne(g, flags.Contains, flags.NotContains, flags.StartsWith, flags.EndsWith), several(g, func() any { return pickOne(g, "p", "pro", "u-1", "1", "o") })
	case 4:
		c.Op = pickOne(g, flags.IsSet, flags.IsNotSet)
	case 5:
		c.Op = pickOne(g, flags.SemverEq, flags.SemverNe, flags.SemverLt, flags.SemverLte, flags.SemverGt, flags.SemverGte)
		c.Value = pickOne(g, "1.2.3", "v2", "1.0", "2.0.0-rc.1", "1.2.3+build")
	case 6:
		c.Op, c.Values = flags.Modulo, pickOne(g, []any{2, 0}, []any{3, 1}, []any{18, 0})
	}
	return c
}

func (g rulesetMaker) scalar() any {
	return pickOne[any](g, "pro", "free", "u-1", "u-2", "1.2.3", "0", "", 0, 1, 18, 1.5, true, false)
}

// context makes attributes of every kind, and often none.
func (g rulesetMaker) context() flags.Context {
	c := flags.Context{Attributes: map[string]any{}}
	if g.chance(85) {
		c.TargetingKey = g.id()
	}
	for _, name := range []string{"plan", "age", "version", "tags", "user", "workspace", "beta"} {
		if g.chance(55) {
			c.Attributes[name] = g.attribute(name)
		}
	}
	for _, name := range odd {
		if g.chance(55) {
			c.Attributes[name] = g.attribute(name)
		}
	}
	return c
}

func (g rulesetMaker) attribute(name string) any {
	if (name == "user" || name == "workspace") && g.chance(80) {
		return g.id()
	}
	return pickOne[any](g, "pro", "free", "u-1", "u-2", "u-3x", "", " ", "0", "1.2.3", "v2.0", "2.0.0-rc.1", "1.2-rc", "01.2.3", "1.2.4+b", "1.0.0-01", "18",
		0.0, 1.0, 18.0, 1.5, -3.0, 1e20, true, false, nil, []any{}, []any{nil}, []any{"pro", "u-1"}, []any{18.0, "free"}, []any{[]any{"pro"}}, []any{true, 0.0},
		[]any{map[string]any{"a": 1.0}}, []any{"2.0.0", "x"}, map[string]any{}, map[string]any{"pro": "x"}, map[string]any{"a": 1.0, "b": 2.0})
}
