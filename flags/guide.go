package flags

import (
	"maps"
	"math/bits"
	"slices"
)

// A guide spares a flag with many rules from trying each of them. Most rules
// can only match when one attribute is one of a few texts: `plan eq team`, or
// `plan in [team business]` and something else. Those rules are looked up by
// the text that the context has there, and only what is left is tried, in
// order. What a guide passes over would not have matched.
type guide struct {
	first int    // place of the first of its rules
	rules uint64 // one bit for each, up to guideSize
	keys  []guideKey
}

// guideKey is an attribute that rules are looked up by.
type guideKey struct {
	leaf   *node             // of any of those rules: it knows how to find the attribute
	others uint64            // the rules that are not looked up by this attribute
	by     map[string]uint64 // text -> the rules that it lets through
}

// guideSize is the number of rules of one guide, fewRules the number from
// which on looking an attribute up twice is cheaper than trying them.
const (
	guideSize = 64
	fewRules  = 4
)

// guides returns the guides of a list of rules.
func guides(rules []rule) []guide {
	var out []guide
	for first := 0; first < len(rules); first += guideSize {
		part := rules[first:min(first+guideSize, len(rules))]
		g := guide{first: first, rules: ^uint64(0) >> (guideSize - len(part))}
		byName := map[string][]int{}
		for i := range part {
			if leaf := part[i].when.key(); leaf != nil {
				byName[leaf.name] = append(byName[leaf.name], i)
			}
		}
		for _, name := range slices.Sorted(maps.Keys(byName)) {
			if places := byName[name]; len(places) >= fewRules {
				g.keys = append(g.keys, newGuideKey(part, places, g.rules))
			}
		}
		out = append(out, g)
	}
	return out
}

func newGuideKey(rules []rule, places []int, all uint64) guideKey {
	k := guideKey{leaf: rules[places[0]].when.key(), others: all, by: map[string]uint64{}}
	for _, i := range places {
		bit := uint64(1) << i
		k.others &^= bit
		for _, v := range rules[i].when.key().values() {
			k.by[v] |= bit
		}
	}
	return k
}

// candidates returns the rules that the context may match.
func (g *guide) candidates(c *Context) uint64 {
	left := g.rules
	for i := range g.keys {
		if left == 0 {
			return 0
		}
		left &= g.keys[i].candidates(c)
	}
	return left
}

func (k *guideKey) candidates(c *Context) uint64 {
	if k.leaf.name == TargetingKey {
		return k.others | k.by[c.TargetingKey]
	}
	v := c.attribute(k.leaf.name, k.leaf.nested)
	found := k.others
	switch list := v.(type) {
	case string:
		return found | k.by[list]
	case []any:
		for _, v := range list {
			if s, ok := v.(string); ok {
				found |= k.by[s]
			}
		}
	case []string:
		for _, s := range list {
			found |= k.by[s]
		}
	}
	return found
}

// key returns a leaf that must be met for the condition to be met, and that
// is met by some exact texts alone; nil when there is none. Of several it
// takes the one with the fewest texts.
func (n *node) key() *node {
	switch {
	case n == nil || n.never:
		return nil
	case n.join == leaf:
		if n.values() != nil {
			return n
		}
	case n.join == all:
		var best *node
		for i := range n.children {
			if k := n.children[i].key(); k != nil && (best == nil || len(k.values()) < len(best.values())) {
				best = k
			}
		}
		return best
	}
	return nil
}

// values returns the texts of which a leaf must find one, nil when it asks
// otherwise.
func (n *node) values() []string {
	if n.negated {
		return nil
	}
	return n.exact
}

// rule returns the first rule that the context matches, nil when there is
// none.
func (f *compiled) rule(c *Context) *rule {
	for i := range f.guides {
		g := &f.guides[i]
		for left := g.candidates(c); left != 0; left &= left - 1 {
			if r := &f.rules[g.first+bits.TrailingZeros64(left)]; r.when == nil || r.when.met(c) {
				return r
			}
		}
	}
	return nil
}
