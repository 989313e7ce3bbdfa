package dashboards

import (
	"strings"

	"github.com/sluice-hq/sluice/decisions"
)

// upNext says what happens to a rollout next: of itself, or what it waits for. It
// is the third thing that somebody who is woken wants to know, after how it stands
// and why.
func upNext(s Seen) string {
	r := s.Rollout
	v, _ := s.verdict()
	switch {
	case r.Status == decisions.Planned:
		return begins(r)
	case r.Locked:
		return strings.TrimSpace("Nothing moves until somebody says why it was rolled back. " + proving(r))
	case r.Status == decisions.Paused:
		return "Nothing moves until somebody resumes it or rolls it back; it is still watched" + again(v) + "."
	case !r.Open():
		return strings.TrimSpace(proving(r) + " " + tidied(r))
	case v.Action == decisions.Review:
		return "Nothing moves until a person decides; it is still watched" + again(v) + "."
	case approvable(v.Checks):
		return "Nothing moves until it is approved. Then " + onwards(r) + "."
	}
	return looksAgain(s, v)
}

// begins says how a rollout begins that has not.
func begins(r decisions.Rollout) string {
	switch t := r.Schedule; {
	case t == nil:
		return "Nothing happens until somebody starts it."
	case t.Lapsed != "":
		return "Nothing happens until somebody starts it: the start on " + moment(t.At) + " was refused."
	default:
		return "It starts by itself on " + moment(t.At) + "."
	}
}

// proving says that it is being counted who is safe.
func proving(r decisions.Rollout) string {
	if b := r.Return; b != nil && b.Proven == nil && b.Unproven == nil {
		return "It is being counted who still gets " + r.Plan.Arms.Treatment + "."
	}
	return ""
}

// tidied says when the flag has to be gone.
func tidied(r decisions.Rollout) string {
	if at := due(r); !at.IsZero() {
		return "Next is the cleanup, due on " + moment(at) + "."
	}
	return ""
}

// looksAgain says when the controller looks again, and what it does once every
// check has passed.
func looksAgain(s Seen, v decisions.Verdict) string {
	if v.Next.IsZero() {
		return ""
	}
	text := "The controller looks again at " + clock(v.Next) + ". Once every check has passed, " + onwards(s.Rollout)
	if took := left(s); took != "" {
		text += ", in " + took + " at the earliest"
	}
	return text + "."
}

// again says when it is looked at again.
func again(v decisions.Verdict) string {
	if v.Next.IsZero() {
		return ""
	}
	return ", at " + clock(v.Next) + " again"
}

// onwards says where the gate leads.
func onwards(r decisions.Rollout) string {
	if n := r.Stage + 1; n < len(r.Plan.Stages) {
		return "it goes to " + r.Plan.Stages[n].Name + ": " + r.Plan.Reach(n, 0)
	}
	return "it is decided for good, and the cleanup is next"
}
