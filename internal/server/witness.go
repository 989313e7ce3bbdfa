package server

import (
	"slices"
	"strconv"

	"github.com/sluice-hq/sluice/flags"
	"github.com/sluice-hq/sluice/ingest"
)

// witness has a single answer recorded as an exposure, where the environment asks
// for that and an allocation has given it. Answers of all flags at once are none:
// most of them nobody looks at.
func (s *server) witness(set *flags.Set, key string, c *flags.Context) {
	if s.Recorder == nil {
		return
	}
	rules := s.sets.fresh().events[set.Environment()]
	if rules.Exposures != flags.OnEvaluate {
		return
	}
	r, attributes := set.Evaluate(key, c), c.Attributes
	if !r.Enrolled || r.UnitID == "" {
		return
	}
	s.Recorder.Note(set.Environment(), ingest.Exposure{
		Flag: r.Key, Variant: r.Variant, Unit: ingest.Unit{Kind: r.Unit, ID: r.UnitID}, Revision: r.Revision,
		Rollout: r.Rollout, Epoch: int32(r.Epoch), Reason: string(r.Reason),
	}, func() map[string]string { return namedOf(rules, attributes) }, c.Now)
}

// namedOf returns the attributes that the environment names. A context holds more
// than anybody meant to store.
func namedOf(rules flags.EnvironmentEvents, attributes map[string]any) map[string]string {
	var out map[string]string
	for _, name := range rules.Attributes {
		text, ok := scalar(attributes[name])
		if !ok || slices.Contains(rules.Private, name) || len(text) > longestAttribute {
			continue
		}
		if out == nil {
			out = map[string]string{}
		}
		out[name] = text
	}
	return out
}

// longestAttribute is what the door takes of one, in bytes.
const longestAttribute = 1024

// scalar returns an attribute of a context as one of an event.
func scalar(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case bool:
		return strconv.FormatBool(v), true
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64), true
	}
	return "", false
}
