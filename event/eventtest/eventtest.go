// Package eventtest checks that a log or a store of documents keeps the
// promises of package event. Every implementation runs the same tests:
//
//	func TestMemLog(t *testing.T) {
//		eventtest.Log(t, func(*testing.T) event.Log { return event.NewMemLog() })
//	}
//
// It holds no log of its own and knows nothing of how one is stored; damage to
// what is stored is tested beside each implementation.
package eventtest

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/event"
)

// patience bounds everything that a test waits for.
const patience = 2 * time.Minute

// Noon is the time of the events that Event makes.
var Noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// Log runs the conformance tests of event.Log, each on a log of its own that
// open returns empty.
func Log(t *testing.T, open func(t *testing.T) event.Log) {
	for _, test := range []struct {
		name string
		run  func(*testing.T, kit)
	}{
		{"empty", testEmpty},
		{"order", testOrder},
		{"expected sequence", testExpected},
		{"conflict", testConflict},
		{"any", testAny},
		{"same ID", testSameID},
		{"same ID, other writer", testSameIDRace},
		{"chain", testChain},
		{"canonical form", testCanonical},
		{"large event", testLarge},
		{"read after", testReadAfter},
		{"read ends", testReadEnds},
		{"filter", testFilter},
		{"follow", testFollow},
		{"follow ends", testFollowEnds},
		{"refusals", testRefusals},
		{"concurrent writers of one subject", testWriters},
		{"many subjects", testManySubjects},
		{"projection", testProjection},
	} {
		t.Run(test.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(context.Background(), patience)
			defer cancel()
			test.run(t, kit{t: t, ctx: ctx, log: open(t)})
		})
	}
}

// Event returns an event of a subject whose ID and data derive from n.
func Event(subject string, n int) event.Event {
	return event.Event{
		ID: event.Derive("eventtest", subject, fmt.Sprint(n)), Source: "sluice/eventtest", Type: "thing.changed",
		Subject: subject, Time: Noon.Add(time.Duration(n) * time.Second), Actor: "person:ana",
		Data: json.RawMessage(fmt.Sprintf(`{"n":%d}`, n)),
	}
}

// kit is a log under test with what tests do to it.
type kit struct {
	t   *testing.T
	ctx context.Context
	log event.Log
}

// append appends an event that must be accepted, and returns its sequence.
func (k kit) append(e event.Event, x event.Expect) uint64 {
	k.t.Helper()
	seq, err := k.log.Append(k.ctx, e, x)
	if err != nil {
		k.t.Fatalf("Append(%s, %d) = %v", e.Subject, x, err)
	}
	return seq
}

// fill appends n events round and round the subjects.
func (k kit) fill(n int, subjects ...string) {
	k.t.Helper()
	for i := range n {
		k.append(Event(subjects[i%len(subjects)], i), event.Any)
	}
}

func (k kit) last() uint64 {
	k.t.Helper()
	last, err := k.log.Last(k.ctx)
	if err != nil {
		k.t.Fatalf("Last() = %v", err)
	}
	return last
}

func (k kit) read(f event.Filter, after uint64) []event.Recorded {
	k.t.Helper()
	var list []event.Recorded
	for r, err := range k.log.Read(k.ctx, f, after) {
		if err != nil {
			k.t.Fatalf("Read(%v, %d) = %v", f, after, err)
		}
		list = append(list, r)
	}
	return list
}

func (k kit) seqs(f event.Filter, after uint64) []uint64 {
	k.t.Helper()
	return seqs(k.read(f, after))
}

func (k kit) same(what string, got, want any) {
	k.t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		k.t.Errorf("%s (-want +got):\n%s", what, d)
	}
}

func seqs(list []event.Recorded) []uint64 {
	var s []uint64
	for _, r := range list {
		s = append(s, r.Seq)
	}
	return s
}

func upTo(n uint64) []uint64 {
	var s []uint64
	for i := range n {
		s = append(s, i+1)
	}
	return s
}
