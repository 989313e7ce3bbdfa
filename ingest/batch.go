package ingest

import (
	"encoding/json"
	"time"

	"github.com/sluice-hq/sluice/event"
)

// Batch is the events of one request, of one pack or of one message: their
// rows, and those that can only become dead letters. Each event is in one of
// the two, so that what was acknowledged is what is counted or dead.
type Batch struct {
	Rows
	Dead     []Dead
	Count    uint32    // events; their indexes are 0 to Count-1
	Oldest   time.Time // least event time; zero without events
	Newest   time.Time // greatest event time, at most the time of arrival: a sender's fast clock makes no data fresh
	Received time.Time // latest arrival
}

// Dead is an event that was accepted and cannot be counted.
type Dead struct {
	Place
	ID          event.ID
	Environment string
	Name        string // of the event
	Reason      Reason
	Why         string          // a sentence for whoever reads the letter
	At          time.Time       // of the event
	Fact        json.RawMessage // the event as it can be sent again, units as hashes
}

// Extend adds the events of more behind those of b.
func (b *Batch) Extend(more Batch) {
	more.shift(b.Count)
	if b.Count == 0 || more.Oldest.Before(b.Oldest) {
		b.Oldest = more.Oldest
	}
	b.Newest, b.Received = later(b.Newest, more.Newest), later(b.Received, more.Received)
	b.Rows.Append(more.Rows)
	b.Dead = append(b.Dead, more.Dead...)
	b.Count += more.Count
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

// shift moves the indexes of all events up by n.
func (b *Batch) shift(n uint32) {
	b.stamp(func(p *Place) { p.Idx += n })
}

// place writes down where the batch was found.
func (b *Batch) place(shard string, seq uint64) {
	b.stamp(func(p *Place) { p.Shard, p.Seq = shard, seq })
}

func (b *Batch) stamp(f func(*Place)) {
	for i := range b.Exposures {
		f(&b.Exposures[i].Place)
	}
	for i := range b.Metrics {
		f(&b.Metrics[i].Place)
	}
	for i := range b.Deployments {
		f(&b.Deployments[i].Place)
	}
	for i := range b.Readings {
		f(&b.Readings[i].Place)
	}
	for i := range b.Control {
		f(&b.Control[i].Place)
	}
	for i := range b.Dead {
		f(&b.Dead[i].Place)
	}
}

// split cuts a batch into parts that each hold at most events events and about
// size bytes; a single event is never cut.
func (b Batch) split(events uint32, size int) []Batch {
	if b.Count <= 1 || b.Count <= events && b.size() <= size {
		return []Batch{b}
	}
	at := b.Count / 2
	if b.Count > events {
		at = events // as few packs as the number of events allows
	}
	return append(b.only(0, at).split(events, size), b.only(at, b.Count).split(events, size)...)
}

// only returns a copy of the events from..to-1. It keeps the batch's times,
// which bound those of its events.
func (b Batch) only(from, to uint32) Batch {
	in := func(p Place) bool { return from <= p.Idx && p.Idx < to }
	part := b
	part.Rows = b.Keep(func(_ Key, p Place) bool { return in(p) })
	part.Dead = nil
	for _, d := range b.Dead {
		if in(d.Place) {
			part.Dead = append(part.Dead, d)
		}
	}
	part.Count = to - from
	part.stamp(func(p *Place) { p.Idx -= from })
	return part
}

// size estimates the bytes of a pack of this batch before compression. Names
// repeat and are written once; IDs, hashes, values and attributes are not.
func (b Batch) size() int {
	const bare = 48 // ID, unit, value, time and references of one row
	n := bare * (b.Rows.Len() + len(b.Dead))
	for _, r := range b.Exposures {
		n += weigh(r.Attributes)
	}
	for _, r := range b.Metrics {
		n += weigh(r.Attributes)
	}
	for _, r := range b.Deployments {
		n += weigh(r.Attributes) + len(r.Service) + len(r.Version)
	}
	for _, r := range b.Readings {
		n += weigh(r.Labels)
	}
	for _, d := range b.Dead {
		n += len(d.Fact) + len(d.Why)
	}
	return n
}

func weigh(attributes map[string]string) int {
	n := 0
	for k, v := range attributes {
		n += len(k) + len(v)
	}
	return n
}
