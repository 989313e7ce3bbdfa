package server

import (
	"fmt"
	"slices"
	"strings"

	"github.com/sluice-hq/sluice/internal/access"
)

// Role is a part of the work that a replica can leave to others.
type Role string

// The roles of a replica.
const (
	Flags  Role = "flags"  // evaluates and streams flags
	Ingest Role = "ingest" // takes events
	Load   Role = "load"   // moves events into the warehouse
	Decide Role = "decide" // looks at the rollouts
	Web    Role = "web"    // shows the pages
)

// role returns the role that a route belongs to; empty: every replica has it.
func (r route) role() Role {
	switch r.needs {
	case access.Evaluate, access.Sync:
		return Flags
	case access.Send, access.Import:
		return Ingest
	}
	first, _, _ := strings.Cut(strings.TrimPrefix(r.path, "/"), "/")
	if slices.Contains(pagePaths, first) {
		return Web
	}
	return ""
}

// pagePaths are what the paths of pages begin with.
var pagePaths = []string{
	"", "rollouts", "readouts", "decisions", "review", "experiments", "flags", "segments", "environments", "requests", "catalogue", "incidents", "cleanup", "events", "simulate", "plans",
	"search", "changes", "sign-in", "sign-out", "assets",
}

// elsewhere returns an error for a route that this replica leaves to others.
func (s *server) elsewhere(r *route) error {
	role := r.role()
	if role == "" || len(s.Roles) == 0 || slices.Contains(s.Roles, role) {
		return nil
	}
	return fmt.Errorf("%w: this replica does not have the role %s; ask another one, or name the role in --roles", errElsewhere, role)
}

// Unavailable says that an answer needs a dependency that is not there now. It
// is 503, with the reason in the server's log and, for those who may read, in
// /readyz: it may name hosts and folders.
type Unavailable struct {
	Name string // of the dependency, as in /readyz
	Fix  string // what a person can do about it
	Err  error  // why it is not there
}

// Error implements error.
func (u Unavailable) Error() string { return fmt.Sprintf("the %s is not there: %v", u.Name, u.Err) }

// Unwrap returns why.
func (u Unavailable) Unwrap() error { return u.Err }

// detail is what everybody is told.
func (u Unavailable) detail() string {
	return fmt.Sprintf("the %s is not there now; flags are served all the same. /readyz says why, with a token that may read: %s", u.Name, u.Fix)
}
