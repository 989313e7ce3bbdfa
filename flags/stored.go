package flags

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/sluice-hq/sluice/event"
)

// changed is the data of a flag.changed event. Its shape is append-only: old
// events keep their meaning, new fields are optional. testdata/events.json
// holds recorded ones.
type changed struct {
	Changes []stored `json:"changes"`
	Comment string   `json:"comment,omitempty"`
}

// stored is a Change as the log keeps it. The conversion between the two stops
// compiling when the API's type changes, and then it must be written by hand.
type stored struct {
	Op          Op          `json:"op"`
	Environment string      `json:"environment,omitempty"`
	Flag        *Flag       `json:"flag,omitempty"`
	Allocation  *Allocation `json:"allocation,omitempty"`
	Rule        *Rule       `json:"rule,omitempty"`
	Name        string      `json:"name,omitempty"`
	Reason      string      `json:"reason,omitempty"`
	Decision    string      `json:"decision,omitempty"`
	Variant     string      `json:"variant,omitempty"`

	Description  string          `json:"description,omitempty"`
	Owner        string          `json:"owner,omitempty"`
	Purpose      Purpose         `json:"purpose,omitempty"`
	Tag          string          `json:"tag,omitempty"`
	Unit         string          `json:"unit,omitempty"`
	Units        []string        `json:"units,omitempty"`
	Value        json.RawMessage `json:"value,omitempty"`
	Place        int             `json:"place,omitempty"`
	Prerequisite *Prerequisite   `json:"prerequisite,omitempty"`
	Dates        *Dates          `json:"dates,omitempty"`
	Cleanup      *Cleanup        `json:"cleanup,omitempty"`
	From         string          `json:"from,omitempty"`
}

// waitingData is the data of a flag.scheduled and of a flag.change.proposed
// event.
type waitingData struct {
	At      *time.Time `json:"at,omitempty"`   // scheduled
	Base    uint64     `json:"base,omitempty"` // proposed: revision of the flag
	Changes []stored   `json:"changes"`
	Needs   []Need     `json:"needs,omitempty"` // proposed
	Comment string     `json:"comment,omitempty"`
}

// endData is the data of the events that a schedule or a change request is
// answered with.
type endData struct {
	Of      event.ID `json:"of"` // event that scheduled or proposed it
	Why     string   `json:"why,omitempty"`
	Roles   []string `json:"roles,omitempty"` // approved: of the person
	Comment string   `json:"comment,omitempty"`
}

func storedOf(changes []Change) []stored {
	out := make([]stored, len(changes))
	for i, c := range changes {
		out[i] = stored(c)
	}
	return out
}

func changesOf(list []stored) []Change {
	out := make([]Change, len(list))
	for i, s := range list {
		out[i] = Change(s)
	}
	return out
}

func load(data json.RawMessage) ([]Change, string, error) {
	var c changed
	if err := json.Unmarshal(data, &c); err != nil {
		return nil, "", fmt.Errorf("reading a %s event: %w", EventType, err)
	}
	return changesOf(c.Changes), c.Comment, nil
}
