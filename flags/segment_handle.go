package flags

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/sluice-hq/sluice/event"
)

// expects returns ErrConflict unless the document is where its author saw it.
func (o Order) expects(what string, revision uint64) error {
	if o.Expect != event.Any && o.Expect != event.Expect(revision) {
		return fmt.Errorf("%w: %s is at revision %d, not %d", event.ErrConflict, what, revision, o.Expect)
	}
	return nil
}

// event returns the event of a command and what the log must expect.
func (o Order) event(kind, subject string, revision uint64, data any) (event.Event, event.Expect, error) {
	b, err := json.Marshal(data)
	if err != nil {
		return event.Event{}, 0, fmt.Errorf("encoding the change: %w", err)
	}
	return event.Event{
		ID: o.ID, Source: "sluice/flags", Type: kind, Subject: subject,
		Time: o.At, Actor: o.Actor, Cause: o.Cause, Data: b,
	}, event.Expect(revision), nil
}

// HandleSegment is Handle for a segment. Paths are those of the document for a
// define, and begin with changes[i] for other changes.
func (s *State) HandleSegment(c SegmentCommand) (event.Event, event.Expect, error) {
	old := s.shared.Segments[c.Key].last()
	exists := old.Revision > 0 && !old.Deleted
	if err := c.expects("segment "+c.Key, old.Revision); err != nil {
		return event.Event{}, 0, err
	}
	if !exists && (len(c.Changes) == 0 || c.Changes[0].Op != SegmentDefine) {
		return event.Event{}, 0, fmt.Errorf("%w: segment %s", ErrUnknown, c.Key)
	}
	work := old
	changes, err := s.planSegment(&work, c)
	if err == nil {
		err = s.agreedMembers(old.Segment, work.Segment, c)
	}
	if err != nil {
		return event.Event{}, 0, err
	}
	if exists && c.Cause == "" && !work.Deleted && same(old.Segment, work.Segment) {
		return event.Event{}, event.Expect(old.Revision), fmt.Errorf("%w: segment %s at revision %d", ErrUnchanged, c.Key, old.Revision)
	}
	return c.event(SegmentEventType, SegmentSubject+c.Key, old.Revision, segmentChanged{changes, c.Comment})
}

// planSegment checks each change, carries it out on work, and returns the
// changes as they are to be recorded.
func (s *State) planSegment(work *RecordedSegment, c SegmentCommand) ([]storedSegmentChange, error) {
	old := *work
	var faults event.Invalids
	if len(c.Changes) == 0 {
		faults.Add("changes", nil, "is missing", "ask for at least one change")
	}
	if c.Actor == "" {
		faults.Add("actor", nil, "is missing", "")
	}
	out := make([]storedSegmentChange, 0, len(c.Changes))
	for i, change := range c.Changes {
		change, found := s.checkSegment(work, change)
		if change.Op == SegmentDefine {
			faults = append(faults, found...)
		} else {
			faults.Under(fmt.Sprintf("changes[%d]", i), found)
		}
		if len(faults) > 0 {
			return nil, faults
		}
		if err := work.change(change); err != nil {
			return nil, err // unreachable unless checkSegment lets through what change does not know
		}
		out = append(out, storedSegmentChange(change))
	}
	s.checkReach(&faults, old, *work)
	return out, faults.Err()
}

// checkSegment returns a change with its defaults filled in, and its faults.
func (s *State) checkSegment(r *RecordedSegment, c SegmentChange) (SegmentChange, event.Invalids) {
	var faults event.Invalids
	switch c.Op {
	case SegmentDefine:
		return r.checkDefine(c)
	case SegmentAdd, SegmentRemove:
		r.checkUnits(&faults, c)
		c.Units = sortedUnits(c.Units)
	case SegmentDelete:
		if uses := s.Uses(r.Key); len(uses) > 0 {
			faults.Add("op", c.Op, "is refused: it is used by "+listed(uses), "change those first")
		}
	default:
		faults.Add("op", c.Op, missing(string(c.Op), "is not a change of a segment"), "use define, add, remove or delete")
	}
	return c, faults
}

// checkDefine checks a whole document. A list that it does not speak of stays
// as it is: a million ids are not in the file that somebody edits.
func (s *RecordedSegment) checkDefine(c SegmentChange) (SegmentChange, event.Invalids) {
	var faults event.Invalids
	if c.Segment == nil {
		faults.Add("segment", nil, "is missing", "write the whole document")
		return c, faults
	}
	doc := *c.Segment
	if s.Key != "" && doc.Key != s.Key {
		faults.Add("key", doc.Key, "is not the segment that is being defined, "+s.Key, "")
	}
	if !s.Deleted && doc.Included.absent() {
		doc.Included = s.Included
	}
	if !s.Deleted && doc.Excluded.absent() {
		doc.Excluded = s.Excluded
	}
	doc = doc.normal()
	if found, ok := doc.Validate().(event.Invalids); ok {
		faults = append(faults, found...)
	}
	if !s.Deleted {
		checkPortionsKept(&faults, "when", s.When, doc.When)
	}
	c.Segment = &doc
	return c, faults
}

// checkUnits checks a change of a few units.
func (s *RecordedSegment) checkUnits(faults *event.Invalids, c SegmentChange) {
	list := s.list(c.List)
	if list == nil {
		faults.Add("list", c.List, missing(string(c.List), "is not a list of a segment"), "write included or excluded")
		return
	}
	if len(c.Units) == 0 {
		faults.Add("units", nil, "is missing", "list the ids of units")
	}
	checkIDs(faults, "units", c.Units)
	after := list.add(c.Units)
	if c.Op == SegmentRemove {
		after = list.remove(c.Units)
	}
	switch {
	case !after.Small():
		faults.Add("units", nil, fmt.Sprintf("makes more than %d changes to a list", inlineUnits), "send the whole list to the segment's units")
	case after.Len() > MaxUnits:
		faults.Add("units", nil, fmt.Sprintf("makes the list longer than %d ids", MaxUnits), "write a condition instead")
	}
}

// checkReach refuses a change of who is a member that gives more units what a
// rollout compares.
func (s *State) checkReach(faults *event.Invalids, old, work RecordedSegment) {
	m := old.Segment.moves(work.Segment)
	if old.Revision == 0 || m == (moves{}) {
		return
	}
	if rollouts := s.widenedBy(old.Key, m); len(rollouts) > 0 {
		faults.Add("key", old.Key, "decides who gets what "+strings.Join(rollouts, ", ")+" compares", "wait until it has ended, or roll it back first")
	}
}
