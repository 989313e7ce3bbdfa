package flags

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/sluice-hq/sluice/event"
)

// needs is who asks for whom in one environment, as it would be with one flag
// in the place of its recorded self.
type needs struct {
	state       *State
	environment string
	flag        *Flag
}

// of returns the prerequisites of a flag.
func (n needs) of(key string) []Prerequisite {
	if key == n.flag.Key {
		return n.flag.Environments[n.environment].Prerequisites
	}
	if r, ok := n.state.flags[key]; ok {
		return r.Environments[n.environment].Prerequisites
	}
	return nil
}

// way returns the keys on the way from one flag to another, both included; nil
// when there is none.
func (n needs) way(from, to string, seen map[string]bool) []string {
	if from == to {
		return []string{to}
	}
	if seen[from] {
		return nil
	}
	seen[from] = true
	for _, p := range n.of(from) {
		if rest := n.way(p.Flag, to, seen); rest != nil {
			return append([]string{from}, rest...)
		}
	}
	return nil
}

// depth returns the length of the longest chain below a flag. There is no
// cycle; known holds what was counted.
func (n needs) depth(key string, known map[string]int) int {
	if d, ok := known[key]; ok {
		return d
	}
	known[key] = 0 // of a cycle, which only a log has that Handle did not write
	longest := 0
	for _, p := range n.of(key) {
		longest = max(longest, 1+n.depth(p.Flag, known))
	}
	known[key] = longest
	return longest
}

// above returns the flags that need key, however indirectly, sorted. Archived
// flags ask for nothing.
func (n needs) above(key string) []string {
	found, level := map[string]bool{}, []string{key}
	for len(level) > 0 {
		var next []string
		for _, below := range level {
			asks := func(p Prerequisite) bool { return p.Flag == below }
			for k := range n.state.needed[below] {
				if k != key && !found[k] && slices.ContainsFunc(n.of(k), asks) {
					found[k] = true
					next = append(next, k)
				}
			}
		}
		level = next
	}
	return slices.Sorted(maps.Keys(found))
}

// checkOthers looks at the flags that f needs and that need f.
func (s *State) checkOthers(faults *event.Invalids, f *Flag) {
	for _, name := range slices.Sorted(maps.Keys(f.Environments)) {
		n, before := needs{s, name, f}, len(*faults)
		for i, p := range f.Environments[name].Prerequisites {
			if p.Flag != f.Key {
				n.check(faults, fmt.Sprintf("environments.%s.prerequisites[%d]", name, i), p)
			}
		}
		if len(*faults) == before {
			n.checkDepth(faults)
			n.checkDecisions(faults)
		}
	}
	for _, key := range s.Dependants(f.Key) {
		if key != f.Key {
			f.checkDependant(faults, s.flags[key])
		}
	}
}

// check looks at one flag that is asked for.
func (n needs) check(faults *event.Invalids, path string, p Prerequisite) {
	o, ok := n.state.flags[p.Flag]
	if !ok {
		faults.Add(path+".flag", p.Flag, "is not a flag", "define it first")
		return
	}
	if way := n.way(p.Flag, n.flag.Key, map[string]bool{}); way != nil {
		faults.Add(path+".flag", p.Flag, "needs this flag itself ("+strings.Join(way, " needs ")+"): that is a cycle", "")
	}
	o.checkVariant(faults, path+".variant", p.Variant)
}

// checkDepth holds every chain that the flag is part of to what the policies of
// the flag at its top allow.
func (n needs) checkDepth(faults *event.Invalids) {
	known, list := map[string]int{}, n.of(n.flag.Key)
	if len(list) == 0 {
		return
	}
	allowed := n.state.Policy(n.environment, n.flag).depth()
	for i, p := range list {
		if d := 1 + n.depth(p.Flag, known); d > allowed {
			path := fmt.Sprintf("environments.%s.prerequisites[%d].flag", n.environment, i)
			faults.Add(path, p.Flag, fmt.Sprintf("has prerequisites of its own, and chains deeper than %d are refused", allowed), "ask for those directly, or let a policy allow it")
		}
	}
	for _, key := range n.above(n.flag.Key) {
		allowed := n.state.Policy(n.environment, &n.state.flags[key].Flag).depth()
		if n.depth(key, known) > allowed {
			faults.Add("environments."+n.environment+".prerequisites", nil, fmt.Sprintf("makes the chain that begins with %s deeper than %d", key, allowed), "")
		}
	}
}

// mostDecisions bounds what an evaluation may cost: the flags that it decides,
// one by one, because prerequisites ask for them. Where a policy lets chains be
// deep, they could else fan out without end.
const mostDecisions = 100

// decisions returns how many flags an evaluation of key decides at most. There
// is no cycle; known holds what was counted.
func (n needs) decisions(key string, known map[string]int) int {
	if d, ok := known[key]; ok {
		return d
	}
	known[key] = 1 // of a cycle, which only a log has that Handle did not write
	sum := 1
	for _, p := range n.of(key) {
		sum = min(sum+n.decisions(p.Flag, known), mostDecisions+1)
	}
	known[key] = sum
	return sum
}

// checkDecisions bounds the evaluation of the flag, and of those that need it.
func (n needs) checkDecisions(faults *event.Invalids) {
	known := map[string]int{}
	for _, key := range append(n.above(n.flag.Key), n.flag.Key) {
		if n.decisions(key, known) > mostDecisions {
			faults.Add("environments."+n.environment+".prerequisites", nil,
				fmt.Sprintf("make an evaluation of %s decide more than %d flags", key, mostDecisions), "ask for fewer, or for those at the end of the chains directly")
		}
	}
}

// checkDependant keeps the variants that another flag asks for.
func (f *Flag) checkDependant(faults *event.Invalids, by *record) {
	for _, e := range by.Environments {
		for _, p := range e.Prerequisites {
			if p.Flag == f.Key {
				f.checkKept(faults, []string{p.Variant}, "the prerequisites of "+by.Key)
			}
		}
	}
}

// needs reports whether any environment names key as a prerequisite.
func (f *Flag) needs(key string) bool {
	for _, e := range f.Environments {
		for _, p := range e.Prerequisites {
			if p.Flag == key {
				return true
			}
		}
	}
	return false
}
