package event_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/event/eventtest"
)

// tally counts events by subject, and cannot take those of one type.
type tally struct {
	Counts map[string]int
	refuse string
}

var errTally = errors.New("this one is too much")

func (c *tally) Apply(r event.Recorded) error {
	if r.Type == c.refuse {
		return errTally
	}
	c.Counts[r.Subject]++
	return nil
}

func (c *tally) State() any { return c.Counts }

func newTally() *tally { return &tally{Counts: map[string]int{}} }

func TestProjectionRefusesAGap(t *testing.T) {
	list := history(t, 6)
	counts := newTally()
	p := event.NewProjection(counts)
	for _, r := range append(list[:2:2], list[3]) {
		err := p.Apply(r)
		if want := r.Seq == 4; want != errors.Is(err, event.ErrDamaged) {
			t.Errorf("Apply(%d) = %v", r.Seq, err)
		}
	}
	if p.Seq() != 2 || counts.Counts["flag.f0"] != 1 {
		t.Errorf("the projection is at %d with %v", p.Seq(), counts.Counts)
	}
	if err := p.Apply(list[2]); err != nil {
		t.Errorf("the event that was missing: %v", err)
	}
}

func TestFoldErrorNamesTheEventAndStops(t *testing.T) {
	log := event.NewMemLog()
	for i, kind := range []string{"a", "b", "bad", "c"} {
		e := eventtest.Event("flag.a", i)
		e.Type = kind
		if _, err := log.Append(t.Context(), e, event.Any); err != nil {
			t.Fatal(err)
		}
	}
	counts := newTally()
	counts.refuse = "bad"
	p := event.NewProjection(newTally(), counts)
	_, moved := p.Moved()
	err := p.Run(t.Context(), log)
	if !errors.Is(err, errTally) || !strings.Contains(err.Error(), "event 3 (bad of flag.a)") {
		t.Fatalf("Run = %v", err)
	}
	<-moved
	if p.Seq() != 2 || counts.Counts["flag.a"] != 2 || !errors.Is(p.Err(), errTally) {
		t.Errorf("it stands at %d with %v, %v; want at 2", p.Seq(), counts.Counts, p.Err())
	}
	if err := p.Wait(t.Context(), 2); err != nil {
		t.Errorf("Wait(2) = %v", err)
	}
	if err := p.Wait(t.Context(), 3); !errors.Is(err, errTally) {
		t.Errorf("Wait(3) = %v, want why it stopped", err)
	}
	if err := p.Catch(t.Context(), log); !errors.Is(err, errTally) {
		t.Errorf("Catch = %v, want why it stopped", err)
	}
}

func TestWait(t *testing.T) {
	log, p := event.NewMemLog(), event.NewProjection(newTally())
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- p.Run(ctx, log) }()
	for i := range 20 {
		seq, err := log.Append(t.Context(), eventtest.Event("flag.a", i), event.Any)
		if err != nil {
			t.Fatal(err)
		}
		if err := p.Wait(t.Context(), seq); err != nil || p.Seq() < seq {
			t.Fatalf("Wait(%d) = %v at %d", seq, err, p.Seq())
		}
	}
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("Run = %v", err)
	}
	if err := p.Wait(ctx, 21); !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "event 21") {
		t.Errorf("Wait for what never comes = %v", err)
	}
}

func TestMarks(t *testing.T) {
	list := history(t, 8)
	mark := func(n int, folds ...event.Fold) event.Mark {
		p := event.NewProjection(folds...)
		for _, r := range list[:n] {
			if err := p.Apply(r); err != nil {
				t.Fatal(err)
			}
		}
		m, err := p.Mark()
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	if d := cmp.Diff(mark(8, newTally()), mark(8, newTally())); d != "" {
		t.Errorf("equal projections have unequal marks:\n%s", d)
	}
	strange := newTally()
	strange.Counts["flag.x"] = 1
	same, other := mark(8, newTally()), mark(8, strange)
	if same.Head != other.Head || same.State == other.State {
		t.Errorf("another state at the same place: %v, %v", same, other)
	}
	if m := mark(7, newTally()); m.Head == same.Head || m.Seq != 7 {
		t.Errorf("another place has the mark %v", m)
	}
	if _, err := event.NewProjection(broken{}).Mark(); err == nil {
		t.Error("a state that has no JSON has a mark")
	}
}

// broken is a fold whose state cannot be written.
type broken struct{}

func (broken) Apply(event.Recorded) error { return nil }
func (broken) State() any                 { return func() {} }

func TestViewShowsOneSequence(t *testing.T) {
	counts := newTally()
	p := event.NewProjection(counts)
	for _, r := range history(t, 3) {
		if err := p.Apply(r); err != nil {
			t.Fatal(err)
		}
		p.View(func(seq uint64) {
			if n := counts.Counts["flag.f0"] + counts.Counts["flag.f1"] + counts.Counts["flag.f2"]; seq != r.Seq || n != int(seq) {
				t.Errorf("at %d there are %d events", seq, n)
			}
		})
	}
}
