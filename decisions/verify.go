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
	v := newVerifier(blobs)
	for r, err := range log.Read(ctx, event.Filter{}, 0) {
		if err == nil {
			err = v.next(ctx, r)
		}
		if err == nil {
			err = v.state.Apply(r)
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
	state     *State // of all events before the one that is looked at
	decisions map[string]*verified
	written   map[string]string      // ID of a flag change that a person wrote -> its subject
	waiting   map[string][]*verified // by rollout: actuating decisions that had no effect when last asked
	drills    map[string]string      // ID of a drill -> subject of the flag that is made for it
	waits     map[string]*waits      // ID of a schedule or change request -> what a person asked for
	revisions map[string]uint64      // subject of a flag -> sequence of its last change
	careful   map[string][]care      // likewise -> what it says of critical incidents, in order
	order     []*verified
}

func newVerifier(blobs event.Blobs) *verifier {
	return &verifier{
		blobs: blobs, state: NewState(Known{}), decisions: map[string]*verified{}, written: map[string]string{},
		drills: map[string]string{}, waiting: map[string][]*verified{}, waits: map[string]*waits{}, revisions: map[string]uint64{},
		careful: map[string][]care{},
	}
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
	case TypeAnswered:
		return v.answeredIncident(ctx, r)
	case TypeLapsed:
		l, err := load[lapsed](r)
		v.effect(r, l.Decision)
		return err
	case TypeStarted:
		v.started(r)
	case flags.EventType:
		v.changed(r)
		v.cares(r)
		v.revisions[r.Subject] = r.Seq
	case TypeDrillBegun:
		d, err := load[drillBegun](r)
		v.drills[r.ID.String()] = flags.SubjectPrefix + d.Flag
		return err
	case flags.TypeScheduled, flags.TypeProposed:
		return v.asked(r)
	case flags.TypeCancelled, flags.TypeLapsed, flags.TypeApproved, flags.TypeRejected, flags.TypeWithdrawn:
		return v.answered(r)
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
	if m.Verdict.Action.Actuating() {
		v.waiting[m.Rollout] = append(v.waiting[m.Rollout], d)
	}
	return nil
}

// recompute says why the recorded verdict does not follow from the recorded
// input, or "".
func (v *verifier) recompute(ctx context.Context, m made) string {
	doc, err := v.blobs.Load(ctx, m.Input)
	if err != nil {
		return "its input cannot be read: " + err.Error()
	}
	in, err := readInput(doc)
	if err != nil {
		return err.Error()
	}
	again, err := Evaluate(in)
	if err != nil {
		return err.Error()
	}
	want, _ := json.Marshal(m.Verdict) // cannot fail: it was decoded from JSON
	got, err := json.Marshal(again)
	if err != nil || !bytes.Equal(got, want) {
		return fmt.Sprintf("its input gives %s (%s), not %s (%s)", again.Action, again.Reason, m.Verdict.Action, m.Verdict.Reason)
	}
	return v.belongs(in, m.Rollout)
}

// belongs says why an input is not that of the rollout at this place of the
// log, or "". A verdict that follows from another moment's input proves
// nothing.
func (v *verifier) belongs(in Input, rollout string) string {
	r, _ := v.state.Rollout(rollout)
	if !equal(in.State, r.Standing) {
		return "the state in its input is not that of the log before it"
	}
	if !equal(in.Plan, r.Plan) {
		return "the plan in its input is not that of the log"
	}
	return ""
}

// equal compares two values as they are recorded.
func equal(a, b any) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && bytes.Equal(x, y)
}

// Recompute evaluates a recorded Input again.
func Recompute(doc []byte) (Verdict, error) {
	in, err := readInput(doc)
	if err != nil {
		return Verdict{}, err
	}
	return Evaluate(in)
}

func readInput(doc []byte) (in Input, err error) {
	if err := json.Unmarshal(doc, &in); err != nil {
		return in, fmt.Errorf("reading the input: %w", err)
	}
	return in, nil
}

// settled checks that the controller does not decide again before what it
// decided has its effect.
func (v *verifier) settled(r event.Recorded, rollout string) {
	v.waiting[rollout] = slices.DeleteFunc(v.waiting[rollout], func(d *verified) bool { return d.effects > 0 })
	for _, d := range v.waiting[rollout] {
		v.report.Effect.fail(r, "decision %s of the same rollout has no effect yet", d.ID)
	}
}

// changed checks a flag change that no person made, and one that waited for
// its time or for others to agree.
func (v *verifier) changed(r event.Recorded) {
	if w, ok := v.waits[r.Cause]; ok {
		v.report.Cause.Checked++
		if why := w.carries(r, v.revisions[r.Subject]); why != "" {
			v.report.Cause.fail(r, "%s", why)
		}
		w.over = true
		v.written[r.ID.String()] = r.Subject // a person wrote it
		return
	}
	if r.Actor != Controlling {
		if ends := v.ends(r); ends {
			v.report.Cause.Checked++
		} else if r.Cause != "" {
			v.report.Cause.fail(r, "it names as its cause what is no change request before it (%q)", r.Cause)
		}
		v.written[r.ID.String()] = r.Subject
		return
	}
	v.report.Cause.Checked++
	if v.scheduled(r) || v.drilled(r) {
		return
	}
	d, ok := v.decisions[r.Cause]
	switch {
	case !ok:
		v.report.Cause.fail(r, "it names no decision before it as its cause (%q)", r.Cause)
		return
	case r.Subject != flags.SubjectPrefix+d.flag:
		v.report.Cause.fail(r, "decision %s is about flag %s", r.Cause, d.flag)
	case !v.asks(d, r.Data):
		v.report.Cause.fail(r, "decision %s is to %s, and does not ask for this", r.Cause, d.Verdict.Action)
	}
	v.effect(r, r.Cause)
}

// ends reports whether a person's change carries out how the flag ends, for
// the decision that its rollout was over with.
func (v *verifier) ends(r event.Recorded) bool {
	d, ok := v.decisions[r.Cause]
	if !ok || r.Subject != flags.SubjectPrefix+d.flag {
		return false
	}
	over, _ := v.state.Rollout(d.Rollout)
	return over.final() == r.Cause && !slices.ContainsFunc(changes(r.Data), func(c flags.Change) bool { return !ending(c.Op) })
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

// asks reports whether a flag change is what the decision asks for.
func (v *verifier) asks(d *verified, data json.RawMessage) bool {
	r, ok := v.state.Rollout(d.Rollout)
	if !ok { // about an incident
		r.Plan.Environment = d.environment
	}
	return d.made.decision(d.Recorded).asked(r, data)
}

// asked reports whether a flag change is what the decision asks for: at most it
// takes away first what earlier rollouts and stages left, or ends the rollback
// that a person takes up again.
func (d Decision) asked(r Rollout, data json.RawMessage) bool {
	list, stage := changes(data), d.Verdict.Stage
	forces := d.Verdict.Action == Rollback && !d.goesBack() // which asks no stage
	if len(list) == 0 || !d.Verdict.Action.Actuating() || stage >= len(r.Plan.Stages) && !forces ||
		stage < 0 && !forces {
		return false
	}
	last := len(list) - 1
	want := d.changes(r, flags.Recorded{})
	return len(want) > 0 && equal(commanded(list[last]), want[len(want)-1]) && !slices.ContainsFunc(list[:last], func(c flags.Change) bool {
		freed := c.Op == flags.Unforce && d.forwards()
		return c.Environment != r.Plan.Environment || c.Op != flags.Deallocate && c.Op != flags.Unserve && !freed
	})
}

// commanded returns a change as it was asked for: which revisions of segments an
// allocation keeps, and which slice of its layer, was found when it was made.
func commanded(c flags.Change) flags.Change {
	if c.Allocation == nil {
		return c
	}
	a := *c.Allocation
	a.Segments = nil
	if a.Slice != nil && a.Slice.Share > 0 {
		a.Slice = &flags.Slice{Salt: a.Slice.Salt, Share: a.Slice.Share}
	}
	c.Allocation = &a
	return c
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
