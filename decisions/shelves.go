package decisions

import "slices"

// shelves say what a pass of the controller is about: most rollouts and incidents
// that there ever were are over, and cost it nothing. They follow from the rest of
// the state, so that no snapshot has them.
type shelves struct {
	open       map[string]bool // IDs of rollouts that look at evidence
	planned    map[string]bool // of those that wait for the time of their start
	unfinished map[string]bool // of those that are over, and not closed or still to be looked at once more
	asking     map[string]bool // of those that wait for people, of whom there are more to ask
	troubled   map[string]bool // "<env>.<flag>" with open incidents
}

func newShelves() shelves {
	return shelves{open: map[string]bool{}, planned: map[string]bool{}, unfinished: map[string]bool{}, asking: map[string]bool{}, troubled: map[string]bool{}}
}

// shelve places everything anew.
func (s *State) shelve() {
	s.shelves = newShelves()
	for _, list := range s.rollouts {
		for _, r := range list {
			s.shelves.put(r)
		}
	}
	for flag, list := range s.incidents {
		place(s.shelves.troubled, flag, slices.ContainsFunc(list, Reported.Open))
	}
}

// put notes where a rollout belongs as it is now.
func (s shelves) put(r *Rollout) {
	place(s.open, r.ID, r.Open())
	place(s.planned, r.ID, r.waits())
	place(s.unfinished, r.ID, r.unfinished())
	place(s.asking, r.ID, r.escalates())
}

func place(shelf map[string]bool, id string, belongs bool) {
	if belongs {
		shelf[id] = true
		return
	}
	delete(shelf, id)
}

// Under returns the rollouts under way, by their IDs.
func (s *State) Under() []Rollout { return s.shelf(s.shelves.open) }

func (s *State) shelf(ids map[string]bool) []Rollout {
	out := make([]Rollout, 0, len(ids))
	for _, id := range sorted(ids) {
		out = append(out, *s.at(id))
	}
	return out
}
