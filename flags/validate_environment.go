package flags

import (
	"fmt"
	"slices"

	"github.com/sluice-hq/sluice/event"
)

// checkEnvironment returns the faults of one environment, with paths below it.
func (f *Flag) checkEnvironment(e Environment) event.Invalids {
	var faults event.Invalids
	f.checkPrerequisites(&faults, e.Prerequisites)
	f.checkTargets(&faults, e.Targets)
	f.checkRules(&faults, "rules", e.Rules)
	f.checkRules(&faults, "served", e.Served)
	f.checkTargeting(&faults, e)
	for i, r := range e.Served {
		if named(e.Rules, r.Name) >= 0 {
			faults.Add(fmt.Sprintf("served[%d].name", i), r.Name, "is the name of a rule", "rename one of the two")
		}
	}
	if e.Allocation != nil {
		faults.Under("allocation", f.checkAllocation(*e.Allocation))
	}
	return faults
}

func (f *Flag) checkPrerequisites(faults *event.Invalids, list []Prerequisite) {
	for i, p := range list {
		path := fmt.Sprintf("prerequisites[%d]", i)
		checkKey(faults, path+".flag", p.Flag)
		if p.Flag == f.Key && p.Flag != "" {
			faults.Add(path+".flag", p.Flag, "is the flag itself", "")
		}
		if p.Variant == "" {
			faults.Add(path+".variant", nil, "is missing", "name the variant that the other flag must answer")
		}
		if slices.ContainsFunc(list[:i], func(o Prerequisite) bool { return o.Flag == p.Flag }) {
			faults.Add(path+".flag", p.Flag, "is asked for twice", "")
		}
	}
}

func (f *Flag) checkTargets(faults *event.Invalids, list []Target) {
	seen := map[string]bool{}
	for i, t := range list {
		path := fmt.Sprintf("targets[%d]", i)
		f.checkVariant(faults, path+".variant", t.Variant)
		if len(t.Units) == 0 {
			faults.Add(path+".units", nil, "is missing", "list the ids of units")
		}
		for j, id := range t.Units {
			switch {
			case id == "":
				faults.Add(fmt.Sprintf("%s.units[%d]", path, j), nil, "is empty", "")
			case seen[id]:
				faults.Add(fmt.Sprintf("%s.units[%d]", path, j), id, "is targeted twice", "")
			}
			seen[id] = true
		}
	}
}

func (f *Flag) checkRules(faults *event.Invalids, list string, rules []Rule) {
	for i, r := range rules {
		path := fmt.Sprintf("%s[%d]", list, i)
		faults.Under(path, f.checkRule(r))
		if named(rules[:i], r.Name) >= 0 {
			faults.Add(path+".name", r.Name, "is the name of an earlier rule", "rename one: the name is part of a split's salt")
		}
	}
}

func (f *Flag) checkRule(r Rule) event.Invalids {
	var faults event.Invalids
	checkKey(&faults, "name", r.Name)
	if r.When != nil {
		_, found := r.When.compile(nil)
		faults.Under("when", found)
	}
	switch {
	case r.Serve != "" && r.Split != nil:
		faults.Add("split", nil, "is written beside serve", "write one of the two")
	case r.Split != nil:
		f.checkArms(&faults, "split", r.Split)
	default:
		f.checkVariant(&faults, "serve", r.Serve)
	}
	r.checkHash(&faults)
	checkDate(&faults, "until", r.Until)
	return faults
}

func (f *Flag) checkArms(faults *event.Invalids, path string, arms []Arm) {
	if len(arms) == 0 {
		faults.Add(path, nil, "is missing", "list variants with weights, treatment first")
		return
	}
	sum := 0
	for i, a := range arms {
		at := fmt.Sprintf("%s[%d]", path, i)
		f.checkVariant(faults, at+".variant", a.Variant)
		if slices.ContainsFunc(arms[:i], func(o Arm) bool { return o.Variant == a.Variant }) {
			faults.Add(at+".variant", a.Variant, "is an earlier arm", "")
		}
		if a.Weight < 1 || a.Weight > Whole {
			faults.Add(at+".weight", a.Weight, fmt.Sprintf("is not between 1 and %d", Whole), "")
		}
		sum += min(max(a.Weight, 0), Whole)
	}
	if sum != Whole {
		faults.Add(path, nil, fmt.Sprintf("has weights that add up to %d", sum), fmt.Sprintf("make them add up to %d, thousandths of a percent", Whole))
	}
}

// checkAllocation returns the faults of an allocation beside its flag.
func (f *Flag) checkAllocation(a Allocation) event.Invalids {
	var faults event.Invalids
	if a.Rollout == "" {
		faults.Add("rollout", nil, "is missing", "name the rollout it belongs to")
	}
	if a.Salt == "" {
		faults.Add("salt", nil, "is missing", "use the flag's key for its first rollout, <key>#<n> for later ones")
	}
	if a.Epoch < 1 {
		faults.Add("epoch", a.Epoch, "is not a number from 1", "")
	}
	if a.HashVersion != 0 && a.HashVersion != HashVersion {
		faults.Add("hashVersion", a.HashVersion, "is not a hash of this version", fmt.Sprintf("write %d", HashVersion))
	}
	if a.Unit != f.unit() {
		faults.Add("unit", a.Unit, missing(a.Unit, "is not the flag's unit"), "write "+f.unit()+", or change the flag first")
	}
	if a.Coverage < 0 || a.Coverage > Whole {
		faults.Add("coverage", a.Coverage, fmt.Sprintf("is not between 0 and %d", Whole), "write thousandths of a percent")
	}
	f.checkArms(&faults, "arms", a.Arms)
	if a.Ramp && len(a.Arms) > 1 {
		faults.Add("arms", nil, "has several arms, and a ramp compares nothing", "write one arm")
	}
	f.checkShadow(&faults, a)
	if a.Audience != nil {
		_, found := a.Audience.compile(nil)
		faults.Under("audience", found)
	}
	return faults
}

// checkShadow refuses a shadow that a unit could see: beside one arm, which is
// another variant, nothing is compared.
func (f *Flag) checkShadow(faults *event.Invalids, a Allocation) {
	if a.Shadow == "" {
		return
	}
	f.checkVariant(faults, "shadow", a.Shadow)
	if len(a.Arms) != 1 || a.Arms[0].Variant == a.Shadow || a.Ramp {
		faults.Add("shadow", a.Shadow, "needs one arm beside it, of another variant", "write the variant that everybody answers as the only arm")
	}
}

func (f *Flag) unit() string {
	if f.Unit == "" {
		return DefaultUnit
	}
	return f.Unit
}
