package decisions

import (
	"fmt"

	"github.com/sluice-hq/sluice/event"
)

// touch notes who did the last thing to the rollout.
func (r *Rollout) touch(e event.Recorded) { r.Latest = &Touch{Type: e.Type, By: e.Actor, At: e.Time} }

// faster says who was faster than somebody who saw an earlier rollout, "" when
// nothing has happened to it but its plan.
func (r Rollout) faster() string {
	if r.Latest == nil {
		return ""
	}
	return fmt.Sprintf("; %s was faster at %s: %s; look at %s again", r.Latest.By, clock(r.Latest.At), r.deed(), r.ID)
}

// deed names the last event in words.
func (r Rollout) deed() string {
	if d, ok := r.Last(); ok && r.Latest.Type == TypeMade {
		return "decided to " + string(d.Verdict.Action)
	}
	return r.Latest.Type
}
