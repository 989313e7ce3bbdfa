package ingest_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/event/eventtest"
	"github.com/sluice-hq/sluice/ingest"
	"github.com/sluice-hq/sluice/ingest/ingesttest"
)

// declared are names of metric events that somebody declares in the course of
// a test.
type declared map[string]bool

func (d declared) Declared(name string) bool { return d[name] }

// office is where dead letters are made, kept and sent again.
type office struct {
	parts
	t        *testing.T
	log      *event.MemLog
	orders   *ingest.Orders
	metrics  declared
	box      *ingest.Letterbox
	in       *ingest.Intake
	resender *ingest.Resender
	n        int
}

func newOffice(t *testing.T) *office {
	o := &office{t: t, log: event.NewMemLog(), orders: &ingest.Orders{}, metrics: declared{}}
	o.box = &ingest.Letterbox{Dead: &o.dead, Orders: o.orders}
	o.in = &ingest.Intake{
		Door:    &ingest.Door{Flags: house{}, Metrics: o.metrics, Key: unitKey},
		Packers: []*ingest.Packer{ingest.NewPacker(&o.stream, codec, "a")},
	}
	o.resender = &ingest.Resender{Box: o.box, Take: o.in.Accept, Streams: map[string]ingest.Stream{shard: &o.stream}}
	return o
}

// send sends metric events of a name, one for each user, and loads them.
func (o *office) send(name string, users ...string) {
	o.t.Helper()
	var lines []string
	for _, u := range users {
		o.n++
		lines = append(lines, fmt.Sprintf(`{"kind":"metric","id":%q,"name":%q,"units":{"user":%q}}`, ingesttest.ID(noon.Add(time.Duration(o.n)*time.Second), uint64(o.n)), name, u))
	}
	if _, err := o.in.Accept(o.t.Context(), request("", strings.Join(lines, "\n")), noon.Add(time.Hour)); err != nil {
		o.t.Fatal(err)
	}
	o.load()
}

func (o *office) load() {
	o.t.Helper()
	step(o.t, o.loader(), true)
}

// order gives an order about what the filter selects.
func (o *office) order(replay bool, f ingest.LetterFilter) (ingest.Order, error) {
	o.t.Helper()
	n, upTo, err := o.box.Select(o.t.Context(), f, replay)
	if err != nil {
		o.t.Fatal(err)
	}
	o.n++
	e, expect, err := o.orders.Handle(ingest.OrderLetters{
		ID: event.Derive("order", fmt.Sprint(o.n)), Replay: replay, Filter: f, UpTo: upTo, Letters: n, At: noon, Actor: "person:ana", Comment: "declared now",
	})
	if err != nil {
		return ingest.Order{}, err
	}
	o.record(e, expect)
	return o.last(), nil
}

func (o *office) last() ingest.Order { return o.orders.All()[len(o.orders.All())-1] }

func (o *office) record(e event.Event, expect event.Expect) {
	o.t.Helper()
	seq, err := o.log.Append(o.t.Context(), e, expect)
	if err != nil {
		o.t.Fatal(err)
	}
	for r := range o.log.Read(o.t.Context(), event.Filter{}, seq-1) {
		if err := o.orders.Apply(r); err != nil {
			o.t.Fatal(err)
		}
	}
}

// carry carries an order out and records it.
func (o *office) carry(order ingest.Order) ingest.Outcome {
	o.t.Helper()
	out, err := o.resender.Carry(o.t.Context(), order, noon.Add(30*24*time.Hour)) // long behind the late window
	if err != nil {
		o.t.Fatal(err)
	}
	e, expect, err := o.orders.Carried(order.ID, out, "sluice")
	if err != nil {
		o.t.Fatal(err)
	}
	o.record(e, expect)
	return out
}

// wait returns the names of the letters that wait, the newest first.
func (o *office) wait(f ingest.LetterFilter) (names []string) {
	o.t.Helper()
	for _, box := range []*ingest.Letterbox{o.box, {Dead: &o.dead, Orders: o.orders}} { // the one that ran, and one of a new start
		names = nil
		p, err := box.Page(o.t.Context(), f, "", 100)
		if err != nil {
			o.t.Fatal(err)
		}
		for _, l := range p.Letters {
			names = append(names, l.ID+" "+l.Name)
		}
		if p.Total != len(names) {
			o.t.Errorf("a total of %d for %d letters", p.Total, len(names))
		}
	}
	return names
}

func (o *office) want(f ingest.LetterFilter, want ...string) {
	o.t.Helper()
	if got := o.wait(f); !cmp.Equal(got, want) {
		o.t.Errorf("%+v: got %q, want %q", f, got, want)
	}
}

// balanced checks that every event is stored or dead, and that n are stored.
func (o *office) balanced(n int) {
	o.t.Helper()
	last, _ := o.stream.Last(o.t.Context())
	if a := o.account(o.t, last); a.Unaccounted != 0 {
		o.t.Errorf("unaccounted: %+v", a)
	}
	if got := len(o.store.Rows().Metrics); got != n {
		o.t.Errorf("%d rows are stored, want %d", got, n)
	}
}

func TestLetterbox_finds(t *testing.T) {
	o := newOffice(t)
	o.send("puchase", "u-1", "u-2")
	o.send("visit", "u-1")
	unit := ingest.HashedUnit(unitKey, "user", "u-1")
	for _, c := range []struct {
		f    ingest.LetterFilter
		want []string
	}{
		{ingest.LetterFilter{}, []string{"facts-0.2.0 visit", "facts-0.1.1 puchase", "facts-0.1.0 puchase"}},
		{ingest.LetterFilter{Reason: ingest.UnknownMetric, Name: "visit"}, []string{"facts-0.2.0 visit"}},
		{ingest.LetterFilter{Reason: ingest.Lost}, nil},
		{ingest.LetterFilter{Environment: "staging"}, nil},
		{ingest.LetterFilter{Unit: unit}, []string{"facts-0.2.0 visit", "facts-0.1.0 puchase"}},
		{ingest.LetterFilter{Text: "PUCH"}, []string{"facts-0.1.1 puchase", "facts-0.1.0 puchase"}},
		{ingest.LetterFilter{Text: "nowhere"}, nil},
		{ingest.LetterFilter{Since: noon.Add(2 * time.Second), Until: noon.Add(3 * time.Second)}, []string{"facts-0.1.1 puchase"}},
		{ingest.LetterFilter{IDs: []string{"facts-0.1.1", "facts-0.9.9"}}, []string{"facts-0.1.1 puchase"}},
		{ingest.LetterFilter{From: 2}, []string{"facts-0.2.0 visit"}},
		{ingest.LetterFilter{Shard: shard, To: 1}, []string{"facts-0.1.1 puchase", "facts-0.1.0 puchase"}},
		{ingest.LetterFilter{Sees: func(string) bool { return false }}, nil},
	} {
		o.want(c.f, c.want...)
	}
	if by, err := o.box.Waiting(t.Context()); err != nil || !cmp.Equal(by, map[ingest.Reason]int{ingest.UnknownMetric: 3}) {
		t.Errorf("waiting: %v, %v", by, err)
	}
}

// TestLetterbox_pages turns pages while letters come in: none is shown twice
// or passed over.
func TestLetterbox_pages(t *testing.T) {
	o := newOffice(t)
	for range 3 {
		o.send("puchase", "u-1", "u-2", "u-3")
	}
	var got []string
	for next := ""; ; {
		p, err := o.box.Page(t.Context(), ingest.LetterFilter{}, next, 2)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range p.Letters {
			got = append(got, strings.TrimPrefix(l.ID, "facts-0."))
		}
		if next = p.Next; next == "" {
			break
		}
		o.send("puchase", "u-9")
	}
	if want := "3.2 3.1 3.0 2.2 2.1 2.0 1.2 1.1 1.0"; strings.Join(got, " ") != want {
		t.Errorf("got %v, want %s", got, want)
	}
	if _, err := o.box.Page(t.Context(), ingest.LetterFilter{}, "x", 2); !errors.As(err, new(event.Invalids)) {
		t.Errorf("a place that is none: %v", err)
	}
}

// TestLetters_replay sends letters again when their event is declared: each is
// counted once, under the ID it has, long behind the late window.
func TestLetters_replay(t *testing.T) {
	o := newOffice(t)
	o.send("puchase", "u-1", "u-2")
	o.send("visit", "u-1")
	o.metrics["puchase"] = true
	order, err := o.order(true, ingest.LetterFilter{Name: "puchase"})
	if err != nil || order.Letters != 2 {
		t.Fatalf("the order is %+v, %v", order, err)
	}
	o.send("puchase", "u-3") // declared by now
	o.want(ingest.LetterFilter{}, "facts-0.2.0 visit")
	if out := o.carry(order); out.Sent != 2 || out.Dead != 0 || out.Refused != 0 {
		t.Errorf("the outcome is %+v", out)
	}
	o.load()
	o.want(ingest.LetterFilter{}, "facts-0.2.0 visit")
	o.balanced(3)
	if _, _, err := o.orders.Carried(order.ID, ingest.Outcome{}, "sluice"); !errors.Is(err, ingest.ErrCarriedOut) {
		t.Errorf("a second outcome: %v", err)
	}
}

// TestLetters_replayInVain: what is not declared still, and what the door
// refuses, comes back with a reason and can be ordered about anew.
func TestLetters_replayInVain(t *testing.T) {
	o := newOffice(t)
	o.send("puchase", "u-1", "u-2")
	order, _ := o.order(true, ingest.LetterFilter{IDs: []string{"facts-0.1.0"}})
	if out := o.carry(order); out.Sent != 1 || out.Dead != 1 {
		t.Errorf("the outcome is %+v", out)
	}
	o.load()
	o.want(ingest.LetterFilter{}, "facts-0.2.0 puchase", "facts-0.1.1 puchase")

	refuse := o.resender.Take
	o.resender.Take = func(ctx context.Context, r ingest.Request, now time.Time) (ingest.Receipt, error) {
		if _, err := refuse(ctx, r, now); err != nil {
			return ingest.Receipt{}, err
		}
		return ingest.Receipt{Accepted: 1, Rejected: []ingest.Rejection{
			{Index: 1, Field: "flag", Reason: ingest.UnknownFlag, Why: "is gone"}, {Index: 1, Field: "unit", Reason: ingest.Malformed, Why: "is wrong too"},
		}}, nil
	}
	order, _ = o.order(true, ingest.LetterFilter{Name: "puchase"})
	if out := o.carry(order); out.Sent != 1 || out.Refused != 1 {
		t.Errorf("the outcome is %+v", out)
	}
	o.want(ingest.LetterFilter{Reason: ingest.UnknownFlag}, fmt.Sprintf("facts-0.2.0.%d puchase", order.Seq))
	if _, err := o.order(false, ingest.LetterFilter{Text: "IS GONE"}); err != nil {
		t.Error(err)
	}
	o.want(ingest.LetterFilter{Reason: ingest.UnknownFlag})
}

// TestLetters_replayEndsHalfWay: a replay that was broken off goes on where it
// was; after a new start it is done again from its start. Neither counts anything
// twice.
func TestLetters_replayEndsHalfWay(t *testing.T) {
	o := newOffice(t)
	users := make([]string, 600)
	for i := range users {
		users[i] = fmt.Sprint("u-", i)
	}
	o.send("puchase", users...)
	o.send("puchase", users...)
	o.metrics["puchase"] = true
	order, _ := o.order(true, ingest.LetterFilter{Name: "puchase"})
	take, calls := o.resender.Take, 0
	o.resender.Take = func(ctx context.Context, r ingest.Request, now time.Time) (ingest.Receipt, error) {
		if calls++; calls == 2 {
			return ingest.Receipt{}, ingest.ErrBusy
		}
		return take(ctx, r, now)
	}
	if _, err := o.resender.Carry(t.Context(), order, noon.Add(time.Hour)); !errors.Is(err, ingest.ErrBusy) {
		t.Fatalf("the first try: %v", err)
	}
	o.load()
	again := &ingest.Resender{Box: o.box, Take: take, Streams: o.resender.Streams}
	if out, err := again.Carry(t.Context(), order, noon.Add(time.Hour)); out.Sent != 1200 || err != nil {
		t.Errorf("after a new start: %+v, %v", out, err)
	}
	if _, err := o.resender.Carry(t.Context(), order, noon.Add(time.Hour)); err != nil { // and the log does not take its outcome
		t.Fatal(err)
	}
	if out := o.carry(order); out.Sent != 1200 || calls != 3 {
		t.Errorf("the outcome is %+v after %d requests, want 3: one that was taken, one that was not, the rest", out, calls)
	}
	o.load()
	o.want(ingest.LetterFilter{})
	o.balanced(1200)
}

// TestLetters_replayOfWhatCannotBeRead publishes the very message again, for a
// program that knows its version; what was lost cannot be replayed.
func TestLetters_replayOfWhatCannotBeRead(t *testing.T) {
	o := newOffice(t)
	o.publish(t, []byte("SLPK of a later version"))
	o.load()
	o.publish(t, codec.Encode(exposures(0, 1)))
	o.stream.Lose(2)
	o.publish(t, codec.Encode(exposures(1, 1)))
	o.load()
	order, err := o.order(true, ingest.LetterFilter{From: 1})
	if err != nil || order.Letters != 1 {
		t.Fatalf("the order is %+v, %v", order, err)
	}
	o.carry(order)
	o.load()
	o.want(ingest.LetterFilter{Reason: ingest.Unreadable}, "facts-0.4.0 ")
	if _, err := o.order(true, ingest.LetterFilter{Reason: ingest.Lost}); err == nil || !strings.Contains(err.Error(), "selects no letter") {
		t.Errorf("a replay of what was lost: %v", err)
	}
	if _, err := o.order(false, ingest.LetterFilter{Reason: ingest.Lost}); err != nil {
		t.Error(err)
	}
	o.want(ingest.LetterFilter{Reason: ingest.Lost})
}

// TestLetters_buriedTwice: a loader that was killed buries its letters again;
// they do not rise when they were purged in between.
func TestLetters_buriedTwice(t *testing.T) {
	o := newOffice(t)
	o.send("puchase", "u-1", "u-2")
	if _, err := o.order(false, ingest.LetterFilter{IDs: []string{"facts-0.1.1"}}); err != nil {
		t.Fatal(err)
	}
	o.dead.Forget()
	o.kv = ingest.MemKV{}
	o.load() // from the start
	o.want(ingest.LetterFilter{}, "facts-0.1.0 puchase")
}

// TestLetterbox_laggingStream applies no order to half of the letters that it is
// about, because the stream's server lags: the rest would wait again.
func TestLetterbox_laggingStream(t *testing.T) {
	o := newOffice(t)
	o.send("puchase", "u-1")
	o.send("puchase", "u-2")
	if _, err := o.order(false, ingest.LetterFilter{Name: "puchase"}); err != nil {
		t.Fatal(err)
	}
	s := &lagging{&o.dead, 1}
	box := &ingest.Letterbox{Dead: s, Orders: o.orders}
	if p, err := box.Page(t.Context(), ingest.LetterFilter{}, "", 10); !errors.Is(err, event.ErrDamaged) || !strings.Contains(err.Error(), "end at message 1") {
		t.Errorf("%d letters, %v; want a refusal", p.Total, err)
	}
	s.last = 2
	if p, err := box.Page(t.Context(), ingest.LetterFilter{}, "", 10); p.Total != 0 || err != nil {
		t.Errorf("%d letters wait, %v; want none", p.Total, err)
	}
}

func TestOrders_refuses(t *testing.T) {
	for name, c := range map[string]struct {
		order ingest.OrderLetters
		want  string
	}{
		"everything":   {ingest.OrderLetters{Letters: 3}, "selects every letter there is"},
		"nothing":      {ingest.OrderLetters{All: true}, "selects no letter"},
		"by name":      {ingest.OrderLetters{Letters: 1, Filter: ingest.LetterFilter{IDs: make([]string, 1001)}}, "are too many letters by name"},
		"unit":         {ingest.OrderLetters{Letters: 1, Filter: ingest.LetterFilter{Unit: "u-1"}}, "is not the hash of a unit"},
		"turned times": {ingest.OrderLetters{Letters: 1, Filter: ingest.LetterFilter{Since: noon, Until: noon}}, "is not behind since"},
	} {
		_, _, err := new(ingest.Orders).Handle(c.order)
		if !errors.As(err, new(event.Invalids)) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
		if name == "unit" && strings.Contains(err.Error(), "u-1") {
			t.Errorf("the refusal holds the unit's id: %v", err)
		}
	}
}

// TestOrders_recorded keeps the shapes of what stands in logs.
func TestOrders_recorded(t *testing.T) {
	o := newOffice(t)
	o.send("puchase", "u-1", "u-2", "u-3")
	f := ingest.LetterFilter{
		IDs: []string{"facts-0.1.0", "facts-0.1.1"}, Shard: shard, Reason: ingest.UnknownMetric, Environment: "production", Name: "puchase",
		Text: "declares", Since: noon, Until: noon.Add(time.Hour), From: 1, To: 9,
	}
	order, err := o.order(true, f)
	if err != nil {
		t.Fatal(err)
	}
	o.carry(order)
	if _, err := o.order(false, ingest.LetterFilter{Unit: ingest.HashedUnit(unitKey, "user", "u-3")}); err != nil {
		t.Fatal(err)
	}
	var history []event.Recorded
	var lines []string
	for r := range o.log.Read(t.Context(), event.Filter{}, 0) {
		history = append(history, r)
		lines = append(lines, fmt.Sprintf("%s %s", r.Type, r.Data))
	}
	eventtest.Fold(t, func() *ingest.Orders { return &ingest.Orders{} }, history,
		cmp.Comparer(func(a, b *ingest.Orders) bool { return cmp.Equal(a.State(), b.State()) }))
	const file = "testdata/letters.txt"
	got := strings.Join(lines, "\n") + "\n"
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("stored events have another shape:\n%s", diff)
	}
	if err := new(ingest.Orders).Restore(json.RawMessage(`[]`)); err == nil {
		t.Error("a list is restored")
	}
}
