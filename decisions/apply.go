package decisions

import (
	"maps"
	"slices"
	"time"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/stats"
)

// apply folds one event of the rollout's own subject into r, which is a copy
// that nobody else holds yet; what it points to is shared and never written.
func (r *Rollout) apply(e event.Recorded) error {
	r.Seq = e.Seq
	r.touch(e)
	switch e.Type {
	case TypeStarted, TypePaused, TypeResumed, TypeExplained:
		return folded(e, func(n noted) { r.note(e, n) })
	case TypeFrozen:
		return folded(e, r.froze)
	case TypeApproved:
		return folded(e, func(a approved) { r.approve(a.approval(e)) })
	case TypeMade:
		return folded(e, func(d made) { r.decide(e, d) })
	case TypeRevised:
		return folded(e, func(v revised) { r.revise(e, v) })
	case TypeLapsed:
		return folded(e, r.lapse)
	case TypeOutcome, TypeFollowedUp:
		return r.learn(e)
	case TypeReminded, TypeClosed:
		return r.tidy(e)
	case TypeProven, TypeUnproven:
		return r.proves(e)
	case TypeDrillBegun, TypeDrillEnded:
		return r.drill(e)
	case TypeReported, TypeConfirmed:
		return r.told(e)
	case TypeScheduled, TypeUnscheduled, TypeDelayed:
		return r.calendar(e)
	case TypeEscalated:
		return folded(e, r.escalated)
	case TypeOverridden:
		return folded(e, func(o overridden) { r.overrule(e, o) })
	case TypeRejected:
		return folded(e, func(n rejected) { r.rejectedBefore(e, n) })
	}
	return nil
}

// folded folds the data of an event, if it can be read.
func folded[D any](e event.Recorded, fold func(D)) error {
	d, err := load[D](e)
	if err == nil {
		fold(d)
	}
	return err
}

func (r *Rollout) note(e event.Recorded, n noted) {
	switch e.Type {
	case TypeStarted:
		r.Status, r.Started, r.StartedBy, r.WayBack, r.Doubts = Running, e.Time, r.starter(e), n.WayBack, n.Doubts
	case TypePaused:
		r.Status, r.Held, r.HeldAt = Paused, e.Actor+": "+n.Comment, e.Time
	case TypeResumed:
		r.Status, r.Held, r.Acknowledged = r.awake(), "", n.Acknowledged
		r.resumed()
	case TypeExplained:
		r.Locked, r.Explanation = false, n.Comment
	}
}

func (r *Rollout) froze(f frozen) {
	r.Frozen, r.Caps, r.Values = merged(r.Frozen, f.Baselines), merged(r.Caps, f.Caps), pinned(r.Values, f.Values)
}

func (a approved) approval(e event.Recorded) Approval {
	return Approval{By: e.Actor, At: e.Time, Decision: a.Decision, Comment: a.Comment, Roles: a.Roles, Version: a.Version, Revision: a.Revision}
}

// awake is the status that a paused rollout returns to.
func (r *Rollout) awake() Status {
	if s, ok := r.Now(); ok && s.Kind() == Full {
		return Observing
	}
	return Running
}

// decide notes a decision. Approvals belong to the decision that asked for
// them, and what a person resumed over only to as long as it goes on.
func (r *Rollout) decide(e event.Recorded, d made) {
	r.Approvals = r.lasting(d)
	r.Decisions = append(slices.Clip(r.Decisions), d.decision(e))
	r.Streaks = d.Verdict.Streaks
	r.Acknowledged, r.Overruled = d.Verdict.still(r.Acknowledged), r.Overruled.still(d.Verdict)
	r.Looks = appended(r.Looks, d.Verdict.Looks)
	switch d.Verdict.Action {
	case Pause:
		if r.Status != Paused {
			r.Status, r.Held, r.HeldAt = Paused, d.Verdict.Text, e.Time
		}
	case Cleanup:
		r.Status, r.Ended = CleanupDue, e.Time
	}
}

// decision is what an event says by itself of the decision that was made.
func (d made) decision(e event.Recorded) Decision {
	return Decision{
		ID: e.ID.String(), Seq: e.Seq, At: e.Time, By: e.Actor, Verdict: d.Verdict, From: d.From,
		Input: d.Input, Seal: d.Seal, Revision: d.Revision, Rationale: d.Rationale, Advice: d.Advice,
		Against: d.Against, Rejects: d.Rejects,
	}
}

// still returns those of the reasons that the verdict's checks still give.
func (v Verdict) still(reasons []string) []string {
	var out []string
	for _, reason := range reasons {
		if slices.ContainsFunc(v.Checks, func(c Check) bool { return c.open() && c.reason() == reason }) {
			out = append(out, reason)
		}
	}
	return out
}

// lapse notes that a decision gets no effect.
func (r *Rollout) lapse(l lapsed) {
	i := r.decision(l.Decision)
	if i < 0 {
		return
	}
	r.Decisions = slices.Clone(r.Decisions)
	r.Decisions[i].Lapsed = l.Why
	if l.Refused {
		r.Refused = &Refused{Decision: l.Decision, Revision: l.Revision, Why: l.Why}
	}
}

// enter carries out on the rollout what a decision's effect did to the flag. What
// took it back is forgotten when it goes further than it was: whatever is still
// there takes it back again.
func (r *Rollout) enter(d Decision, at time.Time) {
	v := d.Verdict
	r.Approvals, r.Refused, r.Overruled = nil, nil, nil
	switch {
	case v.Action.retreats():
		r.retreat(d, at)
		return
	case r.Status == Paused: // by somebody who came between the decision and its effect; to resume is a person's to do
	case v.Action == Ship:
		r.Status = Observing
	case v.Action == Expand:
		r.Status = Running
	}
	if v.Stage > r.Stage {
		r.Reverted = nil
	}
	if r.otherUnits(v.Stage) {
		r.forget()
	}
	r.Stage, r.Since, r.Acknowledged, r.Share, r.Ended, r.Turn = v.Stage, at, nil, v.Share, time.Time{}, false
	r.Confirmed = nil
}

// forget drops what was frozen for units that the rollout leaves for others.
func (r *Rollout) forget() { r.Frozen, r.Caps, r.Streaks, r.Values = nil, nil, nil, nil }

// merged adds what is frozen. The first answer stays for the life of the plan.
func merged[V any](old, add map[string]V) map[string]V {
	if len(add) == 0 {
		return old
	}
	out := maps.Clone(old)
	if out == nil {
		out = map[string]V{}
	}
	for key, f := range add {
		if _, ok := out[key]; !ok {
			out[key] = f
		}
	}
	return out
}

func appended(old map[string][]stats.Look, add map[string]stats.Look) map[string][]stats.Look {
	if len(add) == 0 {
		return old
	}
	out := maps.Clone(old)
	if out == nil {
		out = map[string][]stats.Look{}
	}
	for key, l := range add {
		out[key] = append(slices.Clip(out[key]), l)
	}
	return out
}
