package notify

import (
	"slices"
	"strings"

	"github.com/sluice-hq/sluice/event"
)

// families returns what the types of events that can be told begin with, in
// order.
func families(types []string) (out []string) {
	for _, kind := range types {
		family, _, _ := strings.Cut(kind, ".")
		out = append(out, family)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// matches reports whether a pattern selects a type: "flag.*" is every type of
// the family, "*" every type.
func matches(pattern, kind string) bool {
	prefix, all := strings.CutSuffix(pattern, "*")
	return pattern == kind || all && strings.HasPrefix(kind, prefix)
}

func checkPattern(path, pattern string, told []string, faults *event.Invalids) {
	if pattern == "*" {
		return
	}
	family, rest, ok := strings.Cut(pattern, ".")
	switch known := families(told); {
	case !slices.Contains(known, family):
		faults.Add(path, pattern, "is of no family that can be told", "write one such as flag.* of "+strings.Join(known, ", "))
	case !ok || rest == "":
		faults.Add(path, pattern, "is a family without its types", "write "+family+".* for all of them")
	case rest != "*" && strings.Contains(rest, "*"):
		faults.Add(path, pattern, "has a star within", "write "+family+".* or one whole type")
	}
}
