package flags

import "slices"

// The two ends of every walk.
var (
	isMet    = &node{join: accepted}
	isNotMet = &node{join: failed}
)

// slots is how many attributes a walk remembers, of those that several leaves
// ask for.
const slots = 8

// met reports whether the context meets a compiled condition, by its root.
func (n *node) met(c *Context) bool {
	if n.slot > 0 {
		return n.metRemembering(c)
	}
	for n = n.first; n.join == leaf; {
		n = n.next(n.answer(c, n.value(c)))
	}
	return n.join == accepted
}

// metRemembering is met that looks an attribute up once, however many leaves
// ask for it.
func (n *node) metRemembering(c *Context) bool {
	var seen [slots]any
	var known uint // a bit for each slot that is filled
	for n = n.first; n.join == leaf; {
		var v any
		if bit := uint(1) << n.slot >> 1; known&bit != 0 {
			v = seen[n.slot-1]
		} else if v = n.value(c); bit != 0 {
			seen[n.slot-1], known = v, known|bit
		}
		if s, is := v.(string); is && n.brief { // answer's common case, without the call
			n = n.next(n.lists(s))
		} else {
			n = n.next(n.answer(c, v))
		}
	}
	return n.join == accepted
}

func (n *node) next(met bool) *node {
	if met {
		return n.yes
	}
	return n.no
}

// begin makes a root ready to be walked.
func (n *node) begin() {
	if n.first = n.thread(isMet, isNotMet); n.never {
		n.first = isNotMet
	}
	asked := map[string]int{}
	n.leaves(func(l *node) { asked[l.name]++ })
	place := map[string]uint8{}
	n.leaves(func(l *node) {
		if place[l.name] == 0 && asked[l.name] > 1 && len(place) < slots {
			place[l.name] = uint8(len(place) + 1)
		}
		l.slot = place[l.name]
		n.slot = max(n.slot, l.slot)
	})
}

// thread tells every leaf where its answers lead, given where those of the
// whole lead, and returns the leaf that is asked first.
func (n *node) thread(yes, no *node) *node {
	if n.join == leaf {
		n.yes, n.no = yes, no
		return n
	}
	if n.join == none {
		yes, no = no, yes
	}
	for i := range slices.Backward(n.children) {
		if n.join == all {
			yes = n.children[i].thread(yes, no)
		} else {
			no = n.children[i].thread(yes, no)
		}
	}
	if n.join == all {
		return yes
	}
	return no
}

// leaves calls do for every leaf that asks for an attribute.
func (n *node) leaves(do func(*node)) {
	if n.join == leaf && n.about == anAttribute {
		do(n)
	}
	for i := range n.children {
		n.children[i].leaves(do)
	}
}

// value returns the attribute that a leaf asks for, nil when it asks for
// something else.
func (n *node) value(c *Context) any {
	if n.about != anAttribute {
		return nil
	}
	return c.attribute(n.name, n.nested)
}

// lists is the answer of a leaf that compares with few texts.
func (n *node) lists(s string) bool { return slices.Contains(n.exact, s) != n.negated }

// answer is a leaf's, given its value.
func (n *node) answer(c *Context, v any) bool {
	if s, is := v.(string); is && n.brief {
		return n.lists(s)
	}
	switch n.about {
	case membership:
		return n.member(c) != n.negated
	case aPortion:
		return n.portion.has(c)
	case theKey:
		return n.scalarMet(scalar{kind: text, text: c.TargetingKey}, c.TargetingKey != "")
	}
	switch list := v.(type) {
	case []any:
		return n.listMet(len(list), func(i int) scalar { return scalarOf(list[i]) })
	case []string:
		return n.listMet(len(list), func(i int) scalar { return scalar{kind: text, text: list[i]} })
	}
	return n.scalarMet(scalarOf(v), v != nil)
}

// member reports whether the context is in any of the segments.
func (n *node) member(c *Context) bool {
	for _, s := range n.segments {
		if s.has(c) {
			return true
		}
	}
	return false
}

func (n *node) scalarMet(s scalar, present bool) bool {
	if n.test == nil {
		return present != n.negated
	}
	if !present {
		return false
	}
	met, applies := n.test(s)
	if n.negated {
		return applies && !met
	}
	return met
}

func (n *node) listMet(size int, at func(int) scalar) bool {
	if n.test == nil {
		return !n.negated
	}
	applies := size == 0
	for i := range size {
		met, does := n.test(at(i))
		if met {
			return !n.negated
		}
		applies = applies || does
	}
	return n.negated && applies
}
