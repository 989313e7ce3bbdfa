package decisions

import "time"

// Grounds is what the health of a flag in an environment is concluded from, so
// that people can weigh for themselves what FlagHealth says in a word.
type Grounds struct {
	Incidents []Incident `json:"incidents,omitempty"` // that are open, oldest first
	Told      int        `json:"told"`                // incidents that anybody has ever told of
	Over      time.Time  `json:"over,omitzero"`       // when the last of those that are over was resolved
	Rollout   string     `json:"rollout,omitempty"`   // the newest of the flag there; empty: none
	Status    Status     `json:"status,omitempty"`    // of that
	Stage     string     `json:"stage,omitempty"`     // that it is in
	Locked    bool       `json:"locked,omitempty"`    // it was rolled back, and nobody has explained why
	Looked    time.Time  `json:"looked,omitzero"`     // when it was decided on these checks
	Checks    []Check    `json:"checks,omitempty"`    // of the newest decision that looked at the stage
}

// Grounds returns what Health concludes from.
func (s *State) Grounds(environment, flag string) Grounds {
	g := Grounds{Incidents: s.Incidents(environment, flag)}
	for _, i := range s.incidents[environment+"."+flag] {
		g.Told++
		if i.Resolved.After(g.Over) {
			g.Over = i.Resolved
		}
	}
	r, ok := s.Newest(environment, flag)
	if !ok {
		return g
	}
	g.Rollout, g.Status, g.Locked = r.ID, r.Status, r.Locked
	if stage, in := r.Now(); in {
		g.Stage = stage.Name
	}
	if d, looked := r.newestLook(); looked && r.Open() {
		g.Looked, g.Checks = d.At, d.Verdict.Checks
	}
	return g
}

// newestLook returns the newest decision that looked at the present stage.
func (r Rollout) newestLook() (Decision, bool) {
	for i := len(r.Decisions) - 1; i >= 0; i-- {
		if d := r.Decisions[i]; d.From == r.Stage && len(d.Verdict.Checks) > 0 {
			return d, true
		}
	}
	return Decision{}, false
}
