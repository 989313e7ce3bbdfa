package flags

import (
	"cmp"
	"fmt"
	"time"

	"github.com/sluice-hq/sluice/event"
)

// Segment is the document that names a group of units once, for the rules of
// many flags. Excluded wins over Included, and that over When.
type Segment struct {
	Key         string     `json:"key" yaml:"key"`                                     // like a flag's
	Description string     `json:"description,omitempty" yaml:"description,omitempty"` // who that is, for people
	Owner       string     `json:"owner,omitempty" yaml:"owner,omitempty"`             // person or team
	Tags        []string   `json:"tags,omitempty" yaml:"tags,omitempty"`
	Unit        string     `json:"unit,omitempty" yaml:"unit,omitempty"`        // kind of the listed ids; empty: user
	When        *Condition `json:"when,omitempty" yaml:"when,omitempty"`        // who else is a member; it asks for no segments; nil: nobody else
	Included    UnitList   `json:"included,omitzero" yaml:"included,omitempty"` // members whatever When says
	Excluded    UnitList   `json:"excluded,omitzero" yaml:"excluded,omitempty"` // never members
}

// Stamp says when a document was written and by whom.
type Stamp struct {
	Revision uint64    `json:"revision"` // sequence of the event
	Created  time.Time `json:"created"`
	Changed  time.Time `json:"changed"`
	Actor    string    `json:"actor"`
	Cause    string    `json:"cause,omitempty"`
	Comment  string    `json:"comment,omitempty"`
	Deleted  bool      `json:"deleted,omitempty"`
}

// RecordedSegment is one revision of a segment, as the log has it.
type RecordedSegment struct {
	Segment
	Stamp
}

// Validate returns every fault of the document as event.Invalids, or nil.
func (s *Segment) Validate() error {
	var faults event.Invalids
	checkKey(&faults, "key", s.Key)
	checkTags(&faults, s.Tags)
	if s.Unit != "" {
		checkKey(&faults, "unit", s.Unit)
	}
	if s.When != nil {
		_, found := s.When.compile(nil)
		faults.Under("when", found)
		s.When.segments("when", func(path, key string) {
			faults.Add(path, key, "is a segment within a segment", "write that segment's conditions here")
		})
	}
	faults.Under("included", s.Included.check())
	faults.Under("excluded", s.Excluded.check())
	return faults.Err()
}

func checkTags(faults *event.Invalids, tags []string) {
	for i, tag := range tags {
		if why := event.CheckKey(tag); why != "" {
			faults.Add(fmt.Sprintf("tags[%d]", i), tag, why, "")
		}
	}
}

// normal returns the document as the log keeps it.
func (s *Segment) normal() Segment {
	n := *s
	if n.Unit == "" {
		n.Unit = DefaultUnit
	}
	n.Included, n.Excluded = s.Included.normal(), s.Excluded.normal()
	return n
}

// lists returns the bulks that have to be loaded before the segment can be
// asked.
func (s *Segment) lists() []UnitBulk {
	var out []UnitBulk
	for _, l := range []UnitList{s.Included, s.Excluded} {
		if l.Bulk != nil {
			out = append(out, *l.Bulk)
		}
	}
	return out
}

// segments visits every segment that the condition names, with the path of the
// value that names it.
func (c *Condition) segments(path string, visit func(path, key string)) {
	for _, b := range []struct {
		name string
		list []Condition
	}{{"all", c.All}, {"any", c.Any}, {"none", c.None}} {
		for i := range b.list {
			b.list[i].segments(fmt.Sprintf("%s.%s[%d]", path, b.name, i), visit)
		}
	}
	if c.Op != InSegment && c.Op != NotInSegment {
		return
	}
	for i, key := range c.segmentKeys() {
		visit(path+"."+c.valuePath(i), key)
	}
}

// segmentKeys returns the values of a leaf that names segments.
func (c *Condition) segmentKeys() []string {
	values := c.Values
	if c.Value != nil {
		values = []any{c.Value}
	}
	keys := make([]string, len(values))
	for i, v := range values {
		keys[i] = scalarOf(v).text
	}
	return keys
}

// segment is a compiled revision of a segment.
type segment struct {
	doc                *RecordedSegment
	unit               string
	when               *node // nil: nobody but the included
	included, excluded members
	unloaded           bool // a list is not there: nothing may be said of its members
}

func compileSegment(doc *RecordedSegment, lists Lists) *segment {
	s := &segment{doc: doc, unit: cmp.Or(doc.Unit, DefaultUnit)}
	var in, out bool
	s.included, in = doc.Included.compile(lists)
	s.excluded, out = doc.Excluded.compile(lists)
	s.unloaded = !in || !out
	if doc.When != nil {
		s.when, _ = doc.When.compile(func(string) *segment { return nil }) // a faulty condition compiles to one that is never met
	}
	return s
}

func (s *segment) pin() pin { return pin{s.doc.Key, s.doc.Revision} }

// asked returns the segment, nil when nothing may be said of its members.
func (s *segment) asked() *segment {
	if s == nil || s.unloaded {
		return nil
	}
	return s
}

// has reports whether the context's unit is a member.
func (s *segment) has(c *Context) bool {
	if id := c.unitID(s.unit); id != "" {
		if s.excluded.has(id) {
			return false
		}
		if s.included.has(id) {
			return true
		}
	}
	return s.when != nil && s.when.met(c)
}

// Membership says whether a context is in a segment, and why.
type Membership struct {
	Segment   string  `json:"segment"`
	Revision  uint64  `json:"revision"`
	Member    bool    `json:"member"`
	Why       string  `json:"why"`                 // a sentence
	Condition *Tested `json:"condition,omitempty"` // when the lists did not decide
}

// explain is has that says why.
func (s *segment) explain(c *Context) Membership {
	m := Membership{Segment: s.doc.Key, Revision: s.doc.Revision, Member: s.has(c)}
	id := c.unitID(s.unit)
	switch {
	case id != "" && s.excluded.has(id):
		m.Why = fmt.Sprintf("%s %q is excluded", s.unit, id)
	case id != "" && s.included.has(id):
		m.Why = fmt.Sprintf("%s %q is included", s.unit, id)
	case s.when != nil:
		tested := s.when.explain(c)
		m.Condition, m.Why = &tested, "the condition of the segment is "+metText(tested.Met)
	case id == "":
		m.Why = "the context has no " + s.unit + " that could be listed"
	default:
		m.Why = fmt.Sprintf("%s %q is not listed, and the segment has no condition", s.unit, id)
	}
	return m
}

// Explain says whether a context is in the segment, and why; false when one of
// its lists is not among lists.
func (r RecordedSegment) Explain(c *Context, lists Lists) (Membership, bool) {
	s := compileSegment(&r, lists)
	if s.unloaded {
		return Membership{}, false
	}
	return s.explain(c), true
}

// Bulks returns the bulks that have to be loaded before the segment can be
// asked.
func (r RecordedSegment) Bulks() []UnitBulk { return r.lists() }
