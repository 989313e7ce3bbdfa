package ingest

import (
	"errors"
	"fmt"
	"strings"
)

// Rejection says why one event of a request was not taken; an event has one
// for each of its faults. The other events of the request are kept.
type Rejection struct {
	Index  int    `json:"index"`           // of the event in the request, from 0
	ID     string `json:"id,omitempty"`    // of the event, when it could be read
	Field  string `json:"field,omitempty"` // "unit.id"; empty for the event as a whole
	Value  string `json:"value,omitempty"` // as it was sent, shortened
	Reason Reason `json:"reason"`
	Why    string `json:"why"`           // "is not a UUID of version 7"
	Fix    string `json:"fix,omitempty"` // what to send instead
}

// Error implements error.
func (r Rejection) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "[%d]", r.Index)
	if r.Field != "" {
		b.WriteString("." + r.Field)
	}
	if r.Value != "" {
		fmt.Fprintf(&b, " %q", r.Value)
	}
	b.WriteString(" " + r.Why)
	if r.Fix != "" {
		b.WriteString("; " + r.Fix)
	}
	return b.String()
}

// Refused is the error of a request of whose events none can be taken: status
// 400, nothing is kept.
type Refused []Rejection

// Error implements error: one fault a line.
func (r Refused) Error() string {
	lines := make([]string, len(r))
	for i, f := range r {
		lines[i] = f.Error()
	}
	return strings.Join(lines, "\n")
}

// Errors of requests that callers test with errors.Is. A body that is not what
// it should be is event.Invalids, a request without one good event Refused:
// both are status 400.
var (
	// ErrTooLarge says that a request is over the limits: status 413.
	ErrTooLarge = errors.New("the request is too large")
	// ErrMedia says that the body's type or encoding is unknown: status 415.
	ErrMedia = errors.New("the body is in a format that is not accepted")
	// ErrBusy says that the events could not be stored now; nothing is known
	// to be kept, and sending them again is safe: status 503.
	ErrBusy = errors.New("events cannot be stored at the moment")
)
