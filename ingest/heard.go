package ingest

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/sluice-hq/sluice/event"
)

// Verdict says what became of an event at the door.
type Verdict string

// The verdicts.
const (
	Took   Verdict = "accepted" // it is on disk, and counts once it is loaded
	Buried Verdict = "dead"     // it is on disk, and waits among the dead letters
	Turned Verdict = "rejected" // it was not taken; the rest of its request was
	Barred Verdict = "refused"  // its whole request was not taken
)

// Verdicts lists them.
var Verdicts = []Verdict{Took, Buried, Turned, Barred}

// Heard is one event as the door judged it, for people who listen. It holds no
// unit's ID, nor anything of an event that was not taken but its names and times.
type Heard struct {
	Received    time.Time       `json:"received"`
	Environment string          `json:"environment"`
	Verdict     Verdict         `json:"verdict"`
	Kind        string          `json:"kind,omitempty"` // empty: it was not taken
	Name        string          `json:"name,omitempty"` // of the event; the flag of an exposure, the service of a deployment
	ID          event.ID        `json:"id,omitzero"`
	Notes       []Note          `json:"notes,omitempty"`
	Fact        json.RawMessage `json:"fact,omitempty"` // the event, units as hashes; nothing when it was not taken
	Events      int             `json:"events"`         // that this stands for: 1, or 0 for a request that could not be read

	units []Unit // hashed
}

// Note is something to know of an event.
type Note struct {
	Field  string `json:"field,omitempty"`
	Value  string `json:"value,omitempty"`
	Reason Reason `json:"reason,omitempty"` // of what was not taken, or is dead
	Why    string `json:"why"`
	Fix    string `json:"fix,omitempty"`
}

// String writes a note as a sentence.
func (n Note) String() string {
	var b strings.Builder
	if n.Field != "" {
		b.WriteString(n.Field + " ")
	}
	if n.Value != "" {
		fmt.Fprintf(&b, "%q ", n.Value)
	}
	b.WriteString(n.Why)
	if n.Fix != "" {
		b.WriteString("; " + n.Fix)
	}
	return b.String()
}

// hearing turns what the door made of a request into what people hear.
type hearing struct {
	environment string
	received    time.Time
	list        []Heard
}

// taken adds the events that were taken.
func (h *hearing) taken(b Batch) {
	for _, r := range b.Exposures {
		h.add(Rows{Exposures: []ExposureRow{r}}, Heard{Kind: KindExposure, Name: r.Flag, ID: r.ID, Notes: exposureNotes(r),
			units: []Unit{{r.UnitKind, hashedText(r.Unit)}}})
	}
	for _, rows := range byPlace(b.Metrics) {
		heard := Heard{Kind: KindMetric, Name: rows[0].Name, ID: rows[0].ID, Notes: synthetic(rows[0].Synthetic)}
		for _, r := range rows {
			heard.units = append(heard.units, Unit{r.UnitKind, hashedText(r.Unit)})
		}
		h.add(Rows{Metrics: rows}, heard)
	}
	for _, r := range b.Deployments {
		h.add(Rows{Deployments: []DeploymentRow{r}}, Heard{Kind: KindDeployment, Name: r.Service, ID: r.ID, Notes: synthetic(r.Synthetic)})
	}
	for _, r := range b.Readings {
		h.add(Rows{Readings: []ReadingRow{r}}, Heard{Kind: KindReading, Name: r.Name, ID: r.ID, Notes: synthetic(r.Synthetic)})
	}
}

// byPlace groups the rows of each metric event, which stand together.
func byPlace(rows []MetricRow) (groups [][]MetricRow) {
	for len(rows) > 0 {
		n := 1
		for n < len(rows) && rows[n].Idx == rows[0].Idx {
			n++
		}
		groups, rows = append(groups, rows[:n:n]), rows[n:]
	}
	return groups
}

func (h *hearing) add(rows Rows, heard Heard) {
	fact, err := json.Marshal(factOf(rows))
	if err != nil {
		panic(err) // unreachable unless a fixed-point value is not finite
	}
	heard.Verdict, heard.Fact = Took, fact
	h.append(heard)
}

func (h *hearing) append(heard Heard) {
	heard.Environment, heard.Received, heard.Events = h.environment, h.received, 1
	h.list = append(h.list, heard)
}

// exposureNotes says for what an exposure counts, and why it does not.
func exposureNotes(r ExposureRow) []Note {
	notes := synthetic(r.Synthetic)
	switch {
	case r.Enrolled:
		notes = append(notes, Note{Why: fmt.Sprintf("counts for %s of %s, stage %s, epoch %d", r.Arm, r.Rollout, r.Stage, r.Epoch)})
	case r.Rollout == "":
		notes = append(notes, Note{Field: "revision", Value: fmt.Sprint(r.Revision), Why: "counts for no rollout: none gave " + r.Variant + " then",
			Fix: "if one did, send the revision of the evaluation's metadata"})
	default:
		notes = append(notes, Note{Field: "reason", Value: r.Reason, Why: "counts for no rollout: its sender does not say that the unit is enrolled",
			Fix: "if it is, send the evaluation's reason, or enrolled"})
	}
	if r.Differs {
		notes = append(notes, Note{Why: "claims another rollout, stage, epoch or enrolment than the flag's history has", Fix: "send what the evaluation's metadata says"})
	}
	return notes
}

func synthetic(is bool) []Note {
	if !is {
		return nil
	}
	return []Note{{Field: "synthetic", Why: "is shown and never analysed"}}
}

// dead adds the events that wait among the dead letters.
func (h *hearing) dead(list []Dead) {
	for _, d := range list {
		h.append(Heard{Verdict: Buried, Kind: KindMetric, Name: d.Name, ID: d.ID, Fact: d.Fact, Notes: []Note{{
			Field: "name", Value: d.Name, Reason: d.Reason, Why: d.Why, Fix: fixOf[d.Reason],
		}}, units: unitsOf(d.Fact)})
	}
}

// unitsOf reads the units of a metric event that was written down.
func unitsOf(fact json.RawMessage) (units []Unit) {
	var m MetricEvent
	_ = json.Unmarshal(fact, &m) // unreachable unless undeclared wrote no event
	for kind, id := range m.Units {
		units = append(units, Unit{kind, id})
	}
	return units
}

// rejected adds the events that were not taken, each with all its faults.
func (h *hearing) rejected(list []Rejection) {
	for len(list) > 0 {
		n := 1
		for n < len(list) && list[n].Index == list[0].Index {
			n++
		}
		heard := Heard{Verdict: Turned}
		heard.ID, _ = parseID([]byte(list[0].ID))
		for _, r := range list[:n] {
			heard.Notes = append(heard.Notes, r.note())
		}
		h.append(heard)
		list = list[n:]
	}
}

// public are the fields whose value tells nothing of a person.
const public = " kind at flag variant revision rollout stage epoch enrolled reason name value service version environment synthetic unit.kind "

// note returns a fault without what it may tell of a person.
func (r Rejection) note() Note {
	if !strings.Contains(public, " "+r.Field+" ") {
		r.Value = ""
	}
	return Note{Field: r.Field, Value: r.Value, Reason: r.Reason, Why: r.Why, Fix: r.Fix}
}

// barred adds a request that was not taken: its events, if they were why.
func (h *hearing) barred(err error) {
	var refused Refused
	if errors.As(err, &refused) {
		h.rejected(refused)
		return
	}
	h.append(Heard{Verdict: Barred, Notes: faultsOf(err)})
	h.list[len(h.list)-1].Events = 0
}

// faultsOf says what is wrong with a request, without showing any of it, nor
// what an error says of hosts and folders.
func faultsOf(err error) (notes []Note) {
	var faults event.Invalids
	if errors.As(err, &faults) {
		for _, f := range faults {
			notes = append(notes, Note{Field: f.Path, Why: f.Why, Fix: f.Fix})
		}
		return notes
	}
	for _, known := range []error{ErrBusy, ErrMedia, ErrTooLarge} {
		if errors.Is(err, known) {
			return []Note{{Why: known.Error(), Fix: "the sender was told more"}}
		}
	}
	return []Note{{Why: "the request could not be read to its end"}}
}
