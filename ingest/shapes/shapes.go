// Package shapes reads events as other programs send them: insights of FeatBit,
// events of its release decision agent, of GO Feature Flag's exporters, calls of
// Segment's libraries and CloudEvents. It says what each tells of an exposure or a
// metric event, in one form. It never decides whether that is taken, what it counts
// for, or which variant or revision it means: the door does, which knows the flags.
//
//	got, err := shapes.Read(shapes.Body{Shape: shapes.Segment, Data: body})
//	if got.Events[0].Kind == shapes.Metric { … got.Events[0].Name … }
//
// Senders differ in what they leave out. None knows the revision of a flag; most
// have no ID for an event; each has one key for whom it is about, whatever that is.
package shapes

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/sluice-hq/sluice/event"
)

// Shape names what a body is in. Stored exposures have it as their source, so
// that a name never changes.
type Shape string

// The shapes.
const (
	FeatBit     Shape = "featbit"         // Track Insights API
	Agent       Shape = "featbit-agent"   // track service of FeatBit's release decision agent
	Collector   Shape = "go-feature-flag" // data collector of GO Feature Flag's relay proxy
	Segment     Shape = "segment"         // HTTP Tracking API: track, and batches of calls
	CloudEvents Shape = "cloudevents"     // CNCF CloudEvents 1.0 in JSON, one, a batch, or in headers
)

// Shapes lists them.
var Shapes = []Shape{FeatBit, Agent, Collector, Segment, CloudEvents}

// MaxEvents bounds the events of one body.
const MaxEvents = 1000

// ErrMany says that a body holds more.
var ErrMany = fmt.Errorf("it holds more than %d events", MaxEvents)

// Body is what was sent.
type Body struct {
	Shape  Shape
	Media  string            // of Data, without parameters; matters for CloudEvents alone
	Header map[string]string // attributes of a CloudEvent that came in headers, in lower case without "ce-"; nil: they are in Data
	Data   []byte
}

// Content is what a body says.
type Content struct {
	Events  []Event
	Ignored int // calls that tell of no exposure and no metric event, such as who somebody is
}

// Kind says what an Event is.
type Kind int

// The kinds.
const (
	Metric   Kind = iota + 1
	Exposure      // a unit met a variant
	Own           // an event in the form of this service, in another one's envelope
)

// Claim is what a sender says of whether the unit of an exposure takes part in what
// is measured.
type Claim int

// The claims.
const (
	Unsaid Claim = iota // it does not know
	Takes               // it does
	Out                 // it does not
)

// Event is one event of a body.
type Event struct {
	Index  int     // of its element of the body's list, from 0; one may hold several events
	Kind   Kind    // 0 with Faults alone
	Faults []Fault // what is wrong with its form; nothing else counts then

	Name       string            // of the metric event; the flag of an exposure; the kind of an own event, "" when its data says it
	Variants   []string          // that an exposure may mean, the likeliest first: names and values
	Claim      Claim             // of an exposure
	Reason     string            // of an exposure, as OpenFeature has it; "": not said
	Unit       string            // key of whom it is about; "": not said
	Attributes map[string]string // everything else that is a scalar, also what names units of other kinds
	Value      *float64          // of a metric event; nil: not said
	At         time.Time         // zero: not said
	Data       []byte            // of an own event: JSON
	ID         string            // of an own event's envelope

	Identity string // what tells the sender's events apart
	Named    bool   // Identity is an ID that the sender gave, else it is what the event says, and two may be equal

	prefix string            // of the paths of its fields within its element
	fields map[string]string // what the sender calls a field; a name that begins with "/" has no prefix
}

// Fault is something wrong with the form of an event.
type Fault struct {
	Field, Value, Why, Fix string
}

// Field returns how the sender calls a field of ours, for whoever has to find it.
func (e *Event) Field(ours string) string {
	theirs, ok := e.fields[ours]
	switch {
	case e.Kind == Own:
		return strings.TrimSuffix("data."+ours, ".")
	case !ok:
		return ours
	case theirs[0] == '/':
		return theirs[1:]
	}
	return e.prefix + theirs
}

// Read returns what a body says. A body that is no JSON of the shape is
// event.Invalids, one with too many events ErrMany.
func Read(b Body) (Content, error) {
	r := reading{}
	var err error
	switch b.Shape {
	case FeatBit:
		err = r.each(b.Data, "", r.insight)
	case Agent:
		err = r.each(b.Data, "", r.tracked)
	case Collector:
		err = r.each(b.Data, "events", r.collected)
	case Segment:
		err = r.segment(b.Data)
	case CloudEvents:
		err = r.cloudEvents(b)
	}
	switch {
	case errors.Is(err, ErrMany):
		return Content{}, ErrMany
	case err != nil:
		return Content{}, event.Invalids{{Path: "body", Why: "is not JSON as " + string(b.Shape) + " has it: " + err.Error(), Fix: whole[b.Shape]}}
	}
	return r.Content, nil
}

// whole says what a body has to be.
var whole = map[Shape]string{
	FeatBit:     `send a list of insights: [{"user": {"keyId": "u-1"}, "variations": […], "metrics": […]}]`,
	Agent:       `send a list, or one, of {"user": {"keyId": "u-1"}, "variations": […], "metrics": […]}`,
	Collector:   `send {"events": [{"kind": "tracking", "userKey": "u-1", "key": "purchase", …}]}`,
	Segment:     `send a call, {"userId": "u-1", "event": "purchase", …}, or {"batch": […]} of calls`,
	CloudEvents: `send an event, or a list of them as application/cloudevents-batch+json`,
}

// reading collects the events of a body.
type reading struct{ Content }

// each reads every element of the list of that name in a body that is an object,
// or of a body that is a list; a body that is one element counts as a list of it
// where no name is given.
func (r *reading) each(body []byte, name string, element func(i int, o *object)) error {
	list, err := elements(body, name)
	if err != nil {
		return err
	}
	for i, raw := range list {
		if o, ok := r.objectAt(i, raw, ""); ok {
			element(i, o)
		}
		if len(r.Events) > MaxEvents {
			return ErrMany
		}
	}
	return nil
}

// objectAt returns the object of an element, or files what is none as an event
// that has faults alone.
func (r *reading) objectAt(i int, raw json.RawMessage, path string) (*object, bool) {
	o, ok := objectOf(raw, path)
	if !ok {
		r.Events = append(r.Events, Event{Index: i, Faults: o.faults})
	}
	return o, ok
}

// file adds an event, or what was wrong with what it was read from.
func (r *reading) file(e Event, from ...*object) {
	for _, o := range from {
		e.Faults = append(e.Faults, o.faults...)
	}
	if len(e.Faults) > 0 {
		e = Event{Index: e.Index, Faults: e.Faults}
	}
	r.Events = append(r.Events, e)
}
