package access

import (
	"fmt"
	"slices"
	"strings"

	"github.com/sluice-hq/sluice/event"
)

// Grant is a role and how far it reaches.
type Grant struct {
	Role         Role     `json:"role"`
	Environments []string `json:"environments,omitempty"` // none: all
	Keys         []string `json:"keys,omitempty"`         // "checkout." and all beneath, or one key; none: all
}

// reaches reports whether the grant covers an environment and a key. What is
// about all environments or all keys takes a grant that has no bound there.
func (g Grant) reaches(environment, key string) bool {
	return g.covers(environment) && g.holds(key)
}

func (g Grant) covers(environment string) bool {
	return len(g.Environments) == 0 || environment != AnyEnvironment && slices.Contains(g.Environments, environment)
}

// holds takes "checkout." as all keys beneath it, and a key without the dot as
// itself alone, so that "pay" is not also "payroll".
func (g Grant) holds(key string) bool {
	return len(g.Keys) == 0 || key != AnyKey && slices.ContainsFunc(g.Keys, func(k string) bool {
		return k == key || strings.HasSuffix(k, ".") && strings.HasPrefix(key, k)
	})
}

// String writes the grant as people do: "editor in staging on checkout.".
func (g Grant) String() string {
	s := string(g.Role)
	if len(g.Environments) > 0 {
		s += " in " + strings.Join(g.Environments, ", ")
	}
	if len(g.Keys) > 0 {
		s += " on " + strings.Join(g.Keys, ", ")
	}
	return s
}

// Check adds the faults of the grant, each with its path behind a prefix such
// as "grants[0].".
func (g Grant) Check(path string, faults *event.Invalids) {
	if g.Role != Reporter && !slices.Contains(roles, g.Role) {
		faults.Add(path+"role", g.Role, "is not a role", "write viewer, editor, approver, admin or reporter")
	}
	for i, e := range g.Environments {
		if why := event.CheckKey(e); why != "" {
			faults.Add(fmt.Sprintf("%senvironments[%d]", path, i), e, why, "write an environment such as staging")
		}
	}
	for i, k := range g.Keys {
		if why := event.CheckKey(strings.TrimSuffix(k, ".")); why != "" {
			faults.Add(fmt.Sprintf("%skeys[%d]", path, i), k, why, "write checkout. for all keys beneath it, or one whole key")
		}
	}
}
