package decisions

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sluice-hq/sluice/event"
)

// IncidentPrefix is what the subjects of incidents begin with.
const IncidentPrefix = "incident."

// The types of events of incidents.
const (
	TypeOpened   = "incident.opened"
	TypeResolved = "incident.resolved"
)

// IncidentCommand opens or resolves an incident of a flag in an environment.
type IncidentCommand struct {
	ID          event.ID // of the event; derived from the alert, so that a repeat is the same
	Environment string
	Flag        string
	Incident    string   // its own name, the alert's fingerprint
	Severity    Severity // of one that opens
	Text        string
	Resolve     bool
	At          time.Time
	Actor       string
}

type incidentNoted struct {
	Incident string   `json:"incident"`
	Severity Severity `json:"severity,omitempty"`
	Text     string   `json:"text,omitempty"`
}

// Incidents returns those that are open for a flag in an environment, oldest
// first.
func (s *State) Incidents(environment, flag string) []Incident {
	return s.incidents[environment+"."+flag]
}

// HandleIncident turns the command into its event, or says why not.
func (s *State) HandleIncident(c IncidentCommand) (event.Event, event.Expect, error) {
	var faults event.Invalids
	if _, ok := s.known.flag(c.Flag); !ok {
		faults.Add("flag", c.Flag, "is not known", "label the alert with the key of a flag")
	}
	if why := event.CheckKey(c.Environment); why != "" {
		faults.Add("environment", c.Environment, why, "")
	}
	if c.Incident == "" {
		faults.Add("incident", nil, "is missing", "name it, so that it can be resolved")
	}
	if !c.Resolve && !slices.Contains([]Severity{Critical, Blocking, Minor}, c.Severity) {
		faults.Add("severity", c.Severity, "is not a severity", "write critical, blocking or minor")
	}
	open := slices.ContainsFunc(s.Incidents(c.Environment, c.Flag), func(i Incident) bool { return i.ID == c.Incident })
	switch {
	case len(faults) > 0:
		return event.Event{}, 0, faults
	case c.Resolve && !open:
		return event.Event{}, 0, fmt.Errorf("%w: incident %s is not open", ErrRefused, c.Incident)
	case !c.Resolve && open:
		return event.Event{}, 0, fmt.Errorf("%w: incident %s is open already", ErrRefused, c.Incident)
	}
	kind := TypeOpened
	if c.Resolve {
		kind = TypeResolved
	}
	subject := IncidentPrefix + c.Environment + "." + c.Flag
	e, err := emit(c.ID, kind, subject, c.At, c.Actor, incidentNoted{Incident: c.Incident, Severity: c.Severity, Text: c.Text})
	return e, event.Expect(s.last[subject]), err
}

func (s *State) applyIncident(r event.Recorded) error {
	n, err := load[incidentNoted](r)
	if err != nil {
		return err
	}
	s.last[r.Subject] = r.Seq
	s.ids.Add(r.ID, r.Seq)
	key := strings.TrimPrefix(r.Subject, IncidentPrefix)
	rest := slices.DeleteFunc(slices.Clone(s.incidents[key]), func(i Incident) bool { return i.ID == n.Incident })
	if r.Type == TypeOpened {
		rest = append(rest, Incident{ID: n.Incident, Severity: n.Severity, Since: r.Time, Text: n.Text})
	}
	s.incidents[key] = rest
	return nil
}
