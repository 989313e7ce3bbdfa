package decisions

import (
	"fmt"
	"slices"
	"time"
)

// HealthState says how a flag is in an environment.
type HealthState string

// The states of a flag's health.
const (
	Healthy HealthState = "healthy" // somebody looks, and sees nothing wrong
	Ailing  HealthState = "critical"
	Obscure HealthState = "unknown" // nobody looks, or who looks sees too little
)

// FlagHealth is how a flag is in an environment, who says so, and since when.
// Every flag has one, also without a rollout.
type FlagHealth struct {
	State  HealthState `json:"state" enum:"healthy,critical,unknown"`
	Source string      `json:"source,omitempty"` // "incident pager-7", "rollout production/gate/1"; empty: nobody
	Since  time.Time   `json:"since,omitzero"`
	Text   string      `json:"text"`
}

// Health says how a flag is. What is worst comes first: an incident, a rollout
// that was rolled back, one that sees nothing; then whoever looks and finds
// nothing. That nothing was reported, by nobody, is unknown.
func (s *State) Health(environment, flag string) FlagHealth {
	open := s.Incidents(environment, flag)
	if i := slices.IndexFunc(open, func(i Incident) bool { return i.Severity == Critical }); i >= 0 {
		return FlagHealth{Ailing, "incident " + open[i].ID, open[i].Since, or(open[i].Text, "A critical incident is open")}
	}
	r, _ := s.Newest(environment, flag)
	if r.Status == RolledBack && r.Locked {
		return FlagHealth{Ailing, "rollout " + r.ID, r.Ended, "It was rolled back, and nobody has explained why"}
	}
	if len(open) > 0 {
		i := open[0]
		return FlagHealth{Obscure, "incident " + i.ID, i.Since, fmt.Sprintf("A %s incident is open: %s", i.Severity, or(i.Text, i.ID))}
	}
	if r.Open() {
		return r.health()
	}
	return s.quiet(environment, flag)
}

// health is how a flag is as its rollout sees it: by the newest decision that
// looked at the stage.
func (r Rollout) health() FlagHealth {
	h := FlagHealth{Obscure, "rollout " + r.ID, r.Since, "Its rollout has not looked yet"}
	d, _ := r.newestLook()
	for _, c := range d.Verdict.Checks {
		switch {
		case c.harm():
			return FlagHealth{Ailing, h.Source, d.At, c.Text}
		case c.Name == CheckTelemetry && c.State == Pass:
			h.State, h.Text = Healthy, "Its rollout looks, and finds no harm"
		case c.blinds() && (c.Name == CheckTelemetry || h.State == Healthy): // the first of them
			h.State, h.Since, h.Text = Obscure, d.At, c.Text
		}
	}
	return h
}

// harm reports whether an item says that harm is established, also where a person
// went over it.
func (c Check) harm() bool {
	if c.State == Overruled {
		c.State = Fail
	}
	return c.harms()
}

// blinds reports whether an item says that nothing else can be believed: facts are
// missing, or the data are not what they should be.
func (c Check) blinds() bool {
	switch c.Name {
	case CheckTelemetry:
		return c.State != Pass
	case CheckSRM, CheckTwoArms, CheckCount:
		return c.State == Fail || c.State == Overruled
	}
	return false
}

// quiet is how a flag is that no rollout looks after: somebody who has told of an
// incident there once, and of its end, is looking.
func (s *State) quiet(environment, flag string) FlagHealth {
	h := FlagHealth{State: Obscure, Text: "No rollout and no alert looks after it"}
	for _, i := range s.incidents[environment+"."+flag] {
		if i.Resolved.After(h.Since) {
			h = FlagHealth{Healthy, "incident " + i.ID, i.Resolved, "Its last incident is over"}
		}
	}
	return h
}
