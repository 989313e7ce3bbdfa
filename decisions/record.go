package decisions

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"github.com/sluice-hq/sluice/event"
)

// Record is one decision with all that it rests on: what an auditor is shown,
// and enough to recompute it without a server.
type Record struct {
	Rollout     string      `json:"rollout"`
	Hypothesis  string      `json:"hypothesis,omitempty"`
	Links       []string    `json:"links,omitempty"` // of the plan: ticket, documents, dashboards
	Decision    Decision    `json:"decision"`
	Before      string      `json:"before"` // name of the stage; empty: before the first
	After       string      `json:"after"`
	Recommended *Decision   `json:"recommended,omitempty"` // what a person decided over; nil: the controller decided
	Approvals   []Approval  `json:"approvals,omitempty"`   // that the verdict counted
	Effect      *FlagChange `json:"effect,omitempty"`      // what it did to the flag; nil: nothing

	Event    event.Recorded  `json:"event"`              // as the log has it, with its place in the hash chain
	Document json.RawMessage `json:"document,omitempty"` // the Input, byte for byte but for blanks; of a person's decision, that of what he decided over
}

// FlagChange names the event by which a decision changed its flag.
type FlagChange struct {
	Seq  uint64     `json:"seq"`
	ID   string     `json:"id"`
	At   time.Time  `json:"at"`
	Hash event.Hash `json:"hash"`
}

// Record returns what the state knows of a decision's record. The event, the
// document and the effect are for whoever has the log to add.
func (s *State) Record(id string) (Record, bool) {
	r, d, ok := s.Decision(id)
	if !ok {
		return Record{}, false
	}
	out := Record{Rollout: r.ID, Hypothesis: r.Plan.Hypothesis, Links: r.Plan.Links, Decision: d, Before: r.stageName(d.From), After: r.after(d)}
	if _, advice, ok := s.Decision(d.Advice); ok && d.Advice != "" {
		out.Recommended = &advice
	}
	return out, true
}

// stageName names a stage by its place, "" before the first.
func (r Rollout) stageName(i int) string {
	if i < 0 || i >= len(r.Plan.Stages) {
		return ""
	}
	return r.Plan.Stages[i].Name
}

// after names where the rollout is once the decision has its effect.
func (r Rollout) after(d Decision) string {
	switch d.Verdict.Action {
	case Rollback:
		return "safe variant for everybody"
	case Cleanup:
		return "over; the flag is due for its end state"
	}
	return r.stageName(d.Verdict.Stage)
}

// Input returns the document of the record; nil: it has none.
func (r Record) Input() (*Input, error) {
	if len(r.Document) == 0 {
		return nil, nil
	}
	in, err := readInput(r.Document)
	return &in, err
}

// Checked is what a record proves by itself.
type Checked struct {
	Event      string      `json:"event,omitempty"`      // why the event, or what is shown of it, is not what was written; empty: it is
	Document   string      `json:"document,omitempty"`   // why the document is not the one that the event names
	Recomputed *Recomputed `json:"recomputed,omitempty"` // nil of a person's decision, which follows from nothing
}

// OK reports whether nothing is against the record.
func (c Checked) OK() bool {
	return c.Event == "" && c.Document == "" && (c.Recomputed == nil || c.Recomputed.Same && len(c.Recomputed.Faults) == 0)
}

// Check looks at a record alone: the hash of its event, what the record shows of
// it, the hash of its document, and the verdict, which it makes again.
func (r Record) Check() (c Checked, err error) {
	e, err := event.Canonical(r.Event.Event)
	if err != nil {
		return c, fmt.Errorf("reading the event of the record: %w", err)
	}
	r.Event.Event = e
	if err := r.Event.Check(); err != nil {
		c.Event = err.Error()
	}
	m, err := load[made](r.Event)
	if err != nil {
		return c, err
	}
	if c.Event == "" && !r.shows(m) {
		c.Event = "the decision that is shown is not the one that the event recorded"
	}
	if r.Event.Actor != Controlling { // by the event: what is shown may be anything
		return c, nil
	}
	doc, err := compacted(r.Document)
	if err != nil {
		return c, err
	}
	if event.Sum(doc) != m.Input.SHA256 {
		c.Document = fmt.Sprintf("it hashes to %s, and the event names %s", event.Sum(doc), m.Input.SHA256)
	}
	again, err := FromRecord(doc, m.Verdict)
	c.Recomputed = &again
	return c, err
}

// shows reports whether the decision of the record is the one of its event. What
// became of it later stands in other events.
func (r Record) shows(m made) bool {
	want := m.decision(r.Event)
	want.Effect, want.Lapsed = r.Decision.Effect, r.Decision.Lapsed
	return r.Rollout == m.Rollout && equal(r.Decision, want)
}

// compacted takes out the blanks that a document was given to be read.
func compacted(doc []byte) ([]byte, error) {
	var b bytes.Buffer
	if err := json.Compact(&b, doc); err != nil {
		return nil, fmt.Errorf("reading the document of the record: %w", err)
	}
	return b.Bytes(), nil
}
