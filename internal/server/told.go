package server

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/sluice-hq/sluice/flags"
	"github.com/sluice-hq/sluice/internal/stream"
)

// appendStream adds to a bulk answer where its client hears of changes, when
// this replica streams.
func (s *server) appendStream(body []byte, environment string) []byte {
	if s.Streams == nil || len(s.Tickets.Key) == 0 {
		return body
	}
	return flags.AppendStream(body, "/ofrep/v1/stream?ticket="+s.Tickets.Issue(environment, s.Now()))
}

// toldOf returns the tag of the notice that made an OFREP client ask, empty
// when none did.
func toldOf(r *http.Request) string {
	if !strings.Contains(r.URL.RawQuery, "flagConfigEtag") {
		return "" // as almost always: the query is not parsed
	}
	query, _ := url.ParseQuery(r.URL.RawQuery) // what cannot be read was not said
	return query.Get("flagConfigEtag")
}

// catchUpTime is how long an evaluation waits for a change that its client has
// heard of from another replica.
const catchUpTime = 2 * time.Second

// reach waits until this replica knows what the client was told of: a client
// that asks again is not sent away with what it has.
func (s *server) reach(ctx context.Context, told string) error {
	revision, ok := stream.ParseETag(told)
	if !ok || revision <= s.Projection.Seq() {
		return nil
	}
	ctx, stop := context.WithTimeout(ctx, catchUpTime)
	defer stop()
	if err := s.Projection.Wait(ctx, revision); err != nil {
		return errors.Join(errBehind, err)
	}
	return nil
}
