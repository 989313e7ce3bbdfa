package flags

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/sluice-hq/sluice/event"
)

// The events of a scheduled command, on the subject of its flag. What it does
// when its time has come is a flag.changed event with the schedule as its
// cause.
const (
	TypeScheduled = "flag.scheduled"
	TypeCancelled = "flag.schedule.cancelled"
	TypeLapsed    = "flag.schedule.lapsed"
)

// Schedule is a command that waits for its time.
type Schedule struct {
	ID       event.ID  `json:"id"` // of the event that scheduled it
	At       time.Time `json:"at"` // when it is carried out
	Actor    string    `json:"actor"`
	Made     time.Time `json:"made"`
	Comment  string    `json:"comment,omitempty"`
	Changes  []Change  `json:"changes"`
	Standing Standing  `json:"standing"`
	Why      string    `json:"why,omitempty"`      // lapsed: why it was refused; cancelled: the comment
	Revision uint64    `json:"revision,omitempty"` // of the event that ended it
}

// Standing says what became of a command that waited.
type Standing string

// The ends of a schedule and of a change request.
const (
	Pending   Standing = "pending"
	Done      Standing = "done"      // carried out
	Cancelled Standing = "cancelled" // schedule: a person took it back
	Lapsed    Standing = "lapsed"    // schedule: it was refused when its time had come
	Rejected  Standing = "rejected"  // request: a person said no
	Withdrawn Standing = "withdrawn" // request: its author took it back
	Void      Standing = "void"      // request: the flag changed under it
)

const (
	waitingMost = 100 // commands that wait for one flag, of each kind
	endedMost   = 20  // of those that ended, the newest stay in sight; the log has all
)

// ErrEnded says that a schedule or a change request waits no longer.
var ErrEnded = errors.New("it waits no longer")

// Schedules returns the commands that wait for a flag, in the order of their
// time, behind the newest of those that ended.
func (s *State) Schedules(key string) []Schedule {
	r, ok := s.flags[key]
	if !ok {
		return nil
	}
	return slices.Clone(r.Schedules)
}

// Schedule turns a command into the event that has it carried out at a time.
// It is checked on the flag as it will be by then, as far as that is known:
// with what was scheduled for before. When its time has come it is checked
// again.
func (s *State) Schedule(c Command, at time.Time) (event.Event, event.Expect, error) {
	expect, err := s.existing(c)
	if err != nil {
		return event.Event{}, 0, err
	}
	var faults event.Invalids
	if !at.After(c.At) {
		faults.Add("at", at.Format(time.RFC3339), "is not in the future", "write a later time, or make the change now")
	}
	r := s.flags[c.Key]
	if waiting(r.Schedules, Schedule.standing) >= waitingMost {
		faults.Add("at", nil, fmt.Sprintf("is refused: %d commands wait for the flag already", waitingMost), "cancel some")
	}
	faults = append(faults, CheckAsked(c.Changes)...)
	if len(faults) > 0 {
		return event.Event{}, 0, faults
	}
	old := s.foreseen(r, at)
	work := old.clone()
	then := c
	then.At = at
	changes, err := s.plan(work, then)
	if err == nil {
		err = s.agreed(old, work, c)
	}
	if err != nil {
		return event.Event{}, 0, err
	}
	at = at.UTC().Truncate(time.Millisecond) // as the log keeps times: it must not be later than what it causes
	e, err := c.event(TypeScheduled, waitingData{At: &at, Changes: storedOf(changes), Comment: c.Comment})
	return e, expect, err
}

// foreseen returns the flag with all done that is scheduled for up to a time.
// What would be refused is passed over: it will lapse.
func (s *State) foreseen(r *record, at time.Time) *record {
	r = r.clone()
	for _, p := range r.Schedules {
		next := r.clone()
		if p.Standing != Pending || p.At.After(at) {
			continue
		}
		if _, err := s.plan(next, Command{Key: r.Key, Actor: p.Actor, At: p.At, Comment: p.Comment, Changes: p.Changes}); err == nil {
			r = next
		}
	}
	return r
}

// Cancel takes back a schedule.
func (s *State) Cancel(c Command, schedule event.ID) (event.Event, event.Expect, error) {
	expect, err := s.waits(c, schedule)
	if err != nil {
		return event.Event{}, 0, err
	}
	e, err := c.event(TypeCancelled, endData{Of: schedule, Comment: c.Comment})
	return e, expect, err
}

// existing is expected for commands that no flag can begin with.
func (s *State) existing(c Command) (event.Expect, error) {
	if _, ok := s.flags[c.Key]; !ok {
		return 0, fmt.Errorf("%w: flag %s", ErrUnknown, c.Key)
	}
	return s.expected(c)
}

// waits returns what the log must expect of a command about a schedule, or why
// there is nothing to command.
func (s *State) waits(c Command, schedule event.ID) (event.Expect, error) {
	expect, err := s.existing(c)
	if err != nil {
		return 0, err
	}
	list := s.flags[c.Key].Schedules
	i := slices.IndexFunc(list, func(p Schedule) bool { return p.ID == schedule })
	switch {
	case i < 0:
		return 0, fmt.Errorf("%w: flag %s has no schedule %s", ErrUnknown, c.Key, schedule)
	case list[i].Standing != Pending:
		return 0, fmt.Errorf("%w: schedule %s is %s", ErrEnded, schedule, list[i].Standing)
	}
	return expect, nil
}

// Due returns the scheduled commands whose time has come, to be carried out by
// Handle like those of Expired: their IDs derive from the schedule, so that each
// is carried out once, whoever asks and however often. One that Handle refuses
// is put down with Lapse.
func (s *State) Due(now time.Time) []Command {
	var out []Command
	for key, r := range s.flags {
		for _, p := range r.Schedules {
			if p.Standing == Pending && !p.At.After(now) {
				out = append(out, Command{
					ID: event.Derive("flag.schedule.done", p.ID.String()), Key: key, Expect: event.Any, At: now,
					Actor: "controller", Cause: p.ID.String(), Comment: p.Comment, Changes: p.Changes,
				})
			}
		}
	}
	slices.SortStableFunc(out, byKey) // those of one flag stay in the order of their time
	return out
}

// Lapse puts down that a command of Due was refused, and why.
func (s *State) Lapse(c Command, why error) (event.Event, event.Expect, error) {
	schedule, err := event.ParseID(c.Cause)
	if err != nil {
		return event.Event{}, 0, fmt.Errorf("reading the cause: %w", err)
	}
	expect, err := s.waits(c, schedule)
	if err != nil {
		return event.Event{}, 0, err
	}
	c.ID = event.Derive(TypeLapsed, c.Cause)
	e, err := c.event(TypeLapsed, endData{Of: schedule, Why: why.Error()})
	return e, expect, err
}

// scheduled reports whether a schedule of that ID waits.
func (r *record) scheduled(id string) bool {
	return slices.ContainsFunc(r.Schedules, func(p Schedule) bool { return p.Standing == Pending && p.ID.String() == id })
}

func (p Schedule) standing() Standing { return p.Standing }

// schedule puts a command into its place in the order of time.
func (r *record) schedule(p Schedule) {
	i := len(r.Schedules)
	for i > 0 && (r.Schedules[i-1].Standing == Pending && r.Schedules[i-1].At.After(p.At)) {
		i--
	}
	r.Schedules = slices.Insert(slices.Clone(r.Schedules), i, p)
}

// endSchedule ends the schedule of that ID, and reports whether it is one that
// waited. Ended ones stand before those that wait, in the order of their end.
func (r *record) endSchedule(id string, as Standing, why string, revision uint64) bool {
	i := slices.IndexFunc(r.Schedules, func(p Schedule) bool { return p.ID.String() == id && p.Standing == Pending })
	if i < 0 {
		return false
	}
	p := r.Schedules[i]
	p.Standing, p.Why, p.Revision = as, why, revision
	rest := slices.Delete(slices.Clone(r.Schedules), i, i+1)
	ended := len(rest) - waiting(rest, Schedule.standing)
	rest = slices.Insert(rest, ended, p)
	r.Schedules = rest[max(0, ended+1-endedMost):]
	return true
}

// waiting counts what is pending.
func waiting[T any](list []T, standing func(T) Standing) int {
	n := 0
	for _, v := range list {
		if standing(v) == Pending {
			n++
		}
	}
	return n
}
