package decisions

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
)

// Tidied is how far the cleanup of a rollout is.
type Tidied struct {
	Carried  *Carried `json:"carried,omitempty"`  // nil: its end state is not carried out
	Reminded int      `json:"reminded,omitempty"` // how often
	Closed   *Closed  `json:"closed,omitempty"`   // nil: it is open
}

// Carried is the flag change that carried an end state out.
type Carried struct {
	Seq uint64    `json:"seq"`
	By  string    `json:"by"`
	At  time.Time `json:"at"`
}

// Closed is how a cleanup ended.
type Closed struct {
	How     CloseWay  `json:"how"`
	By      string    `json:"by"`
	At      time.Time `json:"at"`
	Comment string    `json:"comment,omitempty"`
}

// CloseWay is what closed a cleanup.
type CloseWay string

// What closes a cleanup.
const (
	ByArchive   CloseWay = "archived"   // the flag is gone
	ByKeeping   CloseWay = "kept"       // it stays, and says why and until when
	BySuccessor CloseWay = "superseded" // another rollout of it is under way
	ByPerson    CloseWay = "person"     // somebody says that it is done
)

// tidy folds an event of the cleanup.
func (r *Rollout) tidy(e event.Recorded) error {
	if e.Type == TypeReminded {
		m, err := load[reminded](e)
		r.Reminded = m.N
		return err
	}
	c, err := load[closed](e)
	r.Closed = &Closed{How: c.How, By: e.Actor, At: e.Time, Comment: c.Comment}
	return err
}

// carry notes the flag change that carries out how a rollout ends: one that
// names as its cause the decision it was over with.
func (s *State) carry(subject string, e event.Recorded) {
	for _, old := range s.rollouts[subject] {
		if old.Ended.IsZero() || old.final() != e.Cause || e.Actor == Controlling || e.Subject != flags.SubjectPrefix+old.Plan.Flag {
			continue
		}
		next := *old
		next.Carried = &Carried{Seq: e.Seq, By: e.Actor, At: e.Time}
		s.replace(subject, next)
		return
	}
}

// final returns the ID of the decision that a rollout was over with, "" while it
// goes on.
func (r Rollout) final() string {
	if r.Ended.IsZero() || len(r.Decisions) == 0 {
		return ""
	}
	for _, d := range slices.Backward(r.Decisions) {
		if a := d.Verdict.Action; d.Lapsed == "" && (a == Cleanup || a == Rollback) {
			return d.ID
		}
	}
	return r.Decisions[len(r.Decisions)-1].ID
}

// CleanupState is how a cleanup stands at a time.
type CleanupState string

// The states of a cleanup. They are functions of the record and of now.
const (
	CleanupOpen    CleanupState = "open"    // the rollout is not over
	CleanupWaiting CleanupState = "waiting" // it is over, and there is time yet
	CleanupOverdue CleanupState = "due"     // that time has passed
	CleanupClosed  CleanupState = "closed"  //
)

// CleanupState returns how the cleanup stands.
func (r Rollout) CleanupState(now time.Time) CleanupState {
	switch {
	case r.Closed != nil:
		return CleanupClosed
	case r.Ended.IsZero():
		return CleanupOpen
	case now.Before(r.CleanupDue()):
		return CleanupWaiting
	}
	return CleanupOverdue
}

// CleanupDue returns when the flag is to have its end state, zero while the
// rollout is not over.
func (r Rollout) CleanupDue() time.Time {
	if r.Ended.IsZero() || r.Plan.Cleanup == nil {
		return r.Ended
	}
	return r.Ended.Add(time.Duration(r.Plan.Cleanup.Due))
}

// Cleanups returns the rollouts whose flags have to end some time: the newest of
// each flag in each environment, and older ones that are not closed.
func (s *State) Cleanups() []Rollout {
	var out []Rollout
	for _, subject := range slices.Sorted(maps.Keys(s.rollouts)) {
		list := s.rollouts[subject]
		for i, r := range list {
			if i == len(list)-1 || r.Closed == nil {
				out = append(out, *r)
			}
		}
	}
	return out
}

// CloseCommand closes a cleanup by hand.
type CloseCommand struct {
	ID      event.ID // of the event
	Rollout string
	Comment string // why it is done
	At      time.Time
	Actor   string
}

// HandleClose turns the command into its event, or says why not.
func (s *State) HandleClose(c CloseCommand) (event.Event, event.Expect, error) {
	r, ok := s.Rollout(c.Rollout)
	switch {
	case !ok:
		return event.Event{}, 0, fmt.Errorf("%w: %s", ErrUnknown, c.Rollout)
	case strings.TrimSpace(c.Comment) == "":
		return event.Event{}, 0, event.Invalids{{Path: "comment", Why: "is missing", Fix: "say why nothing is left to do; it stays on record"}}
	case r.Closed != nil:
		return event.Event{}, 0, fmt.Errorf("%w: the cleanup of %s is closed", ErrRefused, r.ID)
	case r.Ended.IsZero():
		return event.Event{}, 0, fmt.Errorf("%w: %s is %s, and its cleanup comes when it is over", ErrRefused, r.ID, r.Status)
	}
	subject := Subject(r.Plan.Environment, r.Plan.Flag)
	e, err := emit(c.ID, TypeClosed, subject, c.At, c.Actor, closed{Rollout: r.ID, Flag: r.Plan.Flag, How: ByPerson, Comment: strings.TrimSpace(c.Comment)})
	return e, event.Expect(s.last[subject]), err
}

// again is how long after a reminder the next one comes.
const again = 7 * 24 * time.Hour

// reminder returns which reminder is due, 0: none. Those of weeks in which
// nobody ran are not made up for.
func (r Rollout) reminder(now time.Time) int {
	if r.CleanupState(now) != CleanupOverdue {
		return 0
	}
	n := 1 + int(now.Sub(r.CleanupDue())/again)
	if n <= r.Reminded {
		return 0
	}
	return n
}

// closing says what has closed a cleanup, "" when nothing has.
func (r Rollout) closing(f flags.Recorded, newest Rollout) CloseWay {
	switch {
	case r.Closed != nil || r.Ended.IsZero():
		return ""
	case f.Archived:
		return ByArchive
	case newest.Number > r.Number && !newest.Started.IsZero():
		return BySuccessor
	case r.Carried != nil && f.Cleanup != nil && f.Cleanup.EndState == flags.Keep:
		return ByKeeping
	}
	return ""
}
