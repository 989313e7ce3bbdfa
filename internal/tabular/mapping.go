package tabular

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/ingest"
)

// Mapping says which events the rows of a file become: the document of kind
// Import. Validate must be called before it is used.
type Mapping struct {
	Source    string `json:"source" yaml:"source"`                           // what the rows are of: part of every ID, so it never changes
	ID        string `json:"id,omitempty" yaml:"id,omitempty"`               // column that tells rows apart; empty: their place and content do
	At        Moment `json:"at" yaml:"at"`                                   // when it happened
	Delimiter string `json:"delimiter,omitempty" yaml:"delimiter,omitempty"` // of CSV; empty: a comma
	Events    []Rule `json:"events" yaml:"events"`                           // that each row becomes

	id      int // of the column ID among columns; -1: none
	when    int // of At's
	wanted  []string
	checked bool
}

// mostRules bounds the events of one row.
const mostRules = 100

// Rule makes one event of a row, if the row is one of those that it is about.
type Rule struct {
	Kind string `json:"kind" yaml:"kind"` // exposure, metric, deployment or reading
	When []Test `json:"when,omitempty" yaml:"when,omitempty"`

	Flag     Field `json:"flag,omitzero" yaml:"flag,omitempty"` // of an exposure, as the next four
	Variant  Field `json:"variant,omitzero" yaml:"variant,omitempty"`
	Revision Field `json:"revision,omitzero" yaml:"revision,omitempty"` // of the flag when it served the unit
	Reason   Field `json:"reason,omitzero" yaml:"reason,omitempty"`
	Enrolled Field `json:"enrolled,omitzero" yaml:"enrolled,omitempty"`

	Name    Field `json:"name,omitzero" yaml:"name,omitempty"`       // of a metric's event or a reading
	Value   Field `json:"value,omitzero" yaml:"value,omitempty"`     // likewise
	Service Field `json:"service,omitzero" yaml:"service,omitempty"` // of a deployment
	Version Field `json:"version,omitzero" yaml:"version,omitempty"` // likewise

	Units      map[string]Field `json:"units,omitempty" yaml:"units,omitempty"` // id by kind; an exposure has one
	Attributes map[string]Field `json:"attributes,omitempty" yaml:"attributes,omitempty"`
	Labels     map[string]Field `json:"labels,omitempty" yaml:"labels,omitempty"` // of a reading
	Synthetic  bool             `json:"synthetic,omitempty" yaml:"synthetic,omitempty"`
}

// Test says of which rows a rule is: those whose cell is one of In, and none of
// NotIn. An empty cell is "".
type Test struct {
	Column string   `json:"column" yaml:"column"`
	In     []string `json:"in,omitempty" yaml:"in,omitempty"`
	NotIn  []string `json:"notIn,omitempty" yaml:"notIn,omitempty"`

	at int
}

// passes reports whether a row is one of those.
func (t Test) passes(cells []string) bool {
	cell := cells[t.at]
	return (len(t.In) == 0 || slices.Contains(t.In, cell)) && !slices.Contains(t.NotIn, cell)
}

// fields lists the fields of a rule that have one value, by name.
func (r *Rule) fields() map[string]*Field {
	return map[string]*Field{
		"flag": &r.Flag, "variant": &r.Variant, "revision": &r.Revision, "reason": &r.Reason, "enrolled": &r.Enrolled,
		"name": &r.Name, "value": &r.Value, "service": &r.Service, "version": &r.Version,
	}
}

// shape says which fields the events of one kind must and may have.
type shape struct {
	must, may                          []string
	units, oneUnit, attributes, labels bool
}

var shapes = map[string]shape{
	ingest.KindExposure:   {must: []string{"flag", "variant"}, may: []string{"revision", "reason", "enrolled"}, units: true, oneUnit: true, attributes: true},
	ingest.KindMetric:     {must: []string{"name"}, may: []string{"value"}, units: true, attributes: true},
	ingest.KindDeployment: {must: []string{"service", "version"}, attributes: true},
	ingest.KindReading:    {must: []string{"name", "value"}, labels: true},
}

// Validate says all that is wrong with the mapping, and prepares it.
func (m *Mapping) Validate() error {
	var faults event.Invalids
	if m.Source == "" {
		faults.Add("source", nil, "is missing", "name what the rows are of, such as legacy.orders; it becomes part of every event's id")
	}
	if d := m.Delimiter; d != "" && (utf8.RuneCountInString(d) != 1 || strings.ContainsAny(d, "\"\r\n\ufffd")) {
		faults.Add("delimiter", d, "is not one character", `write one such as ";" or "\t"`)
	}
	m.At.validate("at", &faults)
	if n := len(m.Events); n == 0 || n > mostRules {
		faults.Add("events", nil, fmt.Sprintf("has %d rules", n), fmt.Sprintf("say which events a row becomes, with up to %d rules", mostRules))
	}
	for i := range m.Events {
		m.Events[i].validate(fmt.Sprintf("events[%d]", i), &faults)
	}
	m.prepare()
	m.checked = len(faults) == 0
	return faults.Err()
}

func (r *Rule) validate(path string, faults *event.Invalids) {
	s, ok := shapes[r.Kind]
	if !ok {
		faults.Add(path+".kind", r.Kind, "is not a kind of event", "write exposure, metric, deployment or reading")
		return
	}
	fields := r.fields()
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		must, may := slices.Contains(s.must, name), slices.Contains(s.may, name)
		switch {
		case must && !fields[name].set():
			faults.Add(path+"."+name, nil, "is missing", "every "+r.Kind+" has one: write {column: …}, or what every row has")
		case fields[name].set() && !must && !may:
			faults.Add(path+"."+name, nil, "does not belong to the kind "+r.Kind, "remove it")
		}
	}
	r.validateMaps(path, s, faults)
	for i, t := range r.When {
		if t.Column == "" || len(t.In)+len(t.NotIn) == 0 {
			faults.Add(fmt.Sprintf("%s.when[%d]", path, i), nil, "asks for nothing", "write a column, and in or notIn with a list of values")
		}
	}
}

func (r *Rule) validateMaps(path string, s shape, faults *event.Invalids) {
	switch {
	case s.units && len(r.Units) == 0:
		faults.Add(path+".units", nil, "is missing", "write the kind of the unit and where its id stands: {user: {column: user_id}}")
	case s.oneUnit && len(r.Units) > 1:
		faults.Add(path+".units", nil, "names several kinds", "an exposure has one unit: the one that the flag's rollout is for")
	case !s.units && len(r.Units) > 0:
		faults.Add(path+".units", nil, "does not belong to the kind "+r.Kind, "remove it")
	}
	for name, m := range map[string]map[string]Field{"units": r.Units, "attributes": r.Attributes, "labels": r.Labels} {
		for _, key := range slices.Sorted(maps.Keys(m)) {
			if !m[key].set() {
				faults.Add(path+"."+name+"."+key, nil, "has no value", "write {column: …}, or what every row has")
			}
		}
	}
	if !s.attributes && len(r.Attributes) > 0 {
		faults.Add(path+".attributes", nil, "does not belong to the kind "+r.Kind, "write labels")
	}
	if !s.labels && len(r.Labels) > 0 {
		faults.Add(path+".labels", nil, "does not belong to the kind "+r.Kind, "write attributes")
	}
}

// prepare notes where each column that is asked for will stand in a row.
func (m *Mapping) prepare() {
	m.wanted, m.id = nil, -1
	m.when = m.want(m.At.Column)
	if m.ID != "" {
		m.id = m.want(m.ID)
	}
	for i := range m.Events {
		r := &m.Events[i]
		for _, f := range r.fields() {
			f.at = m.want(f.Column)
		}
		for _, fields := range []map[string]Field{r.Units, r.Attributes, r.Labels} {
			for name, f := range fields {
				f.at = m.want(f.Column)
				fields[name] = f
			}
		}
		for j := range r.When {
			r.When[j].at = m.want(r.When[j].Column)
		}
	}
}

// want returns the place of a column among those that are asked for.
func (m *Mapping) want(column string) int {
	if column == "" {
		return -1
	}
	if i := slices.Index(m.wanted, column); i >= 0 {
		return i
	}
	m.wanted = append(m.wanted, column)
	return len(m.wanted) - 1
}

// columns lists the columns that are asked for.
func (m *Mapping) columns() []string {
	if !m.checked {
		panic("unreachable unless a mapping is used that Validate has not passed")
	}
	return m.wanted
}
