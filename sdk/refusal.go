package sdk

import "encoding/json"

// Refusal is an event that will not be stored, and why. An event has one for
// each of its faults.
type Refusal struct {
	Event  json.RawMessage // as it was, or would have been, sent
	Field  string          // "unit.id"; empty for the event as a whole
	Value  string          // of the field, shortened
	Reason string          // one word, as the server has it: "malformed", "unknown_flag", "time_window"
	Why    string          // "is not a flag of production"
	Fix    string          // what to send instead
}

// mostFact bounds one event. The server takes none that is larger than a
// megabyte, and one of many must not fill a request.
const mostFact = 256 << 10

// refuse counts and reports an event that is not worth sending.
func (p *Provider) refuse(f *fact, field, why, fix string) {
	b, err := f.encode()
	if err != nil {
		return // unreachable: facts are texts and finite numbers
	}
	p.queue.note(func(c *queueCounts) { c.unfit++ })
	p.config.log().Debug("an event is not sent", "name", f.Name, "field", field, "why", why)
	if p.config.Refused != nil {
		p.config.Refused(Refusal{Event: b, Field: field, Reason: "malformed", Why: why, Fix: fix})
	}
}
