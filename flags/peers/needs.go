package peers

import (
	"slices"

	"github.com/sluice-hq/sluice/flags"
)

// leave leaves out the flags that do not go, and reports whether there are any.
func (d *Desk) leave(out func(flags.Flag) bool) bool {
	var gone []string
	d.flags = slices.DeleteFunc(slices.Clone(d.flags), func(f flags.Flag) bool {
		is := out(f)
		if is {
			gone = append(gone, f.Key)
		}
		return is
	})
	for _, key := range gone {
		delete(d.has, key)
	}
	return len(gone) > 0
}

// depths returns how long the chain of flags is that each of them needs.
func (d *Desk) depths() map[string]int {
	depth := map[string]int{}
	for grown := true; grown; { // no chain is a circle: those are left out
		grown = false
		for _, f := range d.flags {
			for _, p := range f.Environments[d.Environment].Prerequisites {
				if depth[p.Flag] >= depth[f.Key] {
					depth[f.Key], grown = depth[p.Flag]+1, true
				}
			}
		}
	}
	return depth
}

// circles reports whether a flag needs itself, by way of others, and notes it.
func (d *Desk) circles(f flags.Flag) bool {
	seen, next := map[string]bool{}, []string{f.Key}
	for len(next) > 0 {
		is := d.has[next[0]]
		next = next[1:]
		for _, p := range is.Environments[d.Environment].Prerequisites {
			if p.Flag == f.Key {
				d.add(Note{Flag: f.Key, Path: "prerequisites", Text: "needs itself, by way of others", Left: true})
				return true
			}
			if !seen[p.Flag] {
				seen[p.Flag] = true
				next = append(next, p.Flag)
			}
		}
	}
	return false
}

// strands reports whether a flag needs one that was not brought along, and
// notes it.
func (d *Desk) strands(f flags.Flag) bool {
	for _, p := range f.Environments[d.Environment].Prerequisites {
		if _, ok := d.has[p.Flag]; !ok {
			d.add(Note{Flag: f.Key, Path: "prerequisites", Text: "needs the flag " + p.Flag + ", which is not carried over", Left: true})
			return true
		}
	}
	return false
}
