package decisions

import (
	"errors"
	"fmt"
	"maps"
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

// Errors of incidents that callers test with errors.Is, next to event.Invalids.
var (
	// ErrIncidentKnown says that the command changes nothing: what it opens is
	// open, or what it resolves is resolved.
	ErrIncidentKnown = errors.New("that is known already")
	// ErrIncidentOver says that an incident of that name was resolved. It stays
	// so: what happens again has another name.
	ErrIncidentOver = errors.New("that incident is over")
	// ErrNoIncident says that there is no incident of that name.
	ErrNoIncident = errors.New("there is no such incident")
)

// IncidentCommand opens or resolves an incident of a flag in an environment.
type IncidentCommand struct {
	ID          event.ID // of the event; zero: derived from the incident, so that a repeat is the same event
	Environment string
	Flag        string
	Incident    string   // its own name; empty, of one that opens: of its fingerprint and when it began
	Severity    Severity // of one that opens
	Text        string
	Particulars
	Resolve bool
	Comment string // why it is resolved, when a person does it
	At      time.Time
	Actor   string
}

// Particulars are what is known of an incident besides what a gate asks.
type Particulars struct {
	Source      string    `json:"source,omitempty"`      // who told: alertmanager, grafana, slo-alert, api; not kept of incidents of before
	Fingerprint string    `json:"fingerprint,omitempty"` // of the alert's labels: the same alert, each time that it fires
	Began       time.Time `json:"began,omitzero"`        // as the source says; Since is when it was told
	Segment     string    `json:"segment,omitempty"`     // of units that it hits; gates ask about the flag all the same
	Link        string    `json:"link,omitempty"`        // to the source
}

// incidentNoted is the data of both events.
type incidentNoted struct {
	Incident string   `json:"incident"`
	Severity Severity `json:"severity,omitempty"`
	Text     string   `json:"text,omitempty"`
	Particulars
	Comment string `json:"comment,omitempty"` // resolved: why
}

// HandleIncident turns the command into its event, or says why not.
func (s *State) HandleIncident(c IncidentCommand) (event.Event, event.Expect, error) {
	c.Incident = c.name()
	if err := first(s.incidentFaults(c), s.incidentStands(c)); err != nil {
		return event.Event{}, 0, err
	}
	kind := TypeOpened
	n := incidentNoted{Incident: c.Incident, Severity: c.Severity, Text: c.Text, Particulars: c.Particulars}
	if c.Resolve {
		kind, n = TypeResolved, incidentNoted{Incident: c.Incident, Comment: c.Comment}
	}
	subject := IncidentPrefix + c.Environment + "." + c.Flag
	if c.ID == (event.ID{}) {
		c.ID = event.Derive(kind, subject, c.Incident)
	}
	e, err := emit(c.ID, kind, subject, c.At, c.Actor, n)
	return e, event.Expect(s.last[subject]), err
}

// name returns what an incident is called: the same alert that fires again at
// another time is another incident.
func (c IncidentCommand) name() string {
	if c.Incident != "" || c.Fingerprint == "" {
		return c.Incident
	}
	began := c.Began
	if began.IsZero() {
		began = c.At
	}
	return c.Fingerprint + "-" + began.UTC().Format("20060102T150405.000Z")
}

// incidentFaults says all that is wrong with the command itself. What there is can
// be resolved, whatever became of its flag since.
func (s *State) incidentFaults(c IncidentCommand) error {
	var faults event.Invalids
	if _, ok := s.Incident(c.Environment, c.Flag, c.Incident); ok && c.Resolve {
		return nil
	}
	if f, ok := s.known.flag(c.Flag); !ok {
		faults.Add("flag", c.Flag, "is not known", "write the key of a flag")
	} else if _, ok := f.Environments[c.Environment]; !ok {
		faults.Add("environment", c.Environment, "is none that the flag "+c.Flag+" has", "write one of "+strings.Join(slices.Sorted(maps.Keys(f.Environments)), ", "))
	}
	if why := event.CheckKey(c.Incident); why != "" {
		faults.Add("incident", c.Incident, why, "name it, so that it can be resolved")
	}
	if !c.Resolve && !slices.Contains(severities, c.Severity) {
		faults.Add("severity", c.Severity, "is not a severity", "write critical, blocking or minor")
	}
	return faults.Err()
}

// severities lists them, the worst first.
var severities = []Severity{Critical, Blocking, Minor}

// incidentStands says why the command cannot be, as the incident stands.
func (s *State) incidentStands(c IncidentCommand) error {
	was, ok := s.Incident(c.Environment, c.Flag, c.Incident)
	switch {
	case c.Resolve && !ok:
		return fmt.Errorf("%w: %s of %s in %s", ErrNoIncident, c.Incident, c.Flag, c.Environment)
	case c.Resolve && !was.Open():
		return fmt.Errorf("%w: %s resolved incident %s", ErrIncidentKnown, was.ResolvedBy, c.Incident)
	case !c.Resolve && ok && was.Open():
		return fmt.Errorf("%w: incident %s is open", ErrIncidentKnown, c.Incident)
	case !c.Resolve && ok:
		return fmt.Errorf("%w: %s resolved %s at %s", ErrIncidentOver, was.ResolvedBy, c.Incident, clock(was.Resolved))
	}
	return nil
}

// applyIncident folds one event. A list that was handed out is only ever added
// to behind its end; a change within goes to a copy.
func (s *State) applyIncident(r event.Recorded) error {
	n, err := load[incidentNoted](r)
	if err != nil {
		return err
	}
	s.last[r.Subject] = r.Seq
	s.ids.Add(r.ID, r.Seq)
	key := strings.TrimPrefix(r.Subject, IncidentPrefix)
	switch r.Type {
	case TypeAnswered, TypeLapsed:
		return s.applyAnswer(r)
	case TypeOpened:
		s.incidents[key] = append(s.incidents[key], opened(r, key, n))
	case TypeResolved:
		s.incidents[key] = resolved(s.incidents[key], r, n)
	}
	place(s.shelves.troubled, key, slices.ContainsFunc(s.incidents[key], Reported.Open))
	return nil
}
