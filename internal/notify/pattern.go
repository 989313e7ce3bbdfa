package notify

import (
	"slices"
	"strings"

	"github.com/sluice-hq/sluice/event"
)

// families are what types of events begin with that can be told. Tokens and
// people are not among them, nor is what this room itself records: a webhook
// that failed would be told of its failing.
var families = []string{
	"approval", "check", "cleanup", "condition", "decision", "drill", "environment", "flag", "incident",
	"metric", "outcome", "policy", "rollback", "rollout", "segment",
}

// matches reports whether a pattern selects a type: "flag.*" is every type of
// the family, "*" every type.
func matches(pattern, kind string) bool {
	prefix, all := strings.CutSuffix(pattern, "*")
	return pattern == kind || all && strings.HasPrefix(kind, prefix)
}

func checkPattern(path, pattern string, faults *event.Invalids) {
	if pattern == "*" {
		return
	}
	family, rest, ok := strings.Cut(pattern, ".")
	switch {
	case !slices.Contains(families, family):
		faults.Add(path, pattern, "is of no family that can be told", "write one such as flag.* of "+strings.Join(families, ", "))
	case !ok || rest == "":
		faults.Add(path, pattern, "is a family without its types", "write "+family+".* for all of them")
	case rest != "*" && strings.Contains(rest, "*"):
		faults.Add(path, pattern, "has a star within", "write "+family+".* or one whole type")
	}
}
