// Package unleash brings toggles along from Unleash: what its client API gives
// to a backend token (GET /api/client/features), for one environment.
//
// A toggle answers two questions there, and becomes a flag for each: whether it
// is enabled is the boolean flag of its key, and its variant, where it has any,
// that of the key with ".variant" behind it. Strategies become rules in their
// order; percentages keep Unleash's hash.
package unleash

import (
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
	"github.com/sluice-hq/sluice/flags/peers"
)

// document is what the client API answers.
type document struct {
	Features []feature       `json:"features"`
	Segments []segment       `json:"segments"`
	Admin    json.RawMessage `json:"featureStrategies"` // what an export of its administration has
}

type feature struct {
	Name         string       `json:"name"`
	Description  string       `json:"description"`
	Enabled      bool         `json:"enabled"`
	Strategies   []strategy   `json:"strategies"`
	Variants     []variant    `json:"variants"`
	Dependencies []dependency `json:"dependencies"`
}

type strategy struct {
	Name        string         `json:"name"`
	Parameters  map[string]any `json:"parameters"`
	Constraints []constraint   `json:"constraints"`
	Segments    []int          `json:"segments"`
	Variants    []variant      `json:"variants"`
	Disabled    bool           `json:"disabled"`
}

type variant struct {
	Name       string `json:"name"`
	Weight     int    `json:"weight"`
	Stickiness string `json:"stickiness"`
	Payload    *struct {
		Type  string `json:"type"`
		Value string `json:"value"`
	} `json:"payload"`
	Overrides []struct {
		ContextName string   `json:"contextName"`
		Values      []string `json:"values"`
	} `json:"overrides"`
}

type segment struct {
	ID          int          `json:"id"`
	Constraints []constraint `json:"constraints"`
}

// none is the variant of a toggle that has none for a unit.
const none = "disabled"

// suffix is what the flag of a toggle's variants has behind its key.
const suffix = ".variant"

// Import turns an answer of the client API into flags and segments.
func Import(source []byte, o peers.Options) (peers.Brought, error) {
	var doc document
	if err := peers.Read(source, &doc, "Unleash", "features"); err != nil {
		return peers.Brought{}, err
	}
	if doc.Admin != nil {
		var faults event.Invalids
		faults.Add("featureStrategies", nil, "is of an export of the administration, which SDKs do not evaluate", "take what the client API answers: see docs/import.md")
		return peers.Brought{}, faults
	}
	desk, err := peers.NewDesk(o)
	if err != nil {
		return peers.Brought{}, err
	}
	im := importer{desk: desk, segments: map[int]bool{}, features: map[string]feature{}}
	for _, s := range doc.Segments {
		im.segment(s)
	}
	for _, f := range doc.Features {
		im.features[f.Name] = f
	}
	for i, f := range doc.Features {
		im.feature(f, fmt.Sprintf("features[%d]", i))
	}
	return desk.Finish(), nil
}

type importer struct {
	desk     *peers.Desk
	segments map[int]bool // that the export has
	features map[string]feature
	toggle   string // that is being carried over
}

func segmentKey(id int) string { return "unleash-" + strconv.Itoa(id) }

func (im *importer) segment(s segment) {
	im.segments[s.ID] = true
	doc := flags.Segment{Key: segmentKey(s.ID), Description: "brought along from Unleash"}
	c, err := im.constraints(s.Constraints)
	im.desk.Segment(doc, c, err)
}

// feature makes the flag that is enabled or not, and that of the variants.
func (im *importer) feature(f feature, path string) {
	m := im.desk.Begin(f.Name, path)
	m.Description = f.Description
	m.Boolean()
	im.answers(m, f, func(i int, s strategy, when peers.Cond) {
		m.Rule(ruleName(i, s), when, flags.Rule{Serve: "on"})
	})
	m.Done()
	if f.hasVariants() {
		im.variants(f, path)
	}
}

func (f feature) hasVariants() bool {
	for _, s := range f.Strategies {
		if len(s.Variants) > 0 {
			return true
		}
	}
	return len(f.Variants) > 0
}

func ruleName(i int, s strategy) string { return fmt.Sprintf("%d-%s", i+1, s.Name) }

// answers goes through the strategies, of which the first that a context meets
// decides. No strategies are one for everybody.
func (im *importer) answers(m *peers.Maker, f feature, serve func(int, strategy, peers.Cond)) {
	m.In.Enabled, im.toggle = f.Enabled, f.Name
	if f.Strategies == nil {
		m.Leave("strategies", "are missing: who is meant is not known")
	}
	if !im.dependencies(m, f) {
		return
	}
	if len(f.Strategies) == 0 {
		serve(0, strategy{Name: "default"}, peers.Always)
	}
	for i, s := range f.Strategies {
		if s.Disabled {
			continue
		}
		when, err := im.strategy(m, fmt.Sprintf("strategies[%d]", i), s)
		if err != nil {
			m.Leave(fmt.Sprintf("strategies[%d]", i), "%v", err)
			continue
		}
		serve(i, s, when)
	}
}

// strategy returns for whom a strategy holds.
func (im *importer) strategy(m *peers.Maker, path string, s strategy) (peers.Cond, error) {
	constraints, err := im.constraints(s.Constraints)
	if err != nil {
		return peers.Never, err
	}
	in := []peers.Cond{constraints}
	for _, id := range s.Segments {
		if !im.segments[id] {
			return peers.Never, nil // as Unleash has it
		}
		in = append(in, peers.Member(segmentKey(id)))
	}
	own, err := im.own(m, path, s)
	return peers.And(append(in, own)...), err
}
