package flagd

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
)

// Options say what definitions of flagd do not. What stays empty is marked on
// the flag by a tag, unset-owner and so on, and reported.
type Options struct {
	Environment string         // that the definitions are for; required
	Owner       string         // empty: the definition's metadata "owner", else Unset
	Purpose     flags.Purpose  // empty: operational, the purpose that asks for no end
	Safe        string         // variant, for the flags that have it; empty: the code decides
	Cleanup     *flags.Cleanup // how the flags end; required for purposes that ask for it
	Unit        string         // what a rollout would hash; empty: user
	Convert     bool           // turn targeting into rules where they give every unit the same
}

// Unset is the owner of a flag of which nobody said whose it is.
const Unset = "unset"

// Warning is something that a person should look at.
type Warning struct {
	Path string `json:"path"`
	Text string `json:"text"`
}

// Report says what an import did beside making flags.
type Report struct {
	Warnings  []Warning `json:"warnings,omitempty"`
	Converted []string  `json:"converted,omitempty"` // keys of flags whose targeting became rules
}

func (r *Report) warn(path, format string, args ...any) {
	r.Warnings = append(r.Warnings, Warning{path, fmt.Sprintf(format, args...)})
}

// Import turns a document into flags, by key. Its error is event.Invalids with
// every fault and its path in the document. The list has the flags with faults
// too, as far as they could be read; they are not to be used.
func Import(source []byte, o Options) ([]flags.Flag, Report, error) {
	doc, faults := read(source)
	im := importer{Options: o, doc: doc, faults: faults}
	if o.Environment == "" {
		im.faults.Add("environment", nil, "is missing", "name the environment that the definitions are for")
	}
	var list []flags.Flag
	for _, key := range slices.Sorted(maps.Keys(doc.flags)) {
		list = append(list, im.flag(key, doc.flags[key]))
	}
	return list, im.report, im.faults.Err()
}

// importer makes flags of one document.
type importer struct {
	Options
	doc    source
	report Report
	faults event.Invalids

	referred int // parts of $evaluators that were written out so far
}

func (im *importer) flag(key string, d imported) flags.Flag {
	path := "flags." + key
	f := flags.Flag{
		Key: key, Variants: d.Variants, Purpose: im.Purpose, Owner: im.Owner, Cleanup: im.Cleanup,
		Unit: im.Unit, Type: typeOf(d.Variants), Tags: []string{"imported"},
	}
	im.head(&f, path, d)
	if d.State != enabled && d.State != disabled {
		im.faults.Add(path+".state", d.State, "is not a state", "write ENABLED or DISABLED")
	}
	if d.State == disabled && f.Safe != "" {
		im.report.warn(path+".state", "is DISABLED: flagd leaves the value to the code, and here everybody gets the safe variant, %s", f.Safe)
	}
	e := flags.Environment{Enabled: d.State == enabled}
	if rule := im.targeting(path+".targeting", d.Targeting); rule != nil {
		e.Targeting = rule
		if im.Convert {
			im.convert(&f, &e, path+".targeting")
		}
	}
	f.Environments = map[string]flags.Environment{im.Environment: e}
	im.check(path, f)
	return f
}

// check adds the faults that the flag would be refused for, under the paths of
// the document.
func (im *importer) check(path string, f flags.Flag) {
	found, _ := f.Validate().(event.Invalids)
	environment := "environments." + im.Environment + "."
	for _, fault := range found {
		if len(fault.Path) > len(environment) && fault.Path[:len(environment)] == environment {
			fault.Path = fault.Path[len(environment):]
		}
		fault.Path = path + "." + fault.Path
		if !slices.ContainsFunc(im.faults, func(known event.Invalid) bool { return known.Path == fault.Path }) {
			im.faults = append(im.faults, fault)
		}
	}
}

// head fills in what the definition and the options say, and marks the rest.
func (im *importer) head(f *flags.Flag, path string, d imported) {
	f.Metadata = im.metadata(path, d.Metadata)
	if owner, _ := f.Metadata["owner"].(string); f.Owner == "" {
		f.Owner = owner
	}
	if f.Owner == "" {
		f.Owner = Unset
		im.unset(f, path, "owner")
	}
	if f.Purpose == "" {
		f.Purpose = flags.Operational
		im.unset(f, path, "purpose")
	}
	if f.Cleanup == nil {
		im.unset(f, path, "cleanup")
	}
	if _, ok := d.Variants[im.Safe]; ok {
		f.Safe = im.Safe
	} else {
		im.unset(f, path, "safe")
	}
	if d.DefaultVariant != nil && *d.DefaultVariant != "" {
		f.Default = *d.DefaultVariant
	}
	f.CodeDefault = f.Safe == "" || f.Default == ""
}

// unset marks a flag that lacks what every flag should say.
func (im *importer) unset(f *flags.Flag, path, what string) {
	f.Tags = append(f.Tags, "unset-"+what)
	im.report.warn(path, "%s is unset", what)
}

// metadata merges the document's with the flag's own, which comes first.
func (im *importer) metadata(path string, own map[string]any) map[string]any {
	all := maps.Clone(im.doc.Metadata)
	if all == nil {
		all = map[string]any{}
	}
	maps.Copy(all, own)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if !flags.OwnMetadata(name) {
			continue
		}
		delete(all, name)
		if _, its := own[name]; its {
			im.report.warn(path+".metadata."+name, "is left out: every answer says its own")
		}
	}
	if len(all) == 0 {
		return nil
	}
	return all
}

// typeOf returns the type of the first variant's value; Validate compares the
// others with it.
func typeOf(variants flags.Variants) flags.Type {
	for _, name := range slices.Sorted(maps.Keys(variants)) {
		var value any
		if json.Unmarshal(variants[name], &value) != nil {
			continue
		}
		switch value.(type) {
		case bool:
			return flags.Boolean
		case string:
			return flags.String
		case float64:
			return flags.Number
		case map[string]any:
			return flags.Object
		}
	}
	return ""
}
