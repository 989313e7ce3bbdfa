package sdk

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"

	"github.com/sluice-hq/sluice/flags"
)

const (
	// mostSilence is how long a stream may say nothing: the server gives a sign of
	// life every 15 seconds.
	mostSilence = 45 * time.Second

	// grace is how long a server may be behind what is held: a replica that has just
	// started catches up. After it, its log is taken for another one, such as one
	// that was restored from a backup.
	grace = 30 * time.Second

	listsAgain = 15 * time.Second // between two attempts to load a list, and up to as much again: all clients lack it at once
)

var (
	errSilent  = errors.New("the server said nothing for 45 seconds")
	errBehind  = errors.New("the server is behind the flags that are held")
	errAnother = errors.New("the flags that are held are of another environment")
)

// follower takes the flags of a provider from the stream, one connection after
// the other.
type follower struct {
	p       *Provider
	run     *run
	library library
	pause   backoff
	afresh  bool        // the server is asked for all flags: what is held may be of another log, whose revisions mean something else
	behind  time.Time   // since when all that the server sent was older than what is held; zero: it was not
	late    *time.Timer // announces that flags are stale, however long an attempt takes
	lists   time.Time   // when lists that are missing are tried again
}

func newFollower(p *Provider, r *run) *follower {
	f := &follower{p: p, run: r, library: library{api: p.api}}
	if r.dir != "" {
		f.library.dir = p.file("lists")
	}
	if s := p.held.Load(); s != nil && s.source != FromStream {
		f.afresh = s.server != p.api.base
	}
	return f
}

// follow goes on until ctx is done.
func (f *follower) follow(ctx context.Context) {
	f.p.unpack()
	f.late = time.AfterFunc(f.p.config.stale(), f.p.announce)
	defer f.late.Stop()
	for ctx.Err() == nil {
		after, err := f.listen(ctx)
		if ctx.Err() != nil {
			return
		}
		f.rest(ctx, after, err)
	}
}

// rest tells that there is no stream and waits before the next. A stream that
// was open ends as soon as its server is restarted: then the server's own wish
// is enough.
func (f *follower) rest(ctx context.Context, after time.Duration, err error) {
	var r *refusal
	denied := errors.As(err, &r) && r.denied()
	f.p.board.fail(err.Error(), denied)
	if r != nil {
		after = r.after
	}
	if denied {
		after = max(after, mostPause)
	}
	pause := f.pause.next(after) + f.p.budget.take(f.p.config.now())
	f.p.config.log().Warn("there is no stream of flags", "error", err, "again", pause.Round(time.Millisecond))
	f.p.announce()
	if v := f.p.Status(); v.State == Ready {
		f.late.Reset(f.p.config.stale() - v.Age + time.Millisecond)
	}
	if denied {
		f.run.known() // asking on is no use to who waits
	}
	sleep(ctx, pause, nil, nil)
}

// listen opens a stream and takes what it says, to its end. It returns how long
// the server asked to wait then.
func (f *follower) listen(ctx context.Context) (after time.Duration, err error) {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	silence := time.AfterFunc(mostSilence, func() { stop(errSilent) })
	defer silence.Stop()
	answer, err := f.p.api.do(ctx, http.MethodGet, "/api/v1/stream", f.header(), nil)
	if err != nil {
		return 0, told(ctx, err)
	}
	defer answer.Body.Close()
	stream := newMessages(answer.Body, func() {
		silence.Reset(mostSilence)
		f.alive(ctx)
	})
	for {
		m, err := stream.next()
		if err == nil {
			err = f.take(ctx, m)
		}
		if err != nil {
			return stream.retry, told(ctx, err)
		}
	}
}

// told returns why a request was given up, rather than that it was.
func told(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return err
}

func (f *follower) header() http.Header {
	h := http.Header{"Accept": {"text/event-stream"}}
	if s := f.p.held.Load(); s != nil && !f.afresh {
		h.Set("Last-Event-ID", strconv.FormatUint(s.ruleset.Revision, 10))
	}
	return h
}

// alive notes a sign of life, and uses it to try what is still missing.
func (f *follower) alive(ctx context.Context) {
	now := f.p.config.now()
	f.p.board.hear(now)
	if s := f.p.held.Load(); s != nil && !f.lists.IsZero() && !now.Before(f.lists) {
		f.fill(ctx, s)
	}
}

// take applies one event.
func (f *follower) take(ctx context.Context, m message) error {
	switch m.kind {
	case "hello":
		return f.hello(m.data)
	case "put", "patch":
	default:
		return nil // of a newer server
	}
	var r flags.Ruleset
	if err := json.Unmarshal(m.data, &r); err != nil {
		return fmt.Errorf("reading a %s: %w", m.kind, err)
	}
	if id, err := strconv.ParseUint(m.id, 10, 64); err == nil {
		r.Revision = max(r.Revision, id) // of all changes, also those that are not about this environment
	}
	if m.kind == "put" {
		return f.put(ctx, r)
	}
	held := f.p.held.Load()
	if held == nil || f.afresh {
		return errors.New("reading a patch: it came before any put")
	}
	f.adopt(ctx, held.next(held.ruleset.With(r), held.lists, false))
	return nil
}

// hello learns the name of the stream. Who lacks nothing is sent nothing. Flags
// of another environment, as of a folder that had another token, lack everything.
func (f *follower) hello(data []byte) error {
	var h struct {
		Stream, Environment string
		Revision            uint64
	}
	if err := json.Unmarshal(data, &h); err != nil {
		return fmt.Errorf("reading a hello: %w", err)
	}
	f.p.stream.Store(&h.Stream)
	s := f.p.held.Load()
	if s == nil || f.afresh {
		return nil
	}
	if h.Environment != s.ruleset.Environment {
		f.afresh = true
		return fmt.Errorf("%w, %s: the stream is of %s", errAnother, s.ruleset.Environment, h.Environment)
	}
	if s.ruleset.Revision == h.Revision {
		f.settle()
	}
	return nil
}

// put takes a whole ruleset. Flags that it does not have stay as they were:
// nothing is ever removed from a log, so that they are of another one, and no
// answer is worse than an old one.
func (f *follower) put(ctx context.Context, r flags.Ruleset) error {
	held := f.p.held.Load()
	if held == nil || held.ruleset.Environment != r.Environment {
		f.adopt(ctx, newSnapshot(FromStream, r, nil))
		return nil
	}
	if r.Revision < held.ruleset.Revision && !f.another() {
		return fmt.Errorf("%w: its revision is %d, and %d is held", errBehind, r.Revision, held.ruleset.Revision)
	}
	next := held.ruleset.With(r)
	next.Revision = r.Revision
	if lost := len(next.Flags) - len(r.Flags); lost > 0 {
		f.p.config.log().Error("the server does not know flags that it knew, which go on as they were", "flags", lost, "revision", r.Revision)
	}
	f.adopt(ctx, held.next(next, held.lists, true))
	return nil
}

// another reports whether the server has been behind for so long that its log
// must be another one.
func (f *follower) another() bool {
	now := f.p.config.now()
	if f.behind.IsZero() {
		f.behind = now
	}
	return now.Sub(f.behind) >= grace
}

// adopt lets evaluations answer from a snapshot, and loads what it lacks: before
// it is settled when it is the first, since whoever waits for flags waits for all
// of them.
func (f *follower) adopt(ctx context.Context, s *snapshot) {
	first := f.p.held.Load() == nil
	f.p.replace(s)
	f.afresh = false
	if first {
		f.fill(ctx, s)
	}
	f.settle()
	if !first {
		f.fill(ctx, s)
	}
}

// settle notes that what the stream said is in use.
func (f *follower) settle() {
	f.behind = time.Time{}
	f.pause.reset()
	f.p.board.connect(f.p.config.now())
	f.p.announce()
	f.run.known()
	signal(f.run.settled)
}

// fill loads the lists that a snapshot lacks. Flags that ask for one go on as
// they were until it is there.
func (f *follower) fill(ctx context.Context, s *snapshot) {
	if len(s.missing()) == 0 {
		f.lists = time.Time{}
		return
	}
	ctx, stop := context.WithTimeout(ctx, sendTimeout)
	defer stop()
	lists, err := f.library.lists(ctx, s.ruleset, s.lists)
	f.missing(err)
	if len(lists) == len(s.lists) {
		return
	}
	f.p.replace(s.next(s.ruleset, lists, false))
	signal(f.run.settled)
}

// missing notes whether lists have to be tried again.
func (f *follower) missing(err error) {
	f.lists = time.Time{}
	if err != nil {
		f.p.config.log().Error("flags that ask for a list of units go on as they were", "error", err)
		f.lists = f.p.config.now().Add(listsAgain + rand.N(listsAgain))
	}
}
