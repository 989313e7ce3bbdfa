package decisions

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
)

// Report says how three of the laws of the house stand over a log: Recompute,
// Cause and Effect. The fourth, Replay, compares two projections' marks.
type Report struct {
	Events    uint64   `json:"events"`
	Recompute Law      `json:"recompute"`
	Cause     Law      `json:"cause"`
	Effect    Law      `json:"effect"`
	Pending   []string `json:"pending,omitempty"` // IDs of decisions at the end of the log that wait for their effect
}

// Law is how one law stands.
type Law struct {
	Checked int      `json:"checked"`
	Failed  *Failure `json:"failed,omitempty"` // the first event that breaks it, nil when none does
}

// Failure names an event and what is wrong with it.
type Failure struct {
	Seq uint64 `json:"seq"`
	ID  string `json:"id"`
	Why string `json:"why"`
}

// OK reports whether every law holds.
func (r Report) OK() bool {
	return r.Recompute.Failed == nil && r.Cause.Failed == nil && r.Effect.Failed == nil
}

func (l *Law) fail(r event.Recorded, format string, args ...any) {
	if l.Failed == nil {
		l.Failed = &Failure{Seq: r.Seq, ID: r.ID.String(), Why: fmt.Sprintf(format, args...)}
	}
}

// Verify checks the laws over a log and its documents, from the record alone.
// The error says that the log or a document could not be read at all.
func Verify(ctx context.Context, log event.Log, blobs event.Blobs) (Report, error) {
	v := verifier{blobs: blobs, decisions: map[string]*verified{}, written: map[string]string{}}
	for r, err := range log.Read(ctx, event.Filter{}, 0) {
		if err == nil {
			err = v.next(ctx, r)
		}
		if err != nil {
			return v.report, fmt.Errorf("verifying: %w", err)
		}
	}
	v.end()
	return v.report, ctx.Err()
}

// verifier reads a log once.
type verifier struct {
	blobs     event.Blobs
	report    Report
	decisions map[string]*verified
	written   map[string]string // ID of a person's flag change -> its subject
	order     []*verified
}

// verified is what is known of a decision so far.
type verified struct {
	event.Recorded
	made
	flag, environment string
	effects           int
}

func (v *verifier) next(ctx context.Context, r event.Recorded) error {
	v.report.Events++
	switch r.Type {
	case TypeMade:
		return v.made(ctx, r)
	case TypeLapsed:
		l, err := load[lapsed](r)
		v.effect(r, l.Decision)
		return err
	case flags.EventType:
		v.changed(r)
	}
	return nil
}

func (v *verifier) made(ctx context.Context, r event.Recorded) error {
	m, err := load[made](r)
	if err != nil {
		return err
	}
	d := &verified{Recorded: r, made: m}
	d.environment, d.flag, _, err = SplitID(m.Rollout)
	if err != nil {
		v.report.Recompute.fail(r, "it names no rollout")
	}
	if r.Actor == Controlling {
		v.report.Recompute.Checked++
		if why := v.recompute(ctx, m); why != "" {
			v.report.Recompute.fail(r, "%s", why)
		}
		v.settled(r, m.Rollout)
	}
	v.decisions[r.ID.String()] = d
	v.order = append(v.order, d)
	return nil
}

// recompute says why the recorded verdict does not follow from the recorded
// input, or "".
func (v *verifier) recompute(ctx context.Context, m made) string {
	doc, err := v.blobs.Load(ctx, m.Input)
	if err != nil {
		return "its input cannot be read: " + err.Error()
	}
	again, err := Recompute(doc)
	if err != nil {
		return err.Error()
	}
	want, _ := json.Marshal(m.Verdict) // cannot fail: it was decoded from JSON
	got, err := json.Marshal(again)
	if err != nil || !bytes.Equal(got, want) {
		return fmt.Sprintf("its input gives %s (%s), not %s (%s)", again.Action, again.Reason, m.Verdict.Action, m.Verdict.Reason)
	}
	return ""
}

// Recompute evaluates a recorded Input again.
func Recompute(doc []byte) (Verdict, error) {
	var in Input
	if err := json.Unmarshal(doc, &in); err != nil {
		return Verdict{}, fmt.Errorf("reading the input: %w", err)
	}
	return Evaluate(in)
}

// settled checks that the controller does not decide again before what it
// decided has its effect.
func (v *verifier) settled(r event.Recorded, rollout string) {
	for _, d := range v.order {
		if d.Rollout == rollout && d.Verdict.Action.Actuating() && d.effects == 0 {
			v.report.Effect.fail(r, "decision %s of the same rollout has no effect yet", d.ID)
		}
	}
}

// changed checks a flag change that no person made.
func (v *verifier) changed(r event.Recorded) {
	if r.Actor != Controlling {
		v.written[r.ID.String()] = r.Subject
		return
	}
	v.report.Cause.Checked++
	if v.scheduled(r) {
		return
	}
	d, ok := v.decisions[r.Cause]
	switch {
	case !ok:
		v.report.Cause.fail(r, "it names no decision before it as its cause (%q)", r.Cause)
		return
	case r.Subject != flags.SubjectPrefix+d.flag:
		v.report.Cause.fail(r, "decision %s is about flag %s", r.Cause, d.flag)
	case !d.asksFor(r.Data):
		v.report.Cause.fail(r, "decision %s is to %s, and does not ask for this", r.Cause, d.Verdict.Action)
	}
	v.effect(r, r.Cause)
}

// scheduled reports whether a change is what a person wrote into the flag to
// happen at a date: rules whose until has come, and nothing else.
func (v *verifier) scheduled(r event.Recorded) bool {
	if v.written[r.Cause] != r.Subject {
		return false
	}
	list := changes(r.Data)
	return len(list) > 0 && !slices.ContainsFunc(list, func(c flags.Change) bool { return c.Op != flags.Expire })
}

// asksFor reports whether a flag change is what the decision's action does.
func (d *verified) asksFor(data json.RawMessage) bool {
	list := changes(data)
	if len(list) == 0 {
		return false
	}
	last := list[len(list)-1]
	if last.Environment != d.environment {
		return false
	}
	switch d.Verdict.Action {
	case Rollback:
		return last.Op == flags.Force
	case Expand, Ship:
		return last.Op == flags.Allocate || last.Op == flags.Serve
	}
	return false
}

// changes returns what a flag.changed event did, nil when it cannot be read.
func changes(data json.RawMessage) []flags.Change {
	var change struct {
		Changes []flags.Change `json:"changes"`
	}
	if json.Unmarshal(data, &change) != nil {
		return nil
	}
	return change.Changes
}

func (v *verifier) effect(r event.Recorded, decision string) {
	v.report.Effect.Checked++
	d, ok := v.decisions[decision]
	switch {
	case !ok:
		v.report.Effect.fail(r, "it answers no decision before it (%q)", decision)
		return
	case !d.Verdict.Action.Actuating():
		v.report.Effect.fail(r, "decision %s is to %s, which has no effect", decision, d.Verdict.Action)
	case d.effects > 0:
		v.report.Effect.fail(r, "decision %s has an effect already", decision)
	}
	d.effects++
}

// end notes what is still to be carried out.
func (v *verifier) end() {
	for _, d := range v.order {
		if d.Verdict.Action.Actuating() && d.effects == 0 {
			v.report.Pending = append(v.report.Pending, d.ID.String())
		}
	}
}
