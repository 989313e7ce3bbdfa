// Package replica holds what the replicas of one installation say of
// themselves, and what follows when they do not agree. Replicas that have
// applied the same events must be in the same state: one that is not answers
// wrongly, and takes itself out of readiness.
//
// Each replica writes a Report on a Board, where it goes by itself after a
// while, reads the others', and judges where it stands:
//
//	w := &replica.Watch{ID: id, Code: code, Log: log, Projection: p, Board: &replica.MemBoard{}}
//	err := w.Step(ctx, now) // again and again
//	for reason, err := range w.Ready() { … }
//
// It never knows what a state is made of, and decides nothing about another
// replica.
package replica

import (
	"slices"
	"time"

	"github.com/sluice-hq/sluice/event"
)

// Report is what one replica says of itself.
type Report struct {
	ID      string         `json:"id"`                // of the process: another one after every start
	Name    string         `json:"name"`              // for people: where it runs
	Code    string         `json:"code"`              // of the program; replicas of different ones are not compared
	Started time.Time      `json:"started"`           //
	At      time.Time      `json:"at"`                // when it said so
	Seq     uint64         `json:"seq"`               // of the last event that it has applied
	Since   time.Time      `json:"since"`             // when it was first seen there
	Marks   []event.Mark   `json:"marks"`             // at the newest checkpoints, and at Seq when it stands still; oldest first
	Streams map[uint64]int `json:"streams,omitempty"` // connected clients by the revision that they hold
	Out     string         `json:"out,omitempty"`     // why it is out of readiness
}

// state returns the hash of the replica's state at a sequence.
func (r Report) state(seq uint64) (event.Hash, bool) {
	for _, m := range r.Marks {
		if m.Seq == seq {
			return m.State, true
		}
	}
	return event.Hash{}, false
}

// Standing is how a replica stands among the others.
type Standing string

// The standings of a replica.
const (
	Alone    Standing = "alone"    // no other has said anything that can be compared
	Agrees   Standing = "agrees"   // all that can be compared are in the same state
	Majority Standing = "majority" // most are in the same state; the others are wrong
	Minority Standing = "minority" // most are in another state: this one is wrong
	Tied     Standing = "tied"     // nobody can tell who is wrong
)

// Verdict is what the reports say of one replica.
type Verdict struct {
	Standing Standing `json:"standing"`
	Seq      uint64   `json:"seq,omitempty"`    // at which it was compared
	Same     []string `json:"same,omitempty"`   // IDs of the others that are in the same state there
	Differ   []string `json:"differ,omitempty"` // IDs of the others that are not
}

// Out reports whether the replica must take itself out of readiness.
func (v Verdict) Out() bool { return v.Standing == Minority || v.Standing == Tied }

// Judge compares a replica with the others at the sequence that most of them
// have a hash of, the newest of these. Replicas of another program are passed
// over: its state may have other fields, and nobody would be wrong.
func Judge(own Report, others []Report) Verdict {
	best, most := Verdict{Standing: Alone}, 0
	for _, m := range own.Marks {
		states := map[event.Hash][]string{}
		n := 0
		for _, o := range others {
			if state, ok := o.state(m.Seq); ok && o.Code == own.Code && o.ID != own.ID {
				states[state] = append(states[state], o.ID)
				n++
			}
		}
		if n > 0 && (n > most || n == most && m.Seq > best.Seq) {
			best, most = weigh(m, states), n
		}
	}
	return best
}

// weigh counts who is in which state at a mark of the replica that asks.
func weigh(own event.Mark, others map[event.Hash][]string) Verdict {
	v := Verdict{Standing: Agrees, Seq: own.Seq, Same: others[own.State]}
	against := 0
	for state, ids := range others {
		if state != own.State {
			v.Differ = append(v.Differ, ids...)
			against = max(against, len(ids))
		}
	}
	slices.Sort(v.Same)
	slices.Sort(v.Differ)
	switch with := len(v.Same) + 1; {
	case against == 0:
	case with > against:
		v.Standing = Majority
	case with < against:
		v.Standing = Minority
	default:
		v.Standing = Tied
	}
	return v
}
