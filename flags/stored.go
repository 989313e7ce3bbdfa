package flags

import (
	"encoding/json"
	"fmt"
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

func store(changes []Change, comment string) (json.RawMessage, error) {
	data := changed{Comment: comment}
	for _, c := range changes {
		data.Changes = append(data.Changes, stored(c))
	}
	return json.Marshal(data)
}

func load(data json.RawMessage) ([]Change, string, error) {
	var c changed
	if err := json.Unmarshal(data, &c); err != nil {
		return nil, "", fmt.Errorf("reading a %s event: %w", EventType, err)
	}
	changes := make([]Change, len(c.Changes))
	for i, s := range c.Changes {
		changes[i] = Change(s)
	}
	return changes, c.Comment, nil
}
