package tabular

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/ingest"
)

// wire is an event as the door reads it. Fields are in the order in which the
// content of an event is hashed: it never changes.
type wire struct {
	Kind       string            `json:"kind"`
	ID         string            `json:"id,omitempty"`
	At         string            `json:"at"`
	Flag       string            `json:"flag,omitempty"`
	Variant    string            `json:"variant,omitempty"`
	Unit       *ingest.Unit      `json:"unit,omitempty"`
	Revision   uint64            `json:"revision,omitempty"`
	Reason     string            `json:"reason,omitempty"`
	Enrolled   *bool             `json:"enrolled,omitempty"`
	Name       string            `json:"name,omitempty"`
	Value      *float64          `json:"value,omitempty"`
	Units      map[string]string `json:"units,omitempty"`
	Service    string            `json:"service,omitempty"`
	Version    string            `json:"version,omitempty"`
	Labels     map[string]string `json:"labels,omitempty"`
	Attributes map[string]string `json:"attributes,omitempty"`
	Synthetic  bool              `json:"synthetic,omitempty"`
}

// EventsOf returns the events of a row, as JSON, in the order of their rules, or
// what is wrong with the row: then it becomes none. number is the row's, from 1.
func (m *Mapping) EventsOf(number int64, cells []string) (events [][]byte, faults event.Invalids) {
	for i, c := range cells {
		if !utf8.ValidString(c) {
			faults.Add("column "+m.wanted[i], nil, "is not UTF-8", "convert the file to UTF-8")
		}
	}
	at, fault := m.At.read(cells[m.when])
	if fault != nil {
		faults = append(faults, *fault)
	}
	if m.ID != "" && cells[m.id] == "" {
		faults.Add("column "+m.ID, nil, "is empty", "every row needs its id, or leave id out of the mapping")
	}
	if len(faults) > 0 {
		return nil, faults
	}
	named := map[string]int{} // events of the row with the same kind and name
	for i := range m.Events {
		if r := &m.Events[i]; r.about(cells) {
			w := r.wire(cells, &faults)
			w.At = at.Format(time.RFC3339Nano)
			w.ID = m.identify(w, at, number, cells, named).String()
			e := encode(w)
			if len(e) > largest {
				faults.Add("row", nil, fmt.Sprintf("becomes an event of %d bytes", len(e)), "map less of it: attributes are for what results are broken down by")
			}
			events = append(events, e)
		}
	}
	if len(faults) > 0 {
		return nil, faults
	}
	return events, nil
}

// largest bounds an event in bytes; no door takes one that is half as large.
const largest = 256 << 10

func encode(w wire) []byte {
	b, err := json.Marshal(w)
	if err != nil {
		panic(err) // unreachable unless a value is not finite
	}
	return b
}

func (r *Rule) about(cells []string) bool {
	return !slices.ContainsFunc(r.When, func(t Test) bool { return !t.passes(cells) })
}

// identify returns the event's ID. A row that names an ID of the right form,
// and becomes that one event, keeps it: it may have been sent before. Others
// get one that is made of the row: of its ID, or of its place and content.
func (m *Mapping) identify(w wire, at time.Time, number int64, cells []string, named map[string]int) event.ID {
	what := w.Kind + "\x00" + w.Name + w.Flag + w.Service
	n := strconv.Itoa(named[what]) // two events of a row that are alike but for this are two
	named[what]++
	if m.ID == "" {
		return ingest.DeriveID(at, m.Source, strconv.FormatInt(number, 10), n, string(encode(w)))
	}
	id, err := event.ParseID(cells[m.id])
	if err == nil && id.Version() == 7 && len(m.Events) == 1 {
		return id
	}
	return ingest.DeriveID(at, m.Source, cells[m.id], what, n)
}

// wire fills in what a row says.
func (r *Rule) wire(cells []string, faults *event.Invalids) wire {
	c := reader{cells, faults}
	w := wire{
		Kind: r.Kind, Flag: c.text("flag", r.Flag), Variant: c.text("variant", r.Variant), Reason: r.Reason.of(cells),
		Revision: c.whole("revision", r.Revision), Enrolled: c.truth("enrolled", r.Enrolled),
		Name: c.text("name", r.Name), Value: c.number("value", r.Value), Service: c.text("service", r.Service), Version: c.text("version", r.Version),
		Labels: c.all(r.Labels), Attributes: c.all(r.Attributes), Synthetic: r.Synthetic,
	}
	w.Units = c.all(r.Units)
	if r.Kind == ingest.KindReading && w.Value == nil {
		faults.Add(r.Value.path("value"), nil, "is empty", "every reading has a value; leave the row out with when")
	}
	if len(r.Units) > 0 && len(w.Units) == 0 {
		kind := slices.Min(slices.Collect(maps.Keys(r.Units)))
		faults.Add(r.Units[kind].path("units."+kind), nil, "is empty", "an event without a unit cannot be counted; leave the row out with when")
	}
	if r.Kind == ingest.KindExposure {
		for kind, id := range w.Units {
			w.Unit = &ingest.Unit{Kind: kind, ID: id}
		}
		w.Units = nil
	}
	return w
}

// reader reads the cells of one row and notes what is wrong.
type reader struct {
	cells  []string
	faults *event.Invalids
}

func (c reader) text(name string, f Field) string {
	text := f.of(c.cells)
	if text == "" && f.set() {
		c.faults.Add(f.path(name), nil, "is empty", "leave such rows out with when: {column: "+f.Column+`, notIn: [""]}`)
	}
	return text
}

func (c reader) whole(name string, f Field) uint64 {
	text := f.of(c.cells)
	if text == "" {
		return 0
	}
	n, err := strconv.ParseUint(text, 10, 63)
	if err != nil {
		c.faults.Add(f.path(name), text, "is not a whole number", "write a number from 1")
	}
	return n
}

func (c reader) truth(name string, f Field) *bool {
	text := f.of(c.cells)
	if text == "" {
		return nil
	}
	b, err := strconv.ParseBool(text)
	if err != nil {
		c.faults.Add(f.path(name), text, "is neither true nor false", "")
	}
	return &b
}

// number reads a decimal number; true and false are 1 and 0.
func (c reader) number(name string, f Field) *float64 {
	text := f.of(c.cells)
	if text == "" {
		return nil
	}
	n, err := strconv.ParseFloat(text, 64)
	if b, other := strconv.ParseBool(text); err != nil && other == nil {
		n, err = map[bool]float64{true: 1}[b], nil
	}
	if err != nil || math.IsInf(n, 0) || math.IsNaN(n) {
		c.faults.Add(f.path(name), text, "is not a number", "write one such as 12.5, with a point and without marks between thousands")
		return nil
	}
	return &n
}

// all reads the values that are there.
func (c reader) all(fields map[string]Field) map[string]string {
	found := make(map[string]string, len(fields))
	for name, f := range fields {
		if v := f.of(c.cells); v != "" {
			found[name] = v
		}
	}
	return found
}

// RowFault names the row that a fault is in.
func RowFault(number int64, f event.Invalid) event.Invalid {
	f.Path = fmt.Sprintf("row %d: %s", number, f.Path)
	return f
}
