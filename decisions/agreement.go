package decisions

import "slices"

// Agreement is what others have to agree to before the present stage is left, or
// taken up again, and how far that is.
type Agreement struct {
	Needs []Agreed   `json:"needs"`
	Given []Approval `json:"given,omitempty"` // that count
	Void  []Approval `json:"void,omitempty"`  // that were given to another version of the plan or of the flag
}

// Agreed is one need with the number of approvals that meet it.
type Agreed struct {
	Need
	Have int `json:"have"`
}

// Agreement returns who has to agree before the rollout goes on from where it is;
// ok is false when nobody has to.
func (s *State) Agreement(r Rollout) (a Agreement, ok bool) {
	all := s.requested(r).needs
	if r.Open() {
		all = s.needs(r)
	}
	if len(all) == 0 {
		return Agreement{}, false
	}
	a.Given = s.given(r)
	for _, n := range all {
		a.Needs = append(a.Needs, Agreed{n, n.have(a.Given)})
	}
	for _, given := range r.Approvals {
		if !slices.ContainsFunc(a.Given, func(g Approval) bool { return g.By == given.By }) {
			a.Void = append(a.Void, given)
		}
	}
	return a, true
}
