package flagd

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/sluice-hq/sluice/flags"
)

// deepest is how far a chain of prerequisites is followed, as in evaluation.
const deepest = 8

// chain is an if that is being written: pairs of condition and answer.
type chain struct {
	pairs []logic
	done  bool // the last condition holds for everybody
}

// add puts a pair behind the others. What follows one that holds for everybody
// is never reached.
func (c *chain) add(when, answer logic) {
	switch {
	case c.done || when == false:
		return
	case when == true:
		c.done = true
		c.pairs = append(c.pairs, answer)
		return
	}
	c.pairs = append(c.pairs, when, answer)
}

// logic closes the chain with the answer for the rest.
func (c *chain) logic(rest logic) logic {
	if !c.done {
		c.pairs = append(c.pairs, rest)
	}
	if len(c.pairs) == 1 {
		return c.pairs[0]
	}
	return op("if", c.pairs...)
}

// answer writes everything that decides between variants, in the order of
// evaluation. rest is what the default is: null lets flagd take it.
func (x *exporter) answer(rest logic) logic {
	var c chain
	e := x.environment()
	for i, p := range e.Prerequisites {
		x.prerequisite(&c, fmt.Sprintf("%s.prerequisites[%d]", x.path, i), p)
	}
	x.targets(&c, e.Targets)
	for i, r := range e.Rules {
		x.rule(&c, fmt.Sprintf("%s.rules[%d]", x.path, i), r, rest)
	}
	for _, r := range x.inherited() {
		x.rule(&c, x.path+".inherited."+r.Name, flags.Rule{Name: r.Name, When: r.When, Serve: r.Serve}, rest)
	}
	for i, r := range e.Served {
		x.rule(&c, fmt.Sprintf("%s.served[%d]", x.path, i), r, rest)
	}
	switch {
	case len(e.Targeting) > 0:
		return c.logic(x.targeting(e.Targeting))
	case e.Allocation != nil:
		x.allocation(&c, x.path+".allocation", *e.Allocation)
	}
	return c.logic(rest)
}

// prerequisite asks what the other flag answers, which is written out.
func (x *exporter) prerequisite(c *chain, path string, p flags.Prerequisite) {
	if x.flag.Safe == "" && x.flag.Default != "" {
		x.refuse(path, nil, "cannot be exported: when it is unmet the code decides, and flagd would give the default", "set safe")
		return
	}
	f, ok := x.flags[p.Flag]
	if !ok || x.depth == deepest {
		c.add(true, answerOf(x.flag.Safe))
		return
	}
	x.load.others++
	if x.load.others > mostOthers {
		return // which definition refuses
	}
	o := exporter{shelf: x.shelf, flag: f, path: path, load: x.load, depth: x.depth + 1}
	is := o.whole()
	x.faults = append(x.faults, o.faults...)
	if variant, constant := is.(string); constant || is == nil {
		c.add(variant != p.Variant, answerOf(x.flag.Safe))
		return
	}
	c.add(other(is, p.Variant), answerOf(x.flag.Safe))
}

// whole writes the flag's answer, the default too, for another flag's
// prerequisite.
func (x *exporter) whole() logic {
	if variant, fixed := x.fixed(); fixed {
		return answerOf(variant)
	}
	if len(x.environment().Targeting) > 0 {
		x.refuse(x.path+".flag", x.flag.Key, "cannot be exported: the other flag has imported targeting, which means something else within this one", "convert it into rules")
		return nil
	}
	return x.answer(answerOf(x.flag.Default))
}

// answerOf is a variant in a rule, null for the one that the code decides.
func answerOf(variant string) logic {
	if variant == "" {
		return nil
	}
	return variant
}

func (x *exporter) targets(c *chain, list []flags.Target) {
	if len(list) == 0 {
		return
	}
	id, ok := x.unit(x.path+".targets", x.unitKind())
	for i, t := range list {
		if ok && x.inline(fmt.Sprintf("%s.targets[%d].units", x.path, i), len(t.Units)) {
			c.add(isOne(id, t.Units), t.Variant)
		}
	}
}

// inline counts ids, and refuses what is too many for a document.
func (x *exporter) inline(path string, n int) bool {
	x.load.ids += n
	if x.load.ids > MaxInlined {
		x.refuse(path, nil, fmt.Sprintf("brings more than %d unit ids into the document", MaxInlined), "use an attribute that says the same")
		return false
	}
	return true
}

// unit reads the id of a kind of unit, which may be no text. For users it is
// the targeting key unless there is an attribute of the name.
func (x *exporter) unit(path, kind string) (logic, bool) {
	if strings.Contains(kind, ".") || kind == flags.TargetingKey {
		x.refuse(path, kind, "is a unit that flagd cannot read: a name with dots is a path there, and targetingKey no attribute here", "use a unit with a plain name")
		return nil, false
	}
	if kind == flags.DefaultUnit {
		return op("var", kind, variable(flags.TargetingKey)), true
	}
	return variable(kind), true
}

func (x *exporter) rule(c *chain, path string, r flags.Rule, rest logic) {
	when := x.condition(path+".when", r.When)
	if r.Split == nil {
		c.add(when, r.Serve)
		return
	}
	if r.Hash != nil {
		c.add(when, x.hashed(path, r, rest))
		return
	}
	id, ok := x.unit(path+".split", x.unitKind())
	if ok {
		c.add(when, op("if", isWord(id), split(salted(x.flag.Key+":"+r.Name+armSalt, id), r.Split), rest))
	}
}

// What stands between salt and unit id in the text that is hashed.
const (
	enrolSalt = ":enrol:"
	armSalt   = ":arm:"
	sliceSalt = ":slice:"
)

// salted joins salt and id. flagd's cat cuts white space off its result, and an
// id may end in some: what stands behind it is taken away again.
func salted(salt string, id logic) logic {
	return op("substr", op("cat", salt, id, "."), 0, -1)
}

// split hashes a text as flags does: weights add up to flags.Whole, so that the
// buckets are the same. One arm takes everybody.
func split(text logic, arms []flags.Arm) logic {
	if len(arms) == 1 {
		return arms[0].Variant
	}
	args := []logic{text}
	for _, a := range arms {
		args = append(args, []any{a.Variant, a.Weight})
	}
	return op("fractional", args...)
}

// hashed is a split that hashes what it was imported with.
func (x *exporter) hashed(path string, r flags.Rule, rest logic) logic {
	usable, text := x.hashInput(path+".hash", *r.Hash)
	return op("if", usable, split(text, r.Split), rest)
}

// portion asks whether a unit's place is in a range.
func (x *exporter) portion(path string, c *flags.Condition) logic {
	usable, text := x.hashInput(path+".hash", *c.Hash)
	from, to, _ := c.Between()
	return and(usable, between(text, from, to))
}

// hashInput writes the text that is hashed, and when there is such.
func (x *exporter) hashInput(path string, h flags.HashInput) (usable, text logic) {
	if h.Version != "" {
		x.refuse(path+".version", h.Version, "cannot be exported: flagd has its own arithmetic alone", "begin a rollout, which has ours, or evaluate the flag at Sluice")
		return false, ""
	}
	id := variable(h.By)
	x.readable(path+".by", h.By)
	if leadingSpace(h.Salt) && !h.Joined {
		x.refuse(path+".salt", h.Salt, "begins with white space, which flagd cuts off", "")
	}
	usable, text = isText(id), salted(h.Salt, id)
	switch {
	case h.Joined:
		usable, text = or(same(id, nil), isText(id), isNumber(id)), op("cat", h.Salt, id)
	case h.By == flags.TargetingKey:
		usable = isWord(id)
	}
	if h.Salt == "" && !h.Joined {
		text = id // which may begin with white space
	}
	return usable, text
}

func leadingSpace(s string) bool { return strings.IndexFunc(s, unicode.IsSpace) == 0 }

// allocation enrols with one hash and picks the arm with another. Whoever is
// left out gets the default.
func (x *exporter) allocation(c *chain, path string, a flags.Allocation) {
	if leadingSpace(a.Salt) || a.Slice != nil && leadingSpace(a.Slice.Salt) {
		x.refuse(path+".salt", a.Salt, "begins with white space, which flagd cuts off", "")
	}
	id, ok := x.unit(path+".unit", x.unitKind())
	if !ok {
		return
	}
	parts := []logic{isWord(id), x.conditionAt(path+".audience", a.Audience, a.Segments)}
	if s := a.Slice; s != nil {
		parts = append(parts, inside(s.Salt+sliceSalt, id, s.From, s.To))
	}
	parts = append(parts, inside(a.Salt+enrolSalt, id, 0, a.Coverage))
	c.add(and(parts...), split(salted(a.Salt+armSalt, id), a.Arms))
}

// inside is true for the ids whose bucket lies in [from, to).
func inside(salt string, id logic, from, to int) logic { return between(salted(salt, id), from, to) }

func between(text logic, from, to int) logic {
	const in, out = "in", "out"
	is := split(text, []flags.Arm{{Variant: out, Weight: from}, {Variant: in, Weight: to - from}, {Variant: out, Weight: flags.Whole - to}})
	return same(is, in)
}

// targeting is an imported rule, which is exported as it is.
func (x *exporter) targeting(rule flags.Logic) logic {
	if _, err := rule.Compile(); err != nil {
		x.refuse(x.path+".targeting", nil, "cannot be evaluated, here or there", "import it again")
		return nil
	}
	return json.RawMessage(slices.Clone(rule))
}
