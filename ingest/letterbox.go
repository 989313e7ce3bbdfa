package ingest

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/zeebo/xxh3"

	"github.com/sluice-hq/sluice/event"
)

// Letterbox knows which dead letters wait: those of the dead stream that no
// order has taken. It keeps a slip of some 40 bytes for each and reads the
// letters themselves when somebody wants to see them; a look costs what was
// buried since the last one. It is safe for concurrent use. Dead and Orders
// are required.
type Letterbox struct {
	Dead   Stream
	Orders *Orders

	mu      sync.Mutex
	read    uint64              // sequence of the dead stream up to which letters were read
	ordered uint64              // sequence of the newest order that was applied
	waiting []slip              // in the order in which they were buried
	replays map[event.ID][]slip // letters of the replays that are under way
	seen    map[uint64]struct{} // hashes of the IDs of all letters: a loader may bury one twice
	kinds   []letterKind
	number  map[letterKind]uint32 // index in kinds
}

// slip is what is known of a letter without reading it.
type slip struct {
	seq  uint64 // of the message of the dead stream
	hash uint64 // of the letter's ID
	at   int64  // of the event, ms since 1970; noTime without one
	idx  uint32 // in the message
	kind uint32 // index in kinds
}

const noTime = -1 << 63

func (s slip) time() time.Time {
	if s.at == noTime {
		return time.Time{}
	}
	return time.UnixMilli(s.at)
}

func compareSlips(a, b slip) int { return cmp.Or(cmp.Compare(a.seq, b.seq), cmp.Compare(a.idx, b.idx)) }

// refresh reads what was buried since the last time and applies the orders
// that were given. b.mu is held.
func (b *Letterbox) refresh(ctx context.Context) (err error) {
	orders := b.Orders.All() // before the letters: what they are about is there
	if b.seen == nil {
		b.seen, b.number, b.replays = map[uint64]struct{}{}, map[letterKind]uint32{}, map[event.ID][]slip{}
	}
	last, idx := uint64(0), uint32(0)
	b.read, err = eachLetterAt(ctx, b.Dead, b.read, func(seq uint64, l Letter) {
		if seq != last {
			last, idx = seq, 0
		}
		b.file(seq, idx, l)
		idx++
	})
	if err != nil {
		return err
	}
	for _, o := range orders {
		if err := b.obey(ctx, o); err != nil {
			return err
		}
	}
	return nil
}

// file keeps the slip of a letter that is new.
func (b *Letterbox) file(seq uint64, idx uint32, l Letter) {
	hash := xxh3.HashString(l.ID)
	if _, ok := b.seen[hash]; ok {
		return
	}
	b.seen[hash] = struct{}{}
	at := int64(noTime)
	if !l.At.IsZero() {
		at = l.At.UnixMilli()
	}
	k := l.kind()
	n, ok := b.number[k]
	if !ok {
		n = uint32(len(b.kinds))
		b.kinds, b.number[k] = append(b.kinds, k), n
	}
	b.waiting = append(b.waiting, slip{seq: seq, hash: hash, at: at, idx: idx, kind: n})
}

// obey takes the letters of an order from those that wait. Of a replay that is
// under way they are kept until it is done.
func (b *Letterbox) obey(ctx context.Context, o Order) error {
	if o.Outcome != nil {
		delete(b.replays, o.ID)
	}
	if o.Seq <= b.ordered {
		return nil
	}
	if b.read < o.UpTo { // the stream's server lags: applied now, the order would pass over letters
		return fmt.Errorf("%w: dead letters end at message %d, and an order is about those up to %d", event.ErrDamaged, b.read, o.UpTo)
	}
	taken, err := b.matching(ctx, o.Filter, o.Replay, o.UpTo)
	if err != nil {
		return err
	}
	gone := map[slip]bool{}
	for _, s := range taken {
		gone[s] = true
	}
	b.waiting = slices.DeleteFunc(b.waiting, func(s slip) bool { return gone[s] })
	if o.Replay && o.Outcome == nil {
		b.replays[o.ID] = taken
	}
	b.ordered = o.Seq
	return nil
}

// matching returns the slips of the waiting letters that a filter selects, up
// to a sequence of the dead stream.
func (b *Letterbox) matching(ctx context.Context, f LetterFilter, sendable bool, upTo uint64) ([]slip, error) {
	ids := map[uint64]bool{}
	for _, id := range f.IDs {
		ids[xxh3.HashString(id)] = true
	}
	var found []slip
	for _, s := range b.waiting {
		k := b.kinds[s.kind]
		if s.seq <= upTo && (len(ids) == 0 || ids[s.hash]) && (k.sendable || !sendable) && f.fits(k, s.time()) {
			found = append(found, s)
		}
	}
	if !f.deep() {
		return found, nil
	}
	var held []slip
	err := b.open(ctx, found, func(s slip, l Letter) error {
		if f.holds(l) {
			held = append(held, s)
		}
		return nil
	})
	return held, err
}

// open reads the letters of slips, which are in the order of the stream.
func (b *Letterbox) open(ctx context.Context, slips []slip, f func(slip, Letter) error) error {
	r := letterReader{dead: b.Dead}
	for i, s := range slips {
		if err := r.turn(ctx, slips[i:]); err != nil {
			return err
		}
		if err := f(s, r.open.Letters[s.idx]); err != nil {
			return err
		}
	}
	return nil
}

// letterReader reads messages of the dead stream, some at once.
type letterReader struct {
	dead Stream
	page []event.Message
	seq  uint64 // of the message that is open; 0: none
	open letters
}

// turn opens the message of the first slip; the others say what comes next.
func (r *letterReader) turn(ctx context.Context, slips []slip) (err error) {
	seq := slips[0].seq
	if r.seq == seq {
		return nil
	}
	for len(r.page) > 0 && r.page[0].Seq < seq {
		r.page = r.page[1:]
	}
	if len(r.page) == 0 {
		if r.page, err = r.dead.Read(ctx, seq-1, run(slips)); err != nil {
			return fmt.Errorf("reading dead letters: %w", err)
		}
	}
	if len(r.page) == 0 || r.page[0].Seq != seq {
		return fmt.Errorf("%w: message %d of dead letters is missing", event.ErrDamaged, seq)
	}
	r.seq = seq
	r.open, err = openLetters(r.page[0])
	return err
}

// run returns how many messages that follow one another the slips begin with,
// at most as many as are read at once.
func run(slips []slip) int {
	n := 1
	for i := 1; i < len(slips) && n < lettersAtOnce; i++ {
		switch slips[i].seq - slips[i-1].seq {
		case 0:
		case 1:
			n++
		default:
			return n
		}
	}
	return n
}

// lettersAtOnce is how many messages of the dead stream are read at once.
const lettersAtOnce = 64
