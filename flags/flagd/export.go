package flagd

import (
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
)

// MaxInlined is how many unit ids of targets and segments one flag may bring
// into a document: flagd has no lists of its own, and every provider loads all
// of them.
const MaxInlined = 10_000

// mostOthers is how many other flags, prerequisites and theirs, are written out
// in one flag. Each of them is written as often as it is asked for.
const mostOthers = 100

// notExported is the metadata that names the flags which a document leaves
// out.
const notExported = "notExported"

// Export returns all flags of a ruleset that flagd can say, and of the others
// every reason with its path, such as
// flags.checkout.environments.production.rules[0].when.op. The document names
// the flags that it leaves out in its metadata.
func Export(r flags.Ruleset, lists flags.Lists) (Document, event.Invalids) {
	doc := Document{Schema: Schema, Flags: make(map[string]Definition, len(r.Flags)), Metadata: map[string]any{
		"flagSetId": r.Environment, "version": strconv.FormatUint(r.Revision, 10),
	}}
	var left event.Invalids
	var names []string
	shelf := newShelf(r, lists)
	for i := range r.Flags {
		f := &r.Flags[i]
		x := exporter{shelf: shelf, flag: f, load: &load{}, path: "flags." + f.Key + ".environments." + r.Environment}
		definition := x.definition()
		if len(x.faults) == 0 {
			doc.Flags[f.Key] = definition
			continue
		}
		names = append(names, f.Key)
		left = append(left, x.faults...)
	}
	if len(names) > 0 {
		doc.Metadata[notExported] = listed(names)
	}
	return doc, left
}

// listed names a few flags and counts the others: it goes out with every
// answer.
func listed(names []string) string {
	const few = 20
	out := ""
	for i, name := range names {
		if i == few {
			return out + " and " + strconv.Itoa(len(names)-few) + " more"
		}
		if i > 0 {
			out += ", "
		}
		out += name
	}
	return out
}

// shelf is the ruleset, ready to be looked things up in.
type shelf struct {
	flags.Ruleset
	lists flags.Lists
	flags map[string]*flags.Recorded
}

func newShelf(r flags.Ruleset, lists flags.Lists) *shelf {
	s := &shelf{Ruleset: r, lists: lists, flags: make(map[string]*flags.Recorded, len(r.Flags))}
	for i := range r.Flags {
		s.flags[r.Flags[i].Key] = &r.Flags[i]
	}
	return s
}

// segment returns a revision of a segment, the present one for 0; nil when
// there is none.
func (s *shelf) segment(key string, revision uint64) *flags.RecordedSegment {
	var found *flags.RecordedSegment
	for i := range s.Segments {
		doc := &s.Segments[i]
		newest := revision == 0 && (found == nil || found.Revision < doc.Revision)
		if doc.Key == key && (newest || doc.Revision == revision) {
			found = doc
		}
	}
	if found != nil && found.Deleted {
		return nil
	}
	return found
}

// exporter writes one flag.
type exporter struct {
	*shelf
	flag   *flags.Recorded
	path   string // of its environment
	load   *load  // of the whole flag
	depth  int    // of prerequisites that are being inlined
	faults event.Invalids
}

// load is what a flag brings into the document beside its own rules.
type load struct{ ids, others int }

func (x *exporter) refuse(path string, value any, why, fix string) {
	x.faults.Add(path, value, why, fix)
}

func (x *exporter) environment() flags.Environment {
	return x.flag.Environments[x.Environment]
}

// definition writes the flag. A fixed answer is a default without targeting.
func (x *exporter) definition() Definition {
	d := Definition{State: enabled, Variants: x.flag.Variants, Metadata: x.metadata()}
	if variant, fixed := x.fixed(); fixed {
		d.DefaultVariant = named(variant)
		if variant == "" {
			d.State = disabled // the code decides
		}
		return d
	}
	d.DefaultVariant = named(x.flag.Default)
	d.Targeting = x.answer(nil)
	if x.load.others > mostOthers {
		x.refuse(x.path+".prerequisites", nil, fmt.Sprintf("brings more than %d other flags into the document", mostOthers), "use a condition that says the same")
	}
	if variant, everybody := d.Targeting.(string); everybody { // which flagd's schema does not take for targeting
		d.DefaultVariant, d.Targeting = &variant, nil
	}
	return d
}

func (x *exporter) metadata() map[string]any {
	m := maps.Clone(x.flag.Metadata)
	if m == nil {
		m = map[string]any{}
	}
	m["version"], m["unit"] = strconv.FormatUint(x.flag.Revision, 10), x.unitKind()
	return m
}

func named(variant string) *string {
	if variant == "" {
		return nil
	}
	return &variant
}

// fixed returns the variant that everybody gets, if there is such.
func (x *exporter) fixed() (variant string, ok bool) {
	e := x.environment()
	switch {
	case x.flag.Archived:
		return x.flag.Answer, true
	case !e.Enabled, e.Forced != nil:
		return x.flag.Safe, true
	}
	return "", false
}

func (x *exporter) unitKind() string {
	if x.flag.Unit == "" {
		return flags.DefaultUnit
	}
	return x.flag.Unit
}

// inherited returns the rules that the flag inherits where it is defined.
func (x *exporter) inherited() []flags.InheritedRule {
	if _, ok := x.flag.Environments[x.Environment]; !ok {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(x.Rules), func(r flags.InheritedRule) bool {
		return !slices.ContainsFunc(r.Tags, func(tag string) bool { return slices.Contains(x.flag.Tags, tag) })
	})
}
