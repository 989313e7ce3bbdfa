package flags

import (
	"crypto/sha256"
	"maps"
	"slices"
)

// Set is all flags of one environment, compiled. It is immutable: any number
// of goroutines may evaluate it, without locks, I/O, a clock, or allocation on
// the heap.
type Set struct {
	environment string
	version     uint64
	segmented   uint64 // revision of the newest segment there was
	flags       map[string]*compiled
	segments    map[pin]*segment
	keys        []string // sorted
	whole       bool     // every flag can be answered
	tail        []byte   // what follows the flags in a bulk answer
}

// compiled is one flag in one environment. Every answer it can give is made
// beforehand; evaluating only chooses between them.
type compiled struct {
	revision      uint64
	unit          string
	fixed         *outcome // archived, disabled or forced: the answer for everybody; else nil
	lacks         bool     // fixed is an error: a list is not there, and never was
	prerequisites []Prerequisite
	unmet         *outcome
	targets       map[string]*outcome // unit id -> answer
	rules         []rule              // Rules, the inherited ones, then Served
	guides        []guide             // of rules
	targeting     *targeting          // nil: none
	allocation    *allocation
	noUnit        *outcome // default, because there is nothing to hash
	fallback      *outcome // default
	tallies       tallies

	doc       *Recorded
	inherited []InheritedRule
	changed   uint64     // revision of the environment that rules were inherited from
	segments  []*segment // in the order of their pins
}

// outcome is one answer that a flag can give.
type outcome struct {
	result Result // UnitID is filled in for each context
	head   []byte // the OFREP answer up to the context's id
	sum    digest // of head
	tally  *tally
}

// digest is the part of a SHA-256 sum that tells answers apart.
type digest [16]byte

type rule struct {
	doc   *Rule
	from  *InheritedRule // nil: a rule of the flag
	when  *node          // nil: everybody
	serve *outcome
	split *split // when serve is nil
}

// split picks an arm by the bucket of a salted unit id.
type split struct {
	salt prefix
	hash *HashInput // of an imported split: hashed in the place of salt and unit
	arms []arm
}

type arm struct {
	below   int // the sum of the weights up to this arm
	outcome *outcome
}

type allocation struct {
	doc                              *Allocation
	audience                         *node // nil: everybody
	enrol                            prefix
	split                            split
	coverage                         int
	slice                            *slice // nil: the whole of the units
	outsideAudience, outsideCoverage *outcome
	outsideSlice                     *outcome
}

// slice is the part of a layer that an allocation has.
type slice struct {
	salt     prefix
	from, to int
}

func (s *slice) has(unit string) bool {
	b := s.salt.bucket(unit)
	return s.from <= b && b < s.to
}

// Compile returns the set of an environment as it is now. lists holds the bulks
// that State.Lists names.
func (s *State) Compile(environment string, lists Lists) *Set {
	return s.sources(environment).compile(&Set{}, lists)
}

// Recompile returns the set of old's environment as it is now. It compiles the
// flags that have changed since old, or that inherit rules or use segments
// which have, and shares the others with it.
func (s *State) Recompile(old *Set, lists Lists) *Set {
	return s.sources(old.environment).compile(old, lists)
}

// NewSet compiles a ruleset. A flag that the environment does not have is
// disabled there. A condition that this version does not understand is never
// met, and a flag that asks for a list which is not among lists answers with an
// error.
func NewSet(r Ruleset, lists Lists) *Set {
	return r.sources().compile(&Set{}, lists)
}

// compile makes a set, and takes from old what is still as it was.
func (src sources) compile(old *Set, lists Lists) *Set {
	t := &Set{
		environment: src.environment, version: src.changed, segmented: src.segmented, whole: true,
		flags: make(map[string]*compiled, len(old.flags)+1), segments: map[pin]*segment{},
	}
	desk := &desk{src: src, lists: lists, before: old.segments, made: map[pin]*segment{}}
	for key, r := range src.flags {
		f := old.flags[key]
		if f == nil || !f.still(src, r, old.segmented == src.segmented) {
			if f = desk.renew(r, f); f == old.flags[key] {
				t.segmented = 0 // it waits for a list: the next set looks again
			}
		}
		t.take(key, f)
	}
	t.keys = old.keys
	if len(t.flags) != len(old.flags) { // no flag ever goes
		t.keys = slices.Sorted(maps.Keys(t.flags))
	}
	t.tail = bulkTail(t.environment, t.version)
	return t
}

// take puts a compiled flag into a set that is being made.
func (t *Set) take(key string, f *compiled) {
	t.flags[key] = f
	t.whole = t.whole && !f.lacks
	t.version = max(t.version, f.revision)
	for _, s := range f.segments {
		t.segments[s.pin()] = s
		t.version = max(t.version, s.doc.Revision)
	}
}

// still reports whether compiling the flag again would give the same. segments
// says that no segment has changed since: then nobody has to look for those
// that the flag asks for.
func (f *compiled) still(src sources, r *Recorded, segments bool) bool {
	if f.revision != r.Revision {
		return false
	}
	inherited := f.inherited
	if f.changed != src.changed {
		if inherited = src.inherited(r); len(f.inherited)+len(inherited) > 0 {
			return false
		}
	}
	return len(f.segments) == 0 || f.loaded() && (segments || slices.Equal(f.pins(), src.pinsOf(r, inherited)))
}

func (f *compiled) loaded() bool {
	return !slices.ContainsFunc(f.segments, func(s *segment) bool { return s.unloaded })
}

// pins returns the revisions of segments that the flag was compiled with.
func (f *compiled) pins() []pin {
	out := make([]pin, len(f.segments))
	for i, s := range f.segments {
		out[i] = s.pin()
	}
	return out
}

// Environment returns the name of the environment.
func (t *Set) Environment() string { return t.environment }

// Whole reports whether every flag can be answered. One that cannot asks for a
// list of units that is not there, and never was.
func (t *Set) Whole() bool { return t.whole }

// Version returns the highest revision among the flags, 0 when there is none.
func (t *Set) Version() uint64 { return t.version }

// Keys returns the keys of all flags, sorted. Do not change it.
func (t *Set) Keys() []string { return t.keys }

// desk is where the flags of one set are compiled: it makes each revision of a
// segment once.
type desk struct {
	src    sources
	lists  Lists
	before map[pin]*segment // of the set before
	made   map[pin]*segment
}

// segment returns one revision, nil when there is no such.
func (d *desk) segment(p pin) *segment {
	if s := d.before[p]; s != nil && !s.unloaded {
		return s
	}
	if _, ok := d.made[p]; !ok {
		if doc := d.src.at(p); doc != nil {
			d.made[p] = compileSegment(doc, d.lists)
		}
	}
	return d.made[p]
}

// compiler makes the outcomes of one flag.
type compiler struct {
	*desk
	environment string
	flag        *Recorded
	tallies     tallies
}

// renew compiles a flag. One that asks for a list which is not there stays as
// it was: to go on without the list would say of its members that they are
// none. A flag that gives everybody one answer needs no list, so that no
// rollback waits for one.
func (d *desk) renew(r *Recorded, before *compiled) *compiled {
	f := d.compile(r, before)
	switch {
	case f.fixed != nil || f.loaded():
		return f
	case before != nil && !before.lacks:
		return before
	}
	k := compiler{d, d.src.environment, r, f.tallies}
	f.fixed, f.lacks = k.failure(General, AtList), true
	return f
}

// compile makes the answers of a flag, and goes on counting them where the
// same flag as it was before, which may be nil, has left off.
func (d *desk) compile(r *Recorded, before *compiled) *compiled {
	e, k := r.Environments[d.src.environment], compiler{d, d.src.environment, r, tallies{}}
	if before != nil {
		maps.Copy(k.tallies, before.tallies)
	}
	f := &compiled{
		doc: r, inherited: d.src.inherited(r), changed: d.src.changed, tallies: k.tallies,
		revision: r.Revision, unit: r.unit(), fixed: k.fixed(e),
		prerequisites: e.Prerequisites, unmet: k.outcome(r.Safe, DefaultReason, AtPrerequisite),
		targets: k.targets(e.Targets), targeting: k.targeting(e), allocation: k.allocation(e.Allocation), noUnit: k.outside(e.Allocation, NoUnit),
	}
	f.rules = k.rules(e, f.inherited)
	f.guides = guides(f.rules)
	f.fallback = k.fallback(e, f.inherited)
	for _, p := range d.src.pinsOf(r, f.inherited) {
		if s := d.segment(p); s != nil {
			f.segments = append(f.segments, s)
		}
	}
	return f
}

// present finds segments for rules: as they are now.
func (k compiler) present(key string) *segment {
	doc := k.src.now(key)
	if doc == nil {
		return nil
	}
	return k.segment(pin{key, doc.Revision}).asked()
}

// pinned finds segments for an allocation: as they were when its epoch began.
func (k compiler) pinned(a *Allocation) lookup {
	return func(key string) *segment {
		revision, ok := a.Segments[key]
		if !ok {
			return nil
		}
		return k.segment(pin{key, revision}).asked()
	}
}

// fixed makes the answer for everybody, nil when there is no such answer.
func (k compiler) fixed(e Environment) *outcome {
	switch {
	case k.flag.Archived:
		return k.outcome(k.flag.Answer, Static, AtArchived)
	case !e.Enabled:
		return k.outcome(k.flag.Safe, Disabled, AtDisabled)
	case e.Forced != nil:
		return k.outcome(k.flag.Safe, Disabled, AtForced)
	}
	return nil
}

// outcome makes an answer that is the same for everybody who gets it.
func (k compiler) outcome(variant string, reason Reason, step Step) *outcome {
	return k.encode(k.result(variant, reason, step))
}

func (k compiler) result(variant string, reason Reason, step Step) Result {
	return Result{
		Key: k.flag.Key, Value: k.flag.Variants[variant], Variant: variant, Type: k.flag.Type,
		Reason: reason, Step: step, Revision: k.flag.Revision, Unit: k.flag.unit(), Metadata: k.flag.Metadata,
	}
}

func (k compiler) encode(r Result) *outcome {
	head := ofrepHead(k.environment, &r)
	sum := sha256.Sum256(head)
	return &outcome{result: r, head: head, sum: digest(sum[:16]), tally: k.tallies.of(r.Variant, r.Reason)}
}

func (k compiler) fallback(e Environment, inherited []InheritedRule) *outcome {
	reason := DefaultReason
	if len(e.Prerequisites)+len(e.Targets)+len(e.Rules)+len(inherited)+len(e.Served)+len(e.Targeting) == 0 && e.Allocation == nil {
		reason = Static
	}
	return k.byDefault(reason)
}

func (k compiler) targets(list []Target) map[string]*outcome {
	var out map[string]*outcome
	for _, target := range list {
		if out == nil {
			out = map[string]*outcome{}
		}
		o := k.outcome(target.Variant, TargetingMatch, AtTarget)
		for _, id := range target.Units {
			out[id] = o
		}
	}
	return out
}

// rules compiles a flag's own rules, those it inherits, and the audiences that
// rollouts serve.
func (k compiler) rules(e Environment, inherited []InheritedRule) []rule {
	out := make([]rule, 0, len(e.Rules)+len(inherited)+len(e.Served))
	for i := range e.Rules {
		out = append(out, k.rule(&e.Rules[i]))
	}
	for i := range inherited {
		doc := inherited[i].rule()
		out = append(out, k.rule(&doc))
		out[len(out)-1].from = &inherited[i]
	}
	for i := range e.Served {
		out = append(out, k.rule(&e.Served[i]))
	}
	return out
}

func (k compiler) rule(doc *Rule) rule {
	r := rule{doc: doc, when: compileAudience(doc.When, k.present)}
	if doc.Split == nil {
		r.serve = k.ruled(doc.Serve, TargetingMatch, doc.Name)
		return r
	}
	// The rule's name is in the salt, so that two splits of a flag are
	// independent; keys and names have no colon.
	r.split = &split{salt: prefixOf(k.flag.Key + ":" + doc.Name + armSalt), hash: doc.Hash}
	r.split.arms = cumulate(doc.Split, func(v string) *outcome { return k.ruled(v, Split, doc.Name) })
	return r
}

func (k compiler) ruled(variant string, reason Reason, name string) *outcome {
	r := k.result(variant, reason, AtRule)
	r.Rule = name
	return k.encode(r)
}

// What stands between salt and unit id in the text that is hashed.
const (
	enrolSalt = ":enrol:"
	armSalt   = ":arm:"
	sliceSalt = ":slice:"
)

func (k compiler) allocation(a *Allocation) *allocation {
	if a == nil {
		return nil
	}
	return &allocation{
		doc: a, audience: compileAudience(a.Audience, k.pinned(a)), coverage: a.Coverage, slice: compileSlice(a.Slice),
		enrol: prefixOf(a.Salt + enrolSalt),
		split: split{salt: prefixOf(a.Salt + armSalt), arms: cumulate(a.Arms, func(v string) *outcome { return k.enrolled(a, v) })},

		outsideAudience: k.outside(a, OutsideAudience), outsideCoverage: k.outside(a, OutsideCoverage),
		outsideSlice: k.outside(a, OutsideSlice),
	}
}

func compileSlice(s *Slice) *slice {
	if s == nil {
		return nil
	}
	return &slice{salt: prefixOf(s.Salt + sliceSalt), from: s.From, to: s.To}
}

func (k compiler) enrolled(a *Allocation, variant string) *outcome {
	r := k.result(variant, Split, AtAllocation)
	if !a.Ramp { // whose units are no experiment's, so that their exposures name none
		r.Rollout, r.Stage, r.Epoch, r.Enrolled = a.Rollout, a.Stage, a.Epoch, true
	}
	return k.encode(r)
}

// outside makes the default as it is given to a unit that an allocation or a
// split left out.
func (k compiler) outside(a *Allocation, why Unenrolled) *outcome {
	r := k.result(k.flag.Default, DefaultReason, AtDefault)
	r.Unenrolled = why
	if a != nil && !a.Ramp {
		r.Rollout, r.Stage, r.Epoch = a.Rollout, a.Stage, a.Epoch
	}
	return k.encode(r)
}

func compileAudience(c *Condition, look lookup) *node {
	if c == nil {
		return nil
	}
	n, _ := c.compile(look) // a faulty condition compiles to one that is never met
	return &n
}

func cumulate(arms []Arm, outcome func(variant string) *outcome) []arm {
	out, sum := make([]arm, len(arms)), 0
	for i, a := range arms {
		sum += a.Weight
		out[i] = arm{below: sum, outcome: outcome(a.Variant)}
	}
	return out
}
