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
	flags       map[string]*compiled
	keys        []string // sorted
	tail        []byte   // what follows the flags in a bulk answer
}

// compiled is one flag in one environment. Every answer it can give is made
// beforehand; evaluating only chooses between them.
type compiled struct {
	revision      uint64
	unit          string
	fixed         *outcome // archived, disabled or forced: the answer for everybody; else nil
	prerequisites []Prerequisite
	unmet         *outcome
	targets       map[string]*outcome // unit id -> answer
	rules         []rule              // Rules, then Served
	allocation    *allocation
	noUnit        *outcome // default, because there is nothing to hash
	fallback      *outcome // default
	tallies       tallies
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
	when  *node // nil: everybody
	serve *outcome
	split *split // when serve is nil
}

// split picks an arm by the bucket of a salted unit id.
type split struct {
	salt prefix
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
	outsideAudience, outsideCoverage *outcome
}

// Compile returns the set of an environment as it is now.
func (s *State) Compile(environment string) *Set {
	return s.Recompile(NewSet(environment, nil))
}

// Recompile returns the set of old's environment as it is now. It compiles the
// flags that have changed since old, and shares the others with it.
func (s *State) Recompile(old *Set) *Set {
	t := &Set{environment: old.environment, flags: make(map[string]*compiled, len(s.flags))}
	for key, r := range s.flags {
		f := old.flags[key]
		if f == nil || f.revision != r.Revision {
			f = compile(t.environment, &r.Recorded, f)
		}
		t.flags[key] = f
	}
	return t.seal()
}

// NewSet compiles flags for one environment. A flag that the environment does
// not have is disabled there. A condition that this version does not
// understand is never met.
func NewSet(environment string, list []Recorded) *Set {
	t := &Set{environment: environment, flags: make(map[string]*compiled, len(list))}
	for i := range list {
		t.flags[list[i].Key] = compile(environment, &list[i], nil)
	}
	return t.seal()
}

// seal makes what a set keeps beside its flags.
func (t *Set) seal() *Set {
	t.keys = slices.Sorted(maps.Keys(t.flags))
	for _, f := range t.flags {
		t.version = max(t.version, f.revision)
	}
	t.tail = bulkTail(t.environment, t.version)
	return t
}

// Environment returns the name of the environment.
func (t *Set) Environment() string { return t.environment }

// Version returns the highest revision among the flags, 0 when there is none.
func (t *Set) Version() uint64 { return t.version }

// Keys returns the keys of all flags, sorted. Do not change it.
func (t *Set) Keys() []string { return t.keys }

// compiler makes the outcomes of one flag.
type compiler struct {
	environment string
	flag        *Recorded
	tallies     tallies
}

// compile makes the answers of a flag, and goes on counting them where the
// same flag as it was before, which may be nil, has left off.
func compile(environment string, r *Recorded, before *compiled) *compiled {
	e, k := r.Environments[environment], compiler{environment, r, tallies{}}
	if before != nil {
		maps.Copy(k.tallies, before.tallies)
	}
	return &compiled{
		tallies:  k.tallies,
		revision: r.Revision, unit: r.unit(), fixed: k.fixed(e),
		prerequisites: e.Prerequisites, unmet: k.outcome(r.Safe, DefaultReason, AtPrerequisite),
		targets: k.targets(e.Targets), rules: k.rules(slices.Concat(e.Rules, e.Served)),
		allocation: k.allocation(e.Allocation), noUnit: k.outside(e.Allocation, NoUnit),
		fallback: k.fallback(e),
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
		Reason: reason, Step: step, Revision: k.flag.Revision, Unit: k.flag.unit(),
	}
}

func (k compiler) encode(r Result) *outcome {
	head := ofrepHead(k.environment, &r)
	sum := sha256.Sum256(head)
	return &outcome{result: r, head: head, sum: digest(sum[:16]), tally: k.tallies.of(r.Variant, r.Reason)}
}

func (k compiler) fallback(e Environment) *outcome {
	reason := DefaultReason
	if len(e.Prerequisites)+len(e.Targets)+len(e.Rules)+len(e.Served) == 0 && e.Allocation == nil {
		reason = Static
	}
	return k.outcome(k.flag.Default, reason, AtDefault)
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

func (k compiler) rules(list []Rule) []rule {
	out := make([]rule, len(list))
	for i := range list {
		doc := &list[i]
		out[i] = rule{doc: doc, when: compileAudience(doc.When)}
		if doc.Split == nil {
			out[i].serve = k.ruled(doc.Serve, TargetingMatch, doc.Name)
			continue
		}
		// The rule's name is in the salt, so that two splits of a flag are
		// independent; keys and names have no colon.
		out[i].split = &split{salt: prefixOf(k.flag.Key + ":" + doc.Name + armSalt)}
		out[i].split.arms = cumulate(doc.Split, func(v string) *outcome { return k.ruled(v, Split, doc.Name) })
	}
	return out
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
)

func (k compiler) allocation(a *Allocation) *allocation {
	if a == nil {
		return nil
	}
	return &allocation{
		doc: a, audience: compileAudience(a.Audience), coverage: a.Coverage,
		enrol: prefixOf(a.Salt + enrolSalt),
		split: split{salt: prefixOf(a.Salt + armSalt), arms: cumulate(a.Arms, func(v string) *outcome { return k.enrolled(a, v) })},

		outsideAudience: k.outside(a, OutsideAudience), outsideCoverage: k.outside(a, OutsideCoverage),
	}
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

func compileAudience(c *Condition) *node {
	if c == nil {
		return nil
	}
	n, _ := c.compile() // a faulty condition compiles to one that is never met
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
