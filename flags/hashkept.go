package flags

import (
	"fmt"
	"maps"
	"slices"

	"github.com/sluice-hq/sluice/event"
)

// What is hashed, and how, is what keeps units where they are: where a flag is
// enabled, a split or a portion goes on with the hash that it began with. Another
// hash is another rule, which has another name, or a new rollout.
const (
	hashChanged = "is not the hash that it runs with: every unit would be dealt out anew"
	hashRemedy  = "leave it as it is; to move on, begin a rollout, or write a rule of another name"
)

// checkHashKept refuses a definition in which a rule that runs has another
// hash.
func (f *Flag) checkHashKept(faults *event.Invalids, old *Flag) {
	for _, name := range slices.Sorted(maps.Keys(f.Environments)) {
		was := old.Environments[name]
		if !was.Enabled {
			continue
		}
		for i, r := range f.Environments[name].Rules {
			if at := named(was.Rules, r.Name); at >= 0 {
				r.checkHashKept(faults, fmt.Sprintf("environments.%s.rules[%d]", name, i), was.Rules[at])
			}
		}
	}
}

func (r Rule) checkHashKept(faults *event.Invalids, path string, old Rule) {
	if old.Split != nil && r.Split != nil && !same(old.Hash, r.Hash) {
		faults.Add(path+".hash", nil, hashChanged, hashRemedy)
	}
	checkPortionsKept(faults, path+".when", old.When, r.When)
}

// checkPortionsKept refuses a condition whose portions have another hash. One that
// goes, or comes along, is a change of who is meant like any other.
func checkPortionsKept(faults *event.Invalids, path string, old, is *Condition) {
	was, now := old.hashes(nil), is.hashes(nil)
	if len(lackingHashes(was, now)) > 0 && len(lackingHashes(now, was)) > 0 {
		faults.Add(path, nil, hashChanged, hashRemedy)
	}
}

// hashes collects those of all portions in the condition.
func (c *Condition) hashes(found []HashInput) []HashInput {
	if c == nil {
		return found
	}
	for _, list := range [][]Condition{c.All, c.Any, c.None} {
		for i := range list {
			found = list[i].hashes(found)
		}
	}
	if c.Hash != nil {
		found = append(found, *c.Hash)
	}
	return found
}

// lackingHashes returns those of the first list that the second lacks.
func lackingHashes(of, in []HashInput) []HashInput {
	return slices.DeleteFunc(slices.Clone(of), func(h HashInput) bool { return slices.Contains(in, h) })
}
