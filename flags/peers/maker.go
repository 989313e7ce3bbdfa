package peers

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
)

// Maker is one flag in the making.
type Maker struct {
	flags.Flag
	In flags.Environment // what it does in the environment of the export

	desk *Desk
	path string // of the flag in the export
	left bool
}

// Begin begins a flag. path is where the export has it.
func (d *Desk) Begin(key, path string) *Maker {
	return &Maker{desk: d, path: path, In: flags.Environment{Enabled: true}, Flag: flags.Flag{
		Key: key, Owner: d.Owner, Purpose: d.Purpose, Cleanup: d.Cleanup, Unit: d.Unit,
		Tags: []string{"imported"}, Variants: flags.Variants{},
	}}
}

// Leave says why the flag cannot be carried over: it is left out.
func (m *Maker) Leave(path, format string, args ...any) {
	m.left = true
	m.add(path, true, fmt.Sprintf(format, args...))
}

// Note says what a caller has to know or to do.
func (m *Maker) Note(path, format string, args ...any) {
	m.add(path, false, fmt.Sprintf(format, args...))
}

func (m *Maker) add(path string, left bool, text string) {
	m.desk.add(Note{Flag: m.Key, Path: strings.Trim(m.path+"."+path, "."), Text: text, Left: left})
}

// Boolean makes the flag one of two variants.
func (m *Maker) Boolean() {
	m.Variants["on"], m.Variants["off"] = json.RawMessage("true"), json.RawMessage("false")
	m.Default, m.Safe = "off", "off"
}

// Variant takes a value up and returns the name of its variant. Equal values
// are one variant.
func (m *Maker) Variant(raw json.RawMessage) string {
	if name, ok := m.Has(raw); ok {
		return name
	}
	return m.Named(nameOf(compact(raw)), raw)
}

// Has returns the name of the variant that has a value.
func (m *Maker) Has(raw json.RawMessage) (string, bool) {
	value := compact(raw)
	for _, name := range slices.Sorted(maps.Keys(m.Variants)) {
		if bytes.Equal(m.Variants[name], value) {
			return name, true
		}
	}
	return "", false
}

// Named takes a value up under a name, or one like it that is free.
func (m *Maker) Named(name string, raw json.RawMessage) string {
	name = Name(name)
	base := name
	for i := 2; m.Variants[name] != nil; i++ {
		name = fmt.Sprintf("%s-%d", base, i)
	}
	m.Variants[name] = compact(raw)
	return name
}

// nameOf names a variant by its value, where that is short.
func nameOf(value json.RawMessage) string {
	var v any
	if json.Unmarshal(value, &v) != nil {
		return "value"
	}
	switch v := v.(type) {
	case bool, float64:
		return strings.ReplaceAll(string(value), "-", "minus-")
	case string:
		if len(v) <= 40 && event.CheckKey(v) == "" {
			return v
		}
	}
	return "value"
}

// compact writes JSON without white space, null for what is absent.
func compact(raw json.RawMessage) json.RawMessage {
	var b bytes.Buffer
	if json.Compact(&b, raw) != nil {
		return json.RawMessage("null")
	}
	return b.Bytes()
}

// Name returns a name as keys are: other characters become hyphens.
func Name(s string) string {
	name := strings.Trim(strings.Map(func(r rune) rune {
		if event.CheckKey("a"+string(r)+"a") != "" {
			return '-'
		}
		return r
	}, s), ".-")
	for strings.Contains(name, "..") {
		name = strings.ReplaceAll(name, "..", ".")
	}
	if name == "" {
		return "unnamed"
	}
	return strings.TrimRight(name[:min(len(name), 100)], ".")
}

// Target gives single units, by the attribute that has their ids, a variant:
// they are targets where the flag's unit is that very one, and else those of a
// rule, which has to come before all others.
func (m *Maker) Target(name, attribute, variant string, ids []string) {
	if !m.desk.Listed(attribute) {
		m.Rule(name, Among(attribute, ids), flags.Rule{Serve: variant})
		return
	}
	seen := map[string]bool{"": true}
	for _, t := range m.In.Targets {
		for _, id := range t.Units {
			seen[id] = true
		}
	}
	ids = slices.DeleteFunc(slices.Clone(ids), func(id string) bool { was := seen[id]; seen[id] = true; return was })
	if len(ids) > 0 {
		m.In.Targets = append(m.In.Targets, flags.Target{Variant: variant, Units: ids})
	}
}

// Rule adds a rule for whom the condition holds. Its name is made one that no
// other rule has.
func (m *Maker) Rule(name string, when Cond, r flags.Rule) {
	c, some := when.When()
	if !some {
		return
	}
	r.Name, r.When = Name(name), c
	base := r.Name
	for i := 2; slices.ContainsFunc(m.In.Rules, func(o flags.Rule) bool { return o.Name == r.Name }); i++ {
		r.Name = fmt.Sprintf("%s-%d", base, i)
	}
	m.In.Rules = append(m.In.Rules, r)
}

// Done puts the flag on the desk, or notes what it would be refused for.
func (m *Maker) Done() {
	m.CodeDefault = m.Safe == "" || m.Default == ""
	m.Type = m.kind()
	m.unset()
	m.Environments = map[string]flags.Environment{m.desk.Environment: m.In}
	if m.left {
		return
	}
	if _, twice := m.desk.has[m.Key]; twice {
		m.Leave("", "has the key of another flag of the export")
	}
	m.checkSegments()
	faults, _ := m.Validate().(event.Invalids)
	for _, f := range faults {
		m.Leave("", "cannot be written here: %s", f.Error())
	}
	if !m.left {
		m.desk.flags = append(m.desk.flags, m.Flag)
		m.desk.has[m.Key] = m.Flag
	}
}

// checkSegments leaves the flag out when one of the segments that it asks for
// is.
func (m *Maker) checkSegments() {
	for _, key := range m.Segments() {
		if why, lost := m.desk.lost[key]; lost {
			m.Leave("", "asks for the segment %s, which cannot be carried over: %s", key, why)
		}
	}
}

// kind is the type of the variants' values.
func (m *Maker) kind() flags.Type {
	kinds := map[flags.Type]bool{}
	for _, raw := range m.Variants {
		kinds[kindOf(raw)] = true
	}
	if len(kinds) > 1 || kinds[""] {
		m.Leave("", "has values of several types, or null, or a list: a flag has one type here")
		return ""
	}
	for k := range kinds {
		return k
	}
	return ""
}

func kindOf(raw json.RawMessage) flags.Type {
	var v any
	if json.Unmarshal(raw, &v) != nil {
		return ""
	}
	switch v.(type) {
	case bool:
		return flags.Boolean
	case string:
		return flags.String
	case float64:
		return flags.Number
	case map[string]any:
		return flags.Object
	}
	return ""
}

// unset marks what nobody has said.
func (m *Maker) unset() {
	if m.Owner == "" {
		m.Owner = Unset
		m.Tags = append(m.Tags, "unset-owner")
	}
	if m.Purpose == "" {
		m.Purpose = flags.Operational
		m.Tags = append(m.Tags, "unset-purpose")
	}
	if m.Cleanup == nil {
		m.Tags = append(m.Tags, "unset-cleanup")
	}
	if m.Safe == "" {
		m.Tags = append(m.Tags, "unset-safe")
	}
}
