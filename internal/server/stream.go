package server

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/internal/access"
	"github.com/sluice-hq/sluice/internal/stream"
)

// streamRulesets answers with the rules of an environment and every change of
// them, for SDKs that evaluate by themselves.
func (s *server) streamRulesets(w http.ResponseWriter, r *http.Request) error {
	return s.stream(w, r, stream.Request{
		Environment: environment(r, who(r.Context())), SDK: sdkOf(r), Last: r.Header.Get("Last-Event-ID"),
	})
}

// streamNotices tells an OFREP client when to ask again. Who came with a ticket
// is asked to fetch the next before it ends, not all at once.
func (s *server) streamNotices(w http.ResponseWriter, r *http.Request) error {
	q := stream.Request{
		Environment: environment(r, who(r.Context())), Notices: true, SDK: sdkOf(r), Last: r.Header.Get("Last-Event-ID"),
	}
	at := s.Now()
	if _, end, err := s.Tickets.Check(r.URL.Query().Get("ticket"), at); err == nil {
		rest := end.Sub(at)
		q.Until, q.Renew = end, at.Add(rest/2+rand.N(rest/4+1))
	}
	return s.stream(w, r, q)
}

// ticketed finds who comes with a ticket instead of a token: a browser's
// EventSource sends no headers. A ticket opens the notices of its environment
// and nothing else.
func (s *server) ticketed(r *http.Request, at *route) (access.Principal, bool) {
	if at.name != "stream-notices" {
		return access.Principal{}, false
	}
	name, _, err := s.Tickets.Check(r.URL.Query().Get("ticket"), s.Now())
	return access.Principal{Name: "ticket", Class: access.ClientSDK, Environment: name}, err == nil
}

// stream lets a listener in and writes to it until one of both has enough.
func (s *server) stream(w http.ResponseWriter, r *http.Request, q stream.Request) error {
	if s.Streams == nil {
		return fmt.Errorf("this replica streams nothing: %w", errNoSuch)
	}
	if _, err := s.sets.at(q.Environment); err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("X-Accel-Buffering", "no") // or nginx keeps events back
	if headOnly(r) {
		return nil
	}
	q.Token = who(r.Context()).Token
	q.ID, q.Retry = event.New().String(), time.Second+rand.N(4*time.Second) // so that they do not all come back at once
	listener, err := s.Streams.Open(q)
	if err != nil {
		return err
	}
	defer listener.Close()
	sink, err := sinkOf(w, r, s.Streams.Deadline())
	if err != nil {
		s.log.Debug("a stream could not begin", "error", err)
		return nil // nobody is there to be told
	}
	defer sink.Close()
	if err := listener.Copy(sink.ctx, sink); err != nil {
		s.log.Debug("a stream ended", "stream", q.ID, "error", err)
	}
	return nil
}

// sdkOf names the software that asks, as it calls itself.
func sdkOf(r *http.Request) string {
	name := r.Header.Get("X-Sluice-SDK")
	if name == "" {
		name = r.UserAgent()
	}
	return name[:min(len(name), 64)]
}

// MayHear returns the question that the hub asks of streams that are open: is
// their environment still there, and does the token still open them?
func MayHear(p *event.Projection, f Folds, now func() time.Time) func(token, environment string, notices bool) bool {
	return func(token, environment string, notices bool) (may bool) {
		needs := access.Sync
		if notices {
			needs = access.Evaluate
		}
		p.View(func(uint64) {
			holder, ok := f.Access.Holder(token, now())
			may = token == "" || ok && holder.May(needs, environment, access.AnyKey) // a ticket has its own end
			_, there := f.Flags.Environment(environment)
			may = may && there
		})
		return may
	}
}

type acknowledgeIn struct {
	ID   string `path:"id" doc:"as the hello event of the stream has it"`
	Body struct {
		Revision uint64 `json:"revision" minimum:"1" doc:"id of the newest event that the SDK answers from"`
	}
}

// acknowledge notes which revision an SDK holds.
func (s *server) acknowledge(ctx context.Context, in *acknowledgeIn) (*struct{}, error) {
	if s.Streams == nil {
		return nil, stream.ErrUnknown
	}
	mayHear := func(environment string) bool { return may(ctx, access.Sync, environment) == nil }
	return nil, s.Streams.Acknowledge(in.ID, mayHear, in.Body.Revision)
}

// StreamsView says which revision the streams of this replica are at.
type StreamsView struct {
	Revision uint64         `json:"revision" doc:"of the newest change of a flag that this replica knows"`
	Open     int            `json:"open" doc:"streams of rulesets and notices"`
	Oldest   uint64         `json:"oldest,omitempty" doc:"lowest revision that a stream of rulesets holds; absent without one"`
	Streams  []stream.Count `json:"streams" doc:"streams that stand alike, oldest first"`
}

type streamsOut struct{ Body StreamsView }

func (s *server) listStreams(ctx context.Context, _ *struct{}) (*streamsOut, error) {
	return &streamsOut{Body: s.streamsSeen(func(environment string) bool { return sees(ctx, environment, access.AnyKey) })}, nil
}

// streamsSeen counts the streams of the environments that may be seen.
func (s *server) streamsSeen(seen func(environment string) bool) StreamsView {
	v := StreamsView{Streams: []stream.Count{}}
	s.Projection.View(func(uint64) { v.Revision = s.Flags.Revision() })
	if s.Streams == nil {
		return v
	}
	for _, c := range s.Streams.Counts() {
		if !seen(c.Environment) {
			continue
		}
		v.Streams = append(v.Streams, c)
		v.Open += c.Streams
		if held := c.Revision(); !c.Notices && (v.Oldest == 0 || held < v.Oldest) {
			v.Oldest = held
		}
	}
	return v
}
