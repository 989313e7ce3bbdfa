package decisions

import (
	"fmt"
	"time"

	"github.com/sluice-hq/sluice/event"
)

// reject is a person's no to the change itself: what waits for approval or
// review is not to come, and the rollout is over. Where units have the treatment
// it is taken back as a rollback takes it, and nothing waits for an explanation:
// the rejection is one.
func (s *State) reject(r Rollout, c Command) (kind string, data any, err error) {
	err = first(r.mustBe("be rejected", Planned, Running, Paused, Observing), said(c))
	switch {
	case err != nil:
		return "", nil, err
	case r.Stage < 0 && !r.pending():
		n := rejected{Rollout: r.ID, Comment: c.Comment}
		if d, ok := r.Recommendation(); ok {
			n.Decision = d.ID
		}
		return TypeRejected, n, nil
	}
	c.Op = OpRollback
	m, err := s.rollback(r, c)
	m.Rejects, m.Verdict.Reason = true, "rejected by "+c.Actor
	return TypeMade, m, err
}

// Rejection is a person's no to a change that nobody had met yet. A later one is
// a decision.
type Rejection struct {
	ID  string    `json:"id"` // of the event
	By  string    `json:"by"`
	At  time.Time `json:"at"`
	Why string    `json:"why"`
}

// rejectedBefore notes the end of a rollout that nobody was exposed to.
func (r *Rollout) rejectedBefore(e event.Recorded, n rejected) {
	r.Status, r.Ended, r.Held, r.Schedule = Rejected, e.Time, "", nil
	r.Rejection = &Rejection{ID: e.ID.String(), By: e.Actor, At: e.Time, Why: n.Comment}
	r.Explanation = fmt.Sprintf("rejected by %s: %s", e.Actor, n.Comment)
}

// rejectedBy notes that the rollback which has just taken effect was a
// rejection.
func (r *Rollout) rejectedBy(d Decision) {
	if d.Rejects {
		r.Locked, r.Explanation = false, fmt.Sprintf("rejected by %s: %s", d.By, d.Rationale)
	}
}

// notRejected refuses to take up again what a person has said no to.
func (r Rollout) notRejected() error {
	if d, ok := r.Last(); ok && d.Rejects {
		return fmt.Errorf("%w: %s was %s; plan another rollout", ErrRefused, r.ID, r.Explanation)
	}
	return nil
}
