package flags

// deepest is how far a chain of prerequisites is followed. Handle refuses
// cycles, and chains deeper than one where no policy allows them; this holds
// whatever the log says.
const deepest = 8

// Evaluate answers what the context gets for one flag. It cannot fail: an
// unknown flag is a Result with an Error and no value.
func (t *Set) Evaluate(key string, c *Context) (r Result) {
	f, ok := t.flags[key]
	if !ok {
		return Result{Key: key, Reason: Errored, Error: FlagNotFound, Step: AtUnknown}
	}
	unit := c.unitID(f.unit)
	r = f.decide(t, c, unit, 0).result // into the caller's memory: a Result is large to copy twice
	r.UnitID = unit
	return r
}

// decide chooses one of the flag's outcomes. This is the order of evaluation.
func (f *compiled) decide(t *Set, c *Context, unit string, depth int) *outcome {
	if f.fixed != nil {
		return f.fixed
	}
	for i := range f.prerequisites {
		if !t.meets(&f.prerequisites[i], c, depth) {
			return f.unmet
		}
	}
	if o, ok := f.targets[unit]; ok {
		return o
	}
	if r := f.rule(c); r != nil {
		return r.answer(f, c, unit)
	}
	switch {
	case f.targeting != nil:
		return f.targeting.answer(c)
	case f.allocation == nil:
		return f.fallback
	}
	return f.allocation.answer(f, c, unit)
}

// meets reports whether the other flag gives this context the variant.
func (t *Set) meets(p *Prerequisite, c *Context, depth int) bool {
	f, ok := t.flags[p.Flag]
	if !ok || depth == deepest {
		return false
	}
	return f.decide(t, c, c.unitID(f.unit), depth+1).result.Variant == p.Variant
}

// answer is what a rule gives to a unit that its condition matches.
func (r *rule) answer(f *compiled, c *Context, unit string) *outcome {
	switch {
	case r.serve != nil:
		return r.serve
	case r.split.hash != nil:
		return r.split.imported(f, c)
	case unit == "":
		return f.noUnit
	}
	return r.split.pick(unit, f.noUnit)
}

// answer is the allocation's: an arm, or the default for who is left out.
func (a *allocation) answer(f *compiled, c *Context, unit string) *outcome {
	switch {
	case unit == "":
		return f.noUnit
	case a.audience != nil && !a.audience.met(c):
		return a.outsideAudience
	case a.slice != nil && !a.slice.has(unit):
		return a.outsideSlice
	case a.enrol.bucket(unit) >= a.coverage:
		return a.outsideCoverage
	}
	return a.split.pick(unit, f.fallback)
}

// pick returns the first arm whose cumulated weight is above the unit's bucket.
func (s *split) pick(unit string, otherwise *outcome) *outcome {
	return s.at(s.salt.bucket(unit), otherwise)
}

// imported picks by what the split was imported with.
func (s *split) imported(f *compiled, c *Context) *outcome {
	b, ok := s.hash.bucket(c)
	if !ok {
		return f.noUnit
	}
	return s.at(b, f.noUnit)
}

func (s *split) at(b int, otherwise *outcome) *outcome {
	for i := range s.arms {
		if b < s.arms[i].below {
			return s.arms[i].outcome
		}
	}
	return otherwise // unreachable unless the log holds weights below Whole
}
