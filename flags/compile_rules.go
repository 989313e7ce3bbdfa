package flags

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
	out := &allocation{
		doc: a, audience: compileAudience(a.Audience, k.pinned(a)), coverage: a.Coverage, slice: compileSlice(a.Slice),
		enrol: prefixOf(a.Salt + enrolSalt),
		split: split{salt: prefixOf(a.Salt + armSalt), arms: cumulate(a.Arms, func(v string) *outcome { return k.enrolled(a, v) })},

		outsideCoverage: k.outside(a, OutsideCoverage),
	}
	if out.audience != nil {
		out.outsideAudience = k.outside(a, OutsideAudience)
	}
	if out.slice != nil {
		out.outsideSlice = k.outside(a, OutsideSlice)
	}
	return out
}

func compileSlice(s *Slice) *slice {
	if s == nil {
		return nil
	}
	return &slice{salt: prefixOf(s.Salt + sliceSalt), from: s.From, to: s.To}
}

func compileAudience(c *Condition, look lookup) *node {
	if c == nil {
		return nil
	}
	n, _ := c.compile(look) // a faulty condition compiles to one that is never met
	return n
}

func cumulate(arms []Arm, outcome func(variant string) *outcome) []arm {
	out, sum := make([]arm, len(arms)), 0
	for i, a := range arms {
		sum += a.Weight
		out[i] = arm{below: sum, outcome: outcome(a.Variant)}
	}
	return out
}
