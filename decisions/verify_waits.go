package decisions

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
)

// waits is a flag change that a person asked for, to be made at a time or when
// others have agreed.
type waits struct {
	At      *time.Time     `json:"at"` // nil: a change request
	Base    uint64         `json:"base"`
	Changes []flags.Change `json:"changes"`
	Needs   []flags.Need   `json:"needs"`

	actor, subject string
	approvals      []approves
	over           bool // carried out, or ended otherwise
}

// approves is an event that ends or approves what waits.
type approves struct {
	Of    string   `json:"of"`
	Roles []string `json:"roles"`

	actor string
}

// asked notes what a person asked for. Nothing that the house schedules for
// itself can be a cause.
func (v *verifier) asked(r event.Recorded) error {
	w := waits{actor: r.Actor, subject: r.Subject}
	if err := json.Unmarshal(r.Data, &w); err != nil {
		return fmt.Errorf("reading a %s event: %w", r.Type, err)
	}
	if r.Actor != Controlling {
		v.waits[r.ID.String()] = &w
	}
	return nil
}

func (v *verifier) answered(r event.Recorded) error {
	a := approves{actor: r.Actor}
	if err := json.Unmarshal(r.Data, &a); err != nil {
		return fmt.Errorf("reading a %s event: %w", r.Type, err)
	}
	w, ok := v.waits[a.Of]
	switch {
	case !ok || w.subject != r.Subject:
		return nil // it answers nothing, and changes nothing
	case r.Type == flags.TypeApproved:
		w.approvals = append(w.approvals, a)
	default:
		w.over = true
	}
	return nil
}

// carries says why a flag change is not what was asked for, or was not to be
// made then, or "". revision is the flag's before it.
func (w *waits) carries(r event.Recorded, revision uint64) string {
	switch {
	case w.subject != r.Subject:
		return "its cause asks for a change of " + w.subject
	case w.over:
		return "its cause waits no longer"
	case !equal(changes(r.Data), w.Changes):
		return "its cause asks for another change"
	case w.At != nil && r.Actor != Controlling:
		return "its cause is a schedule, which nobody but the controller carries out"
	case w.At != nil && r.Time.Before(*w.At):
		return "its cause waits until " + w.At.Format(time.RFC3339)
	case w.At == nil && w.Base != revision:
		return "the flag has changed since the request was made"
	case w.At == nil && !w.agreed():
		return "not enough people have approved its cause"
	}
	return ""
}

// agreed reports whether the request has the approvals that it was said to
// need, none of them the author's.
func (w *waits) agreed() bool {
	return len(w.Needs) > 0 && !slices.ContainsFunc(w.Needs, func(n flags.Need) bool {
		who := map[string]bool{}
		for _, a := range w.approvals {
			if a.actor != w.actor && slices.Contains(a.Roles, n.Role) {
				who[a.actor] = true
			}
		}
		return len(who) < n.Count
	})
}
