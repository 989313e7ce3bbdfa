package limit

import (
	"hash/maphash"
	"sync"
	"time"
)

// Pool is a bucket for each key. A nil Pool has no limit. All methods may be
// called at once.
//
// A bucket is one number, the time at which it will be full again (the
// theoretical arrival time of the generic cell rate algorithm, ITU-T I.371,
// annex A): less to keep for many keys than a level and the time it was seen
// at, and how long to wait falls out of it.
type Pool struct {
	each  float64 // nanoseconds until one comes back
	burst int64   // nanoseconds until an empty bucket is full
	most  int     // keys in one generation of a shard
	seed  maphash.Seed
	parts [parts]part
}

// parts is how many locks the keys share.
const parts = 16

// part is some of the keys, in two generations: when the young one is full it
// becomes the old one, and what was old is forgotten. A bucket that is
// forgotten was not asked for while most others came; it is full again, so
// whoever sends from ever new keys makes the limit milder, and no map larger.
type part struct {
	mu         sync.Mutex
	young, old map[string]*int64 // when the bucket is full, nanoseconds since 1970
	_          [32]byte          // a cache line of its own
}

// NewPool returns a pool that remembers about most keys, at most twice as many.
// It is nil when the rate has no limit.
func NewPool(r Rate, most int) *Pool {
	if r.None() {
		return nil
	}
	p := &Pool{
		each: float64(r.Per) / float64(r.N), burst: int64(r.Per), most: max(1, most/parts), seed: maphash.MakeSeed(),
	}
	for i := range p.parts {
		p.parts[i].young = map[string]*int64{}
	}
	return p
}

// Take takes n out of a key's bucket, and returns 0; or takes nothing, and
// returns how long it would have to wait. Who wants more than the bucket holds
// gets it when it is full.
func (p *Pool) Take(key string, n int64, now time.Time) (wait time.Duration) {
	if p == nil {
		return 0
	}
	part := &p.parts[maphash.String(p.seed, key)%parts]
	part.mu.Lock()
	defer part.mu.Unlock()
	at := now.UnixNano()
	full := part.bucket(key, p.most)
	*full = min(*full, at+2*p.burst) // a clock that went back empties no bucket for longer than a debt
	next := max(*full, at) + min(p.cost(n), p.burst)
	if wait := next - at - p.burst; wait > 0 {
		return time.Duration(wait)
	}
	*full = next
	return 0
}

// Owe takes n out of a key's bucket whatever is in it: it has been used
// already, and whoever comes next waits for it. The debt is never more than one
// bucket.
func (p *Pool) Owe(key string, n int64, now time.Time) {
	if p == nil {
		return
	}
	part := &p.parts[maphash.String(p.seed, key)%parts]
	part.mu.Lock()
	defer part.mu.Unlock()
	at := now.UnixNano()
	full := part.bucket(key, p.most)
	*full = min(max(*full, at)+p.cost(n), at+2*p.burst)
}

// cost is what n takes, in nanoseconds: at most two buckets, which is all that
// anybody can owe.
func (p *Pool) cost(n int64) int64 { return int64(min(float64(n)*p.each, 2*float64(p.burst))) }

func (p *part) bucket(key string, most int) *int64 {
	if b, ok := p.young[key]; ok {
		return b
	}
	b, ok := p.old[key]
	if !ok {
		b = new(int64)
	}
	if len(p.young) >= most {
		p.young, p.old = map[string]*int64{}, p.young
	}
	p.young[key] = b
	return b
}

// Keys returns how many keys are remembered.
func (p *Pool) Keys() int {
	n := 0
	for i := range p.parts {
		part := &p.parts[i]
		part.mu.Lock()
		n += len(part.young) + len(part.old)
		part.mu.Unlock()
	}
	return n
}
