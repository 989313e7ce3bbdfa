package ingest

import (
	"context"
	"errors"
	"fmt"

	"github.com/sluice-hq/sluice/internal/trace"
)

// begin reads the next block, buries what is dead in it and writes the intent.
func (l *Loader) begin(ctx context.Context) (began bool, err error) {
	w, err := l.read(ctx, l.state.Done, 0)
	if err != nil || w.at == l.state.Done {
		return false, err
	}
	if err := bury(ctx, l.Dead, w.letters); err != nil {
		return false, err
	}
	w.fresh = true
	l.work = w
	l.state.Intent = &intent{
		From: l.state.Done + 1, To: w.at, Rows: w.rows.Len(), Hash: w.hash(), Version: l.Decoder.Version(),
	}
	return true, l.save(ctx)
}

// resume brings back the block of an intent that was written before a crash.
func (l *Loader) resume(ctx context.Context) error {
	if l.work != nil {
		return nil
	}
	in := l.state.Intent
	w, err := l.read(ctx, in.From-1, in.To)
	if err != nil {
		return err
	}
	l.work = w
	if in.Version == l.Decoder.Version() && in.Hash == w.hash() {
		return nil
	}
	// The program was upgraded in between, or the stream lost a message after
	// the intent. Rows keep their keys across versions, so that what is stored
	// already stays and the rest joins it.
	if err := bury(ctx, l.Dead, w.letters); err != nil {
		return err
	}
	in.Version, in.Hash, in.Rows = l.Decoder.Version(), w.hash(), w.rows.Len()
	in.Attempt++
	return l.save(ctx)
}

// finish inserts the block, unless it is there, and advances.
func (l *Loader) finish(ctx context.Context) (err error) {
	ctx, span := trace.Start(ctx, trace.Consumer, "load block", l.work.traces...)
	defer func() { span.End(err) }()
	span.Text("sluice.shard", l.Shard)
	span.Number("sluice.rows", l.work.rows.Len())
	if err := l.buryRejects(ctx); err != nil {
		return err
	}
	b := l.block()
	if there, err := l.there(ctx, b); err != nil {
		return err
	} else if there {
		return l.advance(ctx)
	}
	l.work.fresh = false
	err = l.Store.Insert(ctx, b)
	if errors.Is(err, ErrRejected) {
		return l.reject(ctx, b)
	}
	if err != nil {
		return fmt.Errorf("inserting %s: %w", b.Token, err)
	}
	missing, err := l.missing(ctx, b)
	if err != nil {
		return err
	}
	if missing > 0 {
		return l.again(ctx, b, missing)
	}
	return l.advance(ctx)
}

// block returns what is to be inserted: the rows without the events that the
// store has rejected before.
func (l *Loader) block() Block {
	in := l.state.Intent
	return Block{
		Shard: l.Shard, From: in.From, To: in.To, Attempt: in.Attempt, Rows: without(l.work.rows, in.Rejects),
		Token: fmt.Sprintf("%s|%s|%d-%d|%s|v%d|%d", l.Generation, l.Shard, in.From, in.To, in.Hash, in.Version, in.Attempt),
	}
}

// there reports whether nothing of the block needs to be inserted.
func (l *Loader) there(ctx context.Context, b Block) (bool, error) {
	if b.Rows.Len() == 0 {
		return true, nil
	}
	if l.work.fresh {
		return false, nil
	}
	missing, err := l.missing(ctx, b)
	return missing == 0, err
}

// missing returns how many rows of the block are not stored: by their count,
// and if that is another than expected by their keys, since rows may have been
// merged with earlier arrivals of the same event.
func (l *Loader) missing(ctx context.Context, b Block) (int, error) {
	n, err := l.Store.Count(ctx, b.Shard, b.From, b.To)
	if err != nil {
		return 0, fmt.Errorf("counting %s: %w", b.Token, err)
	}
	if n == uint64(b.Rows.Len()) {
		return 0, nil
	}
	rows, err := l.Store.Missing(ctx, b)
	if err != nil {
		return 0, fmt.Errorf("checking %s: %w", b.Token, err)
	}
	return rows.Len(), nil
}

// again notes that the store acknowledged rows that are not there: only a new
// token makes it take them. The next Step inserts them.
func (l *Loader) again(ctx context.Context, b Block, missing int) error {
	l.state.Intent.Attempt++
	if err := l.save(ctx); err != nil {
		return err
	}
	return fmt.Errorf("reading back %s: %d rows were acknowledged and are not stored", b.Token, missing)
}

// advance makes the block countable.
func (l *Loader) advance(ctx context.Context) error {
	l.state.Done = l.state.Intent.To
	l.state.Newest = later(l.state.Newest, l.work.newest)
	l.state.Lost += l.work.lost
	l.state.Trace = trace.Parent(ctx)
	l.state.Intent = nil
	if err := l.save(ctx); err != nil {
		return err
	}
	l.log().Debug("loaded", "shard", l.Shard, "done", l.state.Done, "rows", l.work.rows.Len())
	l.work = nil
	l.publish()
	return nil
}
