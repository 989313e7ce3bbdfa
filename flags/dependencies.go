package flags

import "slices"

// Dependencies are what a flag needs in one environment, and what needs it.
type Dependencies struct {
	Flag        string         `json:"flag"`
	Environment string         `json:"environment"`
	Needs       []Prerequisite `json:"needs" doc:"prerequisites"`
	Through     []string       `json:"through,omitempty" doc:"flags that those need in turn"`
	NeededBy    []string       `json:"neededBy" doc:"flags whose prerequisite it is"`
	Segments    []SegmentUse   `json:"segments" doc:"that its rules and its allocation ask for"`
	Rules       []string       `json:"rules" doc:"names of the rules that it inherits"`
}

// SegmentUse is one revision of a segment that a flag asks for.
type SegmentUse struct {
	Key      string `json:"key"`
	Revision uint64 `json:"revision"`
	Pinned   bool   `json:"pinned,omitempty" doc:"by the allocation, whose epoch began with this revision"`
}

// Dependencies returns those of a flag, false when there is no such flag.
func (t *Set) Dependencies(key string) (Dependencies, bool) {
	f, ok := t.flags[key]
	if !ok {
		return Dependencies{}, false
	}
	d := Dependencies{Flag: key, Environment: t.environment, Needs: []Prerequisite{}, NeededBy: []string{}, Segments: []SegmentUse{}, Rules: []string{}}
	d.Needs = append(d.Needs, f.prerequisites...)
	for _, k := range t.keys {
		if slices.ContainsFunc(t.flags[k].prerequisites, func(p Prerequisite) bool { return p.Flag == key }) && !t.flags[k].doc.Archived {
			d.NeededBy = append(d.NeededBy, k)
		}
	}
	for _, r := range f.inherited {
		d.Rules = append(d.Rules, r.Name)
	}
	for _, s := range f.segments {
		use := SegmentUse{Key: s.doc.Key, Revision: s.doc.Revision}
		use.Pinned = f.allocation != nil && f.allocation.doc.Segments[use.Key] == use.Revision
		d.Segments = append(d.Segments, use)
	}
	d.Through = t.through(f.prerequisites)
	return d, true
}

// through returns the flags that the prerequisites need in turn, sorted.
func (t *Set) through(list []Prerequisite) []string {
	var out []string
	for i := 0; i < len(list); i++ {
		f, ok := t.flags[list[i].Flag]
		if !ok {
			continue
		}
		for _, p := range f.prerequisites {
			if !slices.Contains(out, p.Flag) {
				out = append(out, p.Flag)
				list = append(slices.Clip(list), p)
			}
		}
	}
	slices.Sort(out)
	return out
}
