// Package natslog keeps the log, the facts, the documents and the loaders'
// progress on NATS JetStream: in a server inside this process that opens no
// socket, or on servers elsewhere. It never knows what a message means; it
// knows when one is on disk, and it never takes a shorter or changed history
// for a whole one.
//
//	s, err := natslog.Open(ctx, natslog.Config{Dir: "data/nats", Logger: lg})
//	seq, err := s.Log.Append(ctx, e, event.Expect(0)) // on disk when it returns
//	seq, err = s.Facts[0].Publish(ctx, "instance.17", pack)
//	err = s.Close(ctx)
//
// # What is checked
//
// JetStream repairs a damaged file by cutting it off at the damage, and its
// consumers pass over what is missing without a word. So Open reads the files
// itself before the server may touch them, and refuses to start, naming the
// first sequence that is damaged. Then it folds the log from sequence 1 and
// checks contiguity, the hash chain and the seals. DIR/seal.json, written at
// each seal and at Close, says how far every stream was: a log that ends
// before that opens read-only. Every read counts sequences and ends with
// event.ErrDamaged at a gap.
package natslog

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/sluice-hq/sluice/event"
)

// Config says where the streams are. Dir or URL is required.
type Config struct {
	Dir        string       // of the embedded server's data; with URL, where seal.json is kept (empty: nowhere)
	URL        string       // of a NATS server or cluster: "nats://a:4222,nats://b:4222"; empty: embedded in this process
	SystemURL  string       // the same servers, as a user of the system account: proves that they write before they answer
	TrustSync  bool         // with URL and no SystemURL: the operator vouches for sync_interval: always
	Replicas   int          // of each stream, 1 to 5; default 1
	Shards     int          // of facts, fixed when they are first created; default 1, or 8 where streams have replicas
	FactsBytes int64        // that one shard may take; may grow, never shrink; default 4 GiB, or half of MaxStore where that is less
	MaxStore   int64        // bytes that the embedded server may take; default: what is free but for a tenth of the disk
	FactsLater bool         // Open opens the log and the documents; the facts are opened by OpenFacts, and need not be well before
	Logger     *slog.Logger // nil: silent

	duplicates time.Duration // window of JetStream's own recognition of repeats; default 2 minutes
	answers    time.Duration // that one write waits for its answer; default 5 s
}

func (c Config) replicas() int { return max(c.Replicas, 1) }

// shards follows from the configuration alone: replicas that start at once must
// not come to different numbers.
func (c Config) shards() int {
	switch {
	case c.Shards > 0:
		return c.Shards
	case c.replicas() > 1:
		return 8
	}
	return 1
}

// factsBytes is a reservation: the server refuses a stream that may take more
// than there is.
func (c Config) factsBytes() int64 {
	const usual = 4 << 30
	switch {
	case c.FactsBytes > 0:
		return c.FactsBytes
	case c.MaxStore > 0:
		return min(usual, c.MaxStore/2/int64(c.shards()))
	}
	return usual
}

func (c Config) window() time.Duration {
	if c.duplicates > 0 {
		return c.duplicates
	}
	return 2 * time.Minute
}

func (c Config) logger() *slog.Logger {
	if c.Logger != nil {
		return c.Logger
	}
	return slog.New(slog.DiscardHandler)
}

// Store is every stream of one installation. Its parts may be used by many
// goroutines at once, until Close.
type Store struct {
	Log     *Log
	Control *Stream // the log's messages as they are stored, for its loader; it is not published to
	Blobs   *Blobs
	Sealer  *Sealer
	Facts   []*Stream // one per shard; with FactsLater, these three are nil until OpenFacts
	Dead    *Stream   // dead letters
	KV      *KV       // the loaders' progress

	config Config
	lg     *slog.Logger
	lock   *lock
	pipe   *pipe // to the embedded server; nil with a URL
	nc     *nats.Conn
	js     jetstream.JetStream
	found  map[string]extent // of the streams' files before the server started; nil with a URL
	aside  map[string]error  // streams of facts that are kept from the server, and why

	serving sync.Mutex // held while the streams of facts or the server are opened
	watched []*wire    // those whose silence is noticed

	noting sync.Mutex // guards what follows, and its file
	noted  note       // what seal.json says
}

// Open starts or reaches the server, creates the streams that are absent and
// checks those that are there. It fails when a stream's configuration is not
// what Sluice relies on, when another process has Dir, and, with
// event.ErrDamaged, when what is stored is not what was written. A log that
// ends before its newest seal is opened for reading alone.
func Open(ctx context.Context, c Config) (*Store, error) {
	s := &Store{config: c, lg: c.logger()}
	for _, step := range []func(context.Context) error{s.claim, s.inspect, s.connect, s.create, s.recall} {
		if err := step(ctx); err != nil {
			s.release()
			return nil, fmt.Errorf("opening the streams: %w", err)
		}
	}
	return s, nil
}

// Close writes down how far the streams are, stops the server and gives the
// directory back. ctx bounds the wait for the last events to be read back.
func (s *Store) Close(ctx context.Context) error {
	err := s.Sealer.note(ctx)
	s.release()
	return err
}

func (s *Store) claim(context.Context) error {
	if s.config.Dir == "" {
		if s.config.URL == "" {
			return errors.New("neither a directory nor a server is given")
		}
		return nil
	}
	var err error
	s.lock, err = claim(s.config.Dir)
	return err
}

// inspect reads what was noted beside the data and the files of the embedded
// server, before that may touch them.
func (s *Store) inspect(context.Context) error {
	s.Sealer = &Sealer{store: s}
	if s.config.Dir == "" {
		return nil
	}
	s.Sealer.path = filepath.Join(s.config.Dir, sealFile)
	var err error
	if s.noted, err = readNote(s.Sealer.path); err != nil || s.config.URL != "" {
		return err
	}
	if err := putBack(s.config.Dir); err != nil {
		return err
	}
	return s.examine()
}

// examine reads the files of every stream and decides what their ends mean.
func (s *Store) examine() error {
	found, faults := scanEach(streamsDir(s.config.Dir))
	for name, x := range found {
		err := faults[name]
		if err == nil {
			err = s.weigh(name, x)
		}
		if err != nil {
			faults[name] = s.spare(name, err)
		}
	}
	s.found = found
	return joined(faults)
}

// weigh decides what a stream that ends early means. Only the log may go on,
// for reading alone; and then without the server's index, with which it would
// insist on messages that are not there.
func (s *Store) weigh(name string, x extent) error {
	noted, short := s.noted.Streams[name], x.last < s.noted.Streams[name]
	switch {
	case short && (x.torn > 0 || name != controlStream):
		return shorter(name, x.last, noted)
	case short:
		err := os.Remove(filepath.Join(streamsDir(s.config.Dir), name, "msgs", "index.db"))
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("removing the index of %s: %w", name, err)
		}
	case x.torn > 0:
		s.lg.Warn("the newest message was cut off while it was written and is dropped; it was never acknowledged",
			"stream", name, "after", x.last, "bytes", x.torn)
	}
	return nil
}

func (s *Store) connect(ctx context.Context) (err error) {
	if s.config.URL == "" {
		if s.config.MaxStore, err = s.config.maxStore(); err != nil {
			return err
		}
		s.pipe, s.nc, err = embed(s.config, s.lg)
	} else {
		s.nc, err = dial(ctx, s.config, s.lg)
	}
	if err != nil {
		return err
	}
	s.js, err = jetstream.New(s.nc)
	return err
}

// recall compares every stream with what was noted when it was last closed or
// sealed, and folds the log from its start.
func (s *Store) recall(ctx context.Context) error {
	if err := s.compare(ctx, s.config.core()); err != nil {
		return err
	}
	if !s.config.FactsLater {
		if err := s.OpenFacts(ctx); err != nil {
			return err
		}
	}
	s.Log = newLog(s.watch(controlStream, controlName), s.noted.Mark)
	return s.Log.open(ctx, s.config.URL != "")
}

func (s *Store) release() {
	if s.Log != nil {
		s.Log.close()
	}
	if s.nc != nil {
		s.nc.Close()
	}
	if s.pipe != nil {
		s.pipe.end()
	}
	if len(s.aside) > 0 {
		if err := putBack(s.config.Dir); err != nil {
			s.lg.Error("the next start will try again", "error", err)
		}
	}
	if s.lock != nil {
		s.lock.release()
	}
}

// wire returns the access to one stream.
func (s *Store) wire(name, message string) *wire {
	w := &wire{nc: s.nc, js: s.js, stream: name, what: message, wait: cmp.Or(s.config.answers, tryWait)}
	if s.config.replicas() > 1 {
		w.doubt, w.wait = settleWait, cmp.Or(s.config.answers, leaderWait)
	}
	return w
}

// watch returns the access to a stream whose silence is noticed.
func (s *Store) watch(name, message string) *wire {
	w := s.wire(name, message)
	s.watched = append(s.watched, w)
	return w
}

var _ event.Log = (*Log)(nil)
