package flags

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Difference is one thing that two definitions of a flag do not have alike.
type Difference struct {
	Path string `json:"path"`          // of the field: "environments.production.rules.staff.serve"
	Was  any    `json:"was,omitempty"` // nil: it was not there
	Is   any    `json:"is,omitempty"`  // nil: it is gone
	Text string `json:"text"`          // a sentence: "production: rule staff now serves on (was off)"
}

// String returns the sentence.
func (d Difference) String() string { return d.Text }

// Diff says how b differs from a, field by field. What rollouts leave on a flag
// is compared too. The order of tags, of prerequisites and of a variant's
// targeted units means nothing, and is passed over.
func Diff(a, b Flag) []Difference {
	var d differ
	head := place{}
	d.fields(head, a, b, "tags", "variants", "dates", "cleanup", "environments")
	d.tags(a.Tags, b.Tags)
	d.variants(a.Variants, b.Variants)
	d.fields(head.in("dates", "dates: "), a.Dates, b.Dates)
	d.fields(head.in("cleanup", "cleanup: "), a.Cleanup, b.Cleanup)
	for _, name := range union(a.Environments, b.Environments) {
		d.environment(name, a.Environments, b.Environments)
	}
	return d.list
}

// differ gathers differences.
type differ struct{ list []Difference }

// place is where in a definition a difference is: its path, and how its
// sentence begins.
type place struct{ path, lead string }

// in returns the place of a field below p; lead replaces what p's sentences
// begin with.
func (p place) in(field, lead string) place {
	if p.path != "" {
		field = p.path + "." + field
	}
	return place{field, lead}
}

func (d *differ) add(at place, was, is any, format string, args ...any) {
	d.list = append(d.list, Difference{Path: at.path, Was: was, Is: is, Text: at.lead + fmt.Sprintf(format, args...)})
}

// fields compares two documents field by field, but for those that have words
// of their own. It goes by what is written, so that a field which a later
// version adds is never passed over.
func (d *differ) fields(at place, a, b any, except ...string) {
	was, is := written(a), written(b)
	for _, name := range union(was, is) {
		if !slices.Contains(except, name) {
			d.field(at.in(name, at.lead), name, was[name], is[name])
		}
	}
}

func (d *differ) field(at place, name string, was, is json.RawMessage) {
	switch {
	case string(was) == string(is):
	case is == nil:
		d.add(at, value(was), nil, "%s is unset (was %s)", name, plain(was))
	case was == nil:
		d.add(at, nil, value(is), "%s is now %s (was unset)", name, plain(is))
	default:
		d.add(at, value(was), value(is), "%s is now %s (was %s)", name, plain(is), plain(was))
	}
}

func (d *differ) tags(a, b []string) {
	for _, tag := range a {
		if !slices.Contains(b, tag) {
			d.add(place{path: "tags"}, tag, nil, "tag %s removed", tag)
		}
	}
	for _, tag := range b {
		if !slices.Contains(a, tag) {
			d.add(place{path: "tags"}, nil, tag, "tag %s added", tag)
		}
	}
}

func (d *differ) variants(a, b Variants) {
	for _, name := range union(a, b) {
		was, is := a[name], b[name]
		at := place{path: "variants." + name}
		switch {
		case same(was, is):
		case was == nil:
			d.add(at, nil, value(is), "variant %s added: %s", name, is)
		case is == nil:
			d.add(at, value(was), nil, "variant %s removed (was %s)", name, was)
		default:
			d.add(at, value(was), value(is), "variant %s is now %s (was %s)", name, is, was)
		}
	}
}

// written returns the fields of a document as they are written; none for nil.
func written(doc any) map[string]json.RawMessage {
	fields := map[string]json.RawMessage{}
	if b, err := json.Marshal(doc); err == nil { // it fails for raw values that are no JSON; the checks refuse those
		_ = json.Unmarshal(b, &fields)
	}
	return fields
}

// value returns a raw value as a Difference shows it.
func value(raw json.RawMessage) any {
	v, err := decode(raw)
	if err != nil {
		return string(raw) // unreachable unless a definition was never checked
	}
	return v
}

// plain writes a value as a sentence has it: words without quotes.
func plain(raw json.RawMessage) string {
	if s, ok := value(raw).(string); ok && s != "" && !strings.ContainsAny(s, " \t\n\"") {
		return s
	}
	return string(raw)
}

func union[V any](a, b map[string]V) []string {
	keys := slices.AppendSeq(slices.Collect(maps.Keys(a)), maps.Keys(b))
	slices.Sort(keys)
	return slices.Compact(keys)
}
