package peers

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/sluice-hq/sluice/event"
)

// remedy is what to do about a file that is no export.
const remedy = "see docs/import.md for how to make one"

// cutOff is how encoding/json calls a text that ends before its end.
const cutOff = "unexpected end of JSON input"

// Read decodes an export. member is the path of what every export of that peer
// has, such as data.featureFlags: another answer of its API has it not.
func Read(source []byte, into any, whose, member string) error {
	var faults event.Invalids
	var wrong *json.UnmarshalTypeError
	var syntax *json.SyntaxError
	switch err := json.Unmarshal(source, into); {
	case errors.As(err, &wrong):
		faults.Add(cmp.Or(wrong.Field, "file"), wrong.Value, "is not what an export of "+whose+" has there", remedy)
	case errors.As(err, &syntax) && syntax.Error() == cutOff:
		faults.Add("file", nil, fmt.Sprintf("is not an export of %s: it breaks off after %d bytes", whose, len(source)), "get it again: nothing has been taken from it")
	case errors.As(err, &syntax):
		faults.Add("file", nil, fmt.Sprintf("is not an export of %s: it is no JSON at byte %d: %v", whose, syntax.Offset, err), remedy)
	case err != nil:
		faults.Add("file", nil, "is not an export of "+whose+": "+err.Error(), remedy)
	case !has(source, strings.Split(member, ".")):
		faults.Add(member, nil, "is missing: it is not an export of "+whose, remedy)
	}
	return faults.Err()
}

// IsNull reports whether a member of an export is null, or absent.
func IsNull(raw json.RawMessage) bool { return len(raw) == 0 || string(raw) == "null" }

// IDs returns the ids of a list as segments have them: sorted, each once, and no
// empty one.
func IDs(list []string) []string {
	out := slices.Sorted(slices.Values(list))
	return slices.DeleteFunc(slices.Compact(out), func(id string) bool { return id == "" })
}

// has reports whether JSON has a member at the end of a path, which is not null.
func has(raw json.RawMessage, path []string) bool {
	if len(path) == 0 {
		return string(raw) != "null"
	}
	var members map[string]json.RawMessage
	if json.Unmarshal(raw, &members) != nil || members[path[0]] == nil {
		return false
	}
	return has(members[path[0]], path[1:])
}
