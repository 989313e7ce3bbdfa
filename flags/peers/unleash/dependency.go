package unleash

import (
	"fmt"
	"slices"

	"github.com/sluice-hq/sluice/flags"
	"github.com/sluice-hq/sluice/flags/peers"
)

type dependency struct {
	Feature  string   `json:"feature"`
	Enabled  *bool    `json:"enabled"`
	Variants []string `json:"variants"`
}

// dependencies become prerequisites, each of which asks for one variant. It
// reports false where one is never met there: the toggle is for nobody then.
func (im *importer) dependencies(m *peers.Maker, f feature) bool {
	for i, d := range f.Dependencies {
		path := fmt.Sprintf("dependencies[%d]", i)
		parent, ok := im.features[d.Feature]
		switch {
		case !ok:
			m.Note(path, "is a toggle that the export does not have, %s: this one is for nobody, as there", d.Feature)
			return false
		case len(parent.Dependencies) > 0:
			m.Note(path, "depends on something itself, which Unleash never meets, %s: this one is for nobody, as there", d.Feature)
			return false
		case d.Enabled != nil && !*d.Enabled:
			m.In.Prerequisites = append(m.In.Prerequisites, flags.Prerequisite{Flag: d.Feature, Variant: "off"})
		case len(d.Variants) == 0:
			m.In.Prerequisites = append(m.In.Prerequisites, flags.Prerequisite{Flag: d.Feature, Variant: "on"})
		case !im.variantOf(m, path, parent, d.Variants):
			return false
		}
	}
	return true
}

// variantOf asks for a variant of a toggle that is enabled. Names that it never
// has are passed over.
func (im *importer) variantOf(m *peers.Maker, path string, parent feature, names []string) bool {
	has := parent.variantNames()
	names = slices.DeleteFunc(slices.Clone(names), func(name string) bool { return !slices.Contains(has, name) })
	names = slices.Compact(slices.Sorted(slices.Values(names)))
	switch {
	case len(names) == 0:
		m.Note(path, "asks for a variant that %s never has: this one is for nobody, as there", parent.Name)
		return false
	case len(names) > 1 && len(names) < len(has):
		m.Leave(path, "asks for one of several variants of %s, and a prerequisite for one", parent.Name)
		return true
	}
	m.In.Prerequisites = append(m.In.Prerequisites, flags.Prerequisite{Flag: parent.Name, Variant: "on"})
	if len(has) > 1 && len(names) == 1 {
		m.In.Prerequisites = append(m.In.Prerequisites, flags.Prerequisite{Flag: parent.Name + suffix, Variant: peers.Name(names[0])})
	}
	return true
}

// variantNames are those that a unit may have, none among them.
func (f feature) variantNames() []string {
	names := []string{none}
	for _, v := range f.Variants {
		names = append(names, v.Name)
	}
	for _, s := range f.Strategies {
		for _, v := range s.Variants {
			names = append(names, v.Name)
		}
	}
	return slices.Compact(slices.Sorted(slices.Values(names)))
}
