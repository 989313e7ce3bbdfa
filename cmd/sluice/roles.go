package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/sluice-hq/sluice/internal/server"
)

// roles are what a replica does; none listed is all. Whatever its roles, a
// replica folds the log, answers the API, and opens the streams of facts, into
// which it reports what it evaluates.
type roles []server.Role

var allRoles = roles{server.Flags, server.Ingest, server.Load, server.Decide, server.Web}

// parseRoles reads the names of roles.
func parseRoles(names []string) (list roles, err error) {
	for _, name := range names {
		role := server.Role(strings.TrimSpace(name))
		if !slices.Contains(allRoles, role) {
			return nil, fmt.Errorf("--roles %q is no role; write some of flags,ingest,load,decide,web", name)
		}
		list = append(list, role)
	}
	return list, nil
}

// has reports whether one of the roles is among them.
func (r roles) has(any ...server.Role) bool {
	return len(r) == 0 || slices.ContainsFunc(any, func(role server.Role) bool { return slices.Contains(r, role) })
}

// counts reports whether the replica needs the warehouse: to fill it, to decide
// on what is in it, or to show it.
func (r roles) counts() bool { return r.has(server.Load, server.Decide, server.Web) }
