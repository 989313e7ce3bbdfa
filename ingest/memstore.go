package ingest

import (
	"cmp"
	"context"
	"fmt"
	"sync"
)

// MemStore is a Store in memory, for tests and rehearsals: like the warehouse
// it takes copies of a row and merges them when it likes. The zero value is
// ready.
type MemStore struct {
	// Reject makes the store reject every block that holds such a row; nil
	// rejects nothing.
	Reject func(Key, Place) bool

	mu     sync.Mutex
	rows   Rows
	tokens map[string]bool
}

var _ Store = (*MemStore)(nil)

// Insert implements Store.
func (m *MemStore) Insert(ctx context.Context, b Block) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if m.Reject != nil && b.Keep(m.Reject).Len() > 0 {
		return fmt.Errorf("inserting %s: %w", b.Token, ErrRejected)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.tokens[b.Token] {
		return nil
	}
	if m.tokens == nil {
		m.tokens = map[string]bool{}
	}
	m.tokens[b.Token] = true
	m.rows.Append(b.Rows)
	return nil
}

// Count implements Store.
func (m *MemStore) Count(ctx context.Context, shard string, from, to uint64) (uint64, error) {
	type identity struct {
		table, unitKind string
		place           Place
	}
	return m.count(ctx, shard, from, to, func(k Key, p Place) any { return identity{k.Table, k.UnitKind, p} })
}

// Events implements Store.
func (m *MemStore) Events(ctx context.Context, shard string, from, to uint64) (uint64, error) {
	return m.count(ctx, shard, from, to, func(_ Key, p Place) any { return p })
}

func (m *MemStore) count(ctx context.Context, shard string, from, to uint64, identity func(Key, Place) any) (uint64, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	seen := map[any]bool{}
	m.rows.Each(func(k Key, p Place) {
		if p.Shard == shard && from <= p.Seq && p.Seq <= to {
			seen[identity(k, p)] = true
		}
	})
	return uint64(len(seen)), nil
}

// Missing implements Store.
func (m *MemStore) Missing(ctx context.Context, b Block) (Rows, error) {
	if err := ctx.Err(); err != nil {
		return Rows{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	stored := map[Key]bool{}
	m.rows.Each(func(k Key, _ Place) { stored[k] = true })
	return b.Keep(func(k Key, _ Place) bool { return !stored[k] }), nil
}

// Merge folds the copies of each row into the first arrival and forgets the
// tokens, as the warehouse does in its own time.
func (m *MemStore) Merge() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.rows = firsts(m.rows)
	clear(m.tokens)
}

// Rows returns what a query sees: one row of each Key, the first arrival.
func (m *MemStore) Rows() Rows {
	m.mu.Lock()
	defer m.mu.Unlock()
	return firsts(m.rows)
}

func firsts(rows Rows) Rows {
	first := map[Key]Place{}
	rows.Each(func(k Key, p Place) {
		if have, ok := first[k]; !ok || p.compare(have) < 0 {
			first[k] = p
		}
	})
	taken := map[Key]bool{}
	return rows.Keep(func(k Key, p Place) bool {
		ok := p == first[k] && !taken[k]
		taken[k] = taken[k] || ok
		return ok
	})
}

func (p Place) compare(q Place) int {
	return cmp.Or(cmp.Compare(p.Shard, q.Shard), cmp.Compare(p.Seq, q.Seq), cmp.Compare(p.Idx, q.Idx))
}

var _ Eraser = (*MemStore)(nil)

// Erase implements Eraser.
func (m *MemStore) Erase(ctx context.Context, f Forgotten) (uint64, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	before := m.rows.Len()
	m.rows = m.rows.Keep(func(k Key, p Place) bool { return !f.covers(k, p) })
	return uint64(before - m.rows.Len()), nil
}
