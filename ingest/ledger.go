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
type Ledger struct {
	Reconciler

	mu     sync.Mutex
	closed Account   // of all ranges that balance; To is how far ranges were made
	open   []Account // ranges that do not

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
	if err := l.collect(ctx); err != nil {
		return Account{}, err
	}
	if err := l.reopen(ctx); err != nil {
		return Account{}, err
	}
	for l.closed.To < to {
		a, err := l.account(ctx, l.closed.To, min(l.closed.To+pageOfLedger, to))
		if err != nil {
			return Account{}, err
		}
		l.closed.To = a.To
		l.file(a)
	}
	return l.total(), nil
}

// reopen looks again at the range that has been open for longest.
func (l *Ledger) reopen(ctx context.Context) error {
	if len(l.open) == 0 {
		return nil
	}
	a, err := l.account(ctx, l.open[0].From-1, l.open[0].To)
	if err != nil {
		return err
	}
	l.open = slices.Delete(l.open, 0, 1)
	l.file(a)
	return nil
}

// file keeps the account of a range.
func (l *Ledger) file(a Account) {
	if a.Unaccounted > 0 {
		l.open = append(l.open, a)
		return
	}
	l.closed.add(a)
	for seq := a.From; seq <= a.To; seq++ {
		delete(l.letters, seq)
	}
}

func (l *Ledger) total() Account {
	sum := l.closed
	sum.Shard, sum.From = l.Shard, 1
	for _, a := range l.open {
		sum.add(a)
		if sum.FirstGap == 0 || a.FirstGap < sum.FirstGap {
			sum.FirstGap = a.FirstGap
		}
	}
	return sum
}

// add adds the counts of another range.
func (a *Account) add(b Account) {
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
	return seq > l.closed.To || slices.ContainsFunc(l.open, func(a Account) bool { return a.From <= seq && seq <= a.To })
}

// account balances one range.
func (l *Ledger) account(ctx context.Context, after, to uint64) (Account, error) {
	dead := map[Place]uint64{}
	for seq := after + 1; seq <= to; seq++ {
		maps.Copy(dead, l.letters[seq])
	}
	return l.balance(ctx, after, to, dead)
}
