// Package peers brings flags along from other programs. It holds what their
// importers share: the options, the report, conditions in the making, and
// ranges of the peers' own hashes, which become rules that keep every unit
// where it is. Each peer has a room below this one. It never reads a file,
// serves or evaluates: an export's bytes in, documents and a report out.
//
//	brought, err := unleash.Import(source, peers.Options{Environment: "production", Owner: "growth"})
//	for _, n := range brought.Notes { … }
//
// A flag is carried over whole or it is left out, and the report says why:
// nothing is answered here that the peer would not have answered, but for what
// a note says a caller has to send.
package peers

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
)

// Options say what exports do not. What stays empty is marked on the flag by a
// tag, unset-owner and so on.
type Options struct {
	Environment string         // that the export is of; required
	Owner       string         // empty: Unset
	Purpose     flags.Purpose  // empty: operational, the purpose that asks for no end
	Cleanup     *flags.Cleanup // how the flags end; required for purposes that ask for it
	Unit        string         // what a rollout would hash; empty: user
	Key         string         // attribute that the peer knows units by, and that is sent as the targeting key; empty: the peer's own
}

// Unset is the owner of a flag of which nobody said whose it is.
const Unset = "unset"

// Note is a line of the report.
type Note struct {
	Flag string `json:"flag,omitempty"` // key; empty: of the whole export
	Path string `json:"path"`           // in the export
	Text string `json:"text"`
	Left bool   `json:"left,omitempty"` // the flag is left out for this
}

// Brought is what an export became.
type Brought struct {
	Flags    []flags.Flag    // by key, those first that others need
	Segments []flags.Segment // that the flags ask for, by key
	Notes    []Note          // in the order of the export
	Numbers  []string        // attributes that contexts have to send as numbers, sorted
}

// LeftOut returns the keys of the flags that could not be carried over.
func (b Brought) LeftOut() []string {
	keys := map[string]bool{}
	for _, n := range b.Notes {
		if n.Left {
			keys[n.Flag] = true
		}
	}
	return slices.Sorted(maps.Keys(keys))
}

// Desk is where an export is taken apart.
type Desk struct {
	Options
	flags    []flags.Flag
	has      map[string]flags.Flag // those, by key
	segments map[string]flags.Segment
	lost     map[string]string // key of a segment that could not be carried over -> why
	notes    []Note
	noted    map[Note]bool
	numbers  map[string]bool // attributes that are compared as numbers
	lists    map[string]bool // attributes whose members are asked for
	filled   map[string]bool // attributes that the peer's SDKs fill in
}

// NewDesk returns an empty desk, or what is wrong with the options.
func NewDesk(o Options) (*Desk, error) {
	var faults event.Invalids
	if o.Environment == "" {
		faults.Add("environment", nil, "is missing", "name the environment that the export is of")
	}
	return &Desk{
		Options: o, has: map[string]flags.Flag{}, segments: map[string]flags.Segment{}, lost: map[string]string{}, noted: map[Note]bool{},
		numbers: map[string]bool{}, lists: map[string]bool{}, filled: map[string]bool{},
	}, faults.Err()
}

// Note adds a line about the whole export.
func (d *Desk) Note(path, format string, args ...any) {
	d.add(Note{Path: path, Text: fmt.Sprintf(format, args...)})
}

// add adds a line to the report, once.
func (d *Desk) add(n Note) {
	if !d.noted[n] {
		d.noted[n] = true
		d.notes = append(d.notes, n)
	}
}

// Number notes that an attribute is compared as a number.
func (d *Desk) Number(attribute string) { d.numbers[attribute] = true }

// List notes that members of an attribute are asked for. Here one value alone
// is taken for a list of it, and there for no list.
func (d *Desk) List(attribute string) { d.lists[attribute] = true }

// Filled notes that the peer's SDKs fill an attribute in, so that a caller may
// not know of it.
func (d *Desk) Filled(attribute string) { d.filled[attribute] = true }

// Attribute returns what an attribute of the peer's contexts is called here:
// the one that units are known by is the targeting key.
func (d *Desk) Attribute(name, key string) string {
	if d.Key != "" {
		key = d.Key
	}
	if name == key {
		return flags.TargetingKey
	}
	return name
}

// Listed reports whether ids of an attribute can stand in lists of units, which
// are users.
func (d *Desk) Listed(attribute string) bool {
	return attribute == flags.TargetingKey && (d.Unit == "" || d.Unit == flags.DefaultUnit)
}

// Segment takes a segment up in which is whoever meets a condition, beside those
// who are listed, or notes why it cannot be: a flag that asks for it is left out
// then.
func (d *Desk) Segment(s flags.Segment, is Cond, why error) {
	when, some := is.When()
	if s.When = when; when == nil && some {
		s.When = everybody()
	}
	if s.Unit == "" {
		s.Unit = flags.DefaultUnit
	}
	if why == nil {
		why = s.Validate()
	}
	if why != nil {
		d.lost[s.Key] = why.Error()
		return
	}
	d.segments[s.Key] = s
}

// Finish returns all that was brought along. A flag that needs one that is left
// out is left out itself.
func (d *Desk) Finish() Brought {
	d.leave(d.circles)
	for d.leave(d.strands) {
		continue // those that need one that has just been left out
	}
	depth := d.depths()
	slices.SortFunc(d.flags, func(a, b flags.Flag) int {
		return cmp.Or(cmp.Compare(depth[a.Key], depth[b.Key]), cmp.Compare(a.Key, b.Key))
	})
	segments, unasked := d.asked()
	d.names("rules compare these attributes with numbers: send them as numbers, not as text: ", d.numbers)
	d.names("rules ask for members of these attributes: send them as lists: ", d.lists)
	d.names("the SDKs there fill these attributes in by themselves: send them: ", d.filled)
	d.names("no flag that is carried over asks for these segments, which are left out: ", unasked)
	return Brought{Flags: d.flags, Segments: segments, Notes: d.notes, Numbers: slices.Sorted(maps.Keys(d.numbers))}
}

// names adds a line about the whole export that ends with names, if there are any.
func (d *Desk) names(text string, names map[string]bool) {
	if len(names) > 0 {
		d.Note("", "%s%s", text, strings.Join(slices.Sorted(maps.Keys(names)), ", "))
	}
}

// asked returns the segments that flags ask for, by key, and the keys of the
// others.
func (d *Desk) asked() (segments []flags.Segment, others map[string]bool) {
	asked := map[string]bool{}
	for _, f := range d.flags {
		for _, key := range f.Segments() {
			asked[key] = true
		}
	}
	others = map[string]bool{}
	for _, key := range slices.Sorted(maps.Keys(d.segments)) {
		if asked[key] {
			segments = append(segments, d.segments[key])
		} else {
			others[key] = true
		}
	}
	return segments, others
}
