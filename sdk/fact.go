package sdk

import (
	"encoding/json"
	"time"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
)

// fact is an event as POST /v1/events takes it. Its ID is made here, once, and
// stays with it in the queue, so that every retry is the same event. It is not
// derived from the unit: whoever sees an ID shall not be able to try out whom it
// is about.
type fact struct {
	Kind       string            `json:"kind"`
	ID         event.ID          `json:"id"`
	At         time.Time         `json:"at"`
	Flag       string            `json:"flag,omitempty"`
	Variant    string            `json:"variant,omitempty"`
	Unit       *unit             `json:"unit,omitempty"`
	Revision   uint64            `json:"revision,omitempty"`
	Rollout    string            `json:"rollout,omitempty"`
	Stage      string            `json:"stage,omitempty"`
	Epoch      int               `json:"epoch,omitempty"`
	Enrolled   bool              `json:"enrolled,omitempty"`
	Reason     flags.Reason      `json:"reason,omitempty"`
	SDK        *sdkFact          `json:"sdk,omitempty"`
	Name       string            `json:"name,omitempty"`
	Value      *float64          `json:"value,omitempty"`
	Units      map[string]string `json:"units,omitempty"`
	Labels     map[string]string `json:"labels,omitempty"`
	Attributes map[string]string `json:"attributes,omitempty"`
}

type unit struct {
	Kind string `json:"kind"`
	ID   string `json:"id"`
}

type sdkFact struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

// itself is how exposures name this SDK.
var itself = &sdkFact{Name: sdkName, Version: sdkVersion}

func newFact(kind string, now time.Time) fact {
	return fact{Kind: kind, ID: event.New(), At: now.UTC().Truncate(time.Millisecond)}
}

// encode writes the fact as one line of JSON, without the line feed.
func (f *fact) encode() ([]byte, error) { return json.Marshal(f) }

// chosen returns the attributes that are named, as texts.
func chosen(names []string, attributes map[string]any) map[string]string {
	var out map[string]string
	for _, name := range names {
		v, ok := attributes[name]
		if !ok || v == nil {
			continue
		}
		if out == nil {
			out = make(map[string]string, len(names))
		}
		out[name] = text(v)
	}
	return out
}
