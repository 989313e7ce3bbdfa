package flags

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Crowd is a number of made-up units, to see what a change would do before it
// is made. The same crowd is made every time.
type Crowd struct {
	Size  int    // of units; those that definitions name are among them, at most a tenth
	Unit  string // kind
	named []string
	drawn map[string][]any // attribute -> values that definitions ask for
}

// NewCrowd makes a crowd for rulesets: the units that they name are in it, and
// its attributes are those that their conditions ask for. Regular expressions
// ask for nothing that could be made up.
func NewCrowd(size int, unit string, rules ...Ruleset) Crowd {
	c := Crowd{Size: size, Unit: cmp.Or(unit, DefaultUnit), drawn: map[string][]any{}}
	for _, r := range rules {
		for _, f := range r.Flags {
			c.meet(f.Environments[r.Environment])
		}
		for _, s := range r.Segments {
			c.name(s.Included.Units)
			c.name(s.Excluded.Units)
			s.When.eachLeaf(c.draw)
		}
		for _, i := range r.Rules {
			i.When.eachLeaf(c.draw)
		}
	}
	return c
}

// meet takes what a flag's environment names.
func (c *Crowd) meet(e Environment) {
	for _, t := range e.Targets {
		c.name(t.Units)
	}
	for _, list := range [][]Rule{e.Rules, e.Served} {
		for _, r := range list {
			r.When.eachLeaf(c.draw)
		}
	}
	if e.Allocation != nil {
		e.Allocation.Audience.eachLeaf(c.draw)
	}
}

// name takes ids into the crowd, as long as most of it stays made up.
func (c *Crowd) name(ids []string) {
	for _, id := range ids {
		if len(c.named) < c.Size/10 && !slices.Contains(c.named, id) {
			c.named = append(c.named, id)
		}
	}
}

// draw takes the values that meet, or just miss, a test of an attribute. A test
// of the unit itself names units.
func (c *Crowd) draw(leaf *Condition) {
	values := leaf.examples()
	if leaf.Attribute == c.Unit || leaf.Attribute == TargetingKey {
		for _, v := range values {
			if id, ok := v.(string); ok && CheckUnit(id) == "" {
				c.name([]string{id})
			}
		}
		return
	}
	for _, v := range values {
		if known := c.drawn[leaf.Attribute]; !slices.Contains(known, v) {
			c.drawn[leaf.Attribute] = append(known, v)
		}
	}
}

// Named returns how many of the units are named by definitions.
func (c Crowd) Named() int { return len(c.named) }

// Drawn returns the attributes that units have by turns, sorted.
func (c Crowd) Drawn() []string { return slices.Sorted(maps.Keys(c.drawn)) }

// Bare returns the units with nothing known of them but their ids.
func (c Crowd) Bare() []Context {
	out := make([]Context, c.Size)
	for i := range out {
		id := c.Unit + "-" + strconv.Itoa(i)
		if i < len(c.named) {
			id = c.named[i]
		}
		out[i] = Context{TargetingKey: id, Attributes: map[string]any{}}
		if c.Unit != DefaultUnit {
			out[i].Attributes[c.Unit] = id
		}
	}
	return out
}

// Attributed returns the units with attributes: each has, of every attribute,
// one of the values or none, and which one its hash says.
func (c Crowd) Attributed() []Context {
	out := c.Bare()
	for i := range out {
		for name, values := range c.drawn {
			if at := Bucket("crowd:"+name+":"+out[i].TargetingKey) % (len(values) + 1); at < len(values) {
				out[i].Attributes[name] = values[at]
			}
		}
	}
	return out
}

// eachLeaf visits every test of an attribute.
func (c *Condition) eachLeaf(visit func(*Condition)) {
	if c == nil {
		return
	}
	for _, list := range [][]Condition{c.All, c.Any, c.None} {
		for i := range list {
			list[i].eachLeaf(visit)
		}
	}
	if c.Attribute != "" {
		visit(c)
	}
}

// examples returns values of an attribute of which some meet the test, and
// where that can be told some just miss it.
func (c *Condition) examples() []any {
	values := slices.Clone(c.Values)
	if c.Value != nil {
		values = append(values, c.Value)
	}
	switch c.Op {
	case IsSet, IsNotSet:
		return []any{"set"}
	case Modulo:
		return around(values[len(values)-min(1, len(values)):])
	case Lt, Lte, Gt, Gte:
		return around(values)
	case SemverLt, SemverLte, SemverGt, SemverGte:
		return append(textual(values), "0.0.1", "999.0.0")
	case Before, After:
		return beside(values)
	case CIDR:
		var out []any
		for _, v := range textual(values) {
			address, _, _ := strings.Cut(v.(string), "/")
			out = append(out, address)
		}
		return out
	case Regex, NotRegex, InSegment, NotInSegment, InBucket:
		return nil
	}
	return scalars(values)
}

// scalars returns the values that compare with each other.
func scalars(values []any) []any {
	var out []any
	for _, v := range values {
		switch s := scalarOf(v); s.kind {
		case text:
			out = append(out, s.text)
		case number:
			out = append(out, s.number)
		case truth:
			out = append(out, s.truth)
		}
	}
	return out
}

// textual returns the values that are texts.
func textual(values []any) []any {
	return slices.DeleteFunc(scalars(values), func(v any) bool { _, ok := v.(string); return !ok })
}

// around returns numbers with their neighbours.
func around(values []any) []any {
	var out []any
	for _, v := range scalars(values) {
		if n, ok := v.(float64); ok {
			out = append(out, n-1, n, n+1)
		}
	}
	return out
}

// beside returns the moments a day before and behind dates.
func beside(values []any) []any {
	const day = 24 * time.Hour
	var out []any
	for _, v := range textual(values) {
		if t, ok := Date(v.(string)).Time(); ok {
			out = append(out, t.Add(-day).Format(time.RFC3339), t.Add(day).Format(time.RFC3339))
		}
	}
	return out
}

// Shift says how a crowd's answers for one flag differ between two sets.
type Shift struct {
	Units   int    `json:"units" doc:"that were looked at"`
	Changed int    `json:"changed" doc:"that get another variant"`
	Moves   []Move `json:"moves,omitempty" doc:"the largest first"`
}

// Move is how many units leave one variant for another.
type Move struct {
	From  string `json:"from" doc:"variant; empty: none, the code decides"`
	To    string `json:"to"`
	Units int    `json:"units"`
}

// Moved evaluates a flag for a crowd in two sets and says who gets another
// variant.
func Moved(was, is *Set, key string, crowd []Context) Shift {
	s, moves := Shift{Units: len(crowd)}, map[Move]int{}
	for i := range crowd {
		m := Move{From: was.Evaluate(key, &crowd[i]).Variant, To: is.Evaluate(key, &crowd[i]).Variant}
		if m.From != m.To {
			s.Changed++
			moves[m]++
		}
	}
	for m, n := range moves {
		m.Units = n
		s.Moves = append(s.Moves, m)
	}
	slices.SortFunc(s.Moves, func(a, b Move) int {
		return cmp.Or(cmp.Compare(b.Units, a.Units), cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To))
	})
	return s
}
