package sdk

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"
)

// Bounds of what a provider asks again, be it the stream, a list or events.
const (
	firstPause = time.Second
	mostPause  = 30 * time.Second

	retriesAtOnce = 10
	retryEvery    = 2 * time.Second // one more, when those are used up
)

// backoff says how long to wait after the nth failure in a row: any time up to
// a bound that doubles ("full jitter"), so that clients which failed together do
// not come back together. The zero backoff is ready.
type backoff struct{ failures int }

// next counts a failure. least is what the server asked for, perhaps of all at
// once: the jitter goes on top of it.
func (b *backoff) next(least time.Duration) time.Duration {
	most := firstPause << min(b.failures, 10)
	b.failures++
	return least + rand.N(min(most, mostPause))
}

func (b *backoff) reset() { b.failures = 0 }

// budget bounds all retries of a provider together: a server that takes a
// connection and drops it at once resets every backoff, and would be asked
// without end. The zero budget is full. It is safe for concurrent use.
type budget struct {
	mu   sync.Mutex
	used float64 // of retriesAtOnce; more than those is a debt
	at   time.Time
}

// take uses up one retry and returns how long to wait until it is earned, which
// is never longer than any other pause: who asks in between, because somebody
// flushes, must not keep the stream away for as long.
func (b *budget) take(now time.Time) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.at.IsZero() || now.Before(b.at) { // a clock that was set back earns nothing
		b.at = now
	}
	b.used = max(0, b.used-float64(now.Sub(b.at))/float64(retryEvery)) + 1
	b.used = min(b.used, retriesAtOnce+float64(mostPause)/float64(retryEvery))
	b.at = now
	if b.used <= retriesAtOnce {
		return 0
	}
	return time.Duration((b.used - retriesAtOnce) * float64(retryEvery))
}

// await returns when there is a signal; false when ctx is done.
func await(ctx context.Context, a, b <-chan struct{}) bool {
	select {
	case <-a:
	case <-b:
	case <-ctx.Done():
	}
	return ctx.Err() == nil
}

// sleep returns after d, or when there is a signal; false when ctx is done.
func sleep(ctx context.Context, d time.Duration, a, b <-chan struct{}) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-a:
	case <-b:
	case <-ctx.Done():
	}
	return ctx.Err() == nil
}
