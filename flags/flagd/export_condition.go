package flagd

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
)

// condition writes a rule's condition; nil holds for everybody.
func (x *exporter) condition(path string, c *flags.Condition) logic {
	return x.conditionAt(path, c, nil)
}

// conditionAt writes a condition whose segments may be pinned at revisions.
func (x *exporter) conditionAt(path string, c *flags.Condition, pinned map[string]uint64) logic {
	if c == nil {
		return true
	}
	var faults event.Invalids
	if errors.As(c.Validate(), &faults) {
		x.faults.Under(path, faults) // it is never met here, and what flagd would make of it is not known
		return false
	}
	return x.node(path, c, func(key string) *flags.RecordedSegment {
		if pinned == nil {
			return x.segment(key, 0)
		}
		if revision, ok := pinned[key]; ok {
			return x.segment(key, revision)
		}
		return nil
	})
}

// lookup finds a segment, nil when there is none.
type lookup func(key string) *flags.RecordedSegment

func (x *exporter) node(path string, c *flags.Condition, look lookup) logic {
	switch {
	case c.All != nil:
		return and(x.nodes(path+".all", c.All, look)...)
	case c.Any != nil:
		return or(x.nodes(path+".any", c.Any, look)...)
	case c.None != nil:
		return not(or(x.nodes(path+".none", c.None, look)...))
	case c.Op == flags.InSegment:
		return x.member(path, c, look)
	case c.Op == flags.NotInSegment:
		return not(x.member(path, c, look))
	case c.Op == flags.InBucket:
		return x.portion(path, c)
	}
	return x.leaf(path, c)
}

func (x *exporter) nodes(path string, list []flags.Condition, look lookup) []logic {
	out := make([]logic, len(list))
	for i := range list {
		out[i] = x.node(fmt.Sprintf("%s[%d]", path, i), &list[i], look)
	}
	return out
}

// leaf writes a test of one attribute. When it is a list, any member may meet
// the test: merge makes a list of what is none, so that there is one form.
func (x *exporter) leaf(path string, c *flags.Condition) logic {
	t, ok := x.test(path, c)
	if !ok {
		return false
	}
	if c.Attribute == flags.TargetingKey {
		return keyed(t)
	}
	if !x.readable(path+".attribute", c.Attribute) {
		return false
	}
	v := variable(c.Attribute)
	if t.meets == nil {
		return presence(t, other(v, nil))
	}
	members, member := op("merge", v), variable("")
	met := op("some", members, t.meets(member))
	if !t.negated {
		return met
	}
	empty := not(members)
	return and(or(empty, op("some", members, t.applies(member))), not(met))
}

// readable refuses an attribute that flagd cannot read.
func (x *exporter) readable(path, attribute string) bool {
	const plain = "send the attribute under a plain name"
	switch {
	case strings.Contains(attribute, "."):
		x.refuse(path, attribute, "has dots: flagd takes them for a path, and never for a part of the name", plain)
	case attribute == "$flagd":
		x.refuse(path, attribute, "is where flagd puts what it adds to every context", plain)
	default:
		return true
	}
	return false
}

// keyed is the leaf of the targeting key, which is a text or nothing.
func keyed(t test) logic {
	key := variable(flags.TargetingKey)
	switch {
	case t.numeric:
		return false
	case t.meets == nil:
		return presence(t, isWord(key))
	case t.negated:
		return and(isWord(key), t.applies(key), not(t.meets(key)))
	}
	return and(isWord(key), t.meets(key))
}

func presence(t test, is logic) logic {
	if t.negated {
		return not(is)
	}
	return is
}

// member asks whether the context is in any of the segments.
func (x *exporter) member(path string, c *flags.Condition, look lookup) logic {
	values := c.Values
	if c.Value != nil {
		values = []any{c.Value}
	}
	var any []logic
	for _, v := range values {
		key, _ := v.(string)
		doc := look(key)
		if doc == nil {
			x.refuse(path, key, "names a segment that there is not", "")
			continue
		}
		any = append(any, x.segmentOf(path+"."+key, doc))
	}
	return or(any...)
}

// segmentOf writes a segment out: excluded wins over included, and that over
// the condition.
func (x *exporter) segmentOf(path string, doc *flags.RecordedSegment) logic {
	when := logic(false)
	if doc.When != nil {
		when = x.condition(path+".when", doc.When)
	}
	if doc.Included.Len()+doc.Excluded.Len() == 0 {
		return when
	}
	kind := doc.Unit
	if kind == "" {
		kind = flags.DefaultUnit
	}
	id, ok := x.unit(path+".unit", kind)
	if !ok {
		return false
	}
	included, excluded := x.ids(path+".included", doc.Included), x.ids(path+".excluded", doc.Excluded)
	return and(not(listedIn(id, excluded)), or(listedIn(id, included), when))
}

func listedIn(id logic, ids []string) logic {
	if len(ids) == 0 {
		return false
	}
	return isOne(id, ids)
}

// ids writes a list of units out.
func (x *exporter) ids(path string, l flags.UnitList) []string {
	if !x.inline(path, l.Len()) {
		return nil
	}
	var bulk *flags.Units
	if l.Bulk != nil {
		if bulk = x.lists[l.Bulk.SHA256]; bulk == nil {
			x.refuse(path, nil, "is not loaded here", "try again")
		}
	}
	return slices.Collect(l.All(bulk))
}
