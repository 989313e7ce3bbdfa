package decisions

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
)

// SubjectPrefix is what the subjects of rollouts begin with.
const SubjectPrefix = "rollout."

// State is the fold of all events of rollouts, decisions and incidents, and of
// the flag changes that decisions caused. It is not safe for concurrent use; a
// projection guards it. What it returns may be kept: Apply never writes to a
// value that it has handed out.
type State struct {
	rollouts  map[string][]*Rollout // by subject, oldest first
	last      map[string]uint64     // subject -> sequence of its last event
	decisions map[string]string     // ID -> subject of its rollout
	pending   map[string]bool       // IDs of decisions that wait for their effect
	returns   map[string]bool       // IDs of rollouts whose last return is not proven
	drills    map[string]string     // ID of a drill whose flag is not archived -> its rollout
	incidents map[string][]Reported // "<env>.<flag>" -> open and resolved, oldest first
	answers   map[string]string     // "<env>.<flag>/<incident>" -> ID of the decision about it
	waiting   map[string]answer     // by ID: decisions about incidents that wait for their effect
	ids       event.IDs             // of every event of this room
	shelves   shelves               // where each rollout belongs
	known     Known
}

// NewState returns the state before the first event. Handle looks up in known
// what plans name.
func NewState(known Known) *State {
	return &State{
		rollouts: map[string][]*Rollout{}, last: map[string]uint64{}, decisions: map[string]string{},
		pending: map[string]bool{}, returns: map[string]bool{}, drills: map[string]string{}, incidents: map[string][]Reported{},
		answers: map[string]string{}, waiting: map[string]answer{}, shelves: newShelves(), known: known,
	}
}

// State implements event.Fold.
func (s *State) State() any {
	return map[string]any{"rollouts": s.copied(), "incidents": maps.Clone(s.incidents), "answers": maps.Clone(s.answers)}
}

// Rollout returns one rollout.
func (s *State) Rollout(id string) (Rollout, bool) {
	r := s.at(id)
	if r == nil {
		return Rollout{}, false
	}
	return *r, true
}

// at returns one rollout as it is kept, nil for none. It never changes: a changed
// one is another.
func (s *State) at(id string) *Rollout {
	environment, flag, n, err := SplitID(id)
	list := s.rollouts[Subject(environment, flag)]
	if err != nil || n > len(list) {
		return nil
	}
	return list[n-1]
}

// Newest returns the last rollout of a flag in an environment.
func (s *State) Newest(environment, flag string) (Rollout, bool) {
	list := s.rollouts[Subject(environment, flag)]
	if len(list) == 0 {
		return Rollout{}, false
	}
	return *list[len(list)-1], true
}

// Rollouts returns all rollouts by subject, each subject's oldest first.
func (s *State) Rollouts() []Rollout {
	var out []Rollout
	for _, subject := range slices.Sorted(maps.Keys(s.rollouts)) {
		for _, r := range s.rollouts[subject] {
			out = append(out, *r)
		}
	}
	return out
}

// Decision returns a decision and the rollout it belongs to.
func (s *State) Decision(id string) (Rollout, Decision, bool) {
	for _, r := range s.rollouts[s.decisions[id]] {
		if i := r.decision(id); i >= 0 {
			return *r, r.Decisions[i], true
		}
	}
	return Rollout{}, Decision{}, false
}

// Decides reports whether an ID is that of a decision, about a rollout or about an
// incident.
func (s *State) Decides(id string) bool {
	for _, answer := range s.answers {
		if answer == id && id != "" {
			return true
		}
	}
	return s.decisions[id] != ""
}

// Pending returns the decisions that wait for their effect, in the order in
// which they are to be carried out: rollbacks before everything else, so that
// what they overtake lapses, then by age.
func (s *State) Pending() []Decision {
	var out []Decision
	for id := range s.pending {
		_, d, _ := s.Decision(id)
		out = append(out, d)
	}
	slices.SortFunc(out, func(a, b Decision) int {
		if first := b.Verdict.Action.rank() - a.Verdict.Action.rank(); first != 0 {
			return first
		}
		return int(a.Seq) - int(b.Seq)
	})
	return out
}

// Applied returns the sequence of the event of this room with that ID, and
// whether the state has applied it.
func (s *State) Applied(id event.ID) (uint64, bool) {
	return s.ids.Seq(id)
}

func (r *Rollout) decision(id string) int {
	return slices.IndexFunc(r.Decisions, func(d Decision) bool { return d.ID == id })
}

// Apply implements event.Fold.
func (s *State) Apply(r event.Recorded) error {
	switch {
	case r.Type == flags.EventType:
		s.effect(r)
		return nil
	case strings.HasPrefix(r.Subject, IncidentPrefix):
		return s.applyIncident(r)
	case !strings.HasPrefix(r.Subject, SubjectPrefix):
		return nil
	}
	s.last[r.Subject] = r.Seq
	s.ids.Add(r.ID, r.Seq)
	if r.Type == TypePlanned {
		return s.applyPlanned(r)
	}
	about, err := load[struct {
		Rollout string `json:"rollout"`
	}](r)
	next, ok := s.Rollout(about.Rollout)
	if err != nil || !ok || Subject(next.Plan.Environment, next.Plan.Flag) != r.Subject {
		return err // an event of no rollout of this subject is one that a newer version wrote
	}
	if err := next.apply(r); err != nil {
		return err
	}
	s.replace(r.Subject, next)
	return s.index(r)
}

// index notes where a decision is, and which ones wait for their effect.
func (s *State) index(r event.Recorded) error {
	switch r.Type {
	case TypeMade:
		m, err := load[made](r)
		if id := r.ID.String(); err == nil {
			s.decisions[id] = r.Subject
			if m.Verdict.Action.Actuating() {
				s.pending[id] = true
			}
		}
		return err
	case TypeLapsed:
		l, err := load[lapsed](r)
		delete(s.pending, l.Decision)
		return err
	case TypeProven:
		p, err := load[proved](r)
		if now, ok := s.Rollout(p.Rollout); ok && now.Return != nil && now.Return.Proven != nil {
			delete(s.returns, p.Rollout) // else it has gone back once more since
		}
		return err
	case TypeDrillBegun:
		d, err := load[drillBegun](r)
		s.drills[r.ID.String()] = d.Rollout
		return err
	case TypeDrillEnded:
		return s.endDrill(r)
	}
	return nil
}

// replace puts a changed copy in the place of the rollout.
func (s *State) replace(subject string, next Rollout) {
	s.rollouts[subject][next.Number-1] = &next
	s.shelves.put(&next)
}

func (s *State) applyPlanned(r event.Recorded) error {
	p, err := load[planned](r)
	if err != nil {
		return err
	}
	next := Rollout{
		Standing: Standing{ID: p.Rollout, Version: p.Version, Status: Planned, Stage: -1, Seq: r.Seq},
		Number:   p.Number, Plan: p.Plan, Metrics: p.Metrics, PlannedBy: r.Actor, PlannedAt: r.Time,
	}
	list := s.rollouts[r.Subject]
	switch {
	case p.Number < 1 || p.Number > len(list)+1:
		return fmt.Errorf("rollout number %d follows number %d", p.Number, len(list))
	case p.Number > len(list):
		s.rollouts[r.Subject] = append(slices.Clip(list), &next)
		s.shelves.put(&next)
	default:
		s.replace(r.Subject, next)
	}
	return nil
}

// effect notes the flag change that a decision caused, and with it what the
// decision was made for: the stage begins, or the rollout ends.
func (s *State) effect(r event.Recorded) {
	s.settle(r.Cause, func(a *Answered) { a.Effect = r.Seq })
	if id, ok := s.drills[r.Cause]; ok {
		s.drilled(r, id)
		return
	}
	subject, ok := s.decisions[r.Cause]
	if !ok {
		return
	}
	for _, old := range s.rollouts[subject] {
		i := old.decision(r.Cause)
		if i >= 0 && old.Decisions[i].Pending() && r.Subject == flags.SubjectPrefix+old.Plan.Flag {
			next := *old
			next.Decisions = slices.Clone(old.Decisions)
			next.Decisions[i].Effect = r.Seq
			delete(s.pending, r.Cause)
			next.enter(next.Decisions[i], r.Time)
			next.rejectedBy(next.Decisions[i])
			if next.Return != nil && next.Return.Revision == r.Seq {
				s.returns[next.ID] = true
			}
			s.replace(subject, next)
			return
		}
	}
	s.carry(subject, r)
}
