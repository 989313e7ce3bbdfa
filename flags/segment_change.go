package flags

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sluice-hq/sluice/event"
)

// The types of the events that change what flags share, and what their subject
// has before the key.
const (
	SegmentEventType     = "segment.changed"
	SegmentSubject       = "segment."
	EnvironmentEventType = "environment.changed"
	EnvironmentSubject   = "environment."
	PolicyEventType      = "policy.changed"
	PolicySubject        = "policy."
)

// Order is what every command has beside what it asks for.
type Order struct {
	ID      event.ID     // of the event; derived when the command answers something
	Expect  event.Expect // revision the author saw; event.Any when it does not matter
	At      time.Time    // when the command was given
	Actor   string       // principal
	Cause   string       // ID of the decision or event behind it; empty when a person acts
	Comment string       // why, for people
}

// SegmentCommand asks for changes to one segment that happen together or not
// at all.
type SegmentCommand struct {
	Order
	Key     string
	Changes []SegmentChange // carried out in order
	May     func(Need) bool // whether the actor could agree to a change of flags himself; nil: never
}

// SegmentOp names what a change of a segment does.
type SegmentOp string

// The changes of a segment.
const (
	SegmentDefine SegmentOp = "define" // Segment: the whole document; also one that was deleted
	SegmentAdd    SegmentOp = "add"    // List, Units
	SegmentRemove SegmentOp = "remove" // List, Units
	SegmentDelete SegmentOp = "delete" //
)

// ListName names one of a segment's lists.
type ListName string

// The lists of a segment.
const (
	IncludedList ListName = "included"
	ExcludedList ListName = "excluded"
)

// SegmentChange is one change of a command. Op says which fields it reads.
type SegmentChange struct {
	Op      SegmentOp `json:"op"`
	Segment *Segment  `json:"segment,omitempty"`
	List    ListName  `json:"list,omitempty"`
	Units   []string  `json:"units,omitempty"` // a few; a large list is a Define whose list names a bulk
}

// segmentChanged is the data of a segment.changed event. Its shape is
// append-only; testdata/shared.json holds recorded ones.
type segmentChanged struct {
	Changes []storedSegmentChange `json:"changes"`
	Comment string                `json:"comment,omitempty"`
}

// storedSegmentChange is a SegmentChange as the log keeps it: see stored.
type storedSegmentChange struct {
	Op      SegmentOp `json:"op"`
	Segment *Segment  `json:"segment,omitempty"`
	List    ListName  `json:"list,omitempty"`
	Units   []string  `json:"units,omitempty"`
}

// shelf is every revision of one segment, oldest first.
type shelf []RecordedSegment

// last returns the newest revision, zero when there is none.
func (s shelf) last() RecordedSegment {
	if len(s) == 0 {
		return RecordedSegment{}
	}
	return s[len(s)-1]
}

// Segment returns one segment as it is.
func (s *State) Segment(key string) (RecordedSegment, bool) {
	last := s.shared.Segments[key].last()
	return last, last.Revision > 0 && !last.Deleted
}

// SegmentAt returns a segment as its event of that sequence left it.
func (s *State) SegmentAt(key string, revision uint64) (RecordedSegment, bool) {
	if doc := s.segmentAt(pin{key, revision}); doc != nil {
		return *doc, true
	}
	return RecordedSegment{}, false
}

// Segments returns all segments, by key.
func (s *State) Segments() []RecordedSegment {
	var out []RecordedSegment
	for key := range s.shared.Segments {
		if doc, ok := s.Segment(key); ok {
			out = append(out, doc)
		}
	}
	slices.SortFunc(out, func(a, b RecordedSegment) int { return strings.Compare(a.Key, b.Key) })
	return out
}

func (s *State) segmentAt(p pin) *RecordedSegment {
	list := s.shared.Segments[p.key]
	i, ok := slices.BinarySearchFunc(list, p.revision, func(d RecordedSegment, revision uint64) int {
		return cmp.Compare(d.Revision, revision)
	})
	if !ok || list[i].Deleted {
		return nil
	}
	return &list[i]
}

func (s *State) segmentNow(key string) *RecordedSegment {
	list := s.shared.Segments[key]
	if len(list) == 0 || list.last().Deleted {
		return nil
	}
	return &list[len(list)-1]
}

// applySegment folds a segment.changed event.
func (s *State) applySegment(r event.Recorded) error {
	var data segmentChanged
	if err := json.Unmarshal(r.Data, &data); err != nil {
		return fmt.Errorf("reading a %s event: %w", SegmentEventType, err)
	}
	key := strings.TrimPrefix(r.Subject, SegmentSubject)
	next := s.shared.Segments[key].last()
	for _, c := range data.Changes {
		if err := next.change(SegmentChange(c)); err != nil {
			return err
		}
	}
	next.Key = key
	next.Stamp = next.follow(r, data.Comment)
	s.shared.Segments[key] = append(slices.Clip(s.shared.Segments[key]), next)
	return nil
}

// follow returns the stamp of what an event wrote, after the one before.
func (s Stamp) follow(r event.Recorded, comment string) Stamp {
	if s.Revision == 0 {
		s.Created = r.Time
	}
	s.Revision, s.Changed = r.Seq, r.Time
	s.Actor, s.Cause, s.Comment = r.Actor, r.Cause, comment
	return s
}

// change carries out one change.
func (s *RecordedSegment) change(c SegmentChange) error {
	switch c.Op {
	case SegmentDefine:
		if c.Segment == nil {
			return fmt.Errorf("change %q has no segment", c.Op)
		}
		s.Segment, s.Deleted = *c.Segment, false
	case SegmentAdd, SegmentRemove:
		list := s.list(c.List)
		if list == nil {
			return fmt.Errorf("change %q is of the list %q, which is not known to this version", c.Op, c.List)
		}
		if c.Op == SegmentAdd {
			*list = list.add(c.Units)
		} else {
			*list = list.remove(c.Units)
		}
	case SegmentDelete:
		s.Deleted = true
	default:
		return fmt.Errorf("change %q is not known to this version", c.Op)
	}
	return nil
}

func (s *Segment) list(name ListName) *UnitList {
	switch name {
	case IncludedList:
		return &s.Included
	case ExcludedList:
		return &s.Excluded
	}
	return nil
}
