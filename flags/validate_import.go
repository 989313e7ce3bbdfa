package flags

import (
	"maps"
	"slices"

	"github.com/sluice-hq/sluice/event"
)

// ownMetadata are the names that every answer's metadata has by itself.
var ownMetadata = []string{
	"flagSetId", "version", "contextId", "revision", "unit", "enrolled", "unenrolled",
	"rollout", "stage", "epoch", "archived", "disabled", "forced", "rule",
}

// OwnMetadata reports whether answers have metadata of that name by
// themselves, so that a flag's own cannot have it.
func OwnMetadata(name string) bool { return slices.Contains(ownMetadata, name) }

// checkMetadata keeps metadata flat, as OFREP has it, and out of the way of
// what every answer says of itself.
func (f *Flag) checkMetadata(faults *event.Invalids) {
	for _, name := range slices.Sorted(maps.Keys(f.Metadata)) {
		path, value := "metadata."+name, f.Metadata[name]
		switch {
		case name == "":
			faults.Add("metadata", nil, "has a name that is empty", "")
		case OwnMetadata(name):
			faults.Add(path, value, "is said by every answer itself", "take it away, or rename it")
		case scalarOf(value).kind == other:
			faults.Add(path, nil, "is not a text, number or boolean", "write it flat")
		}
	}
}

// checkTargeting checks an environment's imported rule, and that no rollout
// stands beside it.
func (f *Flag) checkTargeting(faults *event.Invalids, e Environment) {
	if len(e.Targeting) > 0 {
		_, err := e.Targeting.Compile()
		found, _ := err.(event.Invalids)
		faults.Under("targeting", found)
	}
	if e.Allocation != nil {
		f.checkLed(e, "allocation", nil, faults)
	}
	if len(e.Served) > 0 {
		f.checkLed(e, "served", nil, faults)
	}
}

// checkLed refuses a rollout where it could not do its work: imported
// targeting decides before it, and without a safe variant there is nothing to
// roll back to.
func (f *Flag) checkLed(e Environment, path string, value any, faults *event.Invalids) {
	if len(e.Targeting) > 0 {
		faults.Add(path, value, "is refused: the flag has imported targeting, which decides before a rollout could", "convert it into rules first")
	}
	if f.Safe == "" {
		faults.Add(path, value, "is refused: the flag has no safe variant to roll back to", "set safe to one of "+f.names())
	}
}
