package ingest

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/sluice-hq/sluice/event"
)

// MemStream is a Stream in memory, for tests and rehearsals. The zero value is
// ready.
type MemStream struct {
	mu       sync.Mutex
	messages []event.Message
	last     uint64
	freed    uint64 // what was given up
	seen     map[string]uint64
}

var _ Keeper = (*MemStream)(nil)

// Publish implements Stream.
func (m *MemStream) Publish(ctx context.Context, id string, data []byte, traces ...string) (uint64, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if seq, ok := m.seen[id]; ok {
		return seq, nil
	}
	if m.seen == nil {
		m.seen = map[string]uint64{}
	}
	m.last++
	m.seen[id] = m.last
	m.messages = append(m.messages, event.Message{Seq: m.last, ID: id, Data: bytes.Clone(data), Traces: slices.Clone(traces)})
	return m.last, nil
}

// Read implements Stream.
func (m *MemStream) Read(ctx context.Context, after uint64, limit int) ([]event.Message, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if after < m.freed && after < m.last && limit > 0 {
		return nil, fmt.Errorf("%w: message %d was given up", event.ErrDamaged, after+1)
	}
	first, _ := slices.BinarySearchFunc(m.messages, after+1, bySeq)
	rest := m.messages[first:]
	return slices.Clone(rest[:min(limit, len(rest))]), nil
}

// Last implements Stream.
func (m *MemStream) Last(context.Context) (uint64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.last, nil
}

// Span implements Keeper.
func (m *MemStream) Span(context.Context) (first, last, bytes uint64, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.freed + 1, m.last, m.bytes(), nil
}

// Fill implements Keeper. There is no bound.
func (m *MemStream) Fill(context.Context) (bytes, most uint64, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.bytes(), 0, nil
}

func (m *MemStream) bytes() (n uint64) {
	for _, msg := range m.messages {
		n += uint64(len(msg.Data))
	}
	return n
}

// Free implements Keeper.
func (m *MemStream) Free(_ context.Context, upTo uint64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.freed = max(m.freed, min(upTo, m.last))
	m.messages = slices.DeleteFunc(m.messages, func(msg event.Message) bool { return msg.Seq <= m.freed })
	return nil
}

// Forget empties the memory of IDs, as a stream does when its window of
// duplicates has passed.
func (m *MemStream) Forget() {
	m.mu.Lock()
	defer m.mu.Unlock()
	clear(m.seen)
}

// Lose removes a message, as a damaged disk does.
func (m *MemStream) Lose(seq uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.messages = slices.DeleteFunc(m.messages, func(msg event.Message) bool { return msg.Seq == seq })
}

func bySeq(m event.Message, seq uint64) int {
	switch {
	case m.Seq < seq:
		return -1
	case m.Seq > seq:
		return 1
	}
	return 0
}

// MemKV is a KV in memory. The zero value is ready.
type MemKV struct {
	mu     sync.Mutex
	rev    uint64
	values map[string]memValue
}

type memValue struct {
	data []byte
	rev  uint64
}

var _ KV = (*MemKV)(nil)

// Load implements KV.
func (m *MemKV) Load(ctx context.Context, key string) ([]byte, uint64, error) {
	if err := ctx.Err(); err != nil {
		return nil, 0, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	v := m.values[key]
	return bytes.Clone(v.data), v.rev, nil
}

// Save implements KV.
func (m *MemKV) Save(ctx context.Context, key string, value []byte, rev uint64) (uint64, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if at := m.values[key].rev; at != rev {
		return 0, fmt.Errorf("%w: %s is at revision %d, not %d", event.ErrConflict, key, at, rev)
	}
	if m.values == nil {
		m.values = map[string]memValue{}
	}
	m.rev++
	m.values[key] = memValue{bytes.Clone(value), m.rev}
	return m.rev, nil
}
