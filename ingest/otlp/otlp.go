// Package otlp reads log records as the OpenTelemetry protocol carries them, in
// protobuf and in JSON, as far as events of feature flags need: their name, time
// and attributes. It never decides what a record means.
//
//	records, err := otlp.Read("application/x-protobuf", body)
//	if records[0].Event == "feature_flag.evaluation" { … }
//
// The messages are those of opentelemetry-proto, logs/v1 and collector/logs/v1,
// whose field numbers never change; unknown fields are passed over. They are read
// by hand because a handful of fields do not pay for generated code of thousands
// of lines.
package otlp

import (
	"fmt"
	"time"

	"github.com/sluice-hq/sluice/event"
)

// Media types of the two encodings.
const (
	Protobuf = "application/x-protobuf"
	JSON     = "application/json"
)

// MaxRecords bounds the records of one request.
const MaxRecords = 10_000

// eventName is the attribute that named an event before records had a name.
const eventName = "event.name"

// Record is one log record.
type Record struct {
	Event       string            // its name; "" for a record that is no event
	At          time.Time         // when it happened, else when it was observed; zero: nobody says
	Trace, Span string            // in hexadecimal digits; "" when there is none
	Attributes  map[string]string // scalars as text; lists, maps and bytes are left out
}

// settle fills in what a record says in several ways.
func (r *Record) settle(happened, observed uint64) {
	if happened == 0 {
		happened = observed
	}
	if happened > 0 && happened < 1<<63 {
		r.At = time.Unix(0, int64(happened)).UTC()
	}
	if r.Event == "" {
		r.Event = r.Attributes[eventName]
	}
}

// set keeps an attribute. Names that are repeated are against the protocol; the
// last one counts.
func (r *Record) set(name, text string) {
	if r.Attributes == nil {
		r.Attributes = map[string]string{}
	}
	r.Attributes[name] = text
}

// Read returns the records of an ExportLogsServiceRequest, in order. What cannot
// be read is event.Invalids.
func Read(media string, body []byte) ([]Record, error) {
	if media == Protobuf {
		return readProtobuf(body)
	}
	return readJSON(body)
}

func invalid(why, fix string) error {
	return event.Invalids{{Path: "body", Why: why, Fix: fix}}
}

func tooMany() error {
	return invalid(fmt.Sprintf("holds more than %d records", MaxRecords), "send smaller batches")
}
