package ingest

import "slices"

// Reason says in one word why an event was rejected or is dead. Reasons are
// part of the API and of stored letters: they never change.
type Reason string

// Reasons of rejections, by the door; also of letters that it refused when they
// were sent again.
const (
	Malformed   Reason = "malformed"    // a field is missing, unknown, of the wrong type or out of range
	UnknownKind Reason = "unknown_kind" // no such kind of event
	UnknownFlag Reason = "unknown_flag" // the environment has no such flag
	NotAllowed  Reason = "not_allowed"  // a client's token sent an event that only a server may
	TimeWindow  Reason = "time_window"  // too far in the future, or older than the late window
)

// Reasons of dead letters.
const (
	UnknownMetric Reason = "unknown_metric" // no metric declares the event; send again after declaring
	Unreadable    Reason = "unreadable"     // the message is damaged or of an unknown version
	Rejected      Reason = "rejected"       // the store does not take the row
	Lost          Reason = "lost"           // the stream lost the message: a gap in its sequence
)

// Known reports whether it is one of these: somebody who looks for another one
// must not be told that there is none.
func (r Reason) Known() bool { return slices.Contains(Reasons, r) }

// Reasons are all of them, those of dead letters first.
var Reasons = []Reason{UnknownMetric, Unreadable, Rejected, Lost, Malformed, UnknownKind, UnknownFlag, NotAllowed, TimeWindow}

// fixOf says what to do about a dead letter.
var fixOf = map[Reason]string{
	UnknownMetric: "declare a metric that uses it, then send the dead letter again",
	Unreadable:    "keep its bytes for whoever looks into it; send it again after an update that can read it, or purge it",
	Rejected:      "mend what the store says, then send it again",
	Lost:          "nothing of it is left here: have its sender send it anew, under the IDs that it had, then purge it",
	Malformed:     "what is stored does not change: mend its sender, have the event sent anew, then purge it",
	UnknownKind:   "send it again once this server knows the kind; else mend its sender, then purge it",
	UnknownFlag:   "create the flag, then send it again; or mend the flag's name at its sender, then purge it",
	NotAllowed:    "have a server send it, with a token of its own, then purge it",
	TimeWindow:    "set the clock of its sender, and send it again when its time has come; or purge it",
}

// Fix says what to do about a dead letter.
func (l Letter) Fix() string {
	if !l.Sendable() && l.Reason != Lost {
		return "it cannot be sent again: purge it once its cause is mended"
	}
	return fixOf[l.Reason]
}
