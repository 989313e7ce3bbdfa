package flags

import (
	"fmt"
	"slices"
	"time"

	"github.com/sluice-hq/sluice/event"
)

// EnvironmentEvents says what an environment keeps of the events that it is
// sent. The zero value keeps every attribute, and what senders record.
type EnvironmentEvents struct {
	Attributes []string  `json:"attributes,omitzero" yaml:"attributes,omitempty"` // that are kept; absent: all but the private ones; empty: none
	Private    []string  `json:"private,omitempty" yaml:"private,omitempty"`      // attributes that are kept nowhere
	Exposures  Recording `json:"exposures,omitempty" yaml:"exposures,omitempty"`  // who records them

	LateWindow      event.Duration `json:"lateWindow,omitempty" yaml:"lateWindow,omitempty"`           // how old an event may be that is not imported; absent: 7 days
	FutureTolerance event.Duration `json:"futureTolerance,omitempty" yaml:"futureTolerance,omitempty"` // how far a sender's clock may be ahead; absent: an hour
}

// Recording says who records that a unit met a variant.
type Recording string

// The ways of recording. A client that cannot send events is recorded by
// whoever evaluates for it.
const (
	BySender   Recording = ""           // clients send exposures
	OnEvaluate Recording = "onEvaluate" // besides, each single evaluation that an allocation answers is one
)

// Bounds of what an environment names; an event has 64 attributes at most.
const (
	maxEventAttributes = 64
	maxEventAttribute  = 128 // bytes of a name
)

// Bounds of the times that an environment takes. A shorter window would refuse
// what replicas themselves send after a time without the streams, a longer
// tolerance would let clocks that are plainly wrong decide who came first.
const (
	leastLate, mostLate     = event.Duration(24 * time.Hour), event.Duration(90 * 24 * time.Hour)
	leastFuture, mostFuture = event.Duration(time.Minute), event.Duration(24 * time.Hour)
)

func checkWindow(faults *event.Invalids, path string, d, least, most event.Duration) {
	if d != 0 && (d < least || d > most) {
		faults.Add(path, d.String(), fmt.Sprintf("is not between %v and %v", least, most), "write a length of time in between, or leave it out")
	}
}

func (e EnvironmentEvents) check() event.Invalids {
	var faults event.Invalids
	checkAttributes(&faults, "attributes", e.Attributes)
	checkAttributes(&faults, "private", e.Private)
	for i, name := range e.Private {
		if slices.Contains(e.Attributes, name) {
			faults.Add(fmt.Sprintf("private[%d]", i), name, "is among the attributes that are kept", "name it in one of the two lists")
		}
	}
	if e.Exposures != BySender && e.Exposures != OnEvaluate {
		faults.Add("exposures", e.Exposures, "is not a way of recording", "write onEvaluate, or leave it out")
	}
	checkWindow(&faults, "lateWindow", e.LateWindow, leastLate, mostLate)
	checkWindow(&faults, "futureTolerance", e.FutureTolerance, leastFuture, mostFuture)
	return faults
}

func checkAttributes(faults *event.Invalids, path string, names []string) {
	if len(names) > maxEventAttributes {
		faults.Add(path, len(names), fmt.Sprintf("are more than the %d attributes that an event can have", maxEventAttributes), "name fewer")
	}
	for i, name := range names {
		at := fmt.Sprintf("%s[%d]", path, i)
		switch {
		case name == "":
			faults.Add(at, nil, "is empty", "name an attribute")
		case len(name) > maxEventAttribute:
			faults.Add(at, nil, fmt.Sprintf("is longer than %d bytes", maxEventAttribute), "no event has such an attribute")
		case slices.Contains(names[:i], name):
			faults.Add(at, name, "is named twice", "name it once")
		}
	}
}
