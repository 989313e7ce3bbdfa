package flags

import (
	"fmt"
	"slices"
	"sort"
)

// rules compares two lists of rules by name: a name is what people know a rule
// by, and a part of its split's salt.
func (d *differ) rules(at place, a, b []Rule) {
	for _, r := range a {
		if named(b, r.Name) < 0 {
			d.add(at.in(r.Name, at.lead), r, nil, "%s removed (it %s)", r.Name, r.does())
		}
	}
	for i, r := range b {
		at := at.in(r.Name, at.lead+r.Name+" ")
		if j := named(a, r.Name); j >= 0 {
			d.rule(at, a[j], r)
		} else {
			d.add(at, nil, r, "added in place %d: it %s", i+1, r.does())
		}
	}
	for _, name := range moved(a, b) {
		was, is := named(a, name)+1, named(b, name)+1
		d.add(at.in(name, at.lead), was, is, "%s moved to place %d (was %d)", name, is, was)
	}
}

func (d *differ) rule(at place, a, b Rule) {
	if a.Serve != b.Serve || !slices.Equal(a.Split, b.Split) {
		d.add(at.in("serve", at.lead), a.answer(), b.answer(), "now %s (was %s)", b.serves(), a.answer())
	}
	if !same(a.When, b.When) {
		d.add(at.in("when", at.lead), valueOf(a.When), valueOf(b.When), "now applies %s (was %s)", b.whom(), a.whom())
	}
	d.fields(at, a, b, "name", "serve", "split", "when")
}

// answer says what a rule gives: a variant, or shares of several.
func (r Rule) answer() string {
	if r.Split != nil {
		return arms(r.Split)
	}
	return r.Serve
}

func (r Rule) serves() string { return choose(r.Split == nil, "serves ", "splits ") + r.answer() }

func (r Rule) whom() string {
	if r.When == nil {
		return "to everybody"
	}
	return "when " + r.When.String()
}

func (r Rule) does() string {
	if r.Until == "" {
		return r.serves() + " " + r.whom()
	}
	return fmt.Sprintf("%s %s until %s", r.serves(), r.whom(), r.Until)
}

// moved returns the fewest names that must be moved to turn the order of the
// rules that both lists have from a's into b's: those outside a longest
// increasing sequence of their old places.
func moved(a, b []Rule) []string {
	var names []string
	var places []int
	for _, r := range b {
		if i := named(a, r.Name); i >= 0 {
			names, places = append(names, r.Name), append(places, i)
		}
	}
	stay := increasing(places)
	var out []string
	for i, name := range names {
		if !stay[i] {
			out = append(out, name)
		}
	}
	return out
}

// increasing marks the members of a longest increasing subsequence (patience
// sorting: ends[n] is the index of the smallest end of a sequence of n+1).
func increasing(list []int) []bool {
	var ends []int
	before := make([]int, len(list))
	for i, n := range list {
		k := sort.Search(len(ends), func(k int) bool { return list[ends[k]] >= n })
		before[i] = -1
		if k > 0 {
			before[i] = ends[k-1]
		}
		if k == len(ends) {
			ends = append(ends, i)
		}
		ends[k] = i
	}
	in := make([]bool, len(list))
	if len(ends) == 0 {
		return in
	}
	for i := ends[len(ends)-1]; i >= 0; i = before[i] {
		in[i] = true
	}
	return in
}
