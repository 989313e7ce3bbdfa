package sdk

import (
	"context"
	"path/filepath"
	"sync"
	"time"
)

// queue keeps events from the moment they happen until the server has said what
// became of them. They come into memory, which never waits, and go on to the
// spool, if there is one. What cannot be written down stays in memory. Where
// there is no more room, the oldest go, and are counted.
type queue struct {
	config *Config

	mu      sync.Mutex
	memory  [][]byte // events that are in memory alone, oldest first
	out     int      // of those, taken out to be written down, or sent
	spool   *spool   // nil: not open, or none
	left    int      // on disk, when the spool was last shut
	fault   string   // why the disk is not used; empty: it is
	counts  queueCounts
	changed chan struct{} // closed, and made anew, when counts change
	wake    chan struct{} // there is something to write down
	ready   chan struct{} // there is something to send
	many    chan struct{} // there is so much of it that it waits for no more
}

// queueCounts is what became of all events there were.
type queueCounts struct {
	queued  uint64 // came into the queue, or an earlier process left them
	unfit   uint64 // never did: they cannot be sent
	sent    uint64 // the server has them on disk
	refused uint64 // never to be stored
	dropped uint64 // there was no room
	failed  uint64 // requests that have to be repeated
	dead    uint64 // of sent: wait until a metric declares them
	damaged int64  // bytes of the spool that could not be read
}

// gone returns how many of those that were queued do not wait any more.
func (c *queueCounts) gone() uint64 { return c.sent + c.refused + c.dropped }

func newQueue(c *Config) *queue {
	return &queue{config: c, changed: make(chan struct{}), wake: make(chan struct{}, 1), ready: make(chan struct{}, 1), many: make(chan struct{}, 1)}
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default: // it is signalled already
	}
}

// add takes an event. It never blocks on anything but other events.
func (q *queue) add(e []byte) {
	q.mu.Lock()
	q.counts.queued++
	if len(q.memory)+q.out >= q.config.Queue.events() && len(q.memory) > 0 {
		q.memory[0] = nil // for the garbage collector
		q.memory = q.memory[1:]
		q.counts.dropped++
	}
	q.memory = append(q.memory, e)
	many := q.counts.many(q.config)
	q.mu.Unlock()
	signal(q.wake)
	if many {
		signal(q.many)
	}
}

// many reports whether what waits fills a request, or half of the memory: then
// there is no use in waiting for more.
func (c *queueCounts) many(q *Config) bool {
	return int(c.queued-c.gone()) >= min(eventsAtOnce, max(1, q.Queue.events()/2))
}

// note changes the counts and tells who waits for them.
func (q *queue) note(change func(*queueCounts)) {
	q.mu.Lock()
	defer q.mu.Unlock()
	change(&q.counts)
	close(q.changed)
	q.changed = make(chan struct{})
}

// see returns the counts, and what is closed when they change.
func (q *queue) see() (queueCounts, <-chan struct{}) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.counts, q.changed
}

// waiting returns how many events wait.
func (q *queue) waiting() int {
	c, _ := q.see()
	return int(c.queued - c.gone())
}

// keep is the loop that writes events down, until ctx is done. It opens the
// spool first: nobody waits for that.
func (q *queue) keep(ctx context.Context, dir string) {
	if dir != "" {
		q.open(filepath.Join(dir, "events"))
	}
	var due <-chan time.Time // when what was written has to be on the disk itself
	for {
		select {
		case <-q.wake:
			due = q.stored(due)
			signal(q.ready)
		case <-due:
			due = nil
			q.disk(q.spool.sync())
		case <-ctx.Done():
			return
		}
	}
}

// stored writes down what waits, and returns when that has to be on the disk
// itself, nil when it is.
func (q *queue) stored(due <-chan time.Time) <-chan time.Time {
	switch {
	case !q.store():
	case q.config.Queue.sync() < 0:
		q.disk(q.spool.sync())
	case due == nil:
		return time.After(q.config.Queue.sync())
	}
	return due
}

func (q *queue) open(dir string) {
	s, waiting, damaged, err := openSpool(dir, q.config.Queue.bytes())
	q.disk(err)
	if err != nil {
		return
	}
	q.mu.Lock()
	q.spool = s
	left := q.left // which this very process has counted already
	q.left = 0
	q.mu.Unlock()
	q.note(func(c *queueCounts) { c.queued, c.damaged = c.queued+uint64(waiting)-uint64(left), c.damaged+damaged })
	if damaged > 0 {
		q.config.log().Warn("a crash has cut off the end of the queue", "bytes", damaged)
	}
	if waiting > 0 {
		q.config.log().Info("an earlier process left events, which are sent now", "events", waiting)
	}
	signal(q.wake)
}

// disk notes whether the disk can be used, and says so when that changes.
func (q *queue) disk(err error) {
	fault := ""
	if err != nil {
		fault = err.Error()
	}
	q.mu.Lock()
	before := q.fault
	q.fault = fault
	q.mu.Unlock()
	switch {
	case fault != "" && before == "":
		q.config.log().Error("events cannot be written down, and are kept in memory alone", "error", err)
	case fault == "" && before != "":
		q.config.log().Info("events are written down again")
	}
}

// disabled returns why the disk is not used.
func (q *queue) disabled() string {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.fault
}

// store moves events from memory to the spool and reports whether it did.
func (q *queue) store() bool {
	q.mu.Lock()
	s, events := q.spool, q.memory
	if s == nil || len(events) == 0 {
		q.mu.Unlock()
		return false
	}
	q.memory, q.out = nil, q.out+len(events)
	q.mu.Unlock()
	dropped, err := s.append(events)
	q.mu.Lock()
	q.out -= len(events)
	if err != nil {
		q.memory = append(events, q.memory...)
	}
	q.mu.Unlock()
	q.disk(err)
	if dropped > 0 {
		q.note(func(c *queueCounts) { c.dropped += uint64(dropped) })
	}
	return err == nil
}

// batch is what goes into one request.
type batch struct {
	events [][]byte
	mark   mark
	spool  *spool // nil: the events were in memory alone, and are here now
}

// next returns the oldest events, at most so many and about so many bytes. It
// is empty when nothing waits, or what waits is being written down.
func (q *queue) next(most int, bytes int64) (b batch) {
	q.mu.Lock()
	s, fault := q.spool, q.fault
	q.mu.Unlock()
	if s != nil {
		events, m, lost, err := s.next(most, bytes)
		if lost > 0 {
			q.config.log().Error("a part of the queue is damaged, and its events are lost", "events", lost)
			q.note(func(c *queueCounts) { c.dropped += uint64(lost) })
		}
		if err != nil {
			q.disk(err)
		}
		if len(events) > 0 {
			return batch{events, m, s}
		}
		if fault == "" && err == nil {
			return batch{}
		}
	}
	return q.fromMemory(most, bytes)
}

func (q *queue) fromMemory(most int, bytes int64) (b batch) {
	q.mu.Lock()
	defer q.mu.Unlock()
	n, size := 0, int64(0)
	for n < min(most, len(q.memory)) && (n == 0 || size+int64(len(q.memory[n])) <= bytes) {
		size += int64(len(q.memory[n]))
		n++
	}
	b.events, q.memory, q.out = q.memory[:n:n], q.memory[n:], q.out+n
	return b
}

// settle lets go of a batch, of which the server has said what became of it.
func (q *queue) settle(b batch, change func(*queueCounts)) {
	if b.spool != nil {
		q.disk(b.spool.settle(b.mark))
	}
	q.note(func(c *queueCounts) {
		if change(c); b.spool == nil {
			q.out -= len(b.events)
		}
	})
}

// shut closes the spool. Events that are still in memory are written down, or
// lost: it returns how many.
func (q *queue) shut() (lost int) {
	q.store()
	q.mu.Lock()
	defer q.mu.Unlock()
	lost, q.memory = len(q.memory), nil
	q.counts.dropped += uint64(lost)
	if q.spool != nil {
		q.left = q.spool.left()
		if err := q.spool.shut(); err != nil {
			q.config.log().Error("closing the queue", "error", err)
		}
	}
	q.spool = nil
	return lost
}

// giveBack returns a batch that could not be sent before the end.
func (q *queue) giveBack(b batch) {
	if b.spool != nil {
		return // it was never taken out
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.memory, q.out = append(b.events, q.memory...), q.out-len(b.events)
}
