package flags

import (
	"fmt"
	"slices"

	"github.com/sluice-hq/sluice/event"
)

// environmentEdits are the changes of what a definition says of one
// environment.
var environmentEdits = map[Op]edit{
	AddUnits:    {in: addUnits, check: checkUnitsNew},
	RemoveUnits: {in: removeUnits, check: checkUnitsThere},
	AddRule:     {in: addRule, check: checkRuleNew},
	ChangeRule:  {in: changeRule, check: checkRuleChanged},
	RemoveRule:  {in: func(e *Environment, c Change) { e.Rules = without(e.Rules, c.Name) }, check: checkRuleThere},
	MoveRule:    {in: moveRule, check: checkRuleMoved},
	AddPrerequisite: {check: checkPrerequisiteNew, in: func(e *Environment, c Change) {
		e.Prerequisites = append(slices.Clip(e.Prerequisites), *c.Prerequisite)
	}},
	RemovePrerequisite: {check: checkPrerequisiteThere, in: func(e *Environment, c Change) {
		e.Prerequisites = slices.DeleteFunc(slices.Clone(e.Prerequisites), func(p Prerequisite) bool { return p.Flag == c.Name })
	}},
}

// addUnits puts units to the first target of their variant, or into a new one.
func addUnits(e *Environment, c Change) {
	e.Targets = slices.Clone(e.Targets)
	i := slices.IndexFunc(e.Targets, func(t Target) bool { return t.Variant == c.Variant })
	if i < 0 {
		e.Targets = append(e.Targets, Target{Variant: c.Variant, Units: c.Units})
		return
	}
	e.Targets[i].Units = append(slices.Clip(e.Targets[i].Units), c.Units...)
}

// removeUnits takes units away from the targets of a variant; a target without
// units goes too.
func removeUnits(e *Environment, c Change) {
	var left []Target
	for _, t := range e.Targets {
		if t.Variant == c.Variant {
			t.Units = lacking(t.Units, c.Units)
		}
		if len(t.Units) > 0 {
			left = append(left, t)
		}
	}
	e.Targets = left
}

func addRule(e *Environment, c Change) { e.Rules = placed(e.Rules, *c.Rule, c.Place) }

func changeRule(e *Environment, c Change) {
	if i := named(e.Rules, c.Name); i >= 0 {
		e.Rules = slices.Clone(e.Rules)
		e.Rules[i] = *c.Rule
	}
}

func moveRule(e *Environment, c Change) {
	if i := named(e.Rules, c.Name); i >= 0 {
		e.Rules = placed(without(e.Rules, c.Name), e.Rules[i], c.Place)
	}
}

// placed returns the rules with one more in a place, from 1; 0 is the last.
func placed(rules []Rule, r Rule, place int) []Rule {
	i := place - 1
	if place <= 0 || place > len(rules) {
		i = len(rules)
	}
	return slices.Insert(slices.Clone(rules), i, r)
}

// checkUnitsNew refuses a unit that has a variant: which of two targets wins is
// nothing to guess.
func checkUnitsNew(f *Flag, e Environment, c Change, faults *event.Invalids) {
	f.checkVariant(faults, "variant", c.Variant)
	of := map[string]string{}
	for _, t := range e.Targets {
		for _, id := range t.Units {
			of[id] = t.Variant
		}
	}
	checkUnits(faults, c.Units, func(id string) (string, string) {
		variant, ok := of[id]
		of[id] = c.Variant
		switch {
		case ok && variant == c.Variant:
			return "is targeted with " + variant + " already", ""
		case ok:
			return "is targeted with " + variant + " already", "take it away there first"
		}
		return "", ""
	})
}

func checkUnitsThere(f *Flag, e Environment, c Change, faults *event.Invalids) {
	f.checkVariant(faults, "variant", c.Variant)
	has := map[string]bool{}
	for _, id := range targeted(e.Targets)[c.Variant] {
		has[id] = true
	}
	checkUnits(faults, c.Units, func(id string) (string, string) {
		if !has[id] {
			return "is not targeted with " + missing(c.Variant, c.Variant), ""
		}
		return "", ""
	})
}

// checkUnits asks why each id cannot be taken.
func checkUnits(faults *event.Invalids, ids []string, why func(id string) (string, string)) {
	if len(ids) == 0 {
		faults.Add("units", nil, "is missing", "list the ids of units")
	}
	for i, id := range ids {
		at := fmt.Sprintf("units[%d]", i)
		if id == "" {
			faults.Add(at, nil, "is empty", "")
		} else if why, fix := why(id); why != "" {
			faults.Add(at, id, why, fix)
		}
	}
}

func checkRuleNew(f *Flag, e Environment, c Change, faults *event.Invalids) {
	if f.checkRuleGiven(c, faults); c.Rule != nil && named(e.Rules, c.Rule.Name) >= 0 {
		faults.Add("rule.name", c.Rule.Name, "is the name of a rule already", "use change-rule, or another name")
	}
	checkPlace(faults, c.Place, len(e.Rules)+1)
}

func checkRuleChanged(f *Flag, e Environment, c Change, faults *event.Invalids) {
	checkRuleThere(f, e, c, faults)
	f.checkRuleGiven(c, faults)
	if c.Rule != nil && c.Rule.Name != c.Name && named(e.Rules, c.Rule.Name) >= 0 {
		faults.Add("rule.name", c.Rule.Name, "is the name of another rule", "")
	}
}

func (f *Flag) checkRuleGiven(c Change, faults *event.Invalids) {
	if c.Rule == nil {
		faults.Add("rule", nil, "is missing", "write the rule")
		return
	}
	faults.Under("rule", f.checkRule(*c.Rule))
}

func checkRuleThere(_ *Flag, e Environment, c Change, faults *event.Invalids) {
	if named(e.Rules, c.Name) < 0 {
		faults.Add("name", c.Name, missing(c.Name, "is not a rule of "+c.Environment), "")
	}
}

func checkRuleMoved(f *Flag, e Environment, c Change, faults *event.Invalids) {
	checkRuleThere(f, e, c, faults)
	checkPlace(faults, c.Place, len(e.Rules))
}

func checkPlace(faults *event.Invalids, place, last int) {
	if place < 0 || place > last {
		faults.Add("place", place, fmt.Sprintf("is not a place between 1 and %d", last), "0 is the last")
	}
}

func checkPrerequisiteNew(_ *Flag, e Environment, c Change, faults *event.Invalids) {
	switch {
	case c.Prerequisite == nil:
		faults.Add("prerequisite", nil, "is missing", "name the other flag and the variant that it must answer")
	case slices.ContainsFunc(e.Prerequisites, func(p Prerequisite) bool { return p.Flag == c.Prerequisite.Flag }):
		faults.Add("prerequisite.flag", c.Prerequisite.Flag, "is a prerequisite already", "")
	}
}

func checkPrerequisiteThere(_ *Flag, e Environment, c Change, faults *event.Invalids) {
	if !slices.ContainsFunc(e.Prerequisites, func(p Prerequisite) bool { return p.Flag == c.Name }) {
		faults.Add("name", c.Name, missing(c.Name, "is not a prerequisite in "+c.Environment), "")
	}
}
