package decisions

import "fmt"

// Stray is how many exposures under a rollout are of units of a kind that it
// does not assign. They count nowhere: which arm such a unit has says nothing of
// the units that the rollout compares.
type Stray struct {
	Kind      string `json:"kind"`
	Exposures int64  `json:"exposures"`
}

// Astray says of every kind of stray units how many exposures they have and what
// to do, one sentence each.
func (r Rollout) Astray(e Evidence) (out []string) {
	for _, s := range e.Strays {
		out = append(out, fmt.Sprintf("%d exposures are of units of the kind %s and count nowhere: the rollout assigns %s. Send them with the %s that the flag was evaluated for, or give the flag the unit %s before its next rollout",
			s.Exposures, s.Kind, r.Plan.Unit, r.Plan.Unit, s.Kind))
	}
	return out
}
