package ingest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/sluice-hq/sluice/event"
)

// MetricVersion is one definition of a metric.
type MetricVersion struct {
	Version  int       `json:"version"`  // from 1
	Revision uint64    `json:"revision"` // sequence of the event
	At       time.Time `json:"at"`
	Actor    string    `json:"actor"`
	Comment  string    `json:"comment,omitempty"`
	Changes  []string  `json:"changes,omitempty"` // from the version before: "aggregate: count → sum"; none in the first
	Metric   Metric    `json:"metric"`
}

// MetricHistory tells the definitions of one metric, oldest first.
func MetricHistory(events []event.Recorded) ([]MetricVersion, error) {
	var out []MetricVersion
	var before map[string]json.RawMessage
	for _, r := range events {
		if r.Type != MetricDefined {
			continue
		}
		var d defined
		if err := json.Unmarshal(r.Data, &d); err != nil {
			return nil, fmt.Errorf("reading the history of %s: %w", r.Subject, err)
		}
		fields, err := fieldsOf(d.Metric)
		if err != nil {
			return nil, err
		}
		v := MetricVersion{Version: len(out) + 1, Revision: r.Seq, At: r.Time, Actor: r.Actor, Comment: d.Comment, Metric: d.Metric}
		if before != nil {
			v.Changes = changes(before, fields)
		}
		out, before = append(out, v), fields
	}
	return out, nil
}

func fieldsOf(m Metric) (fields map[string]json.RawMessage, err error) {
	b, err := json.Marshal(m)
	if err == nil {
		err = json.Unmarshal(b, &fields)
	}
	if err != nil {
		return nil, fmt.Errorf("comparing definitions of %s: %w", m.Key, err)
	}
	return fields, nil
}

// changes lists the fields that differ, by name.
func changes(before, after map[string]json.RawMessage) (out []string) {
	all := maps.Clone(before)
	maps.Copy(all, after)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if !bytes.Equal(before[name], after[name]) {
			out = append(out, name+": "+written(before[name])+" → "+written(after[name]))
		}
	}
	return out
}

// written is a value as a person reads it.
func written(v json.RawMessage) string {
	var text string
	switch {
	case v == nil:
		return "none"
	case json.Unmarshal(v, &text) == nil:
		return text
	}
	return string(v)
}
