package flags

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/sluice-hq/sluice/event"
)

// Validate returns every fault of the document as event.Invalids, with paths
// like environments.production.rules[0].when.op, or nil. It looks at the
// document alone; Handle also looks at the flags there are.
func (f *Flag) Validate() error {
	var faults event.Invalids
	checkKey(&faults, "key", f.Key)
	f.checkHead(&faults)
	f.checkVariants(&faults)
	f.checkMetadata(&faults)
	f.Dates.check(&faults)
	f.checkCleanup(&faults)
	for _, name := range slices.Sorted(maps.Keys(f.Environments)) {
		e, path := f.Environments[name], "environments."+name
		if why := event.CheckKey(name); why != "" {
			faults.Add(path, name, why, "rename the environment")
		} else if strings.Contains(name, ".") { // subjects are <environment>.<flag>, and flags have dots
			faults.Add(path, name, "has a dot", "rename the environment, such as production-eu")
		}
		faults.Under(path, f.checkEnvironment(e))
	}
	return faults.Err()
}

func checkKey(faults *event.Invalids, path, key string) {
	if why := event.CheckKey(key); why != "" {
		faults.Add(path, key, why, "write one such as checkout.express-pay")
	}
}

func purposes() []Purpose {
	return []Purpose{Release, Experiment, Operational, Permission, KillSwitch}
}

const aPurpose = "write release, experiment, operational, permission or kill-switch"

func (f *Flag) checkHead(faults *event.Invalids) {
	if !slices.Contains(purposes(), f.Purpose) {
		faults.Add("purpose", f.Purpose, missing(string(f.Purpose), "is not a purpose"), aPurpose)
	}
	if !slices.Contains([]Type{Boolean, String, Number, Object}, f.Type) {
		faults.Add("type", f.Type, missing(string(f.Type), "is not a type"), "write boolean, string, number or object")
	}
	if strings.TrimSpace(f.Owner) == "" {
		faults.Add("owner", nil, "is missing", "name the person or team that answers for this flag")
	}
	if !slices.Contains([]OnCritical{"", GoSafe, Notify}, f.OnCritical) {
		faults.Add("onCritical", f.OnCritical, "is not what an incident can do", "write safe or notify")
	}
	if f.OnCritical == GoSafe && f.Safe == "" {
		faults.Add("onCritical", f.OnCritical, "has no safe variant to go to", "set safe, or write notify")
	}
	checkTags(faults, f.Tags)
	if f.Unit != "" {
		checkKey(faults, "unit", f.Unit)
	}
}

// missing returns "is missing" for an empty value, else why.
func missing(value, why string) string {
	if value == "" {
		return "is missing"
	}
	return why
}

func (f *Flag) checkVariants(faults *event.Invalids) {
	if len(f.Variants) == 0 {
		faults.Add("variants", nil, "is missing", "name at least one variant and its value")
	}
	for _, name := range slices.Sorted(maps.Keys(f.Variants)) {
		path := "variants." + name
		if why := event.CheckKey(name); why != "" {
			faults.Add(path, name, why, "rename the variant")
		}
		checkValue(faults, path, f.Type, f.Variants[name])
	}
	switch {
	case f.Safe == "" && !f.CodeDefault:
		faults.Add("safe", nil, "is missing", "name the variant that everybody gets when the flag is disabled or rolled back")
	case f.Safe != "":
		f.checkVariant(faults, "safe", f.Safe)
	}
	if f.Default != "" {
		f.checkVariant(faults, "default", f.Default)
	}
}

func checkValue(faults *event.Invalids, path string, want Type, raw json.RawMessage) {
	switch is := typeOf(raw); {
	case is == "":
		faults.Add(path, string(raw), "is not a value a flag can have", "write a boolean, string, number or object")
	case want != "" && is != want:
		faults.Add(path, string(raw), fmt.Sprintf("is of type %s, and the flag of type %s", is, want), "give every variant a value of the flag's type")
	}
}

// checkVariant says when there is no such variant.
func (f *Flag) checkVariant(faults *event.Invalids, path, variant string) {
	if _, ok := f.Variants[variant]; ok {
		return
	}
	faults.Add(path, variant, missing(variant, "is not a variant"), "the variants are "+f.names())
}

// names lists the variants for people.
func (f *Flag) names() string { return strings.Join(slices.Sorted(maps.Keys(f.Variants)), ", ") }

func (d *Dates) check(faults *event.Invalids) {
	if d == nil {
		return
	}
	checkDate(faults, "dates.on", d.On)
	checkDate(faults, "dates.off", d.Off)
	on, okOn := d.On.Time()
	off, okOff := d.Off.Time()
	if okOn && okOff && !off.After(on) {
		faults.Add("dates.off", d.Off, "is not after dates.on", "")
	}
}

// checkDate accepts the empty date.
func checkDate(faults *event.Invalids, path string, d Date) {
	if _, ok := d.Time(); !ok && d != "" {
		faults.Add(path, d, "is not a date", "write one such as 2027-01-31 or 2027-01-31T09:00:00Z")
	}
}

// checkCleanup asks of each purpose how the flag will end.
func (f *Flag) checkCleanup(faults *event.Invalids) {
	c := f.Cleanup
	if c == nil {
		if f.Purpose == Release || f.Purpose == Experiment || f.Purpose == Permission {
			faults.Add("cleanup", nil, fmt.Sprintf("is missing: a %s flag says how it ends before it starts", f.Purpose), "write {due: 30d, endState: promote}, or endState keep with why and review")
		}
		return
	}
	checkDate(faults, "cleanup.review", c.Review)
	stays := c.EndState == Keep || f.Purpose == Permission
	switch {
	case !slices.Contains([]EndState{Promote, Remove, Keep, Convert}, c.EndState):
		faults.Add("cleanup.endState", c.EndState, missing(string(c.EndState), "is not an end state"), "write promote, remove, keep or convert")
	case stays && strings.TrimSpace(c.Why) == "":
		faults.Add("cleanup.why", nil, "is missing", "say why the flag stays")
	case stays && c.Review == "":
		faults.Add("cleanup.review", nil, "is missing", "say when that is asked again")
	case !stays && c.Due <= 0:
		faults.Add("cleanup.due", nil, "is missing", "say how long after the decision, such as 30d")
	}
}
