package event_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/event/eventtest"
)

// history returns n events, as a log keeps them, of three subjects.
func history(t testing.TB, n int) []event.Recorded {
	t.Helper()
	log := event.NewMemLog()
	for i := range n {
		if _, err := log.Append(t.Context(), eventtest.Event(fmt.Sprintf("flag.f%d", i%3), i), event.Any); err != nil {
			t.Fatal(err)
		}
	}
	return all(t, log)
}

func all(t testing.TB, log event.Log) []event.Recorded {
	t.Helper()
	var list []event.Recorded
	for r, err := range log.Read(t.Context(), event.Filter{}, 0) {
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, r)
	}
	return list
}

// failure returns what a chain says of a history, nil when it is whole.
func failure(list []event.Recorded) error {
	var c event.Chain
	for _, r := range list {
		if err := c.Next(r); err != nil {
			return err
		}
	}
	return nil
}

func TestChainNamesTheFirstEventThatFails(t *testing.T) {
	if err := failure(history(t, 9)); err != nil {
		t.Fatalf("a whole history: %v", err)
	}
	for name, c := range map[string]struct {
		spoil func([]event.Recorded) []event.Recorded
		want  string
	}{
		"first missing":  {func(l []event.Recorded) []event.Recorded { return l[1:] }, "event 1 is missing"},
		"middle missing": {func(l []event.Recorded) []event.Recorded { return append(l[:4], l[5:]...) }, "event 5 is missing"},
		"repeated":       {func(l []event.Recorded) []event.Recorded { return append(l[:4], l[3:]...) }, "event 5 is missing"},
		"data":           {func(l []event.Recorded) []event.Recorded { l[4].Data = []byte(`{"n":5}`); return l }, "event 5"},
		"actor":          {func(l []event.Recorded) []event.Recorded { l[4].Actor = "person:eve"; return l }, "event 5"},
		"cause":          {func(l []event.Recorded) []event.Recorded { l[4].Cause = "x"; return l }, "event 5"},
		"time":           {func(l []event.Recorded) []event.Recorded { l[4].Time = l[4].Time.Add(1e6); return l }, "event 5"},
		"hash":           {func(l []event.Recorded) []event.Recorded { l[4].Hash[0]++; return l }, "event 5"},
		"previous":       {func(l []event.Recorded) []event.Recorded { l[4].Prev[31]++; return l }, "event 5"},
		"no JSON":        {func(l []event.Recorded) []event.Recorded { l[4].Data = []byte(`{`); return l }, "event 5"},
		"exchanged": {func(l []event.Recorded) []event.Recorded {
			l[3].Seq, l[6].Seq = l[6].Seq, l[3].Seq
			l[3], l[6] = l[6], l[3]
			return l
		}, "event 4"},
		"rewritten with its hash": {func(l []event.Recorded) []event.Recorded {
			l[4].Data = []byte(`{"n":5}`)
			l[4].Hash, _ = event.Link(l[4].Prev, l[4].Event)
			return l
		}, "event 8"},
	} {
		err := failure(c.spoil(history(t, 9)))
		if !errors.Is(err, event.ErrDamaged) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v; want %q", name, err, c.want)
		}
	}
}

func TestHeadDependsOnEveryPart(t *testing.T) {
	a, b := event.Sum([]byte("a")), event.Sum([]byte("b"))
	heads := map[event.Hash]bool{}
	for _, h := range []event.Hash{event.Head(a, 1, b), event.Head(b, 1, a), event.Head(a, 2, b), event.Head(a, 1, a), event.Head(a, 1<<56, b)} {
		heads[h] = true
	}
	if len(heads) != 5 {
		t.Errorf("five different places have %d heads", len(heads))
	}
}

// TestStoredEventsAreWhatWasHashed is the promise on which every log rests:
// whatever Canonical accepts has the same hash after it was written and read.
func TestStoredEventsAreWhatWasHashed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.String(), rapid.StringMatching(`[<>&\x00-\x1f\x80-\xff]{0,4}`), rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) }))
		e := event.Event{
			ID: event.Derive(text.Draw(t, "id")), Source: text.Draw(t, "source"), Type: text.Draw(t, "type"), Subject: "flag.a",
			Actor: text.Draw(t, "actor"), Cause: text.Draw(t, "cause"),
			Time: time.Unix(rapid.Int64Range(-1e11, 4e11).Draw(t, "seconds"), rapid.Int64Range(0, 1e9).Draw(t, "nanoseconds")),
			Data: []byte(rapid.OneOf(rapid.SampledFrom([]string{"1", " null", `"<&>"`, `{"a" : [1, 2.0e5]}`}), text).Draw(t, "data")),
		}
		log := event.NewMemLog()
		if _, err := log.Append(t.Context(), e, 0); err != nil {
			return // refused, which is always allowed
		}
		for r := range log.Read(t.Context(), event.Filter{}, 0) {
			again := reread(t, r)
			if err := again.Check(); err != nil {
				t.Fatalf("%+v is read as %+v: %v", r, again, err)
			}
		}
	})
}
