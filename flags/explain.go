package flags

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Explanation says how a result came about.
type Explanation struct {
	Result  Result   `json:"result"`
	Looks   []Look   `json:"looks"`             // everything looked at, in order; the last one decided
	Buckets []Hashed `json:"buckets,omitempty"` // the allocation's two and those of splits, whether or not they were asked
}

// Look is one thing that evaluation looked at.
type Look struct {
	Step      Step    `json:"step"`
	Name      string  `json:"name,omitempty"` // of the rule, prerequisite or rollout
	Decided   bool    `json:"decided"`        // the answer was given here
	Why       string  `json:"why"`            // a sentence
	Condition *Tested `json:"condition,omitempty"`
}

// Tested is a condition with the answer it gave for a context.
type Tested struct {
	Condition string          `json:"condition"` // as people read it
	Met       bool            `json:"met"`
	Is        json.RawMessage `json:"is,omitempty"`    // what the attribute was; absent when the context has none
	Parts     []Tested        `json:"parts,omitempty"` // of all, any and none

	Segments []Membership `json:"segments,omitempty"` // that were asked for
}

// Hashed is one bucket, with the text that was hashed for it.
type Hashed struct {
	Of      string `json:"of"`                // "slice", "enrolment", "arm", or the name of the rule that splits
	Text    string `json:"text"`              // Bucket(Text) == Bucket, where there is no Version
	Bucket  int    `json:"bucket"`            // 0 … Whole-1
	From    int    `json:"from,omitempty"`    // slice: where it begins
	Below   int    `json:"below"`             // enrolment: the coverage; slice: its end; else the arm's cumulated weight
	Variant string `json:"variant,omitempty"` // the arm, where there are arms

	Version Foreign `json:"version,omitempty"` // whose arithmetic; empty: ours
}

// Explain evaluates like Evaluate and says why. It allocates, and is for
// people.
func (t *Set) Explain(key string, c *Context) Explanation {
	x := Explanation{Result: t.Evaluate(key, c)}
	f, ok := t.flags[key]
	if !ok {
		x.add(AtUnknown, "", true, "there is no flag with this key")
		return x
	}
	x.imported(f, c)
	x.buckets(key, f, x.Result.UnitID)
	if f.fixed != nil {
		x.add(x.Result.Step, "", true, fixedWhy(x.Result.Step))
		return x
	}
	if x.prerequisites(t, f, c) || x.target(f) || x.rules(f, c) || x.targeting(f) || x.allocation(f, c) {
		return x
	}
	x.add(AtDefault, "", true, "nothing before decided")
	return x
}

func (x *Explanation) add(step Step, name string, decided bool, why string) {
	x.Looks = append(x.Looks, Look{Step: step, Name: name, Decided: decided, Why: why})
}

func fixedWhy(step Step) string {
	switch step {
	case AtArchived:
		return "the flag is archived: everybody gets its last answer"
	case AtForced:
		return "the flag is forced: everybody gets the safe variant"
	case AtList:
		return "a list of units that the flag asks for is not there yet: nobody gets an answer"
	}
	return "the flag is disabled in this environment: everybody gets the safe variant"
}

// prerequisites reports whether one of them decided.
func (x *Explanation) prerequisites(t *Set, f *compiled, c *Context) bool {
	for i := range f.prerequisites {
		p := &f.prerequisites[i]
		met, is := t.meets(p, c, 0), t.Evaluate(p.Flag, c)
		why := fmt.Sprintf("%s answers %s, and must answer %s", p.Flag, is.Variant, p.Variant)
		if is.Error != "" {
			why = fmt.Sprintf("%s is not a flag, and must answer %s", p.Flag, p.Variant)
		}
		x.add(AtPrerequisite, p.Flag, !met, why)
		if !met {
			return true
		}
	}
	return false
}

// target reports whether one decided.
func (x *Explanation) target(f *compiled) bool {
	if f.targets == nil {
		return false
	}
	unit := x.Result.UnitID
	o, ok := f.targets[unit]
	switch {
	case unit == "":
		x.add(AtTarget, "", false, "the context has no "+f.unit+" that could be targeted")
	case !ok:
		x.add(AtTarget, "", false, fmt.Sprintf("%s %q is not targeted", f.unit, unit))
	default:
		x.add(AtTarget, "", true, fmt.Sprintf("%s %q is targeted: %s", f.unit, unit, o.result.Variant))
	}
	return ok
}

// rules reports whether one decided.
func (x *Explanation) rules(f *compiled, c *Context) bool {
	for i := range f.rules {
		r := &f.rules[i]
		look := Look{Step: AtRule, Name: r.doc.Name, Decided: true, Why: "the rule is for everybody"}
		if r.when != nil {
			tested := r.when.explain(c)
			look.Decided, look.Condition = tested.Met, &tested
			look.Why = "the condition is " + metText(tested.Met)
		}
		if r.from != nil {
			look.Why = "inherited by tag " + strings.Join(r.from.Tags, " or ") + ": " + look.Why
		}
		if look.Decided && r.split != nil && r.split.hash == nil && x.Result.UnitID == "" {
			look.Why += "; it splits, and the context has no " + f.unit
		}
		x.Looks = append(x.Looks, look)
		if look.Decided {
			return true
		}
	}
	return false
}

func metText(met bool) string {
	if met {
		return "met"
	}
	return "not met"
}

// targeting reports whether it decided.
func (x *Explanation) targeting(f *compiled) bool {
	if f.targeting == nil {
		return false
	}
	switch r := x.Result; {
	case r.Step == AtDefault:
		x.add(AtTargeting, "", false, "the imported rule gives null: the default")
	case r.Error != "":
		x.add(AtTargeting, "", true, r.details())
	default:
		x.add(AtTargeting, "", true, "the imported rule gives "+r.Variant)
	}
	return x.Result.Step != AtDefault
}

// allocation reports whether it decided.
func (x *Explanation) allocation(f *compiled, c *Context) bool {
	a := f.allocation
	if a == nil {
		return false
	}
	look := Look{Step: AtAllocation, Name: a.doc.Rollout, Decided: x.Result.Step == AtAllocation}
	if a.audience != nil {
		tested := a.audience.explain(c)
		look.Condition = &tested
	}
	switch left := x.Result.Unenrolled; {
	case left == NoUnit:
		look.Why = fmt.Sprintf("the context has no %s: a non-empty string is needed", f.unit)
	case left == OutsideAudience:
		look.Why = "the audience's condition is not met"
	case left == OutsideCoverage:
		look.Why = fmt.Sprintf("the enrolment bucket is not below the coverage of %d", a.coverage)
	case a.doc.Ramp:
		look.Why = fmt.Sprintf("the enrolment bucket is below the ramp's coverage of %d: %s", a.coverage, x.Result.Variant)
	default:
		look.Why = fmt.Sprintf("enrolled in epoch %d at a coverage of %d: arm %s", a.doc.Epoch, a.coverage, x.Result.Variant)
	}
	x.Looks = append(x.Looks, look)
	return look.Decided
}

// buckets writes down every hash of the unit that the flag could ask for.
func (x *Explanation) buckets(key string, f *compiled, unit string) {
	if unit == "" {
		return
	}
	if a := f.allocation; a != nil {
		if a.slice != nil {
			text := a.doc.Slice.Salt + sliceSalt + unit
			x.Buckets = append(x.Buckets, Hashed{Of: "slice", Text: text, Bucket: Bucket(text), From: a.slice.from, Below: a.slice.to})
		}
		enrol := a.doc.Salt + enrolSalt + unit
		x.Buckets = append(x.Buckets, Hashed{Of: "enrolment", Text: enrol, Bucket: Bucket(enrol), Below: a.coverage},
			a.split.explain("arm", a.doc.Salt, unit))
	}
	for i := range f.rules {
		if r := &f.rules[i]; r.split != nil && r.split.hash == nil {
			x.Buckets = append(x.Buckets, r.split.explain(r.doc.Name, key+":"+r.doc.Name, unit))
		}
	}
}

func (s *split) explain(of, salt, unit string) Hashed {
	text := salt + armSalt + unit
	return s.explainBucket(of, text, Bucket(text))
}

// imported writes down the hashes of splits that hash another text.
func (x *Explanation) imported(f *compiled, c *Context) {
	for i := range f.rules {
		r := &f.rules[i]
		if r.split == nil || r.split.hash == nil {
			continue
		}
		if b, ok := r.split.hash.bucket(c); ok {
			h := r.split.explainBucket(r.doc.Name, r.split.hash.written(c), b)
			h.Version = r.split.hash.Version
			x.Buckets = append(x.Buckets, h)
		}
	}
}

func (s *split) explainBucket(of, text string, bucket int) Hashed {
	h := Hashed{Of: of, Text: text, Bucket: bucket}
	for _, a := range s.arms {
		if h.Bucket < a.below {
			h.Below, h.Variant = a.below, a.outcome.result.Variant
			break
		}
	}
	return h
}

func (n *node) explain(c *Context) Tested {
	t := Tested{Condition: n.doc.String()}
	for i := range n.children {
		t.Parts = append(t.Parts, n.children[i].explain(c))
	}
	for _, s := range n.segments {
		t.Segments = append(t.Segments, s.explain(c))
	}
	if n.join == leaf && n.about != membership {
		t.Is = n.is(c)
	}
	t.Met = !n.never && n.joined(c, t.Parts)
	return t
}

// joined makes a node's answer of those of its parts, or asks the leaf.
func (n *node) joined(c *Context, parts []Tested) bool {
	isMet := func(t Tested) bool { return t.Met }
	switch n.join {
	case all:
		return !slices.ContainsFunc(parts, func(t Tested) bool { return !t.Met })
	case anyOf:
		return slices.ContainsFunc(parts, isMet)
	case none:
		return !slices.ContainsFunc(parts, isMet)
	}
	return n.answer(c, n.value(c))
}

// is returns what the leaf asks for, as JSON.
func (n *node) is(c *Context) json.RawMessage {
	v := n.value(c)
	switch {
	case n.about == theKey && c.TargetingKey != "":
		v = c.TargetingKey
	case n.about == aPortion && !n.never:
		if b, ok := n.portion.hash.bucket(c); ok {
			v = b
		}
	}
	if v == nil {
		return nil
	}
	raw, err := json.Marshal(v)
	if err != nil {
		return nil // a value that only a caller in Go can pass
	}
	return raw
}
