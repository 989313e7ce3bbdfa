package event

import (
	"encoding/json"
	"fmt"
	"time"
)

// SealSubject and SealType name the events that seal the log.
const (
	SealSubject = "seal"
	SealType    = "seal.made"
)

// SealEvery is the number of events after which a seal is due; it is due
// after SealAfter as well, when anything happened since the last.
const (
	SealEvery = 256
	SealAfter = time.Hour
)

// Sealed returns the event that seals a log at m. Its ID derives from the
// place, so that two writers seal it once.
func Sealed(m Mark, now time.Time) Event {
	data, _ := json.Marshal(m) // cannot fail: fixed fields, no floats
	return Event{
		ID: Derive(SealType, fmt.Sprint(m.Seq), m.Head.String()), Source: "sluice/event", Type: SealType,
		Subject: SealSubject, Time: now, Actor: "controller", Data: data,
	}
}

// Seals is a Fold that keeps the newest seal.
type Seals struct {
	Last Mark      `json:"last"` // what the newest seal says; zero before the first
	Seq  uint64    `json:"seq"`  // of the seal's own event
	Made time.Time `json:"made"`
}

var _ Restorer = (*Seals)(nil)

// Apply implements Fold.
func (s *Seals) Apply(r Recorded) error {
	if r.Type != SealType {
		return nil
	}
	s.Seq, s.Made = r.Seq, r.Time
	return json.Unmarshal(r.Data, &s.Last)
}

// State implements Fold.
func (s *Seals) State() any { return *s }

// Snapshot implements Restorer.
func (s *Seals) Snapshot() any { return *s }

// Restore implements Restorer.
func (s *Seals) Restore(b json.RawMessage) error { return json.Unmarshal(b, s) }

// Due reports whether a log at seq wants a seal. Time counts from the newest
// seal; before the first one, 256 events make it due.
func (s *Seals) Due(seq uint64, now time.Time) bool {
	if seq >= s.Seq+SealEvery {
		return true
	}
	return s.Seq > 0 && seq > s.Seq && now.Sub(s.Made) >= SealAfter
}
