package flags

import (
	"fmt"
	"slices"
	"strings"

	"github.com/sluice-hq/sluice/event"
)

// node is a compiled condition. What a leaf's answer leads to is worked out
// beforehand (thread), so that asking a condition is a walk from leaf to leaf
// however deep they stand in each other.
type node struct {
	join     join
	about    about
	slot     uint8 // of a leaf whose attribute others ask for too: its place in a walk's memory, from 1; of a root: the last of them
	negated  bool
	nested   bool       // the attribute's name has dots
	never    bool       // the document is at fault: never met
	brief    bool       // exact has few texts, and says what test would
	name     string     // of the attribute
	exact    []string   // texts that test compares with for equality, nil when it does not
	yes, no  *node      // where a leaf's answer leads
	test     test       // nil at a leaf: a question of presence, or a fault
	segments []*segment // of a leaf that asks for membership, which has no test
	portion  *portion   // of a leaf that asks for a range of places, likewise
	children []node
	first    *node      // of a root: where a walk begins
	doc      *Condition // what it was compiled from, to explain it
}

// join says how a node's children make its answer.
type join uint8

const (
	leaf join = iota
	all
	anyOf
	none
	accepted // no condition: the end of a walk that met it
	failed   // likewise, of one that did not
)

// about says what a leaf asks for.
type about uint8

const (
	anAttribute about = iota
	theKey            // the targeting key
	membership
	aPortion
)

// compile turns a condition into a node and says all that is wrong with it.
// A node with a fault is never met, so that a Set can be built from any log.
// look finds the segments that it names; nil when a document is checked alone.
func (c *Condition) compile(look lookup) (*node, event.Invalids) {
	n, faults := c.node(look)
	n.begin()
	return &n, faults
}

func (c *Condition) node(look lookup) (node, event.Invalids) {
	var faults event.Invalids
	n := node{doc: c}
	parts := 0
	for _, branch := range []struct {
		name string
		join join
		list []Condition
	}{{"all", all, c.All}, {"any", anyOf, c.Any}, {"none", none, c.None}} {
		if branch.list == nil {
			continue
		}
		parts++
		n.join = branch.join
		n.branch(branch.name, branch.list, look, &faults)
	}
	if c.leafy() {
		parts++
		n.join = leaf
		n.leaf(c, look, &faults)
	}
	if parts != 1 {
		faults.Add("", nil, "is not one condition", "write one of all, any, none, or an attribute with an operator")
	}
	n.never = len(faults) > 0
	return n, faults
}

// Validate returns every fault of the condition as event.Invalids, or nil.
func (c *Condition) Validate() error {
	_, faults := c.compile(nil)
	return faults.Err()
}

func (c *Condition) leafy() bool {
	return c.Attribute != "" || c.Op != "" || c.Value != nil || c.Values != nil || c.IgnoreCase || c.Hash != nil
}

func (n *node) branch(name string, list []Condition, look lookup, faults *event.Invalids) {
	if len(list) == 0 {
		faults.Add(name, nil, "is empty", "write at least one condition")
	}
	for i := range list {
		child, f := list[i].node(look)
		faults.Under(fmt.Sprintf("%s[%d]", name, i), f)
		n.children = append(n.children, child)
	}
}

func (n *node) leaf(c *Condition, look lookup, faults *event.Invalids) {
	n.name, n.nested = c.Attribute, strings.Contains(c.Attribute, ".")
	if n.name == TargetingKey {
		n.about = theKey
	}
	t, ok := c.Op.trait()
	if !ok {
		faults.Add("op", c.Op, "is not an operator", known)
		return
	}
	n.negated = t.negated
	switch {
	case c.Op == InBucket:
		n.shared(c, faults)
		return
	case c.Hash != nil:
		faults.Add("hash", nil, fmt.Sprintf("has no meaning for %s", c.Op), "take it away")
	case c.Op == InSegment || c.Op == NotInSegment:
		n.membership(c, look, faults)
		return
	}
	if c.Attribute == "" {
		faults.Add("attribute", nil, "is missing", "name the attribute of the context")
	}
	if c.IgnoreCase && !t.text {
		faults.Add("ignoreCase", nil, fmt.Sprintf("has no meaning for %s", c.Op), "take it away")
	}
	values, ok := c.values(t, faults)
	if !ok || t.build == nil {
		return
	}
	made, f := t.build(c.Op, values, c.IgnoreCase)
	if !f.none() {
		faults.Add(c.valuePath(f.at), values[f.at], f.why, f.fix)
	}
	n.test, n.exact = made, c.exact()
	n.brief = 0 < len(n.exact) && len(n.exact) <= few
}

// exact returns the few texts that a leaf compares with for equality, nil when
// it compares otherwise.
func (c *Condition) exact() []string {
	if !slices.Contains([]Operator{Eq, Ne, In, NotIn}, c.Op) || c.IgnoreCase {
		return nil
	}
	values := c.Values
	if c.Value != nil {
		values = []any{c.Value}
	}
	texts := make([]string, len(values))
	for i, v := range values {
		s, ok := v.(string)
		if !ok {
			return nil
		}
		texts[i] = s
	}
	return texts
}

// lookup finds a segment by its key, nil when there is none that can be asked.
type lookup func(key string) *segment

// membership compiles a leaf that asks for segments. Where one of them cannot
// be asked the node is never met, whether it asks for membership or for its
// opposite.
func (n *node) membership(c *Condition, look lookup, faults *event.Invalids) {
	n.about = membership
	t, _ := c.Op.trait()
	values, ok := c.values(t, faults)
	if c.Attribute != "" {
		faults.Add("attribute", c.Attribute, fmt.Sprintf("has no meaning for %s: it asks for the unit", c.Op), "take it away")
	}
	if c.IgnoreCase {
		faults.Add("ignoreCase", nil, fmt.Sprintf("has no meaning for %s", c.Op), "take it away")
	}
	if !ok {
		return
	}
	for i, key := range c.segmentKeys() {
		if why := event.CheckKey(key); why != "" {
			faults.Add(c.valuePath(i), values[i], "names no segment: its key "+why, "write the key of a segment")
			continue
		}
		if look == nil {
			continue
		}
		if s := look(key); s != nil {
			n.segments = append(n.segments, s)
		} else {
			faults.Add(c.valuePath(i), key, "is not a segment that can be asked", "")
		}
	}
}

// values returns the values of a leaf, whichever way they were written, and
// whether the operator takes that many.
func (c *Condition) values(t trait, faults *event.Invalids) ([]any, bool) {
	values, before := c.Values, len(*faults)
	if c.Value != nil {
		values = []any{c.Value}
	}
	switch {
	case c.Value != nil && c.Values != nil:
		faults.Add("values", nil, "is written beside value", "write one of the two")
	case t.values == 0 && len(values) > 0:
		faults.Add(c.valuePath(0), values[0], fmt.Sprintf("is not used by %s", c.Op), "take it away")
	case t.values == some && len(values) == 0:
		faults.Add("values", nil, fmt.Sprintf("is missing: %s compares with at least one", c.Op), "list them")
	case t.values == 1 && len(values) != 1:
		faults.Add("value", nil, fmt.Sprintf("is not one: %s compares with exactly one, not %d", c.Op, len(values)), "write one value")
	case t.values == 2 && len(values) != 2:
		faults.Add("values", nil, fmt.Sprintf("has not two members: %s takes a divisor and a remainder", c.Op), "write two whole numbers")
	}
	return values, len(*faults) == before
}

func (c *Condition) valuePath(i int) string {
	if c.Value != nil {
		return "value"
	}
	return fmt.Sprintf("values[%d]", i)
}

// String writes the condition as people read it: `ring in [internal beta]`.
func (c *Condition) String() string {
	for _, b := range []struct {
		name string
		list []Condition
	}{{"all", c.All}, {"any", c.Any}, {"none", c.None}} {
		if b.list == nil {
			continue
		}
		parts := make([]string, len(b.list))
		for i := range b.list {
			parts[i] = b.list[i].String()
		}
		return fmt.Sprintf("%s of (%s)", b.name, strings.Join(parts, ", "))
	}
	if c.Hash != nil {
		return fmt.Sprintf("%s in %v", c.Hash, c.Values)
	}
	return strings.Join(slices.DeleteFunc([]string{c.Attribute, string(c.Op), c.valueText()}, func(s string) bool { return s == "" }), " ")
}

func (c *Condition) valueText() string {
	switch {
	case c.Value != nil:
		return fmt.Sprint(c.Value)
	case c.Values != nil:
		return fmt.Sprint(c.Values)
	}
	return ""
}
