package decisions

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/sluice-hq/sluice/event"
)

// Reported is an incident with what it is about and what became of it. A
// Reported that State hands out never changes.
type Reported struct {
	Environment string `json:"environment"`
	Flag        string `json:"flag"`
	Incident
	Seq        uint64    `json:"seq"`               // of the event that opened it
	By         string    `json:"by"`                // who opened it: a principal
	Resolved   time.Time `json:"resolved,omitzero"` // zero: it is open
	ResolvedBy string    `json:"resolvedBy,omitempty"`
	Comment    string    `json:"comment,omitempty"` // why it was resolved
	Answer     *Answered `json:"answer,omitempty"`  // what was decided about it, where no rollout served the flag
}

// Answered is a decision about an incident, and what became of it.
type Answered struct {
	Decision string    `json:"decision"` // ID; the change of the flag has it as its cause
	At       time.Time `json:"at"`
	Action   Action    `json:"action"`
	Text     string    `json:"text"`
	Effect   uint64    `json:"effect,omitempty"` // sequence of the change of the flag, 0 while there is none
	Lapsed   string    `json:"lapsed,omitempty"` // why it got none
}

// What says for people what is wrong, and what was done about it where no rollout
// served the flag.
func (r Reported) What() string {
	text := or(r.Text, r.ID)
	switch a := r.Answer; {
	case a == nil || !a.Action.Actuating():
		return text
	case a.Lapsed != "":
		return text + "; the flag could not go to its safe variant: " + a.Lapsed
	}
	return text + "; the flag went to its safe variant"
}

// Open reports whether nobody has resolved it.
func (r Reported) Open() bool { return r.Resolved.IsZero() }

// Incidents returns those that are open for a flag in an environment, oldest
// first.
func (s *State) Incidents(environment, flag string) []Incident {
	var open []Incident
	for _, r := range s.incidents[environment+"."+flag] {
		if r.Open() {
			open = append(open, r.Incident)
		}
	}
	return open
}

// Incident returns the one of that name, the newest should there be several:
// the first version of the house took a name again.
func (s *State) Incident(environment, flag, name string) (Reported, bool) {
	for _, r := range slices.Backward(s.incidents[environment+"."+flag]) {
		if r.ID == name {
			return r, true
		}
	}
	return Reported{}, false
}

// AllIncidents returns every incident there ever was, by the event that opened
// it, the newest first.
func (s *State) AllIncidents() []Reported {
	all := slices.Concat(slices.Collect(maps.Values(s.incidents))...)
	slices.SortFunc(all, func(a, b Reported) int { return int(b.Seq) - int(a.Seq) })
	return all
}

// unresolved returns the open incidents of a severity, of all flags, the oldest
// first.
func (s *State) unresolved(severity Severity) (open []Reported) {
	for flag := range s.shelves.troubled {
		for _, r := range s.incidents[flag] {
			if r.Open() && r.Severity == severity {
				open = append(open, r)
			}
		}
	}
	slices.SortFunc(open, func(a, b Reported) int { return int(a.Seq) - int(b.Seq) })
	return open
}

// opened is an incident as its first event tells it.
func opened(r event.Recorded, key string, n incidentNoted) Reported {
	environment, flag, _ := strings.Cut(key, ".")
	return Reported{
		Environment: environment, Flag: flag, Seq: r.Seq, By: r.Actor,
		Incident: Incident{ID: n.Incident, Severity: n.Severity, Since: r.Time, Text: n.Text, Particulars: n.Particulars},
	}
}

// resolved returns the list with the open incident of that name ended.
func resolved(list []Reported, r event.Recorded, n incidentNoted) []Reported {
	list = slices.Clone(list)
	for i := range list {
		if list[i].ID == n.Incident && list[i].Open() {
			list[i].Resolved, list[i].ResolvedBy, list[i].Comment = r.Time, r.Actor, n.Comment
		}
	}
	return list
}
