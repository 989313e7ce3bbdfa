package ingest

import (
	"context"
	"errors"
	"time"
)

// turn is a Step when it is this loader's turn. Else it only follows what the
// other one writes down, so that Progress is true here, too.
func (l *Loader) turn(ctx context.Context) (moved bool, err error) {
	if l.Lease == nil {
		return l.Step(ctx)
	}
	was := l.Lease.Held()
	held, err := l.Lease.Hold(ctx, l.Now())
	if !was || !held {
		l.loaded, l.work = false, nil // another one may have moved on
	}
	if err != nil || !held {
		return false, errors.Join(err, l.load(ctx))
	}
	return l.Step(ctx)
}

// idle is how long to wait when there was nothing to do.
func (l *Loader) idle() time.Duration {
	if l.Lease != nil && !l.Lease.Held() {
		return l.Lease.Pause()
	}
	return orElse(l.Every, 250*time.Millisecond)
}

// release gives the lease back when ctx is done. If that fails it runs out.
func (l *Loader) release(ctx context.Context) {
	if l.Lease == nil {
		return
	}
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer stop()
	if err := l.Lease.Release(ctx); err != nil {
		l.log().Warn("the lease runs out by itself", "shard", l.Shard, "err", err)
	}
}
