package event_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/event/eventtest"
)

// TestFork: what is rehearsed on a fork is what the log would have made of it,
// and the projection that it was forked from does not move.
func TestFork(t *testing.T) {
	log, p, _ := lived(t, 6)
	before := mark(t, p)
	fork, err := p.Fork(newTally(), &keeper{})
	if err != nil {
		t.Fatal(err)
	}
	if mark(t, fork) != before {
		t.Fatal("the fork is at another mark")
	}
	for i := range 3 {
		e := eventtest.Event([]string{"flag.a", "flag.c"}[i%2], 100+i)
		seq, err := fork.Rehearse(e)
		if err != nil || seq != uint64(7+i) {
			t.Fatalf("rehearsing %d: got %d, %v", i, seq, err)
		}
		if mark(t, p) != before {
			t.Fatal("a rehearsal moved the projection")
		}
	}
	for i := range 3 {
		if _, err := log.Append(t.Context(), eventtest.Event([]string{"flag.a", "flag.c"}[i%2], 100+i), event.Any); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.Catch(t.Context(), log); err != nil {
		t.Fatal(err)
	}
	if mark(t, fork) != mark(t, p) {
		t.Error("the log made something else of the same events")
	}
}

func TestFork_refuses(t *testing.T) {
	_, p, _ := lived(t, 2)
	for want, folds := range map[string][]event.Fold{
		"1 folds cannot take the state of 2": {newTally()},
		"unkept cannot be restored":          {newTally(), unkept{}},
		"copying the state of":               {newTally(), &illegible{}},
	} {
		if _, err := p.Fork(folds...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	fork, err := p.Fork(newTally(), &keeper{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fork.Rehearse(event.Event{}); err == nil {
		t.Error("an event without a subject was rehearsed")
	}
}

// illegible cannot read what another fold kept.
type illegible struct{ keeper }

func (*illegible) Restore(json.RawMessage) error { return event.ErrDamaged }
