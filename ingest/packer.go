package ingest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/internal/trace"
)

// Packer turns the batches of many concurrent requests into few messages of
// one stream: one write to disk carries up to 1,000 events. It starts no
// goroutine: the request that opens a pack publishes it, the others wait for
// its acknowledgement.
//
// NewPacker makes one; the fields may be set before its first use.
type Packer struct {
	Wait     time.Duration // how long a pack stays open for more; zero: 3 ms
	Patience time.Duration // how long a message is published again; zero: 60 s, half of the stream's memory of IDs
	Pending  int           // events that may wait for their acknowledgement; zero: 100,000
	InFlight int           // messages that are published at once; zero: 4

	stream   Stream
	codec    *Codec
	instance string
	counter  atomic.Uint64

	mu      sync.Mutex
	pending int
	open    *pack
	slots   chan struct{}
}

// A pack is full at maxEvents events or this many bytes before compression.
const packSize = 256 << 10

// mostTraces bounds how many requests a message names as what led to it.
const mostTraces = 8

// pack is a message in the making.
type pack struct {
	batch  Batch
	size   int
	traces []string      // of the requests whose events are in it, the first mostTraces
	full   chan struct{} // closed when nothing more goes in
	done   chan struct{} // closed when err is final
	err    error
}

// NewPacker returns a packer of one shard's stream. instance names this
// process, differently at every start: it is part of the messages' IDs.
func NewPacker(stream Stream, codec *Codec, instance string) *Packer {
	return &Packer{stream: stream, codec: codec, instance: instance}
}

// Submit stores the events of b and returns nil once they are on disk.
// Otherwise the error wraps ErrBusy, or is that of ctx; the events may be
// stored all the same, and their IDs make a repeat safe. b belongs to the
// packer afterwards.
func (p *Packer) Submit(ctx context.Context, b Batch) error {
	t, err := p.join(b, trace.Parent(ctx))
	if err != nil {
		return err
	}
	return t.wait(ctx)
}

// ticket is a batch that waits for its acknowledgement: the packs it is in,
// and those of them that nobody else will publish.
type ticket struct {
	packer *Packer
	packs  []*pack
	leads  []*pack
	events int
	trace  string // of the request that it is of; empty when nobody traces it
}

// join puts a batch into packs, or says that too much is waiting. from is the
// trace that led to it.
func (p *Packer) join(b Batch, from string) (*ticket, error) {
	t := &ticket{packer: p, events: int(b.Count), trace: from}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.pending > 0 && p.pending+t.events > orElse(p.Pending, 100_000) {
		return nil, fmt.Errorf("%w: %d wait for the disk already", ErrBusy, p.pending)
	}
	p.pending += t.events
	if p.slots == nil {
		p.slots = make(chan struct{}, orElse(p.InFlight, 4))
	}
	for _, part := range b.split(maxEvents, packSize) {
		p.add(t, part)
	}
	return t, nil
}

// add puts a part of a batch into the open pack, or into a new one.
func (p *Packer) add(t *ticket, part Batch) {
	size := part.size()
	if p.open != nil && (p.open.batch.Count+part.Count > maxEvents || p.open.size+size > packSize) {
		p.seal(p.open)
	}
	if p.open == nil {
		p.open = &pack{full: make(chan struct{}), done: make(chan struct{})}
		t.leads = append(t.leads, p.open)
	}
	p.open.batch.Extend(part)
	p.open.size += size
	p.open.follow(t.trace)
	t.packs = append(t.packs, p.open)
	if p.open.batch.Count >= maxEvents {
		p.seal(p.open)
	}
}

// follow notes a request whose events are in the pack.
func (k *pack) follow(trace string) {
	if trace != "" && len(k.traces) < mostTraces && !slices.Contains(k.traces, trace) {
		k.traces = append(k.traces, trace)
	}
}

// seal closes a pack to further events, once. p.mu is held.
func (p *Packer) seal(k *pack) {
	if p.open == k {
		p.open = nil
		close(k.full)
	}
}

// wait publishes the packs that are the ticket's to publish and returns when
// all its events are acknowledged.
func (t *ticket) wait(ctx context.Context) error {
	defer t.settle()
	for _, k := range t.leads {
		t.packer.lead(ctx, k)
	}
	for _, k := range t.packs {
		select {
		case <-k.done:
			if k.err != nil {
				return k.err
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

func (t *ticket) settle() {
	t.packer.mu.Lock()
	defer t.packer.mu.Unlock()
	t.packer.pending -= t.events
}

// lead waits until a pack is full or due and publishes it. Others wait for it,
// so it goes on when the leader's own request is cancelled.
func (p *Packer) lead(ctx context.Context, k *pack) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), orElse(p.Patience, time.Minute))
	defer cancel()
	defer close(k.done)
	due := time.NewTimer(orElse(p.Wait, 3*time.Millisecond))
	defer due.Stop()
	select {
	case <-k.full:
	case <-due.C:
	}
	select {
	case p.slots <- struct{}{}: // while it waits for a place, the pack takes more
		defer func() { <-p.slots }()
	case <-ctx.Done():
	}
	p.mu.Lock()
	p.seal(k)
	p.mu.Unlock()
	k.err = p.publish(ctx, p.codec.Encode(k.batch), k.traces)
}

// publish appends a message until the stream has it: the same bytes with the
// same ID, so that a message whose acknowledgement was lost is there once.
func (p *Packer) publish(ctx context.Context, data []byte, traces []string) error {
	id := fmt.Sprintf("%s.%d", p.instance, p.counter.Add(1))
	for pause := 20 * time.Millisecond; ; pause = min(2*pause, 2*time.Second) {
		err := p.try(ctx, id, data, traces)
		if err == nil {
			return nil
		}
		if errors.Is(err, event.ErrFull) || !sleep(ctx, pause) { // a full stream is the senders' turn to wait
			return fmt.Errorf("%w: %w", ErrBusy, err)
		}
	}
}

// try gives up on one attempt early: a stream without a leader, or on a full
// disk, does not answer at all.
func (p *Packer) try(ctx context.Context, id string, data []byte, traces []string) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	_, err := p.stream.Publish(ctx, id, data, traces...)
	return err
}

// sleep waits and reports whether ctx is still alive.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// orElse returns v, or its default when v is zero.
func orElse[T comparable](v, otherwise T) T {
	var zero T
	if v == zero {
		return otherwise
	}
	return v
}
