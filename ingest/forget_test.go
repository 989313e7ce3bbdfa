package ingest_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/event/eventtest"
	"github.com/sluice-hq/sluice/ingest"
	"github.com/sluice-hq/sluice/ingest/ingesttest"
)

// deleting is a log with the two folds that deletions touch.
type deleting struct {
	t       *testing.T
	log     *event.MemLog
	forgets *ingest.Forgets
	orders  *ingest.Orders
	seq     uint64
}

func newDeleting(t *testing.T) *deleting {
	return &deleting{t: t, log: event.NewMemLog(), forgets: &ingest.Forgets{}, orders: &ingest.Orders{}}
}

// record appends an event and applies everything new.
func (f *deleting) record(ctx context.Context, do func() (event.Event, event.Expect, error)) error {
	e, expect, err := do()
	if err != nil {
		return err
	}
	if _, err := f.log.Append(ctx, e, expect); err != nil {
		return err
	}
	for r, err := range f.log.Read(ctx, event.Filter{}, f.seq) {
		if err != nil {
			return err
		}
		if err := errors.Join(f.forgets.Apply(r), f.orders.Apply(r)); err != nil {
			return err
		}
		f.seq = r.Seq
	}
	return nil
}

func (f *deleting) forget(kind string, unit uint64, at time.Time, fence map[string]uint64) {
	f.t.Helper()
	c := ingest.Forget{ID: event.New(), Kind: kind, Unit: unit, Fence: fence, At: at, Actor: "person:ana", Comment: "case 4711"}
	if err := f.record(f.t.Context(), func() (event.Event, event.Expect, error) { return f.forgets.Handle(c) }); err != nil {
		f.t.Fatal(err)
	}
}

func (f *deleting) history() (all []event.Recorded) {
	for r, err := range f.log.Read(f.t.Context(), event.Filter{}, 0) {
		if err != nil {
			f.t.Fatal(err)
		}
		all = append(all, r)
	}
	return all
}

func TestForgets_snapshot(t *testing.T) {
	f := newDeleting(t)
	f.forget("user", 7, noon, map[string]uint64{"facts-0": 5, "facts-1": 9})
	f.forget("user", 7, noon.Add(time.Hour), map[string]uint64{"facts-0": 8}) // the later one keeps what the earlier one reached
	f.forget("device", 1, noon, nil)
	g, ok := f.forgets.Of(7)
	if !ok || g.Fence["facts-0"] != 8 || g.Fence["facts-1"] != 9 || !g.Before.Equal(noon.Add(time.Hour)) {
		t.Errorf("forgotten twice: %+v", g)
	}
	if err := f.record(t.Context(), func() (event.Event, event.Expect, error) {
		return f.forgets.Erased(g, ingest.Erasure{Generation: "1", Rows: 3, At: noon})
	}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := f.forgets.Erased(g, ingest.Erasure{Generation: "1"}); !errors.Is(err, ingest.ErrErased) {
		t.Errorf("erased twice: %v", err)
	}
	eventtest.Fold(t, func() *ingest.Forgets { return &ingest.Forgets{} }, f.history(), cmp.Comparer(func(a, b *ingest.Forgets) bool {
		return cmp.Equal(a.All(), b.All())
	}))
	for _, bad := range []string{`{}`, `[{"unit":"u-1"}]`} {
		if err := (&ingest.Forgets{}).Restore([]byte(bad)); err == nil {
			t.Errorf("%s is restored", bad)
		}
	}
}

// TestForgets_recordedJSON: the log is kept for ever, and holds no id.
func TestForgets_recordedJSON(t *testing.T) {
	f := newDeleting(t)
	f.forget("user", 7, noon, map[string]uint64{"facts-0": 5})
	g, _ := f.forgets.Of(7)
	if err := f.record(t.Context(), func() (event.Event, event.Expect, error) {
		return f.forgets.Erased(g, ingest.Erasure{Generation: "1", Rows: 3, Letters: 1, At: noon})
	}); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range f.history() {
		got = append(got, r.Subject+" "+r.Type+" "+string(r.Data))
	}
	want := []string{
		`unit.0000000000000007 unit.forgotten {"kind":"user","unit":"hash:0000000000000007","before":"2026-11-20T12:00:00Z","fence":{"facts-0":5},"comment":"case 4711"}`,
		`unit.0000000000000007 unit.erased {"unit":"hash:0000000000000007","generation":"1","rows":3,"letters":1,"at":"2026-11-20T12:00:00Z"}`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("a stored shape has changed (-want +got):\n%s", diff)
	}
}

func TestForgets_refuses(t *testing.T) {
	if _, _, err := (&ingest.Forgets{}).Handle(ingest.Forget{Kind: "a user", Unit: 7}); err == nil || !strings.Contains(err.Error(), "kind") {
		t.Errorf("a kind that is none: %v", err)
	}
	f := newDeleting(t)
	f.forget("user", 7, noon, nil)
	if _, _, err := f.forgets.Handle(ingest.Forget{Kind: "device", Unit: 7}); !errors.As(err, new(event.Invalids)) || !strings.Contains(err.Error(), "is not the kind that this hash") {
		t.Errorf("another kind than the hash was deleted under: %v", err)
	}
	for _, r := range []event.Recorded{
		{Event: event.Event{Type: ingest.UnitForgotten, Subject: "unit.7", Data: []byte(`{"unit":"hash:0000000000000007"}`)}},
		{Event: event.Event{Type: ingest.UnitForgotten, Subject: "unit.u", Data: []byte(`{"unit":"u-1"}`)}},
		{Event: event.Event{Type: ingest.UnitErased, Data: []byte(`[]`)}},
	} {
		if err := (&ingest.Forgets{}).Apply(r); err == nil {
			t.Errorf("%s %s is applied", r.Subject, r.Data)
		}
	}
}

// TestForgetter deletes a unit whose facts are in the store, on their way, and
// among the dead letters; loads everything once more into new tables; and sends
// old facts again. The unit's new facts count, the old ones nowhere, and
// nothing is missing to whoever accounts for the events.
func TestForgetter(t *testing.T) {
	const seed = 7
	t.Logf("seed %d", seed)
	chance := rand.New(rand.NewPCG(seed, seed))
	f := newDeleting(t)
	stream, dead := &ingest.MemStream{}, &ingest.MemStream{}
	d := door()
	const kind, id = "user", "u-1"
	unit := ingest.UnitHash(unitKey, kind, id)
	n := uint64(0)
	publish := func(at time.Time, whose string) {
		n++
		body := `{"kind":"metric","id":"` + ingesttest.ID(at, n).String() + `","name":"purchase","units":{"user":"` + whose + `","device":"d-9"}}`
		if chance.IntN(3) == 0 {
			body = strings.Replace(body, `"purchase"`, `"undeclared"`, 1)
		}
		taken, err := d.Accept("production", []byte(body), noon)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := stream.Publish(t.Context(), ingesttest.ID(at, n).String(), codec.Encode(taken.Batch)); err != nil {
			t.Fatal(err)
		}
	}
	for range 30 {
		publish(noon.Add(-time.Duration(chance.IntN(3600))*time.Second), []string{id, "u-2"}[chance.IntN(2)])
	}
	store, kv := &ingest.MemStore{}, &ingest.MemKV{}
	load := func(store *ingest.MemStore, kv *ingest.MemKV) *ingest.Loader {
		l := &ingest.Loader{Shard: "facts-0", Stream: stream, KV: kv, Store: ingest.Forgetful{Store: store, Forgets: f.forgets}, Dead: dead, Decoder: codec, MaxRows: 4}
		for {
			if moved, err := l.Step(t.Context()); err != nil {
				t.Fatal(err)
			} else if !moved {
				return l
			}
		}
	}
	done := load(store, kv).Progress().Done
	publish(noon.Add(-time.Minute), id) // on its way when the command comes
	last, err := stream.Last(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	f.forget(kind, unit, noon, map[string]uint64{"facts-0": last})
	box := &ingest.Letterbox{Dead: dead, Orders: f.orders}
	forgetter := &ingest.Forgetter{Forgets: f.forgets, Orders: f.orders, Box: box, Store: store, Record: f.record, Generation: "1",
		Loaded: func(context.Context, string) (uint64, error) { return done, nil }}
	if n, err := forgetter.Step(t.Context(), noon); n != 0 || err != nil || len(store.Rows().Of(kind, unit).Metrics) == 0 {
		t.Fatalf("before everything was loaded: %d, %v, %d rows", n, err, len(store.Rows().Of(kind, unit).Metrics))
	}
	done = load(store, kv).Progress().Done
	rebuilds := 0
	forgetter.Rebuild = func(context.Context) error {
		if rebuilds++; rebuilds == 1 {
			return errors.New("the totals are busy")
		}
		if n := len(store.Rows().Of(kind, unit).Metrics); n > 0 {
			t.Errorf("totals are made anew of %d rows that are to go", n)
		}
		return nil
	}
	letters := func() int {
		n, _, err := box.Select(t.Context(), ingest.LetterFilter{Unit: ingest.UnitText(unit)}, false)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if letters() == 0 {
		t.Fatal("the story has no dead letter of the unit")
	}
	if n, err := forgetter.Step(t.Context(), noon); n != 0 || err == nil {
		t.Errorf("without totals: %d, %v", n, err)
	}
	if n, err := forgetter.Step(t.Context(), noon.Add(time.Second)); n != 1 || err != nil || rebuilds != 2 {
		t.Fatalf("carried out: %d, %v, totals made anew %d times", n, err, rebuilds)
	}
	g, _ := f.forgets.Of(unit)
	if g.Erased == nil || letters() != 0 {
		t.Errorf("erased: %+v, %d letters left", g.Erased, letters())
	}
	if n, err := forgetter.Step(t.Context(), noon); n != 0 || err != nil {
		t.Errorf("once more: %d, %v", n, err)
	}
	for range 6 {
		publish(noon.Add(-30*time.Minute), id) // old facts that come late
	}
	for range 6 {
		publish(noon.Add(time.Minute), id) // new ones, of which some are undeclared
	}
	load(store, kv)
	fresh, _, err := box.Select(t.Context(), ingest.LetterFilter{Unit: ingest.UnitText(unit), Since: noon.Add(time.Second)}, false)
	if err != nil || fresh == 0 || letters() == fresh {
		t.Fatalf("the story has %d new letters of %d, %v", fresh, letters(), err)
	}
	if n, err := forgetter.Check(t.Context(), noon.Add(time.Hour)); n != 0 || err != nil {
		t.Errorf("checking: %d rows had come back, %v", n, err)
	}
	if n := letters(); n != fresh {
		t.Errorf("%d letters of the unit wait, want the %d new ones", n, fresh)
	}
	rebuilt := &ingest.MemStore{}
	load(rebuilt, &ingest.MemKV{})
	for name, s := range map[string]*ingest.MemStore{"kept": store, "rebuilt": rebuilt} {
		of := s.Rows().Of(kind, unit)
		for _, r := range of.Metrics {
			if !r.At.After(noon) {
				t.Errorf("%s: a row of %v is back", name, r.At)
			}
		}
		if len(of.Metrics) == 0 || len(s.Rows().Of("device", ingest.UnitHash(unitKey, "device", "d-9")).Metrics) < 20 {
			t.Errorf("%s: facts of others, or new ones, are gone", name)
		}
		account, err := ingest.Reconciler{Shard: "facts-0", Stream: stream, Store: ingest.Forgetful{Store: s, Forgets: f.forgets}, Dead: dead, Decoder: codec}.
			Account(t.Context(), 0, n)
		if err != nil || account.Unaccounted != 0 || account.Doubled != 0 {
			t.Errorf("%s: %+v, %v", name, account, err)
		}
	}
	if diff := cmp.Diff(rebuilt.Rows().Of(kind, unit), store.Rows().Of(kind, unit)); diff != "" {
		t.Errorf("rebuilt tables differ (-rebuilt +kept):\n%s", diff)
	}
}

// TestForgetter_lettersFromAFastClock takes the letters that had come, also of an
// event whose sender's clock is ahead of the deletion's, and of one that the
// store rejects. Those of what the unit does afterwards stay.
func TestForgetter_lettersFromAFastClock(t *testing.T) {
	f := newDeleting(t)
	var p parts
	unit := ingest.UnitHash(unitKey, "user", "u-1")
	publish := func(n uint64, at time.Time, name string) {
		body := `{"kind":"metric","id":"` + ingesttest.ID(at, n).String() + `","name":"` + name + `","units":{"user":"u-1"}}`
		taken, err := door().Accept("production", []byte(body), noon.Add(time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		p.publish(t, codec.Encode(taken.Batch))
	}
	publish(1, noon.Add(30*time.Minute), "undeclared")
	publish(2, noon.Add(-time.Minute), "purchase")
	l := p.loader()
	p.store.Reject = func(ingest.Key, ingest.Place) bool { return true }
	step(t, l, true)
	f.forget("user", unit, noon, map[string]uint64{shard: 2, "facts-9": 0})
	publish(3, noon.Add(40*time.Minute), "undeclared")
	step(t, l, true)
	box := &ingest.Letterbox{Dead: &p.dead, Orders: f.orders}
	forgetter := &ingest.Forgetter{Forgets: f.forgets, Orders: f.orders, Box: box, Store: &p.store, Record: f.record, Generation: "1",
		Loaded: func(context.Context, string) (uint64, error) { return 3, nil }}
	if n, err := forgetter.Step(t.Context(), noon); n != 1 || err != nil {
		t.Fatalf("carried out: %d, %v", n, err)
	}
	if g, _ := f.forgets.Of(unit); g.Erased == nil || g.Erased.Letters != 2 {
		t.Errorf("erased: %+v, want 2 letters", g.Erased)
	}
	left, err := box.Page(t.Context(), ingest.LetterFilter{Unit: ingest.UnitText(unit)}, "", 10)
	if err != nil || left.Total != 1 || left.Letters[0].Seq != 3 {
		t.Errorf("letters that wait: %+v, %v; want the one of message 3", left, err)
	}
}

// TestForgetter_saysWhatFails goes on with the others.
func TestForgetter_saysWhatFails(t *testing.T) {
	f := newDeleting(t)
	f.forget("user", 7, noon, nil)
	f.forget("user", 8, noon, map[string]uint64{"facts-0": 1})
	forgetter := &ingest.Forgetter{Forgets: f.forgets, Orders: f.orders, Box: &ingest.Letterbox{Dead: &ingest.MemStream{}, Orders: f.orders},
		Store: &ingest.MemStore{}, Record: f.record, Generation: "1",
		Loaded: func(context.Context, string) (uint64, error) { return 0, errors.New("nobody knows") }}
	n, err := forgetter.Step(t.Context(), noon)
	if n != 1 || err == nil || !strings.Contains(err.Error(), "hash:0000000000000008: nobody knows") {
		t.Errorf("%d, %v", n, err)
	}
}
