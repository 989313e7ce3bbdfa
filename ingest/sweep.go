package ingest

import (
	"context"
	"fmt"
	"log/slog"
	"time"
)

// Keeper is a Stream that says how much it keeps, and can give it up from the
// start.
type Keeper interface {
	Stream
	// Span returns the sequences of the first and last message that are kept,
	// and the bytes they take.
	Span(ctx context.Context) (first, last, bytes uint64, err error)
	// Fill returns the bytes that the messages take and may take, 0 for no
	// bound.
	Fill(ctx context.Context) (bytes, most uint64, err error)
	// Free gives up the messages up to and with a sequence.
	Free(ctx context.Context, upTo uint64) error
}

// Sweeper gives back the room of a shard's messages that nobody needs: those
// that are loaded, balance in the ledger and were passed by whoever else reads
// the stream. A tail stays, from which the newest facts could be loaded again.
//
// A step writes down what the next one frees, so that a ledger on another
// replica knows of it in time. Two sweepers of one shard are safe.
type Sweeper struct {
	Shard  string
	Stream Keeper
	Ledger *Ledger                                 // with a KV
	Passed []func(context.Context) (uint64, error) // sequences up to which others have read the stream: the loader
	Tail   time.Duration                           // of messages that stay; zero: 24 h
	Share  Share                                   // of the stream's room that the tail takes at the most; zero: 20 %
	Logger *slog.Logger                            // nil is silent

	told uint64 // what the last step wrote down
}

// Step frees what the last step has announced, and announces more.
func (s *Sweeper) Step(ctx context.Context, now time.Time) error {
	first, last, _, err := s.Stream.Span(ctx)
	if err != nil {
		return fmt.Errorf("sweeping %s: %w", s.Shard, err)
	}
	first = max(first, 1) // an empty stream has no first
	if s.told >= first {
		if err := s.Stream.Free(ctx, s.told); err != nil {
			return fmt.Errorf("sweeping %s: %w", s.Shard, err)
		}
		s.log().Info("gave back the room of loaded messages", "shard", s.Shard, "from", first, "to", s.told)
		first = s.told + 1
	}
	upTo, err := s.beyond(ctx, first, last, now)
	if err != nil {
		return fmt.Errorf("sweeping %s: %w", s.Shard, err)
	}
	s.told, err = s.Ledger.Settle(ctx, upTo)
	return err
}

func (s *Sweeper) log() *slog.Logger {
	if s.Logger == nil {
		return slog.New(slog.DiscardHandler)
	}
	return s.Logger
}

// beyond returns the sequence up to which everybody has passed and no message
// belongs to the tail.
func (s *Sweeper) beyond(ctx context.Context, first, last uint64, now time.Time) (uint64, error) {
	upTo := last
	for _, passed := range s.Passed {
		seq, err := passed(ctx)
		if err != nil {
			return 0, err
		}
		upTo = min(upTo, seq)
	}
	old, err := s.older(ctx, first, upTo, now.Add(-orElse(s.Tail, 24*time.Hour)))
	if err != nil {
		return 0, err
	}
	bytes, most, err := s.Stream.Fill(ctx)
	if err != nil {
		return 0, err
	}
	return min(upTo, max(old, overflow(first, last, bytes, uint64(orElse(s.Share, 200_000).Float()*float64(most))))), nil
}

// overflow returns the last sequence that a tail of so many bytes has no room
// for, if all messages are of one size; 0 with room for all, or room 0, which
// is no bound.
func overflow(first, last, bytes, room uint64) uint64 {
	if room == 0 || bytes <= room || last < first {
		return 0
	}
	n := last - first + 1
	return last - uint64(float64(n)*float64(room)/float64(bytes))
}

// older returns the last sequence of first..last whose message arrived before
// a time, first-1 when none did. Messages arrive in their order, or nearly so.
// One that cannot be read is taken for new: it stays rather than goes.
func (s *Sweeper) older(ctx context.Context, first, last uint64, than time.Time) (uint64, error) {
	from, to := first, last+1 // the first that is not older lies within
	for from < to {
		mid := from + (to-from)/2
		messages, err := s.Stream.Read(ctx, mid-1, 1)
		if err != nil {
			return 0, err
		}
		if len(messages) == 1 && arrivedBefore(messages[0].Data, than) {
			from = mid + 1
		} else {
			to = mid
		}
	}
	return from - 1, nil
}

func arrivedBefore(data []byte, t time.Time) bool {
	h, err := ReadHeader(data)
	return err == nil && h.Received.Before(t)
}
