package eventtest

import (
	"context"
	"testing"
	"time"

	"github.com/sluice-hq/sluice/event"
)

// audit checks the chain of the whole log and returns its end.
func (k kit) audit() event.Audit {
	k.t.Helper()
	var a event.Audit
	for _, r := range k.read(event.Filter{}, 0) {
		if err := a.Next(r); err != nil {
			k.t.Fatal(err)
		}
	}
	return a
}

func testChain(t *testing.T, k kit) {
	k.fill(12, "flag.a", "flag.b", "metric.a")
	k.audit()
	list := k.read(event.Filter{}, 0)
	for i, r := range list {
		var prev event.Hash
		if i >= 3 {
			prev = list[i-3].Hash
		}
		k.same("previous hash", r.Prev, prev)
	}
}

// testCanonical appends what is the same event in another form: what is stored
// and hashed does not depend on it.
func testCanonical(t *testing.T, k kit) {
	e := Event("flag.a", 1)
	e.Time = e.Time.In(time.FixedZone("", 3600)).Add(999 * time.Microsecond)
	e.Data = []byte(" {\"text\" : \"a<b & c>d \u2028\" , \"n\" : 1.50}\n")
	e.Actor, e.Cause = "person:<ana>", "über & mehr"
	want, err := event.Canonical(e)
	if err != nil {
		t.Fatal(err)
	}
	hash, err := event.Link(event.Hash{}, want)
	if err != nil {
		t.Fatal(err)
	}
	k.append(e, 0)
	k.same("stored", k.read(event.Filter{}, 0), []event.Recorded{{Event: want, Seq: 1, Hash: hash}})
}

func testReadAfter(t *testing.T, k kit) {
	k.fill(10, "flag.a", "flag.b")
	for after := range uint64(12) {
		var want []uint64
		for s := after + 1; s <= 10; s++ {
			want = append(want, s)
		}
		k.same("sequences", k.seqs(event.Filter{}, after), want)
	}
}

func testReadEnds(t *testing.T, k kit) {
	k.fill(10, "flag.a")
	n := 0
	for r, err := range k.log.Read(k.ctx, event.Filter{}, 0) {
		if err != nil {
			t.Fatal(err)
		}
		if n++; r.Seq == 3 {
			k.append(Event("flag.a", 99), event.Any) // behind the end as it was
			break
		}
	}
	k.same("events before the break", n, 3)
	done, cancel := context.WithCancel(k.ctx)
	defer cancel()
	n = 0
	for _, err := range k.log.Read(done, event.Filter{}, 0) {
		if n++; err != nil {
			t.Errorf("Read = %v", err)
		}
		cancel()
	}
	k.same("events before the context was done", n, 1)
}

func testFilter(t *testing.T, k kit) {
	for i, s := range []string{"flag.a", "flag.a.b", "flag.ab", "metric.a", "rollout.production.a", "seal"} {
		k.append(Event(s, i), 0)
	}
	for _, c := range []struct {
		subjects []string
		want     []uint64
	}{
		{nil, upTo(6)},
		{[]string{"flag.a"}, []uint64{1}},
		{[]string{"flag.a.>"}, []uint64{2}},
		{[]string{"flag.>"}, []uint64{1, 2, 3}},
		{[]string{"metric.>", "seal"}, []uint64{4, 6}},
		{[]string{"rollout.production.>", "flag.ab"}, []uint64{3, 5}},
		{[]string{"segment.>"}, nil},
	} {
		k.same("sequences", k.seqs(event.Filter{Subjects: c.subjects}, 0), c.want)
	}
}

// testFollow starts before the first event is there, and is woken for each.
func testFollow(t *testing.T, k kit) {
	ctx, cancel := context.WithCancel(k.ctx)
	defer cancel()
	all, flags := k.follow(ctx, event.Filter{}), k.follow(ctx, event.Filter{Subjects: []string{"flag.>"}})
	for i := range 5 {
		k.append(Event("flag.a", i), event.Any)
		k.append(Event("metric.a", i), event.Any)
		k.same("followed", k.take(all), uint64(2*i)+1)
		k.same("followed", k.take(all), uint64(2*i)+2)
		k.same("followed by filter", k.take(flags), uint64(2*i)+1)
	}
	cancel()
	if r, open := <-all; open {
		t.Errorf("event %d after the context was done", r)
	}
}

// follow sends the sequences that Follow yields, and closes at its end.
func (k kit) follow(ctx context.Context, f event.Filter) <-chan uint64 {
	found := make(chan uint64, 100)
	go func() {
		defer close(found)
		for r, err := range k.log.Follow(ctx, f, 0) {
			if err != nil {
				k.t.Errorf("Follow = %v", err)
				return
			}
			found <- r.Seq
		}
	}()
	return found
}

func (k kit) take(found <-chan uint64) uint64 {
	k.t.Helper()
	select {
	case seq := <-found:
		return seq
	case <-k.ctx.Done():
		k.t.Fatal("Follow was not woken")
		return 0
	}
}

func testFollowEnds(t *testing.T, k kit) {
	k.fill(4, "flag.a")
	n := 0
	for range k.log.Follow(k.ctx, event.Filter{}, 1) {
		if n++; n == 2 {
			break
		}
	}
	k.same("events before the break", n, 2)
	done, cancel := context.WithCancel(k.ctx)
	cancel()
	for r, err := range k.log.Follow(done, event.Filter{}, 4) {
		t.Errorf("Follow with a context that is done yields %d, %v", r.Seq, err)
	}
}

// tally is a fold that counts events by subject.
type tally map[string]int

func (c tally) Apply(r event.Recorded) error { c[r.Subject]++; return nil }
func (c tally) State() any                   { return c }

// testProjection folds the log twice, once while it is written and once
// afterwards: both are the same.
func testProjection(t *testing.T, k kit) {
	ctx, cancel := context.WithCancel(k.ctx)
	running, ended := event.NewProjection(tally{}), make(chan error, 1)
	go func() { ended <- running.Run(ctx, k.log) }()
	k.fill(20, "flag.a", "flag.b", "metric.c")
	if err := running.Wait(k.ctx, k.last()); err != nil {
		t.Fatal(err)
	}
	later := event.NewProjection(tally{})
	if err := later.Catch(k.ctx, k.log); err != nil {
		t.Fatal(err)
	}
	k.same("marks", k.mark(running), k.mark(later))
	k.same("sequence of the mark", k.mark(later).Seq, uint64(20))
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("Run ends with %v", err)
	}
}

func (k kit) mark(p *event.Projection) event.Mark {
	k.t.Helper()
	m, err := p.Mark()
	if err != nil {
		k.t.Fatal(err)
	}
	return m
}
