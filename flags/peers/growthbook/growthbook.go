// Package growthbook brings features along from GrowthBook: what its SDK
// endpoint answers (GET /api/features/{client key}), for one environment.
//
// Rules keep their order, their hash and its version. Where a feature gives
// null, its SDKs take the value in the code, and so do ours: the flag has no
// default then. GrowthBook has no value for a feature that is switched off; the
// safe variant is false where a feature has that value, and else its default. A
// feature behind a gate has none, as null is what it gives there.
package growthbook

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
	"github.com/sluice-hq/sluice/flags/peers"
)

// document is what the SDK endpoint answers.
type document struct {
	Features    map[string]feature `json:"features"`
	SavedGroups map[string][]any   `json:"savedGroups"`
	Experiments []json.RawMessage  `json:"experiments"` // of the visual editor, and redirects
	Encrypted   string             `json:"encryptedFeatures"`
}

type feature struct {
	Default json.RawMessage `json:"defaultValue"`
	Rules   []rule          `json:"rules"`
}

type rule struct {
	ID            string            `json:"id"`
	Condition     map[string]any    `json:"condition"`
	Parents       []parent          `json:"parentConditions"`
	Filters       []filter          `json:"filters"`
	Force         json.RawMessage   `json:"force"`
	Variations    []json.RawMessage `json:"variations"`
	Contextual    []json.RawMessage `json:"contextualVariations"`
	Weights       []float64         `json:"weights"`
	Coverage      *float64          `json:"coverage"`
	Range         *[2]float64       `json:"range"`
	Ranges        [][2]float64      `json:"ranges"`
	Namespace     []any             `json:"namespace"`
	Key           string            `json:"key"`
	Seed          string            `json:"seed"`
	HashAttribute string            `json:"hashAttribute"`
	Fallback      string            `json:"fallbackAttribute"` // with sticky buckets alone
	HashVersion   int               `json:"hashVersion"`
	Meta          []struct {
		Passthrough bool `json:"passthrough"`
	} `json:"meta"`
}

// parent asks what another feature gives. Where it is a gate, everything behind
// it depends on that, and else the rule alone.
type parent struct {
	ID        string         `json:"id"`
	Condition map[string]any `json:"condition"`
	Gate      bool           `json:"gate"`
}

type filter struct {
	Attribute   string       `json:"attribute"`
	Seed        string       `json:"seed"`
	HashVersion int          `json:"hashVersion"`
	Ranges      [][2]float64 `json:"ranges"`
}

// Import turns what the SDK endpoint answers into flags.
func Import(source []byte, o peers.Options) (peers.Brought, error) {
	doc, err := decode(source)
	if err != nil {
		return peers.Brought{}, err
	}
	desk, err := peers.NewDesk(o)
	if err != nil {
		return peers.Brought{}, err
	}
	im := importer{desk: desk, groups: doc.SavedGroups, features: doc.Features, made: map[string]*peers.Maker{}}
	if n := len(doc.Experiments); n > 0 {
		desk.Note("experiments", "%d change pages or redirect without a feature: they are not carried over", n)
	}
	keys := slices.Sorted(maps.Keys(doc.Features))
	for _, key := range keys {
		im.made[key] = im.feature(key, doc.Features[key])
	}
	for _, key := range keys {
		im.gates(im.made[key], doc.Features[key])
		im.made[key].Done()
	}
	return desk.Finish(), nil
}

// decode reads what the SDK endpoint answers. Of an encrypted connection there is
// nothing to be read.
func decode(source []byte) (document, error) {
	var doc document
	err := peers.Read(source, &doc, "GrowthBook", "features")
	if doc.Encrypted == "" {
		return doc, err
	}
	var faults event.Invalids
	faults.Add("encryptedFeatures", nil, "cannot be read", "take an SDK connection without encryption")
	return doc, faults
}

type importer struct {
	desk     *peers.Desk
	groups   map[string][]any
	features map[string]feature
	made     map[string]*peers.Maker // so far, by key
}

// feature makes a flag, but for the gates before its rules.
func (im *importer) feature(key string, f feature) *peers.Maker {
	m := im.desk.Begin(key, "features."+key)
	if !peers.IsNull(f.Default) {
		m.Default = m.Variant(f.Default)
		m.Safe = m.Default
	}
	for i, r := range f.Rules {
		path := fmt.Sprintf("rules[%d]", i)
		if err := im.rule(m, key, fmt.Sprintf("rule-%d", i+1), r); err != nil {
			m.Leave(path, "%v", err)
		}
	}
	if string(m.Variants["false"]) == "false" {
		m.Safe = "false"
	}
	if len(m.Variants) == 0 {
		m.Leave("", "gives null to everybody: the code decides, and no flag is needed")
	}
	return m
}

// rule adds what a rule of a feature says.
func (im *importer) rule(m *peers.Maker, key, name string, r rule) error {
	if r.ID != "" {
		name = r.ID
	}
	if r.Contextual != nil {
		return fmt.Errorf("is a contextual bandit, whose weights follow from what it has learned")
	}
	if r.HashVersion < 0 || r.HashVersion > 2 {
		m.Note("", "has a rule with a hash version that there is not, and that is for nobody therefore: %s", name)
		return nil
	}
	if r.Fallback != "" {
		m.Note("", "hashes %s where a context lacks what %s hashes, if there are sticky buckets: here such a context gets no place", r.Fallback, name)
	}
	when, err := im.condition(r.Condition)
	if err != nil {
		return err
	}
	filters, err := im.filters(r.Filters)
	if err != nil {
		return err
	}
	when = peers.And(when, filters)
	switch {
	case r.Force != nil:
		return im.force(m, key, name, when, r)
	case r.Variations != nil:
		return im.experiment(m, key, name, when, r)
	}
	return nil // which GrowthBook passes over
}

// hash returns what a rule hashes, and in how many steps.
func (im *importer) hash(seed, attribute string, version int) (flags.HashInput, int, error) {
	if attribute == "" {
		attribute = "id"
	}
	h := flags.HashInput{Salt: seed, By: im.desk.Attribute(attribute, "id"), Version: flags.GrowthBook1}
	switch version {
	case 0, 1:
		return h, 1000, nil
	case 2:
		h.Version = flags.GrowthBook2
		return h, 10000, nil
	}
	return h, 0, fmt.Errorf("has the hash version %d, which is not known here", version)
}

// between returns the places of a range, whose end is not in it.
func between(r [2]float64, steps int) (from, to int) {
	below := func(bound float64) int {
		return peers.Steps(steps, func(i float64) bool { return i/float64(steps) < bound }) * (flags.Whole / steps)
	}
	return below(r[0]), below(r[1])
}

// filters ask for ranges of other hashes.
func (im *importer) filters(list []filter) (peers.Cond, error) {
	all := peers.Always
	for _, f := range list {
		version := f.HashVersion
		if version == 0 {
			version = 2
		}
		h, steps, err := im.hash(f.Seed, f.Attribute, version)
		if err != nil {
			return all, err
		}
		any := peers.Never
		for _, r := range f.Ranges {
			from, to := between(r, steps)
			any = peers.Or(any, peers.Between(h, from, to))
		}
		all = peers.And(all, any)
	}
	return all, nil
}

// force adds a rule that gives one value, to a share of units where it says so.
func (im *importer) force(m *peers.Maker, key, name string, when peers.Cond, r rule) error {
	if peers.IsNull(r.Force) {
		return fmt.Errorf("gives null, which no flag has here")
	}
	variant := m.Variant(r.Force)
	if r.Range == nil && r.Coverage == nil {
		m.Rule(name, when, flags.Rule{Serve: variant})
		return nil
	}
	seed := r.Seed
	if seed == "" {
		seed = key
	}
	h, steps, err := im.hash(seed, r.HashAttribute, r.HashVersion)
	if err != nil {
		return err
	}
	of := peers.Range{Variant: variant}
	switch {
	case r.Range != nil:
		of.From, of.To = between(*r.Range, steps)
	case *r.Coverage > 0: // the end of a coverage is in it
		of.To = peers.Steps(steps, func(i float64) bool { return i/float64(steps) <= *r.Coverage }) * (flags.Whole / steps)
	}
	m.Spread(name, when, h, []peers.Range{of})
	return nil
}
