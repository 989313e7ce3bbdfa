package flags

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/sluice-hq/sluice/event"
)

// checkDefine checks a definition on its own, against what rollouts hold of
// the flag, and against the other flags.
func (s *State) checkDefine(r *record, c Change, at time.Time) (Change, event.Invalids) {
	var faults event.Invalids
	if c.Flag == nil {
		faults.Add("flag", nil, "is missing", "write the whole definition")
		return c, faults
	}
	f := c.Flag.normal()
	c.Flag = &f
	if f.Key != r.Key {
		faults.Add("key", f.Key, "is not the flag that is being defined, "+r.Key, "")
	}
	faults = append(faults, s.checkDefinition(r, &f, at)...)
	f.disown()
	return c, faults
}

// checkDefinition checks what is to become of r, whichever way it was written.
func (s *State) checkDefinition(r *record, f *Flag, at time.Time) event.Invalids {
	var faults event.Invalids
	if found, ok := f.Validate().(event.Invalids); ok {
		faults = found
	}
	f.checkUntil(&faults, r, at)
	f.checkHashKept(&faults, &r.Flag)
	r.checkOwned(&faults, f)
	s.checkWidened(&faults, r, f)
	s.checkSurroundings(&faults, r, f)
	s.checkOthers(&faults, f)
	return faults
}

// normal returns a copy of the definition with its defaults filled in and its
// values in canonical form.
func (f *Flag) normal() Flag {
	n := *f
	if n.Default == "" && !n.CodeDefault {
		n.Default = n.Safe
	}
	n.Unit = n.unit()
	n.Variants = make(Variants, len(f.Variants))
	for name, raw := range f.Variants {
		n.Variants[name] = canonical(raw)
	}
	n.Environments = maps.Clone(f.Environments)
	for name, e := range n.Environments {
		if len(e.Targeting) > 0 {
			e.Targeting = Logic(canonical(json.RawMessage(e.Targeting)))
			n.Environments[name] = e
		}
	}
	return n
}

// disown takes out what belongs to rollouts: it was there to be compared.
func (f *Flag) disown() {
	for name, e := range f.Environments {
		e.Served, e.Allocation, e.Forced = nil, nil, nil
		f.Environments[name] = e
	}
}

// checkOwned refuses a definition that would take away or alter what a rollout
// stands on.
func (r *record) checkOwned(faults *event.Invalids, f *Flag) {
	for _, name := range slices.Sorted(maps.Keys(f.Environments)) {
		e, old, path := f.Environments[name], r.Environments[name], "environments."+name
		if e.Allocation != nil && !same(e.Allocation, old.Allocation) {
			faults.Add(path+".allocation", nil, "belongs to a rollout", "leave it out")
		}
		if e.Forced != nil && !same(e.Forced, old.Forced) {
			faults.Add(path+".forced", nil, "is set by forcing the flag", "leave it out")
		}
		if e.Served != nil && !same(e.Served, old.Served) {
			faults.Add(path+".served", nil, "belongs to a rollout", "leave it out")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(r.Environments)) {
		old := r.Environments[name]
		if old.Allocation == nil && old.Forced == nil && len(old.Served) == 0 {
			continue
		}
		e, ok := f.Environments[name]
		if !ok {
			faults.Add("environments."+name, nil, "is missing, and a rollout holds it", "keep the environment, or end the rollout")
		}
		r.checkHeld(faults, f, name, e)
	}
}

// checkHeld checks one environment that a rollout holds.
func (r *record) checkHeld(faults *event.Invalids, f *Flag, name string, e Environment) {
	old := r.Environments[name]
	for i, rule := range e.Rules {
		if named(old.Served, rule.Name) >= 0 {
			faults.Add(fmt.Sprintf("environments.%s.rules[%d].name", name, i), rule.Name, "is the name of an audience that a rollout serves", "rename the rule")
		}
	}
	if f.Safe == "" {
		faults.Add("safe", nil, "is missing, and a rollout holds "+name, "name the variant that a rollback gives")
	}
	if len(e.Targeting) > 0 && old.Allocation != nil {
		faults.Add("environments."+name+".targeting", nil, "is refused: rollout "+old.Allocation.Rollout+" holds the environment", "end the rollout first")
	}
	for _, rule := range old.Served {
		f.checkKept(faults, rule.variants(), "an audience served in "+name)
	}
	if old.Allocation == nil {
		return
	}
	if f.Unit != old.Allocation.Unit {
		faults.Add("unit", f.Unit, "is not the unit of "+old.Allocation.Rollout, "deallocate it first: a new unit is a new epoch")
	}
	for _, a := range old.Allocation.Arms {
		by := "rollout " + old.Allocation.Rollout
		f.checkKept(faults, []string{a.Variant}, by)
		if raw, ok := f.Variants[a.Variant]; ok && !slices.Equal(raw, r.Variants[a.Variant]) {
			faults.Add("variants."+a.Variant, string(raw), "has another value, and is an arm of "+by, "add a variant instead: an arm means one thing for a whole rollout")
		}
	}
}

func (f *Flag) checkKept(faults *event.Invalids, variants []string, by string) {
	for _, v := range variants {
		if _, ok := f.Variants[v]; !ok {
			faults.Add("variants."+v, nil, "is missing, and is used by "+by, "keep it until that has ended")
		}
	}
}

func (r Rule) variants() []string {
	if r.Split == nil {
		return []string{r.Serve}
	}
	out := make([]string, len(r.Split))
	for i, a := range r.Split {
		out[i] = a.Variant
	}
	return out
}
