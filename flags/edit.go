package flags

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/sluice-hq/sluice/event"
)

// edit is one change of a definition: what it asks of the definition as it is,
// and how it is carried out. Carrying out refuses nothing and writes to no
// slice or map that somebody else may be reading.
type edit struct {
	check func(f *Flag, e Environment, c Change, faults *event.Invalids)
	flag  func(f *Flag, c Change)        // nil: a change of one environment
	in    func(e *Environment, c Change) // nil: a change of the flag
}

// editOf returns the edit of that name.
func editOf(op Op) (edit, bool) {
	if e, ok := flagEdits[op]; ok {
		return e, true
	}
	e, ok := environmentEdits[op]
	return e, ok
}

// edit carries out an edit.
func (r *record) edit(e edit, c Change) error {
	switch {
	case c.Rule == nil && (c.Op == AddRule || c.Op == ChangeRule):
		return fmt.Errorf("change %q has no rule", c.Op)
	case c.Prerequisite == nil && c.Op == AddPrerequisite:
		return fmt.Errorf("change %q has no prerequisite", c.Op)
	case e.flag != nil:
		e.flag(&r.Flag, c)
		return nil
	}
	in := r.Environments[c.Environment]
	e.in(&in, c)
	r.Environments = r.environments()
	r.Environments[c.Environment] = in
	return nil
}

// environments returns a copy of the flag's environments to be written to.
func (f *Flag) environments() map[string]Environment {
	if f.Environments == nil {
		return map[string]Environment{}
	}
	return maps.Clone(f.Environments)
}

// checkEdit returns the edit with its defaults filled in, and what is wrong with
// it by itself. What it leaves is checked when all changes have been carried
// out: see checkLeft.
func (r *record) checkEdit(e edit, c Change) (Change, event.Invalids) {
	var faults event.Invalids
	if e.in != nil {
		if r.checkHas(&faults, "environment", c.Environment); len(faults) > 0 {
			return c, faults
		}
	}
	if c.Op == ChangeRule && c.Rule != nil {
		rule := c.Rule.replacing(r.Environments[c.Environment].Rules, c.Name)
		c.Rule = &rule
	}
	if e.check != nil {
		e.check(&r.Flag, r.Environments[c.Environment], c, &faults)
	}
	if c.Value != nil {
		c.Value = canonical(c.Value)
	}
	return c, faults
}

// replacing returns a rule that takes the place of another, with what it does
// not say: the name, and the hash of a split that goes on, also under another
// name.
func (r Rule) replacing(rules []Rule, name string) Rule {
	if r.Name == "" {
		r.Name = name
	}
	if at := named(rules, name); at >= 0 && r.Hash == nil && r.Split != nil {
		r.Hash = rules[at].Hash
	}
	return r
}

// checkLeft checks the definition that edits leave by the very code that checks
// a definition which somebody writes whole.
func (s *State) checkLeft(old, work *record, at time.Time) event.Invalids {
	f := work.Flag.normal()
	return s.checkDefinition(old, &f, at)
}

// flagEdits are the changes of a definition as a whole.
var flagEdits = map[Op]edit{
	SetDescription: {flag: func(f *Flag, c Change) { f.Description = c.Description }},
	SetOwner:       {flag: func(f *Flag, c Change) { f.Owner = c.Owner }},
	SetPurpose:     {flag: func(f *Flag, c Change) { f.Purpose = c.Purpose }},
	SetUnit:        {flag: func(f *Flag, c Change) { f.Unit = c.Unit }, check: checkUnitNamed},
	SetDefault:     {flag: func(f *Flag, c Change) { f.Default = c.Variant }, check: checkVariantThere},
	SetSafe:        {flag: func(f *Flag, c Change) { f.Safe = c.Variant }, check: checkVariantThere},
	SetDates:       {flag: func(f *Flag, c Change) { f.Dates = c.Dates }},
	SetCleanup:     {flag: func(f *Flag, c Change) { f.Cleanup = c.Cleanup }},
	AddTag:         {flag: addTag, check: checkTagNew},
	RemoveTag:      {flag: removeTag, check: checkTagThere},
	AddVariant:     {flag: setVariant, check: checkVariantNew},
	ChangeVariant:  {flag: setVariant, check: checkVariantChanged},
	RemoveVariant: {check: checkVariantThere, flag: func(f *Flag, c Change) {
		f.Variants = maps.Clone(f.Variants)
		delete(f.Variants, c.Variant)
	}},
	AddEnvironment: {check: checkEnvironmentNew, flag: func(f *Flag, c Change) {
		f.Environments = f.environments()
		f.Environments[c.Environment] = Environment{}
	}},
	RemoveEnvironment: {check: checkEnvironmentThere, flag: func(f *Flag, c Change) {
		f.Environments = f.environments()
		delete(f.Environments, c.Environment)
	}},
	Copy: {check: checkCopied, flag: copyEnvironment},
}

func addTag(f *Flag, c Change) { f.Tags = append(slices.Clip(f.Tags), c.Tag) }

func removeTag(f *Flag, c Change) {
	f.Tags = slices.DeleteFunc(slices.Clone(f.Tags), func(t string) bool { return t == c.Tag })
}

func setVariant(f *Flag, c Change) {
	if f.Variants = maps.Clone(f.Variants); f.Variants == nil {
		f.Variants = Variants{} // unreachable unless a flag was recorded without variants
	}
	f.Variants[c.Variant] = c.Value
}

// copyEnvironment gives an environment what the definition says of another. An
// allocation, served audiences and the forced state are no part of that.
func copyEnvironment(f *Flag, c Change) {
	f.Environments = f.environments()
	f.Environments[c.Environment] = f.Environments[c.From].keeping(f.Environments[c.Environment])
}

// keeping returns a definition's environment with what rollouts left on the old
// one.
func (e Environment) keeping(old Environment) Environment {
	e.Served, e.Allocation, e.Forced = old.Served, old.Allocation, old.Forced
	return e
}

func checkUnitNamed(_ *Flag, _ Environment, c Change, faults *event.Invalids) {
	checkKey(faults, "unit", c.Unit)
}

func checkTagNew(f *Flag, _ Environment, c Change, faults *event.Invalids) {
	if slices.Contains(f.Tags, c.Tag) {
		faults.Add("tag", c.Tag, "is a tag of the flag already", "")
	}
}

func checkTagThere(f *Flag, _ Environment, c Change, faults *event.Invalids) {
	if !slices.Contains(f.Tags, c.Tag) {
		faults.Add("tag", c.Tag, missing(c.Tag, "is not a tag of the flag"), "")
	}
}

func checkVariantThere(f *Flag, _ Environment, c Change, faults *event.Invalids) {
	f.checkVariant(faults, "variant", c.Variant)
}

func checkVariantNew(f *Flag, _ Environment, c Change, faults *event.Invalids) {
	if _, ok := f.Variants[c.Variant]; ok {
		faults.Add("variant", c.Variant, "is a variant already", "use change-variant to give it another value")
	} else if why := event.CheckKey(c.Variant); why != "" {
		faults.Add("variant", c.Variant, why, "name the variant")
	}
	checkValue(faults, "value", f.Type, c.Value)
}

func checkVariantChanged(f *Flag, _ Environment, c Change, faults *event.Invalids) {
	f.checkVariant(faults, "variant", c.Variant)
	checkValue(faults, "value", f.Type, c.Value)
}

func checkEnvironmentNew(f *Flag, _ Environment, c Change, faults *event.Invalids) {
	if _, ok := f.Environments[c.Environment]; ok {
		faults.Add("environment", c.Environment, "is an environment of the flag already", "")
	} else if why := event.CheckKey(c.Environment); why != "" {
		faults.Add("environment", c.Environment, why, "name the environment")
	}
}

func checkEnvironmentThere(f *Flag, _ Environment, c Change, faults *event.Invalids) {
	f.checkHas(faults, "environment", c.Environment)
}

// checkHas says when the definition says nothing of an environment.
func (f *Flag) checkHas(faults *event.Invalids, path, environment string) {
	if _, ok := f.Environments[environment]; ok {
		return
	}
	names := strings.Join(slices.Sorted(maps.Keys(f.Environments)), ", ")
	faults.Add(path, environment, missing(environment, "is not an environment of the flag"), "the flag defines "+missing(names, names))
}

func checkCopied(f *Flag, _ Environment, c Change, faults *event.Invalids) {
	f.checkHas(faults, "from", c.From)
	if why := event.CheckKey(c.Environment); why != "" {
		faults.Add("environment", c.Environment, why, "name the environment that is to become so")
	}
	if c.From == c.Environment && c.From != "" {
		faults.Add("from", c.From, "is the environment itself", "")
	}
}
