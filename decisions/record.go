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

	Advised  *event.Recorded `json:"advised,omitempty"`  // event of what a person decided over
	Event    event.Recorded  `json:"event"`              // as the log has it, with its place in the hash chain
	Document json.RawMessage `json:"document,omitempty"` // the Input, byte for byte but for blanks; of a person's decision, that of what he decided over
}

// FlagChange names the event by which a decision changed its flag.
type FlagChange struct {
	Seq  uint64     `json:"seq"`
	ID   string     `json:"id"`
	At   time.Time  `json:"at"`
	Hash event.Hash `json:"hash"`

	Event *event.Recorded `json:"event,omitempty"` // as the log has it; nil in records that were written before it was kept
}

// changeOf names an event by which a flag was changed, and keeps it.
func changeOf(e event.Recorded) *FlagChange {
	return &FlagChange{Seq: e.Seq, ID: e.ID.String(), At: e.Time, Hash: e.Hash, Event: &e}
}

// beside is what a record says next to its decision: where the rollout was, what it
// was for, and who had agreed.
type beside struct {
	Before, After, Hypothesis string
	Links                     []string
	Approvals                 []Approval
}

// tells returns the story as the event of a decision and its document have it; ok
// is false for people's decisions that were recorded before they told one.
func (r Record) tells(m made, in *Input) (s beside, ok bool) {
	switch {
	case r.Event.Actor == Controlling && in != nil:
		was := Rollout{Standing: in.State, Plan: in.Plan}
		return beside{was.stageName(m.From), was.after(m.decision(r.Event)), in.Plan.Hypothesis, in.Plan.Links, in.State.Approvals}, true
	case m.After != "": // what it was for stands in its plan, which no event of the decision holds
		return beside{m.Before, m.After, r.Hypothesis, r.Links, m.Approvals}, true
	}
	return beside{}, false
}

// With returns the record with the events of the decision, of what was recommended
// where a person decided over it, and of the flag change, and with the document;
// what these tell takes the place of what the state remembers.
func (r Record) With(decision event.Recorded, advised, effect *event.Recorded, doc []byte) (Record, error) {
	r.Event, r.Advised, r.Document = decision, advised, doc
	if effect != nil {
		r.Effect = changeOf(*effect)
	}
	m, err := load[made](decision)
	if err != nil {
		return r, err
	}
	in, err := r.Input()
	if s, ok := r.tells(m, in); ok {
		r.Before, r.After, r.Hypothesis, r.Links, r.Approvals = s.Before, s.After, s.Hypothesis, s.Links, s.Approvals
	} else if err == nil && in != nil {
		r.Approvals = in.State.Approvals
	}
	return r, err
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
	switch {
	case d.Verdict.Action == Rollback && !d.goesBack():
		return "safe variant for everybody"
	case d.Verdict.Action == Cleanup:
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

// compacted takes out the blanks that a document was given to be read.
func compacted(doc []byte) ([]byte, error) {
	var b bytes.Buffer
	if err := json.Compact(&b, doc); err != nil {
		return nil, fmt.Errorf("reading the document of the record: %w", err)
	}
	return b.Bytes(), nil
}
