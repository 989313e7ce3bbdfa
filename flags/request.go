package flags

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/sluice-hq/sluice/event"
)

// The events of a change request, on the subject of its flag. To apply one is a
// flag.changed event with the request as its cause.
const (
	TypeProposed  = "flag.change.proposed"
	TypeApproved  = "flag.change.approved"
	TypeRejected  = "flag.change.rejected"
	TypeWithdrawn = "flag.change.withdrawn"
)

// Request is a change that somebody proposed, for others to agree to.
type Request struct {
	ID        event.ID   `json:"id"`  // of the event that proposed it
	Seq       uint64     `json:"seq"` // of that event
	Author    string     `json:"author"`
	Made      time.Time  `json:"made"`
	Base      uint64     `json:"base"` // revision of the flag that it changes; at another it is void
	Comment   string     `json:"comment,omitempty"`
	Changes   []Change   `json:"changes"`
	Needs     []Need     `json:"needs"` // what policies ask for
	Approvals []Approval `json:"approvals,omitempty"`
	Standing  Standing   `json:"standing"`
	Why       string     `json:"why,omitempty"`      // it ended
	Revision  uint64     `json:"revision,omitempty"` // of the event that ended it
}

// Need says how many people have to agree, and in what role.
type Need struct {
	Environment string `json:"environment,omitempty"` // in which; empty: the flag has none
	Count       int    `json:"count"`
	Role        string `json:"role"`
}

// Approval is one person's agreement.
type Approval struct {
	Actor   string    `json:"actor"`
	Roles   []string  `json:"roles"` // those that the person had, each role with the ones it includes
	At      time.Time `json:"at"`
	Comment string    `json:"comment,omitempty"`
}

// Errors of commands that are not for everybody to give.
var (
	// ErrApproval says that a change is to be proposed: others have to agree.
	ErrApproval = errors.New("others have to agree")
	// ErrRefused says that this is not the person, or not yet the time, for what
	// was to be done about a request.
	ErrRefused = errors.New("it is refused")
)

// Requests returns the change requests of a flag, oldest first: those that wait
// and the newest of those that ended.
func (s *State) Requests(key string) []Request {
	r, ok := s.flags[key]
	if !ok {
		return nil
	}
	return slices.Clone(r.Requests)
}

// Request returns one change request.
func (s *State) Request(key string, id event.ID) (Request, error) {
	for _, q := range s.Requests(key) {
		if q.ID == id {
			return q, nil
		}
	}
	return Request{}, fmt.Errorf("%w: flag %s has no change request %s", ErrUnknown, key, id)
}

// Propose turns a command into the event that asks others to agree to it. It is
// checked as if it were carried out now.
func (s *State) Propose(c Command) (event.Event, event.Expect, error) {
	expect, err := s.existing(c)
	if err != nil {
		return event.Event{}, 0, err
	}
	faults := CheckAsked(c.Changes)
	if r := s.flags[c.Key]; waiting(r.Requests, Request.standing) >= waitingMost {
		faults.Add("changes", nil, fmt.Sprintf("is refused: %d requests wait for the flag already", waitingMost), "reject or withdraw some")
	}
	if len(faults) > 0 {
		return event.Event{}, 0, faults
	}
	old, work := s.next(c.Key, c.At), s.next(c.Key, c.At)
	changes, err := s.plan(work, c)
	if err != nil {
		return event.Event{}, 0, err
	}
	if same(old.Recorded, work.Recorded) {
		return event.Event{}, 0, fmt.Errorf("%w: flag %s at revision %d", ErrUnchanged, c.Key, old.Revision)
	}
	needs := s.needs(old, work, changes)
	if len(needs) == 0 {
		needs = volunteered(old, work) // nobody has to propose this; who does wants to be heard
	}
	e, err := c.event(TypeProposed, waitingData{Base: old.Revision, Changes: storedOf(changes), Needs: needs, Comment: c.Comment})
	return e, expect, err
}

// volunteered asks for one approver in each environment that a change touches.
func volunteered(old, work *record) []Need {
	needs := []Need{}
	for _, name := range touched(old, work) {
		needs = append(needs, Need{Environment: name, Count: 1, Role: approver})
	}
	if len(needs) == 0 {
		needs = append(needs, Need{Count: 1, Role: approver})
	}
	return needs
}

// Preview returns what a command would make of a flag, or why it is refused.
func (s *State) Preview(c Command) (Recorded, error) {
	work := s.next(c.Key, c.At)
	_, err := s.plan(work, c)
	return work.Recorded, err
}

// Approve turns a person's agreement into an event. roles are the person's,
// each role with the ones it includes.
func (s *State) Approve(c Command, id event.ID, roles []string) (event.Event, event.Expect, error) {
	q, expect, err := s.asks(c, id)
	switch {
	case err != nil:
		return event.Event{}, 0, err
	case q.Author == c.Actor:
		return event.Event{}, 0, fmt.Errorf("%w: an author's own approval does not count", ErrRefused)
	case slices.ContainsFunc(q.Approvals, func(a Approval) bool { return a.Actor == c.Actor }):
		return event.Event{}, 0, fmt.Errorf("%w: %s has approved request %s", ErrUnchanged, c.Actor, id)
	case !slices.ContainsFunc(q.Needs, func(n Need) bool { return slices.Contains(roles, n.Role) }):
		return event.Event{}, 0, fmt.Errorf("%w: request %s asks for %s", ErrRefused, id, sentence(q.Needs))
	}
	e, err := c.event(TypeApproved, endData{Of: id, Roles: roles, Comment: c.Comment})
	return e, expect, err
}

// Reject ends a request. Withdraw does so too, and is for its author alone.
func (s *State) Reject(c Command, id event.ID) (event.Event, event.Expect, error) {
	_, expect, err := s.asks(c, id)
	if err != nil {
		return event.Event{}, 0, err
	}
	e, err := c.event(TypeRejected, endData{Of: id, Comment: c.Comment})
	return e, expect, err
}

// Withdraw takes a request back.
func (s *State) Withdraw(c Command, id event.ID) (event.Event, event.Expect, error) {
	q, expect, err := s.asks(c, id)
	switch {
	case err != nil:
		return event.Event{}, 0, err
	case q.Author != c.Actor:
		return event.Event{}, 0, fmt.Errorf("%w: only %s can withdraw request %s; reject it instead", ErrRefused, q.Author, id)
	}
	e, err := c.event(TypeWithdrawn, endData{Of: id, Comment: c.Comment})
	return e, expect, err
}

// Enact turns a request to which enough others have agreed into the change that
// it asks for. The policies that hold now are asked too, not only those that
// held when it was proposed.
func (s *State) Enact(c Command, id event.ID) (event.Event, event.Expect, error) {
	q, _, err := s.asks(c, id)
	if err != nil {
		return event.Event{}, 0, err
	}
	old, work := s.next(c.Key, c.At), s.next(c.Key, c.At)
	c.Changes, c.Expect, c.Cause = q.Changes, event.Expect(q.Base), id.String()
	if _, err := s.plan(work, c); err != nil {
		return event.Event{}, 0, err
	}
	if lacks := q.lacks(append(s.needs(old, work, c.Changes), q.Needs...)); len(lacks) > 0 {
		return event.Event{}, 0, fmt.Errorf("%w: request %s still asks for %s, and has %d", ErrRefused, id, sentence(lacks), len(q.Approvals))
	}
	if c.Comment == "" {
		c.Comment = q.Comment
	}
	return s.Handle(c)
}

// asks returns the request that a command is about and what the log must
// expect, or why there is nothing to command.
func (s *State) asks(c Command, id event.ID) (Request, event.Expect, error) {
	expect, err := s.existing(c)
	if err != nil {
		return Request{}, 0, err
	}
	q, err := s.Request(c.Key, id)
	if err == nil && q.Standing != Pending {
		err = fmt.Errorf("%w: request %s is %s (%s)", ErrEnded, id, q.Standing, q.Why)
	}
	return q, expect, err
}

// Asks says what the request asks for: "2 approvals (approver, production)".
func (q Request) Asks() string { return sentence(q.Needs) }

func (q Request) standing() Standing { return q.Standing }

// endRequest ends the request of that ID.
func (r *record) endRequest(id string, as Standing, why string, revision uint64) {
	list := slices.Clone(r.Requests)
	for i, q := range list {
		if q.ID.String() == id && q.Standing == Pending {
			list[i].Standing, list[i].Why, list[i].Revision = as, why, revision
		}
	}
	r.Requests = newest(list)
}

// void ends every request that waits: what was looked at and agreed to is not
// what the flag would become.
func (r *record) void(by event.Recorded) {
	for _, q := range r.Requests {
		if q.Standing == Pending {
			r.endRequest(q.ID.String(), Void, fmt.Sprintf("%s changed the flag at revision %d; propose it again", by.Actor, by.Seq), by.Seq)
		}
	}
}

// newest leaves out the oldest of the requests that ended.
func newest(list []Request) []Request {
	many := len(list) - waiting(list, Request.standing) - endedMost
	return slices.DeleteFunc(list, func(q Request) bool {
		old := q.Standing != Pending && many > 0
		if old {
			many--
		}
		return old
	})
}
