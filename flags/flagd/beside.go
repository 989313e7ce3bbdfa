package flagd

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
)

// Beside puts an imported flag beside what there is of it already. flagd has a
// document for each environment, and here a flag has one definition for all:
// where it has other environments, those and all that they share stay, and the
// import is refused if it would alter what they answer. Otherwise it takes the
// flag's place.
func Beside(there, imported flags.Flag, environment string) (flags.Flag, error) {
	others := maps.Clone(there.Environments)
	delete(others, environment)
	if len(others) == 0 {
		return imported, nil
	}
	if err := compatible(there, imported, slices.Sorted(maps.Keys(others))); err != nil {
		return imported, err
	}
	f := there
	f.Variants = maps.Clone(there.Variants)
	for name, value := range imported.Variants {
		if _, ok := f.Variants[name]; !ok {
			f.Variants[name] = value
		}
	}
	f.Environments = map[string]flags.Environment{environment: imported.Environments[environment]}
	for name, e := range others {
		e.Served, e.Allocation, e.Forced = nil, nil, nil // which no definition has, and none takes away
		f.Environments[name] = e
	}
	return f, nil
}

// compatible refuses an import that differs in what all environments share.
// What it does not say, it does not differ in.
func compatible(there, imported flags.Flag, others []string) error {
	var faults event.Invalids
	differs := func(path string, is, was string) {
		faults.Add("flags."+there.Key+"."+path, is, fmt.Sprintf("is %q already, for %s too", was, others), "make them alike, or import it under another key")
	}
	if imported.Type != there.Type {
		differs("type", string(imported.Type), string(there.Type))
	}
	if imported.Default != there.Default {
		differs("defaultVariant", imported.Default, there.Default)
	}
	if imported.Safe != "" && imported.Safe != there.Safe {
		differs("safe", imported.Safe, there.Safe)
	}
	if imported.Unit != "" && imported.Unit != there.Unit {
		differs("unit", imported.Unit, there.Unit)
	}
	for _, name := range slices.Sorted(maps.Keys(imported.Variants)) {
		if was, ok := there.Variants[name]; ok && !sameValue(imported.Variants[name], was) {
			differs("variants."+name, string(imported.Variants[name]), string(was))
		}
	}
	return faults.Err()
}

// sameValue compares JSON by what it says.
func sameValue(a, b json.RawMessage) bool {
	var x, y any
	return json.Unmarshal(a, &x) == nil && json.Unmarshal(b, &y) == nil && reflect.DeepEqual(x, y)
}
