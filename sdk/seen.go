package sdk

import (
	"hash/maphash"
	"strconv"
	"sync"
	"time"

	"github.com/sluice-hq/sluice/flags"
)

// seen remembers who was recorded in the present window, so that an exposure is
// sent once. It holds hashes of 64 bits, in parts with a lock each. Where more
// is seen than it has room for it forgets the older half, and a unit is recorded
// again: that costs an event, and never changes a result, which begins with a
// unit's first exposure.
type seen struct {
	seed  maphash.Seed
	phase time.Duration // so that not every process begins its windows at once
	parts [seenParts]seenPart
}

const (
	seenParts = 16
	seenRoom  = 8 << 10 // of one generation of one part: 262,144 units in all, some 10 MB
)

type seenPart struct {
	mu         sync.Mutex
	window     int64
	young, old map[uint64]struct{}
}

func newSeen(phase time.Duration) *seen { return &seen{seed: maphash.MakeSeed(), phase: phase} }

// first reports whether the unit meets this answer for the first time in the
// window, and notes that it does.
func (s *seen) first(r *flags.Result, now time.Time, window time.Duration) bool {
	key := s.hash(r)
	return s.parts[key%seenParts].first(key, now.Add(s.phase).UnixNano()/int64(window))
}

// hash mixes in the variant as well: a unit that is given two variants in one
// epoch is a fault that the server looks for.
func (s *seen) hash(r *flags.Result) uint64 {
	var h maphash.Hash
	h.SetSeed(s.seed)
	for _, part := range [...]string{r.Key, r.Variant, r.Rollout, r.Unit, r.UnitID} {
		_, _ = h.WriteString(part) // never fails
		_ = h.WriteByte(0)
	}
	var epoch [20]byte
	_, _ = h.Write(strconv.AppendInt(epoch[:0], int64(r.Epoch), 10))
	return h.Sum64()
}

func (p *seenPart) first(key uint64, window int64) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.window != window || p.young == nil {
		p.window, p.young, p.old = window, map[uint64]struct{}{}, nil
	}
	if _, known := p.young[key]; known {
		return false
	}
	_, known := p.old[key]
	if len(p.young) >= seenRoom {
		p.young, p.old = map[uint64]struct{}{}, p.young
	}
	p.young[key] = struct{}{} // who comes back is not forgotten
	return !known
}
