package ingest_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/ingest"
	"github.com/sluice-hq/sluice/ingest/ingesttest"
)

// parts are a loader over parts that do not fail.
type parts struct {
	stream, dead ingest.MemStream
	kv           ingest.MemKV
	store        ingest.MemStore
}

func (p *parts) loader() *ingest.Loader {
	return &ingest.Loader{Shard: shard, Stream: &p.stream, KV: &p.kv, Store: &p.store, Dead: &p.dead, Decoder: codec}
}

func (p *parts) publish(t *testing.T, data ...[]byte) {
	t.Helper()
	last, _ := p.stream.Last(t.Context())
	for i, d := range data {
		if _, err := p.stream.Publish(t.Context(), fmt.Sprint("m", int(last)+i), d); err != nil {
			t.Fatal(err)
		}
	}
}

func (p *parts) letters(t *testing.T, f ingest.LetterFilter) []ingest.Letter {
	t.Helper()
	letters, err := ingest.Letters(t.Context(), &p.dead, f)
	if err != nil {
		t.Fatal(err)
	}
	return letters
}

func (p *parts) account(t *testing.T, to uint64) ingest.Account {
	t.Helper()
	r := ingest.Reconciler{Shard: shard, Stream: &p.stream, Store: &p.store, Dead: &p.dead, Decoder: codec}
	a, err := r.Account(t.Context(), 0, to)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func step(t *testing.T, l *ingest.Loader, want bool) {
	t.Helper()
	if moved, err := l.Step(t.Context()); err != nil || moved != want {
		t.Fatalf("Step = %v, %v; want %v", moved, err, want)
	}
}

func TestLoader_progress(t *testing.T) {
	var p parts
	l := p.loader()
	step(t, l, false)
	p.publish(t, codec.Encode(exposures(0, 3)), codec.Encode(exposures(3, 4)))
	step(t, l, true)
	step(t, l, false)
	want := ingest.Progress{Shard: shard, Done: 2, Newest: noon}
	if diff := cmp.Diff(want, l.Progress()); diff != "" {
		t.Errorf("progress (-want +got):\n%s", diff)
	}
	written, err := ingest.ReadProgress(t.Context(), &p.kv, "", shard)
	if diff := cmp.Diff(want, written); diff != "" || err != nil {
		t.Errorf("written progress: %v (-want +got):\n%s", err, diff)
	}
	if n := p.store.Rows().Len(); n != 7 {
		t.Errorf("%d rows, want 7", n)
	}
	if other, err := ingest.ReadProgress(t.Context(), &p.kv, "2", shard); err != nil || other.Done != 0 {
		t.Errorf("another generation begins at %+v, %v; want the start", other, err)
	}
}

// TestLoader_blocks bounds blocks by rows, in whole messages.
func TestLoader_blocks(t *testing.T) {
	var p parts
	for i := range 7 {
		p.publish(t, codec.Encode(exposures(i*3, 3)))
	}
	l := p.loader()
	l.MaxRows = 6
	for _, done := range []uint64{2, 4, 6, 7} {
		step(t, l, true)
		if got := l.Progress().Done; got != done {
			t.Errorf("done %d, want %d", got, done)
		}
	}
}

func TestLoader_lostMessage(t *testing.T) {
	var p parts
	for i := range 5 {
		p.publish(t, codec.Encode(exposures(i*2, 2)))
	}
	p.stream.Lose(2)
	p.stream.Lose(3)
	l := p.loader()
	step(t, l, true)
	if got := l.Progress(); got.Done != 5 || got.Lost != 2 {
		t.Errorf("progress %+v, want 5 done and 2 lost", got)
	}
	letters := p.letters(t, ingest.LetterFilter{})
	if len(letters) != 1 || letters[0].Reason != ingest.Lost || !strings.Contains(letters[0].Why, "messages 2 to 3") {
		t.Errorf("letters %+v, want one for messages 2 to 3", letters)
	}
	want := ingest.Account{Shard: shard, From: 1, To: 5, Published: 6, Stored: 6, Lost: 2, Unaccounted: 2, FirstGap: 2}
	if diff := cmp.Diff(want, p.account(t, 5)); diff != "" {
		t.Errorf("account (-want +got):\n%s", diff)
	}
}

// lagging is a stream whose server does not know yet of all that it holds.
type lagging struct {
	*ingest.MemStream
	last uint64
}

func (s *lagging) Last(context.Context) (uint64, error) { return s.last, nil }

func (s *lagging) Read(ctx context.Context, after uint64, limit int) ([]event.Message, error) {
	if after >= s.last {
		return nil, nil
	}
	return s.MemStream.Read(ctx, after, min(limit, int(s.last-after)))
}

// TestLoader_laggingStream takes no message for lost, and no end for the end,
// because the stream's server lags: neither of a block that was begun, nor
// behind one that is done.
func TestLoader_laggingStream(t *testing.T) {
	var p parts
	for i := range 5 {
		p.publish(t, codec.Encode(exposures(i*2, 2)))
	}
	l := p.loader()
	l.Store = failing{Store: &p.store}
	if _, err := l.Step(t.Context()); err == nil {
		t.Fatal("a store that fails is not told")
	}
	s := &lagging{&p.stream, 2}
	l.Store, l.Stream = &p.store, s
	if _, err := l.Step(t.Context()); !errors.Is(err, event.ErrDamaged) || !strings.Contains(err.Error(), "ends at message 2, and message 5 was there") {
		t.Errorf("a block that was begun: %v", err)
	}
	s.last = 5
	step(t, l, true)
	if got, n := l.Progress(), p.store.Rows().Len(); got.Done != 5 || got.Lost != 0 || n != 10 || len(p.letters(t, ingest.LetterFilter{})) != 0 {
		t.Errorf("progress %+v, %d rows; want 5 done, none lost, 10 rows", got, n)
	}
	s.last = 3
	if _, err := l.Step(t.Context()); !errors.Is(err, event.ErrDamaged) || !strings.Contains(err.Error(), "ends at message 3, and message 5 was there") {
		t.Errorf("behind a block that is done: %v", err)
	}
	r := ingest.Reconciler{Shard: shard, Stream: s, Store: &p.store, Dead: &p.dead, Decoder: codec}
	if a, err := r.Account(t.Context(), 0, 5); !errors.Is(err, event.ErrDamaged) {
		t.Errorf("account %+v, %v; want no account of what is not known", a, err)
	}
	s.last = 5
	step(t, l, false)
	if a, err := r.Account(t.Context(), 0, 5); err != nil || a.Stored != 10 || a.Unaccounted != 0 {
		t.Errorf("account %+v, %v", a, err)
	}
}

// TestLoader_unreadable keeps the bytes of what it cannot read.
func TestLoader_unreadable(t *testing.T) {
	var p parts
	damaged := codec.Encode(exposures(0, 3))
	damaged[len(damaged)-1] ^= 1
	p.publish(t, damaged, []byte("hello"), codec.Encode(exposures(3, 3)))
	step(t, p.loader(), true)
	letters := p.letters(t, ingest.LetterFilter{Reason: ingest.Unreadable})
	if len(letters) != 2 || !cmp.Equal(letters[0].Bytes, damaged) || string(letters[1].Bytes) != "hello" || letters[1].Seq != 2 {
		t.Errorf("letters %+v, want the two messages", letters)
	}
	if a := p.account(t, 3); a.Unaccounted != 0 || a.Stored != 3 || a.Dead != 2 {
		t.Errorf("account %+v", a)
	}
}

// TestLoader_rejectedByStore buries exactly the poison, in a form that can be
// sent again.
func TestLoader_rejectedByStore(t *testing.T) {
	var p parts
	bad := ingesttest.ID(noon, 13)
	p.store.Reject = func(k ingest.Key, _ ingest.Place) bool { return k.ID == bad }
	rows := ingesttest.Rows("", 0, 0, 40)
	p.publish(t, codec.Encode(ingest.Batch{Rows: rows, Count: 40, Oldest: noon, Newest: noon, Received: noon}))
	l := p.loader()
	step(t, l, true)
	letters := p.letters(t, ingest.LetterFilter{Shard: shard, Reason: ingest.Rejected, Name: "purchase", From: 1, To: 1})
	if len(letters) != 1 || letters[0].EventID != bad || letters[0].ID != "facts-0.1.13" || letters[0].Environment != "production" || letters[0].At.IsZero() {
		t.Fatalf("letters %+v, want event 13 with its time", letters)
	}
	if n := p.store.Rows().Len(); n != rows.Len()-2 {
		t.Errorf("%d rows are stored, want all but the two of event 13", n)
	}
	replay := door()
	replay.Replay = true
	taken, err := replay.Accept("production", letters[0].Fact, noon.AddDate(1, 0, 0))
	if err != nil || len(taken.Metrics) != 2 || taken.Metrics[0].Unit != ingesttest.Metric(ingest.Place{}, 13)[0].Unit {
		t.Errorf("replayed %+v, %v", taken, err)
	}
}

// TestLoader_storeRejectsEverything buries nothing when the store's schema is
// at fault.
func TestLoader_storeRejectsEverything(t *testing.T) {
	var p parts
	p.store.Reject = func(ingest.Key, ingest.Place) bool { return true }
	p.publish(t, codec.Encode(exposures(0, 1000)), codec.Encode(exposures(1000, 1000)))
	l := p.loader()
	if moved, err := l.Step(t.Context()); moved || !errors.Is(err, ingest.ErrRejected) {
		t.Errorf("Step = %v, %v; want ErrRejected", moved, err)
	}
	if n := len(p.letters(t, ingest.LetterFilter{})); n != 0 {
		t.Errorf("%d letters", n)
	}
	p.store.Reject = nil
	step(t, l, true)
	if a := p.account(t, 2); a.Stored != 2000 || a.Unaccounted != 0 {
		t.Errorf("account %+v after the schema is mended", a)
	}
}

// newer is a decoder of a later version.
type newer struct{ *ingest.Codec }

func (newer) Version() int { return 99 }

// TestLoader_upgradeWithOpenIntent crashes between intent and insert, or after
// a partial insert, and goes on with another version of the decoder.
func TestLoader_upgradeWithOpenIntent(t *testing.T) {
	for _, partial := range []bool{false, true} {
		var p parts
		p.publish(t, codec.Encode(exposures(0, 10)))
		old := p.loader()
		old.Store = failing{&p.store, partial}
		if _, err := old.Step(t.Context()); err == nil {
			t.Fatal("the insert did not fail")
		}
		l := p.loader()
		l.Decoder = newer{codec}
		step(t, l, true)
		if a := p.account(t, 1); a.Stored != 10 || a.Unaccounted != 0 || p.store.Rows().Len() != 10 {
			t.Errorf("partial %v: account %+v", partial, a)
		}
	}
}

type failing struct {
	ingest.Store
	partial bool
}

func (f failing) Insert(ctx context.Context, b ingest.Block) error {
	if f.partial {
		b.Rows = b.Keep(func(_ ingest.Key, p ingest.Place) bool { return p.Idx < 4 })
		if err := f.Store.Insert(ctx, b); err != nil {
			return err
		}
	}
	return errors.New("the engine is gone")
}

// TestLoader_control loads a control log with the same loader.
func TestLoader_control(t *testing.T) {
	var p parts
	log := event.NewMemLog()
	for i := range 300 {
		e := event.Event{ID: event.Derive("e", fmt.Sprint(i)), Type: "flag.changed", Subject: "flag.a", Time: noon, Data: []byte(`{}`)}
		if _, err := log.Append(t.Context(), e, event.Any); err != nil {
			t.Fatal(err)
		}
	}
	for r, err := range log.Read(t.Context(), event.Filter{}, 0) {
		if err != nil {
			t.Fatal(err)
		}
		p.publish(t, []byte(marshal(t, r)))
	}
	l := p.loader()
	l.Shard, l.Decoder = ingest.ControlShard, ingest.ControlDecoder{}
	step(t, l, true)
	rows := p.store.Rows().Control
	if len(rows) != 300 || rows[299].Seq != 300 || rows[299].Hash == (event.Hash{}) || l.Progress().Done != 300 {
		t.Errorf("%d rows, progress %+v", len(rows), l.Progress())
	}
}

// TestLoader_lostAnswerOfSave writes its state and does not hear of it, at
// every write of a block in turn: the same loader goes on by itself.
func TestLoader_lostAnswerOfSave(t *testing.T) {
	for lost := 1; lost <= 4; lost++ {
		var p parts
		p.publish(t, codec.Encode(exposures(0, 3)), codec.Encode(exposures(3, 3)))
		l := p.loader()
		l.KV, l.MaxRows = &forgetful{KV: &p.kv, lost: lost}, 3
		var faults int
		for l.Progress().Done < 2 {
			if _, err := l.Step(t.Context()); err != nil {
				faults++
			}
			if faults > 1 {
				t.Fatalf("answer %d lost: the loader does not recover", lost)
			}
		}
		if n := p.store.Rows().Len(); n != 6 || faults != 1 {
			t.Errorf("answer %d lost: %d rows, %d faults; want 6 and 1", lost, n, faults)
		}
	}
}

// forgetful loses the answer of one write.
type forgetful struct {
	ingest.KV
	lost int // number of the write, from 1
}

func (f *forgetful) Save(ctx context.Context, key string, value []byte, rev uint64) (uint64, error) {
	next, err := f.KV.Save(ctx, key, value, rev)
	if f.lost--; f.lost == 0 {
		return 0, context.DeadlineExceeded
	}
	return next, err
}

func TestLoader_damagedState(t *testing.T) {
	var p parts
	if _, err := p.kv.Save(t.Context(), "loader.1."+shard, []byte("{"), 0); err != nil {
		t.Fatal(err)
	}
	if _, err := p.loader().Step(t.Context()); err == nil || !strings.Contains(err.Error(), "progress of facts-0") {
		t.Errorf("got %v", err)
	}
}

// TestReconciler_findsWhatIsMissing takes events out of the store and letters
// out of the dead stream behind the loader's back.
func TestReconciler_findsWhatIsMissing(t *testing.T) {
	var p parts
	p.publish(t, codec.Encode(exposures(0, 10)), codec.Encode(batch(4)), []byte("x"))
	step(t, p.loader(), true)
	if a := p.account(t, 3); a.Unaccounted != 0 || a.Published != 16 || a.Dead != 2 {
		t.Errorf("account %+v, want 16 events, 2 dead", a)
	}
	whole := p.store.Rows()
	p.store = ingest.MemStore{}
	some := whole.Keep(func(_ ingest.Key, at ingest.Place) bool { return at.Seq != 2 || at.Idx > 1 })
	if err := p.store.Insert(t.Context(), ingest.Block{Token: "x", Rows: some}); err != nil {
		t.Fatal(err)
	}
	if a := p.account(t, 3); a.Unaccounted != 1 || a.FirstGap != 2 || a.Stored != 13 {
		t.Errorf("account %+v, want 1 unaccounted: event 0 of message 2 came in message 1 too", a)
	}
	p.dead = ingest.MemStream{}
	if a := p.account(t, 3); a.Unaccounted != 3 || a.Dead != 0 {
		t.Errorf("account %+v without letters, want 3 unaccounted", a)
	}
	if a := p.account(t, 0); a.Published != 0 || a.Unaccounted != 0 {
		t.Errorf("account of nothing: %+v", a)
	}
}

func TestLoader_run(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p parts
		l, drops := p.loader(), &dropping{Store: &p.store}
		l.Store = drops
		drops.on.Store(true)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- l.Run(ctx) }()
		p.publish(t, codec.Encode(exposures(0, 3)))
		time.Sleep(10 * time.Second) // of the bubble's clock
		if l.Progress().Done != 0 {
			t.Error("advanced behind an insert that did nothing")
		}
		drops.on.Store(false)
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if l.Progress().Done != 1 {
			t.Errorf("progress %+v after the store is back", l.Progress())
		}
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("Run = %v", err)
		}
	})
}

// dropping acknowledges inserts and does nothing while it is on, and believes
// for ever that it has what it dropped: a new token is the only way out.
type dropping struct {
	ingest.Store
	on      atomic.Bool
	dropped sync.Map // tokens
}

func (d *dropping) Insert(ctx context.Context, b ingest.Block) error {
	if d.on.Load() {
		d.dropped.Store(b.Token, true)
	}
	if _, ok := d.dropped.Load(b.Token); ok {
		return nil
	}
	return d.Store.Insert(ctx, b)
}
