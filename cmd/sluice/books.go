package main

import (
	"context"
	"errors"
	"maps"
	"sync"
	"time"

	"github.com/sluice-hq/sluice/ingest"
)

// Pauses between two looks at the accounts, and between two at what the streams
// can give back.
const (
	reckonPause = 5 * time.Second
	tidyPause   = time.Minute
)

// books are the newest accounts of all shards.
type books struct {
	mu       sync.Mutex
	accounts map[string]ingest.Account
}

func (b *books) put(a ingest.Account) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.accounts == nil {
		b.accounts = map[string]ingest.Account{}
	}
	b.accounts[a.Shard] = a
}

// all returns the accounts by shard; those that were not made yet are missing.
func (b *books) all() map[string]ingest.Account {
	b.mu.Lock()
	defer b.mu.Unlock()
	return maps.Clone(b.accounts)
}

// reckon compares what the streams acknowledged with what is stored, all the
// time, whether anybody looks or not.
func (c *counting) reckon(ctx context.Context) error {
	said := map[string]once{}
	return each(ctx, reckonPause, func() {
		for _, l := range c.loaders {
			o, ok := said[l.Shard]
			if !ok {
				o = once{lg: c.lg, message: "accounting for " + l.Shard}
			}
			o.tell(ctx, c.reckonOne(ctx, l))
			said[l.Shard] = o
		}
	})
}

var errUnaccounted = errors.New("events that were acknowledged are neither stored nor dead; firstGap in GET /api/v1/facts names the first message")

func (c *counting) reckonOne(ctx context.Context, l *ingest.Loader) error {
	p, err := c.progress(ctx, l)
	if err != nil {
		return err
	}
	a, err := c.balance(ctx, l, p.Done)
	if err != nil {
		return err
	}
	c.books.put(a)
	if a.Unaccounted > 0 {
		return errUnaccounted
	}
	return nil
}

// sweep makes what gives back the room of a shard's messages. Each reader of
// the stream is among those who must have passed them: the loader, and the
// ledger by itself. The keepers of the totals read none of it, neither when they
// fold nor when they make everything anew: what they add up are the rows of the
// warehouse that the loader is done with, which stay when the messages go. So
// totals that stand still for a while cost no room, and refuse no events.
func (c *counting) sweep(l *ingest.Loader, s ingest.Keeper) {
	c.sweeps = append(c.sweeps, &ingest.Sweeper{
		Shard: l.Shard, Stream: s, Ledger: c.ledgers[l.Shard], Logger: c.lg,
		Passed: []func(context.Context) (uint64, error){
			func(ctx context.Context) (uint64, error) {
				p, err := ingest.ReadProgress(ctx, c.kv, generation, l.Shard)
				return p.Done, err
			},
		},
	})
}

// tidy gives back the room of messages that nobody needs any more.
func (c *counting) tidy(ctx context.Context) error {
	said := once{lg: c.lg, message: "giving back the room of loaded messages"}
	return each(ctx, tidyPause, func() {
		var errs []error
		for i, s := range c.sweeps {
			if lease := c.loaders[i].Lease; lease == nil || lease.Held() {
				errs = append(errs, s.Step(ctx, now()))
			}
		}
		said.tell(ctx, errors.Join(errs...))
	})
}
