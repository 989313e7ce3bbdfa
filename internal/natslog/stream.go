package natslog

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/sluice-hq/sluice/event"
)

// Stream is a stream of messages that are not events: packs of facts, dead
// letters; or the log's messages as they are stored.
type Stream struct {
	*wire
	subject string // empty: not to be published to
}

// Publish stores a message and returns its sequence once it is on disk. A
// repeat of an ID within two minutes is the same message, with the sequence it
// has. Without an answer it tries for up to a minute; then whether the message
// is stored is unknown, and it may be sent again.
func (s *Stream) Publish(ctx context.Context, id string, data []byte, traces ...string) (uint64, error) {
	if s.subject == "" {
		return 0, fmt.Errorf("%s is written through the log: %w", s.stream, event.ErrReadOnly)
	}
	if id == "" {
		return 0, errors.New("a message needs an ID")
	}
	m := message(s.subject, id, data)
	for _, t := range traces {
		m.Header.Add(traceHeader, t)
	}
	return s.publish(ctx, m)
}

// traceHeader is the one of W3C Trace Context, as other programs on the same
// NATS write it. A message that many requests share has several.
const traceHeader = "traceparent"

// Read returns up to limit messages behind a sequence, in order and without a
// gap, none at the end of the stream. It does not wait. A message that was
// stored and is not there is event.ErrDamaged, named.
func (s *Stream) Read(ctx context.Context, after uint64, limit int) ([]event.Message, error) {
	last, err := s.last(ctx)
	if err != nil || after >= last || limit <= 0 {
		return nil, err
	}
	page, err := s.read(ctx, after, min(limit, pageMessages))
	if err != nil {
		return nil, err
	}
	list := make([]event.Message, len(page))
	for i, m := range page {
		list[i] = event.Message{Seq: m.seq, ID: m.id, Data: m.data, Traces: m.traces}
	}
	return list, nil
}

// Last returns the sequence of the last message, 0 for an empty stream.
func (s *Stream) Last(ctx context.Context) (uint64, error) { return s.last(ctx) }

// Span returns the sequences of the first and last message that are kept and
// the bytes they take, so that a caller knows how full the stream is.
func (s *Stream) Span(ctx context.Context) (first, last uint64, bytes uint64, err error) {
	info, err := s.info(ctx)
	if err != nil {
		return 0, 0, 0, err
	}
	return info.State.FirstSeq, info.State.LastSeq, info.State.Bytes, nil
}

// Fill returns the bytes that the stream takes, and those that it may take, 0
// for no bound.
func (s *Stream) Fill(ctx context.Context) (bytes, most uint64, err error) {
	info, err := s.info(ctx)
	if err != nil {
		return 0, 0, err
	}
	return info.State.Bytes, uint64(max(info.Config.MaxBytes, 0)), nil
}

// Free gives back the room of the messages up to and with a sequence. Only
// facts that were loaded and verified, and dead letters that a person is done
// with, may go; the server refuses it for the log and for documents.
func (s *Stream) Free(ctx context.Context, upTo uint64) error {
	st, err := s.js.Stream(ctx, s.stream)
	if err == nil {
		err = st.Purge(ctx, jetstream.WithPurgeSequence(upTo+1))
	}
	if err != nil {
		return fmt.Errorf("freeing %s: %w", s.stream, err)
	}
	return nil
}
