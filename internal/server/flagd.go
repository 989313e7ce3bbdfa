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
		Set: s.sets.at, Document: s.document, Moved: s.Projection.Moved, Now: s.Now, Closing: s.Closing, Logger: s.log,
		Answered: s.witness, Enter: s.admitStream, MayStay: s.mayStay,
		MaySync: func(ctx context.Context, environment string) error { return may(ctx, access.Sync, environment) },
	})
}

// admitStream lets in a stream of flagd's as the hub does its own, and counts it
// with those. A replica without a hub has no limit.
func (s *server) admitStream(rules bool) (leave func(), err error) {
	if s.Streams == nil {
		return func() {}, nil
	}
	return s.Streams.Enter(!rules)
}

// mayStay reports whether the token of a stream of flagd's still opens it.
func (s *server) mayStay(ctx context.Context, environment string, rules bool) bool {
	return MayHear(s.Projection, s.Folds, s.Now)(who(ctx).Token, environment, !rules)
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
