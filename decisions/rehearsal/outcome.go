package rehearsal

import (
	"time"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/event"
)

// End is how a run ended.
type End string

// The ends of a run.
const (
	RolledBack End = "rolledBack" // the controller gave everybody the safe variant
	Paused     End = "paused"     // it waited for a person to resume
	Reviewed   End = "review"     // it asked a person to decide
	Unanswered End = "unanswered" // it waited for an approval, a confirmation or a report that nobody gave
	Shipped    End = "shipped"    // the treatment serves everybody
	Running    End = "running"    // the time or the recording was over
)

// Run is what one seed came to.
type Run struct {
	Seed      uint64          `json:"seed"`
	Ended     End             `json:"ended"`
	Lasted    event.Duration  `json:"lasted"`
	Decisions []Decided       `json:"decisions"`
	Looks     int             `json:"looks"`
	Blind     int             `json:"blind,omitempty"`   // looks at which the warehouse did not answer
	Treated   int64           `json:"treated"`           // units that met the treatment
	Harmed    int64           `json:"harmed,omitempty"`  // of them, those that met it while it did harm
	Extra     float64         `json:"extra,omitempty"`   // what the harmed metric lost or gained by that, in its unit
	Began     *event.Duration `json:"began,omitempty"`   // when the scenario's fault did; nil: never
	Stopped   *event.Duration `json:"stopped,omitempty"` // when the release was paused or rolled back first
	Fixed     *Fixed          `json:"fixed,omitempty"`   // what the fixed rule would have done with the same seed
}

// Decided is one decision of a run.
type Decided struct {
	After   event.Duration   `json:"after"` // since the start
	Action  decisions.Action `json:"action"`
	From    string           `json:"from,omitempty"` // stage; empty: before the first
	To      string           `json:"to,omitempty"`   // stage, of Expand and Ship
	Reason  string           `json:"reason"`
	Text    string           `json:"text,omitempty"`
	Treated int64            `json:"treated"` // units that had met the treatment by then
}

// decided notes a decision.
func (r *Run) decided(p decisions.Plan, d decisions.Decision, treated int64) {
	o := Decided{After: event.Duration(d.At.Sub(begins)), Action: d.Verdict.Action, Reason: d.Verdict.Reason, Text: d.Verdict.Text, Treated: treated}
	if d.From >= 0 && d.From < len(p.Stages) {
		o.From = p.Stages[d.From].Name
	}
	if to := d.Verdict.Stage; to != d.From && to >= 0 && to < len(p.Stages) {
		o.To = p.Stages[to].Name
	}
	r.Decisions = append(r.Decisions, o)
	if r.Stopped == nil && (o.Action == decisions.Pause || o.Action == decisions.Rollback) {
		r.Stopped = &o.After
	}
}

// measure notes what the crowd has gone through.
func (r *Run) measure(c *crowd) {
	r.Extra = c.extra[c.fault.Metric]
	if r.Began == nil && c.fault.wrong() && !c.fault.from.IsZero() && !c.seen.Before(c.fault.from) {
		began := event.Duration(c.fault.from.Sub(begins))
		r.Began = &began
	}
}

// brief lets go of the sentences.
func (r *Run) brief() {
	for i := range r.Decisions {
		r.Decisions[i].Text = ""
	}
}

// First returns when an action was decided first.
func (r Run) First(a decisions.Action) (after time.Duration, ok bool) {
	for _, d := range r.Decisions {
		if d.Action == a {
			return time.Duration(d.After), true
		}
	}
	return 0, false
}

// Detected returns how long after the fault began the release was paused or
// rolled back; ok is false when it was not, or before.
func (r Run) Detected() (after time.Duration, ok bool) {
	if r.Began == nil || r.Stopped == nil || *r.Stopped < *r.Began {
		return 0, false
	}
	return time.Duration(*r.Stopped - *r.Began), true
}

// Alarmed reports whether the release was paused or rolled back before
// anything was wrong.
func (r Run) Alarmed() bool {
	return r.Stopped != nil && (r.Began == nil || *r.Stopped < *r.Began)
}
