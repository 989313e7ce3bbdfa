package server

import (
	"context"
	"errors"
	"net/http"

	"github.com/sluice-hq/sluice/internal/access"
	"github.com/sluice-hq/sluice/internal/flagd"
)

// newFlagd makes the services of flagd over the flags of the house.
func (s *server) newFlagd() *flagd.Handler {
	return flagd.New(flagd.Config{
		Set: s.sets.at, Document: s.document, Moved: s.Projection.Moved, Closing: s.Closing, Logger: s.log,
		MaySync: func(ctx context.Context, environment string) error { return may(ctx, access.Sync, environment) },
	})
}

// document returns what flagd's sync sends.
func (s *server) document(environment string) ([]byte, error) {
	doc, err := s.exported(environment)
	return doc.body, err
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
