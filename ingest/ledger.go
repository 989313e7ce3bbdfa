package ingest

import (
	"context"
	"maps"
	"slices"
	"sync"
)

// Ledger is the running account of one shard. What balances is not read again,
// so that a look costs what was loaded since the last one, however much there
// is. A range with something missing stays open and is looked at again, one at
// each look: it may have been found. It is safe for concurrent use.
//
// With a KV the account outlives its messages: what Settle has written down
// stands when the stream has given back its room, for every replica.
type Ledger struct {
	Reconciler
	KV         KV     // nil: the stream keeps everything
	Generation string // of the store's tables, as of the Loader

	mu     sync.Mutex
	base   settled   // written down: everything up to base.To
	ranges []Account // behind it, one after the other
	to     uint64    // how far ranges were made
	looked int       // index behind the open range that was looked at last

	mail    uint64                      // sequence of the dead stream up to which letters were read
	letters map[uint64]map[Place]uint64 // events of each letter, by the sequence of its message
}

// pageOfLedger is how many messages one range has: few enough that an open one
// is cheap to look at again.
const pageOfLedger = 128

// Balance accounts for everything up to to, which must be loaded: at most the
// loader's Done.
func (l *Ledger) Balance(ctx context.Context, to uint64) (Account, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, step := range []func(context.Context) error{l.recall, l.collect, l.reopen} {
		if err := step(ctx); err != nil {
			return Account{}, err
		}
	}
	for l.to < to {
		a, err := l.account(ctx, l.to, min(l.to+pageOfLedger, to))
		if err != nil {
			return Account{}, err
		}
		l.to = a.To
		l.forget(a)
		l.extend(a)
	}
	return l.total(), nil
}

// extend puts a range behind the others. Small ones that balance become one,
// so that many looks do not make many ranges.
func (l *Ledger) extend(a Account) {
	if n := len(l.ranges); n > 0 && a.balances() && l.ranges[n-1].balances() && a.To-l.ranges[n-1].From < pageOfLedger {
		l.ranges[n-1].add(a)
		return
	}
	l.ranges = append(l.ranges, a)
}

func (a Account) balances() bool { return a.Unaccounted == 0 }

// reopen looks again at one range that is open, in turn.
func (l *Ledger) reopen(ctx context.Context) error {
	for i := range l.ranges {
		at := (l.looked + i) % len(l.ranges)
		if l.ranges[at].balances() {
			continue
		}
		a, err := l.account(ctx, l.ranges[at].From-1, l.ranges[at].To)
		if err != nil {
			return err
		}
		l.forget(a)
		l.ranges[at], l.looked = a, at+1
		return nil
	}
	return nil
}

// forget drops the letters of a range that balances.
func (l *Ledger) forget(a Account) {
	if !a.balances() {
		return
	}
	for seq := a.From; seq <= a.To; seq++ {
		delete(l.letters, seq)
	}
}

func (l *Ledger) total() Account {
	sum := l.base.Account
	sum.Shard, sum.From = l.Shard, 1
	for _, a := range l.ranges {
		sum.add(a)
		if !a.balances() && (sum.FirstGap == 0 || a.FirstGap < sum.FirstGap) {
			sum.FirstGap = a.FirstGap
		}
	}
	return sum
}

// add adds the counts of the range behind.
func (a *Account) add(b Account) {
	a.To = b.To
	a.Published += b.Published
	a.Stored += b.Stored
	a.Dead += b.Dead
	a.Lost += b.Lost
	a.Doubled += b.Doubled
	a.Unaccounted += b.Unaccounted
}

// collect reads the letters that came since the last time and keeps those of
// messages that are yet to be accounted for. A loader publishes the letters of
// a message before it is done with it.
func (l *Ledger) collect(ctx context.Context) (err error) {
	if l.letters == nil {
		l.letters = map[uint64]map[Place]uint64{}
	}
	l.mail, err = eachLetter(ctx, l.Dead, l.mail, func(found Letter) {
		if found.Shard != l.Shard || !l.awaits(found.Seq) {
			return
		}
		if l.letters[found.Seq] == nil {
			l.letters[found.Seq] = map[Place]uint64{}
		}
		l.letters[found.Seq][found.place()] = found.Events
	})
	return err
}

func (l *Ledger) awaits(seq uint64) bool {
	return seq > l.to || slices.ContainsFunc(l.ranges, func(a Account) bool { return !a.balances() && a.From <= seq && seq <= a.To })
}

// account balances one range.
func (l *Ledger) account(ctx context.Context, after, to uint64) (Account, error) {
	dead := map[Place]uint64{}
	for seq := after + 1; seq <= to; seq++ {
		maps.Copy(dead, l.letters[seq])
	}
	return l.balance(ctx, after, to, dead)
}
