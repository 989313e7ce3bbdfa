package sdk

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"time"
)

// One request has so many events and bytes at most, before they are compressed;
// the server takes a little more.
const (
	eventsAtOnce = 1000
	bytesAtOnce  = 900 << 10

	sendTimeout = 30 * time.Second
)

// sender brings what waits in the queue to the server, one request at a time.
type sender struct {
	config *Config
	api    *api
	queue  *queue
	budget *budget
	kick   chan struct{} // send now, whatever was to be waited for
	hurry  atomic.Uint64 // events, of all there ever were, that wait for no others
	pause  backoff
	over   chan struct{} // closed when nothing is sent any more
}

func newSender(c *Config, a *api, q *queue, b *budget) *sender {
	return &sender{config: c, api: a, queue: q, budget: b, kick: make(chan struct{}, 1), over: make(chan struct{})}
}

// run sends until ctx is done. Events wait for a moment for others to go along.
func (s *sender) run(ctx context.Context) {
	defer close(s.over)
	for await(ctx, s.queue.ready, s.kick) {
		if !s.hurried() && !sleep(ctx, s.config.Queue.flush(), s.kick, s.queue.many) {
			return
		}
		for s.step(ctx) {
		}
	}
}

// hurried reports whether there is no use in waiting for more events.
func (s *sender) hurried() bool {
	c, _ := s.queue.see()
	return c.gone() < s.hurry.Load() || c.many(s.config)
}

// flush returns when the server has said what became of all events there are
// now, or an attempt has failed and once is set, or ctx is done, or nothing is
// sent any more. It returns how many wait.
func (s *sender) flush(ctx context.Context, once bool) (waiting int) {
	c, changed := s.queue.see()
	target, failed := c.queued, c.failed
	s.hurry.Store(target)
	signal(s.kick)
	for more := true; more && c.gone() < target && (!once || c.failed == failed); {
		select {
		case <-changed:
		case <-s.over:
			more = false
		case <-ctx.Done():
			more = false
		}
		c, changed = s.queue.see()
	}
	return int(max(target, c.gone()) - c.gone())
}

// step sends one batch, until the server says what became of it. It returns
// false when nothing waits, or ctx is done.
func (s *sender) step(ctx context.Context) bool {
	b := s.queue.next(eventsAtOnce, bytesAtOnce)
	if len(b.events) == 0 {
		return false
	}
	var v verdict
	for {
		var err error
		if v, err = s.judge(ctx, b.events); err == nil {
			break
		}
		if !s.again(ctx, err) {
			s.queue.giveBack(b)
			return false
		}
	}
	s.pause.reset()
	s.queue.settle(b, v.count)
	return true
}

// again waits before a repeat, longer where the token is at fault: a person has
// to do something then.
func (s *sender) again(ctx context.Context, err error) bool {
	if ctx.Err() != nil {
		return false
	}
	s.queue.note(func(c *queueCounts) { c.failed++ })
	least := time.Duration(0)
	var r *refusal
	if errors.As(err, &r) {
		if least = r.after; r.denied() {
			least = max(least, mostPause)
		}
	}
	pause := s.pause.next(least) + s.budget.take(s.config.now())
	s.config.log().Warn("events could not be sent, and wait", "error", err, "again", pause.Round(time.Millisecond))
	return sleep(ctx, pause, s.kick, nil)
}

// verdict is what became of the events of a batch.
type verdict struct{ sent, refused, dead int }

func (v verdict) count(c *queueCounts) {
	c.sent, c.refused, c.dead = c.sent+uint64(v.sent), c.refused+uint64(v.refused), c.dead+uint64(v.dead)
}

func (v verdict) plus(w verdict) verdict {
	return verdict{v.sent + w.sent, v.refused + w.refused, v.dead + w.dead}
}

// judge sends events and returns what became of them. An error says that
// nothing is known, and that they are to be sent again. A request that the
// server does not take as a whole is cut in two, so that one event does not keep
// the others.
func (s *sender) judge(ctx context.Context, events [][]byte) (verdict, error) {
	receipt, err := s.post(ctx, events)
	var r *refusal
	if err == nil {
		return s.account(events, receipt), nil
	}
	if !errors.As(err, &r) {
		return verdict{}, err
	}
	switch r.status {
	case http.StatusBadRequest:
		if json.Unmarshal(r.body, &receipt) == nil && len(receipt.rejected(len(events))) == len(events) {
			return s.account(events, receipt), nil
		}
	case http.StatusRequestEntityTooLarge:
	default:
		return verdict{}, err
	}
	if len(events) == 1 {
		s.tell(events, []rejection{{Why: r.Error()}})
		return verdict{refused: 1}, nil
	}
	half := len(events) / 2
	first, err := s.judge(ctx, events[:half])
	if err != nil {
		return verdict{}, err
	}
	second, err := s.judge(ctx, events[half:]) // after an error the first half is sent twice, which changes nothing
	return first.plus(second), err
}

// receipt is the server's answer.
type receipt struct {
	DeadLetters int         `json:"deadLetters"`
	Undeclared  []string    `json:"undeclared"`
	Rejected    []rejection `json:"rejected"`
}

// rejected returns the places of the events, of so many, that have a fault.
func (r receipt) rejected(of int) map[int]bool {
	out := map[int]bool{}
	for _, f := range r.Rejected {
		if 0 <= f.Index && f.Index < of {
			out[f.Index] = true
		}
	}
	return out
}

// rejection is a fault of one event.
type rejection struct {
	Index                          int
	Field, Value, Reason, Why, Fix string
}

// post sends one request.
func (s *sender) post(ctx context.Context, events [][]byte) (r receipt, err error) {
	ctx, stop := context.WithTimeout(ctx, sendTimeout)
	defer stop()
	body, err := compress(events)
	if err != nil {
		return r, err
	}
	header := http.Header{"Content-Type": {"application/x-ndjson"}, "Content-Encoding": {"gzip"}}
	answer, err := s.api.do(ctx, http.MethodPost, "/v1/events", header, bytes.NewReader(body))
	if err != nil {
		return r, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, mostProblem))
	if err == nil {
		err = json.Unmarshal(text, &r)
	}
	if err != nil {
		return r, fmt.Errorf("reading what became of %d events: %w", len(events), err)
	}
	return r, nil
}

func compress(events [][]byte) ([]byte, error) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	for _, e := range events {
		_, _ = z.Write(e) // a fault comes with Close
		_, _ = z.Write([]byte{'\n'})
	}
	if err := z.Close(); err != nil {
		return nil, fmt.Errorf("compressing events: %w", err) // unreachable: a buffer takes all
	}
	return b.Bytes(), nil
}

// account counts what became of events, and tells of those that were rejected.
func (s *sender) account(events [][]byte, r receipt) verdict {
	rejected := r.rejected(len(events))
	s.tell(events, r.Rejected)
	if r.DeadLetters > 0 {
		s.config.log().Warn("events wait until a metric declares them", "events", r.DeadLetters, "names", r.Undeclared)
	}
	return verdict{sent: len(events) - len(rejected), refused: len(rejected), dead: r.DeadLetters}
}

// tell reports rejected events to the callback, and to the log as a number and
// an example.
func (s *sender) tell(events [][]byte, list []rejection) {
	if len(list) == 0 {
		return
	}
	s.config.log().Error("the server refused events for good", "faults", len(list), "first", list[0].Field+" "+list[0].Why)
	if s.config.Refused == nil {
		return
	}
	for _, f := range list {
		if f.Index >= 0 && f.Index < len(events) {
			s.config.Refused(Refusal{Event: events[f.Index], Field: f.Field, Value: f.Value, Reason: f.Reason, Why: f.Why, Fix: f.Fix})
		}
	}
}
