package flags

import (
	"iter"
	"maps"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/sluice-hq/sluice/event"
)

// Recorded is a flag as the log has it.
type Recorded struct {
	Flag
	Revision uint64    `json:"revision"` // sequence of the last event that changed it
	Created  time.Time `json:"created"`
	Changed  time.Time `json:"changed"`
	Actor    string    `json:"actor"`             // of the last change
	Cause    string    `json:"cause,omitempty"`   // of the last change
	Comment  string    `json:"comment,omitempty"` // of the last change
	Defined  event.ID  `json:"defined"`           // event that last defined it
	Archived bool      `json:"archived,omitempty"`
	Answer   string    `json:"answer,omitempty"` // archived: the variant that everybody gets
	Set      string    `json:"set,omitempty"`    // of files that keeps the flag: what they leave out is archived when they are applied with prune
}

// State is the fold of all events of flags and of what they share: segments,
// environments and policies. It is not safe for concurrent use; a
// projection guards it. What it returns may be kept: Apply never writes to a
// value that it has handed out.
type State struct {
	flags  map[string]*record
	needed needed
	kinds  kinds
	since  since
	shared shared
	ids    event.IDs // of every event applied
	last   uint64    // sequence of the last of them
}

// record is one flag with what later commands and questions need of its past.
type record struct {
	Recorded
	Tenures  map[string][]tenure   `json:"tenures,omitempty"`  // environment -> allocations in force, oldest first
	Rollouts map[string]Allocation `json:"rollouts,omitempty"` // rollout -> the last allocation it made

	Last      uint64     `json:"last,omitempty"`      // sequence of its last event that did not change it; 0: none since Revision
	Schedules []Schedule `json:"schedules,omitempty"` // the newest that ended, then those that wait, in the order of their time
	Requests  []Request  `json:"requests,omitempty"`  // oldest first
}

// tenure says which allocation was in force from a revision on.
type tenure struct {
	From       uint64      `json:"from"`
	Allocation *Allocation `json:"allocation,omitempty"` // nil: none, or the flag was disabled, forced or archived
}

// NewState returns the state before the first event.
func NewState() *State {
	return &State{flags: map[string]*record{}, needed: needed{}, kinds: kinds{}, since: since{}, shared: newShared()}
}

// Apply implements event.Fold. It trusts that the event was valid when it was
// written and checks nothing against what the house would accept today.
func (s *State) Apply(r event.Recorded) error {
	var err error
	switch r.Type {
	case EventType:
		err = s.applyFlag(r)
	case TypeScheduled, TypeCancelled, TypeLapsed, TypeProposed, TypeApproved, TypeRejected, TypeWithdrawn:
		if err = s.applyWaiting(r); err == nil {
			s.ids.Add(r.ID, r.Seq)
		}
		return err // no Set changes with it
	case ScanEventType:
		return s.applyScan(r)
	case SegmentEventType:
		err = s.applySegment(r)
	case EnvironmentEventType:
		err = s.applyEnvironment(r)
	case PolicyEventType:
		err = s.applyPolicy(r)
	default:
		return nil
	}
	if err != nil {
		return err
	}
	s.ids.Add(r.ID, r.Seq)
	s.last = r.Seq
	return nil
}

// applyFlag folds a flag.changed event.
func (s *State) applyFlag(r event.Recorded) error {
	changes, comment, err := load(r.Data)
	if err != nil {
		return err
	}
	next := s.next(strings.TrimPrefix(r.Subject, SubjectPrefix), r.Time)
	for _, c := range changes {
		if err := next.change(c, r.Time); err != nil {
			return err
		}
		if c.Op == Define || c.edits() {
			next.Defined = r.ID
		}
	}
	next.Revision, next.Last, next.Changed = r.Seq, 0, r.Time
	next.Actor, next.Cause, next.Comment = r.Actor, r.Cause, comment
	next.mark()
	next.carried(r)
	s.needed.replace(s.flags[next.Key], next)
	s.kinds.add(next)
	s.since.add(next)
	s.flags[next.Key] = next
	return nil
}

// next returns a copy of the record that the next event may change.
func (s *State) next(key string, at time.Time) *record {
	old, ok := s.flags[key]
	if !ok {
		return &record{
			Recorded: Recorded{Flag: Flag{Key: key}, Created: at},
			Tenures:  map[string][]tenure{}, Rollouts: map[string]Allocation{},
		}
	}
	return old.clone()
}

func (r *record) clone() *record {
	c := *r
	c.Environments = maps.Clone(r.Environments)
	c.Tenures, c.Rollouts = maps.Clone(r.Tenures), maps.Clone(r.Rollouts)
	return &c
}

// State implements event.Fold.
func (s *State) State() any {
	return map[string]any{"flags": maps.Clone(s.flags), "shared": s.shared.clone()}
}

// Flag returns one flag as it is.
func (s *State) Flag(key string) (Recorded, bool) {
	r, ok := s.flags[key]
	if !ok {
		return Recorded{}, false
	}
	out := r.Recorded
	out.Environments = maps.Clone(r.Environments)
	return out, true
}

// Keys returns the keys of all flags, archived ones too, sorted.
func (s *State) Keys() []string { return slices.Sorted(maps.Keys(s.flags)) }

// All yields all flags, archived ones too, by key. They are not copies, as those of
// Flag are: look at them before the next event, and change nothing.
func (s *State) All() iter.Seq[Recorded] {
	return func(yield func(Recorded) bool) {
		for _, key := range s.Keys() {
			if !yield(s.flags[key].Recorded) {
				return
			}
		}
	}
}

// Revision returns the sequence of the last flag event, 0 before the first:
// while it stays, so does every compiled Set.
func (s *State) Revision() uint64 { return s.last }

// Applied returns the sequence of the flag event with that ID, and whether the
// state has applied it.
func (s *State) Applied(id event.ID) (uint64, bool) {
	return s.ids.Seq(id)
}

// AllocationAt returns the allocation that was in force in an environment at a
// revision of the flag, however long ago; false when there was none that
// enrolls units (a ramp does not), or the flag was disabled, forced, archived,
// or not yet there.
func (s *State) AllocationAt(environment, key string, revision uint64) (Allocation, bool) {
	r, ok := s.flags[key]
	if !ok {
		return Allocation{}, false
	}
	list := r.Tenures[environment]
	i := sort.Search(len(list), func(i int) bool { return list[i].From > revision })
	if i == 0 || list[i-1].Allocation == nil || list[i-1].Allocation.Ramp {
		return Allocation{}, false
	}
	return *list[i-1].Allocation, true
}

// mark writes down which allocation is in force from this revision on, in each
// environment where that changed.
func (r *record) mark() {
	for _, name := range slices.Sorted(maps.Keys(r.Environments)) {
		now, list := r.inForce(name), r.Tenures[name]
		var last *Allocation
		if len(list) > 0 {
			last = list[len(list)-1].Allocation
		}
		if same(now, last) {
			continue
		}
		r.Tenures[name] = append(list, tenure{From: r.Revision, Allocation: now})
	}
}

func (r *record) inForce(environment string) *Allocation {
	e := r.Environments[environment]
	if r.Archived || !e.Enabled || e.Forced != nil {
		return nil
	}
	return e.Allocation
}
