package ingest

import (
	"context"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/zeebo/xxh3"

	"github.com/sluice-hq/sluice/event"
)

// mostLinks bounds how many requests a block names as what led to it.
const mostLinks = 32

// blockBytes bounds the messages of a block, in bytes before decoding.
const blockBytes = 64 << 20

// work is a block in memory.
type work struct {
	at      uint64 // sequence of the last message read
	rows    Rows
	letters []Letter // of events and messages that cannot be counted
	newest  time.Time
	lost    uint64 // messages that are missing from the stream
	bytes   int
	traces  []string // what led to its messages, the first mostLinks
	sum     *xxh3.Hasher
	fresh   bool // the intent was written just now, so nobody has inserted any of it
}

func (w *work) hash() string { return fmt.Sprintf("%016x", w.sum.Sum64()) }

// read decodes the messages behind a sequence: those up to to, or with to 0
// those up to the end of the stream or the size of a block.
func (l *Loader) read(ctx context.Context, after, to uint64) (*work, error) {
	w := &work{at: after, sum: xxh3.New()}
	for to == 0 || w.at < to {
		messages, err := readKnown(ctx, l.Stream, w.at, to)
		if err != nil {
			return nil, fmt.Errorf("reading %s behind %d: %w", l.Shard, w.at, err)
		}
		if len(messages) == 0 || !l.addAll(w, messages, to) {
			break
		}
	}
	if w.at < to {
		w.gap(l.Shard, to+1)
	}
	return w, nil
}

// addAll adds messages and reports whether there is room for more.
func (l *Loader) addAll(w *work, messages []event.Message, to uint64) bool {
	for _, m := range messages {
		if to > 0 && m.Seq > to {
			return false
		}
		if to == 0 && (w.rows.Len() >= orElse(l.MaxRows, 100_000) || w.bytes >= blockBytes) {
			return false
		}
		l.add(w, m)
	}
	return true
}

func (l *Loader) add(w *work, m event.Message) {
	w.gap(l.Shard, m.Seq)
	w.at = m.Seq
	w.bytes += len(m.Data)
	w.traces = append(w.traces, m.Traces[:min(len(m.Traces), mostLinks-len(w.traces))]...)
	_, _ = w.sum.Write(binary.BigEndian.AppendUint64(nil, m.Seq)) // a hash never fails
	_, _ = w.sum.Write(m.Data)
	b, err := l.Decoder.Decode(l.Shard, m)
	if err != nil {
		w.letters = append(w.letters, unreadable(l.Shard, l.Decoder, m, err))
		return
	}
	w.rows.Append(b.Rows)
	w.newest = later(w.newest, b.Newest)
	for _, d := range b.Dead {
		w.letters = append(w.letters, d.letter())
	}
}

// gap notes that the messages between the last one and next are missing. A
// stream passes over a damaged message in silence; its loader does not.
func (w *work) gap(shard string, next uint64) {
	if next <= w.at+1 {
		return
	}
	first := Place{Shard: shard, Seq: w.at + 1}
	w.letters = append(w.letters, Letter{
		ID: first.id(), Shard: shard, Seq: first.Seq, Reason: Lost,
		Why: fmt.Sprintf("messages %d to %d are missing from the stream", first.Seq, next-1),
	})
	w.lost += next - first.Seq
	w.at = next - 1
}

func unreadable(shard string, d Decoder, m event.Message, err error) Letter {
	at := Place{Shard: shard, Seq: m.Seq}
	return Letter{
		ID: at.id(), Shard: shard, Seq: m.Seq, Events: d.CountEvents(m), Reason: Unreadable, Why: err.Error(), Bytes: m.Data,
	}
}
