package flags

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/sluice-hq/sluice/event"
)

// Handle turns a command into its one event and what the log must expect, or
// says why not: event.Invalids with every fault, ErrUnknown, ErrUnchanged, or
// event.ErrConflict when the flag is not at the revision the author saw, or
// ErrApproval when it is not for the author alone to say. It changes nothing.
// Paths are those of the document for a Define, and begin with changes[i] for
// other changes.
func (s *State) Handle(c Command) (event.Event, event.Expect, error) {
	expect, err := s.expected(c)
	if err != nil {
		return event.Event{}, 0, err
	}
	old, work := s.next(c.Key, c.At), s.next(c.Key, c.At)
	changes, err := s.plan(work, c)
	if err == nil {
		err = s.agreed(old, work, c)
	}
	if err != nil {
		return event.Event{}, 0, err
	}
	if c.Cause == "" && same(old.Recorded, work.Recorded) {
		return event.Event{}, expect, fmt.Errorf("%w: flag %s at revision %d", ErrUnchanged, c.Key, old.Revision)
	}
	e, err := c.event(EventType, changed{Changes: storedOf(changes), Comment: c.Comment})
	return e, expect, err
}

// expected returns the last event of the flag's subject that the log must have,
// or why the command comes to nothing: the flag is not there, or not at the
// revision that its author saw.
func (s *State) expected(c Command) (event.Expect, error) {
	r, exists := s.flags[c.Key]
	if !exists {
		r = &record{}
	}
	switch {
	case c.Expect != event.Any && c.Expect != event.Expect(r.Revision):
		return 0, fmt.Errorf("%w: flag %s is at revision %d, not %d", event.ErrConflict, c.Key, r.Revision, c.Expect)
	case !exists && !c.defines():
		return 0, fmt.Errorf("%w: flag %s", ErrUnknown, c.Key)
	}
	return event.Expect(max(r.Revision, r.Last)), nil
}

// event returns the event of a type that the command becomes.
func (c Command) event(kind string, data any) (event.Event, error) {
	b, err := json.Marshal(data)
	if err != nil {
		return event.Event{}, fmt.Errorf("encoding the data of a %s: %w", kind, err)
	}
	return event.Event{
		ID: c.ID, Source: "sluice/flags", Type: kind, Subject: SubjectPrefix + c.Key,
		Time: c.At, Actor: c.Actor, Cause: c.Cause, Data: b,
	}, nil
}

func (c Command) defines() bool { return len(c.Changes) > 0 && c.Changes[0].Op == Define }

// plan checks each change against what the ones before it leave, and carries
// it out on work. It returns the changes as they are to be recorded.
func (s *State) plan(work *record, c Command) ([]Change, error) {
	var faults event.Invalids
	old := work.clone()
	if len(c.Changes) == 0 {
		faults.Add("changes", nil, "is missing", "ask for at least one change")
	}
	if c.Actor == "" {
		faults.Add("actor", nil, "is missing", "")
	}
	s.checkWhy(&faults, &old.Flag, c)
	out := make([]Change, 0, len(c.Changes))
	for i, change := range c.Changes {
		change, found := s.check(work, change, c.At)
		if change.Op == Define {
			faults = append(faults, found...)
		} else {
			faults.Under(fmt.Sprintf("changes[%d]", i), found)
		}
		if len(faults) > 0 {
			return nil, faults
		}
		if err := work.change(change, c.At); err != nil {
			return nil, err // unreachable unless check lets through what change does not know
		}
		out = append(out, change)
	}
	if slices.ContainsFunc(out, func(c Change) bool { return c.edits() }) {
		faults = append(faults, s.checkLeft(old, work, c.At)...)
	}
	return out, faults.Err()
}

func (c Change) edits() bool {
	_, ok := editOf(c.Op)
	return ok
}

// check returns the change with its defaults filled in, and its faults.
func (s *State) check(r *record, c Change, at time.Time) (Change, event.Invalids) {
	var faults event.Invalids
	if r.Archived && c.Op != Restore && c.Op != Archive {
		faults.Add("op", c.Op, "is refused: the flag is archived", "restore it first")
		return c, faults
	}
	if e, ok := editOf(c.Op); ok {
		return r.checkEdit(e, c)
	}
	switch c.Op {
	case Define:
		return s.checkDefine(r, c, at)
	case Archive:
		return s.checkArchive(r, c)
	case Restore:
		return c, s.checkRestore(r)
	case Adopt:
		checkKey(&faults, "name", c.Name)
		return c, faults
	case Enable, Disable, Force, Unforce, Allocate, Deallocate, Serve, Unserve, Expire:
		return s.checkOwn(r, c)
	}
	faults.Add("op", c.Op, missing(string(c.Op), "is not a change"), "use one of "+strings.Join(Ops(), ", "))
	return c, faults
}

// checkArchive picks the variant that everybody will get from now on.
func (s *State) checkArchive(r *record, c Change) (Change, event.Invalids) {
	var faults event.Invalids
	switch {
	case c.Variant != "":
	case r.Archived:
		c.Variant = r.Answer
	case r.Cleanup != nil && r.Cleanup.EndState == Remove:
		c.Variant = r.Safe
	default:
		c.Variant = r.Default
	}
	r.checkVariant(&faults, "variant", c.Variant)
	if c.Reason != "" || r.Archived {
		return c, faults
	}
	if keys := s.Dependants(r.Key); len(keys) > 0 {
		faults.Add("op", c.Op, "is refused: it is a prerequisite of "+strings.Join(keys, ", "), "free them first, or give a reason")
	}
	for _, name := range slices.Sorted(maps.Keys(r.Environments)) {
		switch a := r.inForce(name); {
		case a == nil:
		case a.Ramp:
			faults.Add("op", c.Op, "is refused: a ramp gives units of "+name+" the variant "+a.Arms[0].Variant, "bring the ramp to 0 % first, or give a reason")
		default:
			faults.Add("op", c.Op, "is refused: rollout "+a.Rollout+" is under way", "deallocate it first, or give a reason")
		}
	}
	return c, faults
}

// checkOwn checks a change of one environment.
func (s *State) checkOwn(r *record, c Change) (Change, event.Invalids) {
	var faults event.Invalids
	if r.checkHas(&faults, "environment", c.Environment); len(faults) > 0 {
		return c, faults
	}
	e := r.Environments[c.Environment]
	if e.Forced != nil && (c.Op == Allocate || c.Op == Serve) {
		faults.Add("op", c.Op, "is refused: the flag is forced to its safe variant ("+e.Forced.Reason+")", "unforce it first")
	}
	if c.Op == Allocate || c.Op == Serve {
		r.checkLed(e, "op", c.Op, &faults)
	}
	switch c.Op {
	case Force:
		if strings.TrimSpace(c.Reason) == "" {
			faults.Add("reason", nil, "is missing", "say why everybody gets the safe variant")
		}
	case Allocate:
		return s.checkAllocate(r, e, c, faults)
	case Serve:
		if r.checkServe(e, c, &faults); c.Rule != nil {
			s.checkSegments(&faults, "rule.when", c.Rule.When)
		}
	case Unserve, Expire:
		if c.Name == "" {
			faults.Add("name", nil, "is missing", "name the rule")
		}
	}
	return c, faults
}

func (r *record) checkServe(e Environment, c Change, faults *event.Invalids) {
	if c.Rule == nil {
		faults.Add("rule", nil, "is missing", "")
		return
	}
	faults.Under("rule", r.checkRule(*c.Rule))
	if c.Rule.Until != "" {
		faults.Add("rule.until", c.Rule.Until, "has no meaning for a served audience", "its rollout takes it away")
	}
	if named(e.Rules, c.Rule.Name) >= 0 {
		faults.Add("rule.name", c.Rule.Name, "is the name of a rule of the definition", "give the served rule another name")
	}
}

// checkAllocate holds an allocation to the epoch it belongs to: within one,
// only stage and coverage may change, or comparisons would pool units that
// were split in different ways.
func (s *State) checkAllocate(r *record, e Environment, c Change, faults event.Invalids) (Change, event.Invalids) {
	if c.Allocation == nil {
		faults.Add("allocation", nil, "is missing", "")
		return c, faults
	}
	a := *c.Allocation
	if a.HashVersion == 0 {
		a.HashVersion = HashVersion
	}
	a = s.pinned(r, a)
	var full event.Invalids
	a.Slice, full = s.sliced(c.Environment, r, a)
	faults.Under("allocation.slice", full)
	c.Allocation = &a
	faults.Under("allocation", r.checkAllocation(a))
	faults.Under("allocation", s.checkPinned(c.Environment, r.Key, a))
	if e.Allocation != nil && e.Allocation.Rollout != a.Rollout {
		faults.Add("allocation.rollout", a.Rollout, "is refused: rollout "+e.Allocation.Rollout+" holds the environment", "deallocate that one first")
	}
	last, ok := r.Rollouts[a.Rollout]
	switch broken := last.breaks(a); {
	case !ok:
	case a.Epoch < last.Epoch:
		faults.Add("allocation.epoch", a.Epoch, fmt.Sprintf("is over: the rollout is in epoch %d", last.Epoch), "")
	case a.Epoch == last.Epoch && broken != "":
		faults.Add("allocation."+broken, nil, fmt.Sprintf("has changed within epoch %d", a.Epoch), fmt.Sprintf("it needs a new epoch: write epoch %d", a.Epoch+1))
	}
	return c, faults
}
