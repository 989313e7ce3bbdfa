package server

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/sluice-hq/sluice/flags"
)

// Usage tells how flags are used. Both see what has been loaded.
type Usage interface {
	// Usage returns what a flag answered since a time in an environment. After
	// it Seen knows what it has found.
	Usage(ctx context.Context, environment, flag string, since time.Time) ([]flags.Usage, error)
	// Seen returns when a flag was last used there. It keeps what it knows, and
	// asks nobody.
	Seen(environment, flag string) flags.Seen
}

// Handler is the door of a house.
type Handler struct {
	http.Handler
	server *server
}

// Drain returns how often the flags of an environment gave each answer since
// the last Drain; see flags.Set.Drain.
func (h *Handler) Drain(environment string) []flags.Count {
	set, err := h.server.sets.at(environment)
	if err != nil {
		return nil // it was taken away, or its lists are not there: then nothing is answered
	}
	return set.Drain()
}

type usageIn struct {
	Key         string `path:"key"`
	Environment string `query:"environment" required:"true"`
	Days        int    `query:"days" default:"14" minimum:"1" maximum:"366" doc:"back from now"`
}

type usageOut struct {
	Body struct {
		Seen  flags.Seen    `json:"seen" doc:"when it was last used; a service that fetches rules and reports nothing is unseen"`
		Usage []flags.Usage `json:"usage" doc:"by day, oldest first"`
	}
}

// flagUsage tells how often a flag gave which answer.
func (s *server) flagUsage(ctx context.Context, in *usageIn) (*usageOut, error) {
	if err := s.knownFlag(in.Key); err != nil {
		return nil, err
	}
	if s.House.Usage == nil {
		return nil, fmt.Errorf("this replica counts no evaluations: %w", errNoSuch)
	}
	out := &usageOut{}
	var err error
	out.Body.Usage, err = s.House.Usage.Usage(ctx, in.Environment, in.Key, s.Now().AddDate(0, 0, -in.Days))
	out.Body.Seen = s.House.Usage.Seen(in.Environment, in.Key)
	return out, err
}

// lastAsked returns when a flag was last evaluated in the environments that
// whoever asks may see, nil when it cannot be told.
func (s *server) lastAsked(f flags.Recorded) *time.Time {
	if s.House.Usage == nil {
		return nil
	}
	var seen []flags.Seen
	for name := range f.Environments {
		seen = append(seen, s.House.Usage.Seen(name, f.Key))
	}
	return flags.LastAsked(seen, s.Now())
}
