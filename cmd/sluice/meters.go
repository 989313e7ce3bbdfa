package main

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/ingest"
	"github.com/sluice-hq/sluice/internal/meter"
)

// ackBounds are seconds: around what a write to disk takes, and up to where
// senders give up.
var ackBounds = []float64{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60}

// meters count what comes to the door of the facts. The zero value is ready.
type meters struct {
	accepted, dead meter.Count

	mu       sync.Mutex
	acks     *meter.Histogram
	requests map[string]*meter.Count // by outcome
	rejected map[string]*meter.Count // by reason
}

// outcomes are what a request with events can end in.
const (
	outAccepted = "accepted"
	outRefused  = "refused" // 4xx: nothing of it can be taken
	outBusy     = "busy"    // 503: it may be sent again
	outFailed   = "failed"
	outGone     = "gone" // the client did not wait for the answer
)

// accept lets a request in and counts it.
func (m *meters) accept(ctx context.Context, in *intake, r ingest.Request, at time.Time) (ingest.Receipt, error) {
	began := now()
	receipt, err := in.Accept(ctx, r, at)
	if r.Check {
		return receipt, err // nothing was to be kept
	}
	m.one(&m.requests, outcome(ctx, err)).Add(1)
	if err == nil {
		m.accepted.Add(receipt.Accepted)
		m.dead.Add(receipt.DeadLetters)
		m.latency().Observe(now().Sub(began).Seconds())
	}
	rejected := receipt.Rejected
	var refused ingest.Refused
	if errors.As(err, &refused) {
		rejected = refused
	}
	for i, x := range rejected {
		if i == 0 || rejected[i-1].Index != x.Index { // an event has a rejection for each of its faults
			m.one(&m.rejected, string(x.Reason)).Add(1)
		}
	}
	return receipt, err
}

func outcome(ctx context.Context, err error) string {
	var refused ingest.Refused
	var faults event.Invalids
	switch {
	case err == nil:
		return outAccepted
	case errors.As(err, &refused), errors.As(err, &faults), errors.Is(err, ingest.ErrTooLarge), errors.Is(err, ingest.ErrMedia):
		return outRefused
	case errors.Is(err, ingest.ErrBusy):
		return outBusy
	case ctx.Err() != nil:
		return outGone
	}
	return outFailed
}

// one returns the counter of a name, of which there are as many as the program
// has words for.
func (m *meters) one(of *map[string]*meter.Count, name string) *meter.Count {
	m.mu.Lock()
	defer m.mu.Unlock()
	if *of == nil {
		*of = map[string]*meter.Count{}
	}
	c := (*of)[name]
	if c == nil {
		c = &meter.Count{}
		(*of)[name] = c
	}
	return c
}

func (m *meters) latency() *meter.Histogram {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.acks == nil {
		m.acks = meter.NewHistogram(ackBounds...)
	}
	return m.acks
}

// families returns the counts. Every outcome is there from the start, so that
// the first one of its kind is seen as an increase.
func (m *meters) families() []meter.Family {
	requests := meter.Family{Name: "sluice_event_requests_total", Help: "Requests with events, by what they ended in.", Kind: meter.Counter}
	for _, name := range []string{outAccepted, outBusy, outFailed, outGone, outRefused} {
		requests.Add(m.one(&m.requests, name).Value(), "outcome", name)
	}
	rejected := meter.Family{Name: "sluice_events_rejected_total", Help: "Events that the door did not take, by reason.", Kind: meter.Counter}
	for _, name := range []ingest.Reason{ingest.Malformed, ingest.UnknownKind, ingest.UnknownFlag, ingest.TimeWindow} {
		m.one(&m.rejected, string(name))
	}
	m.mu.Lock()
	for _, name := range slices.Sorted(maps.Keys(m.rejected)) {
		rejected.Add(m.rejected[name].Value(), "reason", name)
	}
	m.mu.Unlock()
	return []meter.Family{
		requests, rejected,
		meter.One("sluice_events_accepted_total", "Events that are on disk.", meter.Counter, m.accepted.Value()),
		meter.One("sluice_events_undeclared_total", "Of these: events that no metric declares.", meter.Counter, m.dead.Value()),
		m.latency().Family("sluice_event_ack_seconds", "Time from a request with events to its acknowledgement on disk."),
	}
}
