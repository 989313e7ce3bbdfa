package flags

import "maps"

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
	flag    *Recorded
	tallies tallies
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
	k := compiler{d, r, f.tallies}
	f.fixed, f.lacks = k.failure(General, AtList), true
	return f
}

// compile makes the answers of a flag, and goes on counting them where the
// same flag as it was before, which may be nil, has left off.
func (d *desk) compile(r *Recorded, before *compiled) *compiled {
	e, k := r.Environments[d.src.environment], compiler{d, r, tallies{}}
	if before != nil {
		maps.Copy(k.tallies, before.tallies)
	}
	f := &compiled{
		doc: r, inherited: d.src.inherited(r), changed: d.src.changed, tallies: k.tallies,
		revision: r.Revision, unit: r.unit(), fixed: k.fixed(e),
		prerequisites: e.Prerequisites, targets: k.targets(e.Targets), targeting: k.targeting(e), allocation: k.allocation(e.Allocation),
	}
	f.rules = k.rules(e, f.inherited)
	f.unmet, f.noUnit = k.unmet(e), k.noUnit(e.Allocation, f.rules)
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
