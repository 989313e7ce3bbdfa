package server

import (
	"context"
	"errors"
	"net/http"

	"github.com/sluice-hq/sluice/flags"
	definitions "github.com/sluice-hq/sluice/flags/flagd"
	"github.com/sluice-hq/sluice/internal/access"
	"github.com/sluice-hq/sluice/internal/flagd"
)

// newFlagd makes the services of flagd over the flags of the house.
func (s *server) newFlagd() *flagd.Handler {
	return flagd.New(flagd.Config{
		Set: s.sets.at, Document: s.flagdDocument, Moved: s.Projection.Moved, Closing: s.Closing, Logger: s.log,
		MaySync: func(ctx context.Context, environment string) error { return may(ctx, access.Sync, environment) },
	})
}

// flagdDocument is all flags of an environment as flagd's flags.json, without
// those that flagd cannot say. It waits for the lists of units that the flags
// ask: without them a flag would be left out for a moment.
func (s *server) flagdDocument(environment string) ([]byte, error) {
	for {
		now := s.sets.fresh()
		if now.stale != nil {
			return nil, now.stale
		}
		var rules *flags.Ruleset
		s.Projection.View(func(uint64) {
			if s.Flags.Revision() == now.revision {
				r := s.Flags.Ruleset(environment)
				rules = &r
			}
		})
		if rules != nil {
			document, _ := definitions.Export(*rules, now.lists) // which names what it leaves out
			return document.JSON(), nil
		}
	}
}

// serveFlagd answers a method of one of flagd's services.
func (s *server) serveFlagd(w http.ResponseWriter, r *http.Request) error {
	s.flagd.Serve(w, r, environment(r, who(r.Context())))
	return nil
}

// refusedFlagd reports whether it has told a client of flagd's services that
// its request is refused, in the protocol that the client speaks.
func refusedFlagd(w http.ResponseWriter, r *http.Request, err error) bool {
	p := problem(err)
	return flagd.Refuse(w, r, p.Status, errors.New(p.Detail))
}
