package decisions

import (
	"cmp"
	"fmt"
	"hash/fnv"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/sluice-hq/sluice/event"
)

// Alert is one alert as a monitoring system sends it, firing or resolved. Its
// labels say what it is about:
//
//	flag, or flag_key   the flag
//	environment         where
//	severity            how bad it is, in the words that SeverityOf knows
//	segment             the units that it hits, for people to read
type Alert struct {
	Source      string            // who sends it: alertmanager, grafana, slo-alert
	Resolved    bool              //
	Odd         string            // state that is neither firing nor resolved: nobody knows what to do about it
	Labels      map[string]string //
	Annotations map[string]string // summary, or description, is what people read
	Fingerprint string            // of the labels, by the sender; empty: computed as Prometheus does
	Began       time.Time         // zero: unknown, and a repeat is one that comes while the first is open
	Link        string            // to the sender
}

// AlertCommand is an alert that has come.
type AlertCommand struct {
	Alert
	Environment string // where it belongs when no label says so
	At          time.Time
	Actor       string
}

// The labels that place an alert.
const (
	labelFlag        = "flag"
	labelFlagKey     = "flag_key"
	labelEnvironment = "environment"
	labelSeverity    = "severity"
	labelSegment     = "segment"
	labelName        = "alertname"
)

// FromAlert returns what an alert asks for: the incident that it opens, or the
// oldest open one that its end resolves, or event.Invalids with paths into the
// alert. The end of an alert resolves every incident of it that did not begin
// later, in case the end of an earlier one was lost: whoever carries the
// command out asks again until nothing changes.
func (s *State) FromAlert(c AlertCommand) (IncidentCommand, error) {
	k, err := c.incident()
	if err != nil {
		return k, err
	}
	if name, open := s.firing(k); open && (c.Resolved || c.Began.IsZero()) {
		k.Incident = name
	}
	if !c.Resolved {
		k.Incident = s.worse(k)
	}
	return k, nil
}

// worse returns the name of the incident that an alert which fires opens: its own,
// or that of its severity where what is open is milder. An alert has one severity
// when its fingerprint is that of its labels; a sender that makes its own may
// have one that grows worse.
func (s *State) worse(c IncidentCommand) string {
	was, ok := s.Incident(c.Environment, c.Flag, c.Incident)
	if !ok || !was.Open() || was.Severity.reaches(c.Severity) {
		return c.Incident
	}
	return c.Incident + "-" + string(c.Severity)
}

// firing returns the oldest open incident of the same alert that did not begin
// later.
func (s *State) firing(c IncidentCommand) (name string, ok bool) {
	for _, i := range s.Incidents(c.Environment, c.Flag) {
		if i.Fingerprint == c.Fingerprint && (c.Began.IsZero() || !i.Began.After(c.Began)) {
			return i.ID, true
		}
	}
	return "", false
}

// incident reads what the alert is about.
func (c AlertCommand) incident() (IncidentCommand, error) {
	severity, _ := SeverityOf(c.Labels[labelSeverity])
	k := IncidentCommand{
		Flag: cmp.Or(c.Labels[labelFlag], c.Labels[labelFlagKey]), Environment: cmp.Or(c.Labels[labelEnvironment], c.Environment),
		Severity: severity, Text: c.text(), Resolve: c.Resolved, At: c.At, Actor: c.Actor, Comment: c.ended(),
		Particulars: Particulars{
			Source: c.Source, Fingerprint: cmp.Or(c.Fingerprint, Fingerprint(c.Labels)), Began: c.Began.UTC().Truncate(time.Millisecond),
			Segment: oneLine(c.Labels[labelSegment], 128), Link: oneLine(c.Link, 1000),
		},
	}
	k.Incident = k.name()
	return k, c.faults(k)
}

// faults says what keeps an alert from being about a flag.
func (c AlertCommand) faults(k IncidentCommand) error {
	var faults event.Invalids
	if c.Odd != "" {
		faults.Add("status", c.Odd, "is not a state of an alert", "write firing or resolved")
	}
	if k.Flag == "" {
		faults.Add("labels.flag", nil, "is missing", "label the alert with the flag that it is about: flag, or flag_key")
	}
	if other := c.Labels[labelFlagKey]; other != "" && other != k.Flag {
		faults.Add("labels.flag_key", other, "is another flag than flag "+k.Flag, "write one of the two")
	}
	if k.Environment == "" {
		faults.Add("labels.environment", nil, "is missing", "label the alert with its environment, or add ?environment=… to the address of the hook, or bind its token to one")
	}
	if why := event.CheckKey(k.Fingerprint); why != "" {
		faults.Add("fingerprint", k.Fingerprint, why, "leave it out, and it is computed from the labels")
	}
	return faults.Err()
}

// ended says why an incident is resolved, when the alert is.
func (a Alert) ended() string {
	if a.Resolved {
		return "the alert is resolved"
	}
	return ""
}

// text is what people read: the name of the alert and its summary.
func (a Alert) text() string {
	said := cmp.Or(a.Annotations["summary"], a.Annotations["description"], a.Annotations["message"])
	text := a.Labels[labelName]
	if text != "" && said != "" {
		text += ": "
	}
	return oneLine(text+said, 500)
}

// oneLine bounds what others wrote, and takes line breaks and the like out.
func oneLine(s string, most int) string {
	r := []rune(strings.Join(strings.Fields(s), " "))
	if len(r) > most {
		r = append(r[:most-1], '…')
	}
	return string(r)
}

// Fingerprint names a set of labels as Prometheus does: FNV-1a of 64 bits over
// the names in order, each name and each value ended by the byte 255
// (prometheus/common, model/fnv.go and model/signature.go).
func Fingerprint(labels map[string]string) string {
	h := fnv.New64a()
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		_, _ = h.Write([]byte(name + "\xff" + labels[name] + "\xff")) // a hash never fails
	}
	return fmt.Sprintf("%016x", h.Sum64())
}
