package ingest

import (
	"context"
	"encoding/json"
	"fmt"
)

// settled is an account that is written down: the value of its key. Its
// messages may be gone.
type settled struct {
	Account
	rev uint64
}

func (l *Ledger) key() string { return "ledger." + orElse(l.Generation, "1") + "." + l.Shard }

// recall takes over what was written down, by this replica or another.
func (l *Ledger) recall(ctx context.Context) error {
	if l.KV == nil {
		return nil
	}
	value, rev, err := l.KV.Load(ctx, l.key())
	if err != nil {
		return fmt.Errorf("reading the account of %s: %w", l.Shard, err)
	}
	if rev == l.base.rev {
		return nil
	}
	base := settled{rev: rev}
	if err := json.Unmarshal(value, &base.Account); err != nil {
		return fmt.Errorf("reading the account of %s: %w", l.Shard, err)
	}
	l.rest(base)
	return nil
}

// rest goes on from what is settled. Ranges of our own that end elsewhere are
// made anew, with their letters: what is not settled the stream still has.
func (l *Ledger) rest(base settled) {
	l.base, l.looked = base, 0
	i := 0
	for i < len(l.ranges) && l.ranges[i].To <= base.To {
		i++
	}
	l.ranges = l.ranges[i:]
	if len(l.ranges) > 0 && l.ranges[0].From == base.To+1 || len(l.ranges) == 0 && l.to == base.To {
		return
	}
	l.ranges, l.to, l.mail, l.letters = nil, base.To, 0, nil
}

// Settle writes down the account of what balances without a gap from the
// start, up to upTo at the most, and returns how far that is. Nobody reads
// those messages to account for them again.
func (l *Ledger) Settle(ctx context.Context, upTo uint64) (uint64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.recall(ctx); err != nil {
		return 0, err
	}
	next := l.base
	for _, a := range l.ranges {
		if a.To > upTo || !a.balances() {
			break
		}
		next.add(a)
	}
	if next.To == l.base.To {
		return l.base.To, nil
	}
	next.Shard, next.From = l.Shard, 1
	value, err := json.Marshal(next.Account)
	if err == nil {
		next.rev, err = l.KV.Save(ctx, l.key(), value, l.base.rev)
	}
	if err != nil {
		return 0, fmt.Errorf("writing down the account of %s: %w", l.Shard, err)
	}
	l.rest(next)
	return next.To, nil
}
