package flags

import (
	"fmt"
	"slices"
	"strings"

	"github.com/sluice-hq/sluice/event"
)

// node is a compiled condition.
type node struct {
	doc      *Condition // what it was compiled from, to explain it
	join     join
	children []node
	test     test       // nil at a leaf: a question of presence, or a fault
	segments []*segment // of a leaf that asks for membership, which has no test
	exact    []string   // texts that test compares with for equality, nil when it does not
	negated  bool       //
	nested   bool       // the attribute's name has dots
	never    bool       // the document is at fault: never met
	name     string     // of the attribute
}

// join says how a node's children make its answer.
type join uint8

const (
	leaf join = iota
	all
	anyOf
	none
)

// met reports whether the context meets the condition.
func (n *node) met(c *Context) bool {
	switch n.join {
	case all:
		for i := range n.children {
			if !n.children[i].met(c) {
				return false
			}
		}
		return !n.never
	case anyOf, none:
		for i := range n.children {
			if n.children[i].met(c) {
				return n.join == anyOf
			}
		}
		return n.join == none && !n.never
	}
	if n.segments != nil {
		return !n.never && n.member(c) != n.negated
	}
	return !n.never && n.attributeMet(c)
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

// attributeMet asks one attribute.
func (n *node) attributeMet(c *Context) bool {
	if n.name == TargetingKey {
		return n.scalarMet(scalar{kind: text, text: c.TargetingKey}, c.TargetingKey != "")
	}
	v, ok := c.attribute(n.name, n.nested)
	if s, is := v.(string); is && n.exact != nil && len(n.exact) <= few { // what test would say, without the call
		return slices.Contains(n.exact, s) != n.negated
	}
	switch list := v.(type) {
	case []any:
		return n.listMet(len(list), func(i int) scalar { return scalarOf(list[i]) })
	case []string:
		return n.listMet(len(list), func(i int) scalar { return scalar{kind: text, text: list[i]} })
	}
	return n.scalarMet(scalarOf(v), ok)
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

// compile turns a condition into a node and says all that is wrong with it.
// A node with a fault is never met, so that a Set can be built from any log.
// look finds the segments that it names; nil when a document is checked alone.
func (c *Condition) compile(look lookup) (node, event.Invalids) {
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
	return c.Attribute != "" || c.Op != "" || c.Value != nil || c.Values != nil || c.IgnoreCase
}

func (n *node) branch(name string, list []Condition, look lookup, faults *event.Invalids) {
	if len(list) == 0 {
		faults.Add(name, nil, "is empty", "write at least one condition")
	}
	for i := range list {
		child, f := list[i].compile(look)
		faults.Under(fmt.Sprintf("%s[%d]", name, i), f)
		n.children = append(n.children, child)
	}
}

func (n *node) leaf(c *Condition, look lookup, faults *event.Invalids) {
	n.name, n.nested = c.Attribute, strings.Contains(c.Attribute, ".")
	t, ok := c.Op.trait()
	if !ok {
		faults.Add("op", c.Op, "is not an operator", known)
		return
	}
	n.negated = t.negated
	if c.Op == InSegment || c.Op == NotInSegment {
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
