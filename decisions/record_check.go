package decisions

import (
	"fmt"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
)

// Checked is what a record proves by itself. Each text says why something is not
// what was written; empty: it is, or it is among what is not proven.
type Checked struct {
	Event      string      `json:"event,omitempty"`      // the event, or the decision that is shown
	Document   string      `json:"document,omitempty"`   // the document that the event names
	Advice     string      `json:"advice,omitempty"`     // what a person decided over
	Stages     string      `json:"stages,omitempty"`     // the stages before and after, and what the release was for
	Approvals  string      `json:"approvals,omitempty"`  // who had agreed
	Effect     string      `json:"effect,omitempty"`     // what it did to the flag
	Unproven   []string    `json:"unproven,omitempty"`   // what the file shows, or leaves out, and cannot prove
	Recomputed *Recomputed `json:"recomputed,omitempty"` // nil of a person's decision, which follows from nothing
}

// OK reports whether nothing is against the record.
func (c Checked) OK() bool {
	return c.Event == "" && c.Document == "" && c.Advice == "" && c.Stages == "" && c.Approvals == "" && c.Effect == "" &&
		(c.Recomputed == nil || c.Recomputed.Same && len(c.Recomputed.Faults) == 0)
}

// Check looks at a record alone: the hashes of its events and of its document,
// whether what it shows is what these say, and the verdict, which it makes again.
// That the log holds the events is for whoever has the log to say.
func (r Record) Check() (c Checked, err error) {
	if err := whole(&r.Event); err != nil {
		return c, fmt.Errorf("reading the event of the record: %w", err)
	}
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
	k := checking{r: r, m: m, found: &c}
	if r.Event.Actor == Controlling { // by the event: what is shown may be anything
		err = k.document()
	} else {
		err = k.advice()
	}
	if err != nil {
		return c, err
	}
	k.story()
	return c, k.effect()
}

// checking is a record that is being checked.
type checking struct {
	r     Record
	m     made     // as its event has it
	found *Checked //
	in    *Input   // of the controller's decision; nil: a person decided
}

// whole brings an event into the form that is hashed, which a file that was
// indented is not in.
func whole(e *event.Recorded) error {
	canonical, err := event.Canonical(e.Event)
	e.Event = canonical
	return err
}

// unproven notes what cannot be proven.
func (k *checking) unproven(what string) { k.found.Unproven = append(k.found.Unproven, what) }

// document checks that the document is the one that the event names, and makes the
// verdict again from it.
func (k *checking) document() error {
	doc, err := compacted(k.r.Document)
	if err != nil {
		return err
	}
	k.found.Document = mismatch(doc, k.m.Input)
	again, err := FromRecord(doc, k.m.Verdict)
	if err != nil {
		return err
	}
	k.found.Recomputed = &again
	in, err := readInput(doc)
	k.in = &in
	return err
}

// mismatch says why a document is not the one that an event names, or "".
func mismatch(doc []byte, name event.Blob) string {
	if event.Sum(doc) == name.SHA256 {
		return ""
	}
	return fmt.Sprintf("it hashes to %s, and the event names %s", event.Sum(doc), name.SHA256)
}

// advice checks what a person decided over: its event, its document, and what is
// shown of it.
func (k *checking) advice() error {
	switch {
	case k.m.Advice == "":
		if k.r.Recommended != nil {
			k.found.Advice = "the event names nothing that was recommended"
		}
		return nil
	case k.r.Recommended == nil:
		k.found.Advice = "the event names what was recommended, and it is not shown"
		return nil
	case k.r.Advised == nil:
		k.unproven("what was recommended: the file does not hold its event")
		return nil
	}
	e := *k.r.Advised
	if err := whole(&e); err != nil {
		return fmt.Errorf("reading the event of what was recommended: %w", err)
	}
	m, err := load[made](e)
	if err != nil {
		return err
	}
	doc, err := compacted(k.r.Document)
	if err != nil {
		return err
	}
	shown := Record{Rollout: k.r.Rollout, Decision: *k.r.Recommended, Event: e}
	switch broken := e.Check(); {
	case broken != nil:
		k.found.Advice = broken.Error()
	case e.ID.String() != k.m.Advice || !shown.shows(m):
		k.found.Advice = "what is shown as recommended is not what the person decided over"
	default:
		k.found.Document = mismatch(doc, m.Input)
	}
	return nil
}

// story checks what the record says beside the decision.
func (k *checking) story() {
	s, ok := k.r.tells(k.m, k.in)
	switch {
	case !ok:
		k.unproven("the stages before and after, and who had agreed: the event of a person's decision did not hold them then")
		return
	case k.in == nil:
		k.unproven("what the release was for: that stands in its plan")
	}
	if s.Before != k.r.Before || s.After != k.r.After || s.Hypothesis != k.r.Hypothesis || !equal(s.Links, k.r.Links) {
		k.found.Stages = fmt.Sprintf("it went from %q to %q, and what is shown is another story", s.Before, s.After)
	}
	if len(s.Approvals)+len(k.r.Approvals) > 0 && !equal(s.Approvals, k.r.Approvals) {
		k.found.Approvals = fmt.Sprintf("%d were counted, and those that are shown are others", len(s.Approvals))
	}
}

// effect checks that the flag change which the record shows is one that the
// decision asks for.
func (k *checking) effect() error {
	shown := k.r.Effect
	switch {
	case (shown == nil) != (k.r.Decision.Effect == 0) || shown != nil && shown.Seq != k.r.Decision.Effect:
		k.found.Effect = "the decision is shown with one effect, and the record with another"
		return nil
	case shown != nil && !k.m.Verdict.Action.Actuating():
		k.found.Effect = fmt.Sprintf("a decision to %s changes no flag", k.m.Verdict.Action)
		return nil
	case shown == nil && k.m.Verdict.Action.Actuating():
		k.unproven("that it had no effect: the log holds it, or that the decision lapsed")
		return nil
	case shown == nil:
		return nil
	case shown.Event == nil:
		k.unproven("its effect: the file does not hold the event of the flag")
		return nil
	}
	e := *shown.Event
	if err := whole(&e); err != nil {
		return fmt.Errorf("reading the event of the effect: %w", err)
	}
	k.found.Effect = k.caused(e)
	return nil
}

// caused says why a flag change is not the effect that is shown, or not the
// decision's, or "".
func (k *checking) caused(e event.Recorded) string {
	id := k.r.Event.ID.String()
	environment, flag, n, err := SplitID(k.m.Rollout)
	shown := changeOf(e)
	shown.Event = k.r.Effect.Event
	switch broken := e.Check(); {
	case broken != nil:
		return broken.Error()
	case err != nil || e.Type != flags.EventType || e.Subject != flags.SubjectPrefix+flag || e.Cause != id:
		return "the event does not name the decision as its cause"
	case !equal(shown, k.r.Effect):
		return "the flag change that is shown is not that of its event"
	}
	r := Rollout{Number: n, Plan: Plan{Flag: flag, Environment: environment}}
	if k.in != nil {
		r.Standing, r.Plan = k.in.State, k.in.Plan
	}
	d := k.m.decision(k.r.Event)
	switch {
	case k.in == nil && (d.Verdict.Action != Rollback || d.goesBack()):
		k.unproven("that the flag change is all that a person asked for: it names the decision as its cause")
	case !d.asked(r, e.Data):
		return fmt.Sprintf("the decision is to %s, and does not ask for this change", d.Verdict.Action)
	}
	return ""
}

// shows reports whether the decision of the record is the one of its event. What
// became of it later stands in other events.
func (r Record) shows(m made) bool {
	want := m.decision(r.Event)
	want.Effect, want.Lapsed = r.Decision.Effect, r.Decision.Lapsed
	return r.Rollout == m.Rollout && equal(r.Decision, want)
}
