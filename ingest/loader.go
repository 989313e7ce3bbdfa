package ingest

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// Loader moves the messages of one stream into the store, each event exactly
// once, whatever fails in between. For each block it
//
//  1. reads whole messages, decodes them and publishes what cannot be counted
//     to the dead letters, acknowledged,
//  2. writes its intent: this range, these bytes, this attempt,
//  3. inserts the rows under a token that follows from the intent,
//  4. reads back how many rows are there, because stores have acknowledged
//     inserts and dropped them (ClickHouse #121174, #120904),
//  5. advances: everything up to the end of the range is countable.
//
// After a crash or an unclear answer it finishes a written intent before
// anything else, and counts before it inserts again. Two loaders of one shard
// are safe, if wasteful: every write of the state compares its revision.
//
// Shard, Stream, KV, Store, Dead and Decoder are required. Step and Run are
// for one goroutine; Progress may be called from others.
type Loader struct {
	Shard      string
	Generation string // of the store's tables, "" is "1"; changes when they are rebuilt, because the store remembers the tokens of the old ones
	Stream     Stream
	KV         KV
	Store      Store
	Dead       Stream
	Decoder    Decoder
	Logger     *slog.Logger  // nil is silent
	Every      time.Duration // Run's pause at the end of the stream; zero: 250 ms
	MaxRows    int           // of a block, unless one message has more; zero: 100,000

	Lease *Lease           // Run waits for it; nil: nobody else loads the shard
	Now   func() time.Time // for the lease; required with one

	loaded bool // state is what the KV has at rev
	rev    uint64
	state  state
	work   *work // the block of state.Intent, when it is in memory

	mu       sync.Mutex
	progress Progress
}

// Progress returns how far the loader is, as far as it knows: zero before its
// first Step.
func (l *Loader) Progress() Progress {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.progress
}

// Run steps until ctx is done, gives back the lease and returns ctx's error. Faults are logged and
// tried again, with pauses that grow to five seconds.
func (l *Loader) Run(ctx context.Context) error {
	defer l.release(ctx)
	every := orElse(l.Every, 250*time.Millisecond)
	for pause := every; ; {
		moved, err := l.turn(ctx)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			l.log().Error("loading", "shard", l.Shard, "err", err, "pause", pause)
			sleep(ctx, pause)
			pause = min(2*pause, 5*time.Second)
		case !moved:
			sleep(ctx, l.idle())
			pause = every
		default:
			pause = every
		}
	}
}

func (l *Loader) log() *slog.Logger {
	if l.Logger == nil {
		return slog.New(slog.DiscardHandler)
	}
	return l.Logger
}

// Step does one block, or goes on with one that was begun. moved is false at
// the end of the stream. After an error the next Step goes on from what is
// written down, so that a caller may just try again.
func (l *Loader) Step(ctx context.Context) (moved bool, err error) {
	defer func() {
		if err != nil { // also a lost answer may have been a success: believe only what is written
			l.loaded, l.work = false, nil
		}
	}()
	if err := l.load(ctx); err != nil {
		return false, err
	}
	if l.state.Intent == nil {
		if began, err := l.begin(ctx); err != nil || !began {
			return false, err
		}
	}
	if err := l.resume(ctx); err != nil {
		return false, err
	}
	if err := l.finish(ctx); err != nil {
		return false, err
	}
	return true, nil
}

// load reads the state unless it is known.
func (l *Loader) load(ctx context.Context) error {
	if l.loaded {
		return nil
	}
	s, rev, err := readState(ctx, l.KV, l.Generation, l.Shard)
	if err != nil {
		return err
	}
	l.state, l.rev, l.loaded = s, rev, true
	l.publish()
	return nil
}

// save writes the state if nobody else has.
func (l *Loader) save(ctx context.Context) error {
	value, err := json.Marshal(l.state)
	if err != nil {
		return fmt.Errorf("encoding the progress of %s: %w", l.Shard, err)
	}
	rev, err := l.KV.Save(ctx, stateKey(l.Generation, l.Shard), value, l.rev)
	if err != nil {
		return fmt.Errorf("writing the progress of %s: %w", l.Shard, err)
	}
	l.rev = rev
	return nil
}

func (l *Loader) publish() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.progress = l.state.Progress
}
