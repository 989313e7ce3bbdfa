package eventtest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sluice-hq/sluice/event"
)

func testEmpty(t *testing.T, k kit) {
	k.same("last of an empty log", k.last(), uint64(0))
	k.same("events of an empty log", k.seqs(event.Filter{}, 0), []uint64(nil))
	k.same("events behind the end", k.seqs(event.Filter{}, 7), []uint64(nil))
}

func testOrder(t *testing.T, k kit) {
	for i := range 25 {
		seq := k.append(Event(fmt.Sprintf("flag.f%d", i%3), i), event.Any)
		k.same("sequence", seq, uint64(i)+1)
	}
	list := k.read(event.Filter{}, 0)
	k.same("sequences", seqs(list), upTo(25))
	for i, r := range list {
		k.same("event", r.Event, Event(fmt.Sprintf("flag.f%d", i%3), i))
	}
	k.same("last", k.last(), uint64(25))
}

func testExpected(t *testing.T, k kit) {
	a := k.append(Event("flag.a", 1), 0)
	b := k.append(Event("flag.b", 1), 0)
	a = k.append(Event("flag.a", 2), event.Expect(a))
	b = k.append(Event("flag.b", 2), event.Expect(b))
	k.append(Event("flag.a.b", 1), 0) // a longer subject is another subject
	a = k.append(Event("flag.a", 3), event.Expect(a))
	k.same("last of a and b", []uint64{a, b}, []uint64{6, 4})
}

func testConflict(t *testing.T, k kit) {
	k.append(Event("flag.a", 1), 0)
	k.append(Event("flag.a", 2), 1)
	k.append(Event("flag.b", 1), 0)
	for _, c := range []struct {
		subject string
		expect  event.Expect
	}{{"flag.a", 0}, {"flag.a", 1}, {"flag.a", 3}, {"flag.a", 4}, {"flag.a", 1 << 40}, {"flag.b", 2}, {"flag.c", 1}, {"flag.c", 3}} {
		if seq, err := k.log.Append(k.ctx, Event(c.subject, 9), c.expect); !errors.Is(err, event.ErrConflict) || seq != 0 {
			t.Errorf("Append(%s, %d) = %d, %v; want a conflict", c.subject, c.expect, seq, err)
		}
	}
	k.same("last after conflicts", k.last(), uint64(3))
	k.same("sequence of the next event", k.append(Event("flag.a", 9), 2), uint64(4))
}

func testAny(t *testing.T, k kit) {
	for i := range 5 {
		k.same("sequence", k.append(Event("flag.a", i), event.Any), uint64(i)+1)
	}
}

// testSameID repeats an event with its own expectation, which is stale by
// then, and with others; at once, and when much has happened since.
func testSameID(t *testing.T, k kit) {
	first := Event("flag.a", 1)
	k.append(first, 0)
	for round := range 3 {
		for _, x := range []event.Expect{0, 1, event.Any, event.Expect(k.last()), 1 << 40} {
			k.same(fmt.Sprintf("sequence of the repeat expecting %d", x), k.append(first, x), uint64(1))
		}
		k.append(Event("flag.a", 10+round), event.Any)
		k.fill(30*(round+1), "flag.b", "metric.c")
	}
	changed := first
	changed.Data = []byte(`{"n":"another"}`)
	k.same("sequence of a changed repeat", k.append(changed, 0), uint64(1))
	k.same("the event that stands", k.read(event.Filter{}, 0)[0].Event, first)
	k.same("events in all", k.last(), uint64(len(k.read(event.Filter{}, 0))))
}

// testSameIDRace has many writers give the same event at once: one of them
// writes it, all succeed.
func testSameIDRace(t *testing.T, k kit) {
	for step := range 5 {
		var all sync.WaitGroup
		got := make([]uint64, 6)
		for i := range got {
			all.Go(func() {
				got[i], _ = k.log.Append(k.ctx, Event("flag.a", step), event.Expect(step))
			})
		}
		all.Wait()
		want := uint64(step) + 1
		k.same("sequences", got, []uint64{want, want, want, want, want, want})
	}
	k.same("last", k.last(), uint64(5))
}

func testLarge(t *testing.T, k kit) {
	e := Event("rollout.production.checkout", 1)
	e.Data = []byte(`"` + strings.Repeat("evidence ", 30_000) + `"`)
	k.append(e, 0)
	k.same("a large event", k.read(event.Filter{}, 0)[0].Event, e)
}

// testRefusals gives events that could not be read back as they were.
func testRefusals(t *testing.T, k kit) {
	for name, spoil := range map[string]func(*event.Event){
		"no data":             func(e *event.Event) { e.Data = nil },
		"half data":           func(e *event.Event) { e.Data = []byte(`{"a":`) },
		"two values":          func(e *event.Event) { e.Data = []byte(`1 2`) },
		"no subject":          func(e *event.Event) { e.Subject = "" },
		"wildcard":            func(e *event.Event) { e.Subject = "flag.*" },
		"all below":           func(e *event.Event) { e.Subject = "flag.>" },
		"blank":               func(e *event.Event) { e.Subject = "flag.a b" },
		"empty token":         func(e *event.Event) { e.Subject = "flag..a" },
		"line":                func(e *event.Event) { e.Subject = "flag.a\r\nPUB x" },
		"long subject":        func(e *event.Event) { e.Subject = "flag." + strings.Repeat("a", 300) },
		"actor not UTF-8":     func(e *event.Event) { e.Actor = "person:\xff" },
		"year 10000":          func(e *event.Event) { e.Time = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) },
		"subject not UTF-8":   func(e *event.Event) { e.Subject = "flag.\xff" },
		"subject ends in dot": func(e *event.Event) { e.Subject = "flag." },
	} {
		e := Event("flag.a", 1)
		spoil(&e)
		if seq, err := k.log.Append(k.ctx, e, event.Any); err == nil || seq != 0 {
			t.Errorf("%s: Append = %d, %v; want it refused", name, seq, err)
		}
	}
	done, cancel := context.WithCancel(k.ctx)
	cancel()
	if _, err := k.log.Append(done, Event("flag.a", 1), 0); !errors.Is(err, context.Canceled) {
		t.Errorf("Append with a context that is done = %v, want it cancelled", err)
	}
	k.same("last after refusals", k.last(), uint64(0))
}

// testWriters lets several writers race for every step of one subject: exactly
// one wins each.
func testWriters(t *testing.T, k kit) {
	const writers, steps = 6, 12
	for step := range steps {
		var all sync.WaitGroup
		won := make([]error, writers)
		for w := range writers {
			all.Go(func() {
				_, won[w] = k.log.Append(k.ctx, Event("flag.a", 100*w+step), event.Expect(step))
			})
		}
		all.Wait()
		if n := count(won, nil); n != 1 {
			t.Errorf("step %d has %d winners", step, n)
		}
		if n := count(won, event.ErrConflict); n != writers-1 {
			t.Errorf("step %d has %d conflicts: %v", step, n, won)
		}
	}
	k.same("sequences", k.seqs(event.Filter{}, 0), upTo(steps))
}

func count(list []error, want error) int {
	n := 0
	for _, err := range list {
		if errors.Is(err, want) {
			n++
		}
	}
	return n
}

// testManySubjects appends to many subjects at once; each has its own order.
func testManySubjects(t *testing.T, k kit) {
	const subjects, each = 40, 3
	var all sync.WaitGroup
	faults := make([]error, subjects)
	for s := range subjects {
		all.Go(func() { faults[s] = k.series(fmt.Sprintf("flag.f%d", s), each) })
	}
	all.Wait()
	if n := count(faults, nil); n != subjects {
		t.Fatalf("only %d writers got through: %v", n, faults)
	}
	k.same("sequences", k.seqs(event.Filter{}, 0), upTo(subjects*each))
	k.audit()
}

func (k kit) series(subject string, n int) error {
	var last uint64
	for i := range n {
		var err error
		if last, err = k.log.Append(k.ctx, Event(subject, i), event.Expect(last)); err != nil {
			return err
		}
	}
	return nil
}
