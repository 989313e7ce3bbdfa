package ingest

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
func (r Reason) Known() bool {
	switch r {
	case Malformed, UnknownKind, UnknownFlag, NotAllowed, TimeWindow, UnknownMetric, Unreadable, Rejected, Lost:
		return true
	}
	return false
}
