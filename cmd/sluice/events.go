package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/ingest"
)

// eventsCmd moves events.
type eventsCmd struct {
	Send   eventsSendCmd   `cmd:"" help:"Send one event, or those of a file, as an application does."`
	Import eventsImportCmd `cmd:"" help:"Import events of any age from CSV, lines of JSON or Parquet."`
	Tail   eventsTailCmd   `cmd:"" help:"Watch events come in, with what becomes of each and what to do about it."`
}

// A request holds so many events and bytes at most; the server takes a little
// more.
const (
	eventsAtOnce = 1000
	bytesAtOnce  = 960 << 10
)

// bundle is as many events as one request takes.
type bundle struct {
	body   []byte // one event a line
	events int
}

// fits reports whether an event can go along.
func (p *bundle) fits(e []byte) bool {
	return p.events < eventsAtOnce && (p.events == 0 || len(p.body)+len(e) < bytesAtOnce)
}

func (p *bundle) add(e []byte) {
	p.body = append(append(p.body, e...), '\n')
	p.events++
}

// postEvents sends a bundle, again and again while the server has no room for it or
// does not answer: its events have IDs, so that a repeat is safe. What was
// rejected is in the receipt, also when that was everything.
func (c client) postEvents(ctx context.Context, path string, p bundle, patience time.Duration) (r ingest.Receipt, err error) {
	began := now()
	for pause := 200 * time.Millisecond; ; pause = min(2*pause, 10*time.Second) {
		r = ingest.Receipt{}
		err = c.do(ctx, http.MethodPost, path, "application/x-ndjson", p.body, &r)
		again, after := passing(err)
		if !again || now().Sub(began) > patience {
			return refusedAll(r, err)
		}
		if !sleep(ctx, max(pause, after)) {
			return r, ctx.Err()
		}
	}
}

// passing reports whether a fault may be gone a little later.
func passing(err error) (bool, time.Duration) {
	var e *apiError
	switch {
	case err == nil, errors.Is(err, context.Canceled):
		return false, 0
	case !errors.As(err, &e):
		return true, 0 // no answer at all
	}
	switch e.Status {
	case http.StatusTooManyRequests, http.StatusServiceUnavailable, http.StatusBadGateway, http.StatusGatewayTimeout, http.StatusRequestTimeout:
		return true, e.After
	}
	return false, 0
}

// refusedAll turns the refusal of every event into a receipt.
func refusedAll(r ingest.Receipt, err error) (ingest.Receipt, error) {
	var e *apiError
	if !errors.As(err, &e) || e.Status != http.StatusBadRequest {
		return r, err
	}
	var problem struct {
		Rejected []ingest.Rejection `json:"rejected"`
	}
	if json.Unmarshal(e.Body, &problem) != nil || len(problem.Rejected) == 0 {
		return r, err
	}
	return ingest.Receipt{Rejected: problem.Rejected}, nil
}

// sent is what became of events.
type sent struct {
	Accepted    int             `json:"accepted"` // dead letters among them
	DeadLetters int             `json:"deadLetters"`
	Undeclared  []string        `json:"undeclared,omitempty"` // names of those
	Rejected    int             `json:"rejected"`             // events, or rows that became none
	Faults      []event.Invalid `json:"faults,omitempty"`     // the first, with the place they are in
}

// mostFaults is how many faults are told.
const mostFaults = 10

// add counts what a receipt says; at names the place of an event of the bundle.
func (s *sent) add(r ingest.Receipt, at func(index int) string) {
	s.Accepted += r.Accepted
	s.DeadLetters += r.DeadLetters
	for _, name := range r.Undeclared {
		s.undeclared(name)
	}
	last := -1
	for _, f := range r.Rejected {
		if f.Index != last { // an event has one for each of its faults
			s.Rejected++
		}
		last = f.Index
		s.fault(rejected(at(f.Index), f))
	}
}

// rejected is a rejection as a fault of the place that its event came from.
func rejected(place string, r ingest.Rejection) event.Invalid {
	if r.Field != "" {
		place += ": " + r.Field
	}
	return event.Invalid{Path: place, Value: r.Value, Why: r.Why, Fix: r.Fix}
}

func (s *sent) fault(f event.Invalid) {
	if len(s.Faults) < mostFaults {
		s.Faults = append(s.Faults, f)
	}
}

func (s *sent) undeclared(name string) {
	for _, known := range s.Undeclared {
		if known == name {
			return
		}
	}
	s.Undeclared = append(s.Undeclared, name)
}

// table says it in words.
func (s *sent) table(w io.Writer, verb string) {
	fmt.Fprintf(w, "%s %s, %s rejected.\n", counted(s.Accepted, "event"), verb, thousands(int64(s.Rejected)))
	if s.DeadLetters > 0 {
		fmt.Fprintf(w, "%s of them among the dead letters: no metric declares %s. Declare one, then send them again.\n",
			thousands(int64(s.DeadLetters)), oneOf(s.Undeclared))
	}
	for _, f := range s.Faults {
		fmt.Fprintf(w, "  %s\n", f.Error())
	}
	if s.Rejected > len(s.Faults) && len(s.Faults) == mostFaults {
		fmt.Fprintln(w, "  …")
	}
}

// oneOf lists names with a word between them.
func oneOf(names []string) string {
	text := ""
	for i, n := range names {
		switch {
		case i == 0:
		case i == len(names)-1:
			text += " or "
		default:
			text += ", "
		}
		text += n
	}
	return text
}

// counted writes a number of things.
func counted(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return thousands(int64(n)) + " " + thing + "s"
}

// err is the error of a command whose events were not all taken.
func (s *sent) err() error {
	if s.Rejected > 0 {
		return exit(exitError)
	}
	return nil
}

// eventsPath is where events go.
func eventsPath(path, environment string, more ...string) string {
	query := set(url.Values{}, append([]string{"environment", environment}, more...)...)
	if len(query) == 0 {
		return path
	}
	return path + "?" + query.Encode()
}
