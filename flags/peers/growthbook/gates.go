package growthbook

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/sluice-hq/sluice/flags"
	"github.com/sluice-hq/sluice/flags/peers"
)

// gates become prerequisites, which are asked before all rules.
func (im *importer) gates(m *peers.Maker, f feature) {
	first := true
	for i, r := range f.Rules {
		for j, p := range r.Parents {
			if err := im.gate(m, p, first); err != nil {
				m.Leave(fmt.Sprintf("rules[%d].parentConditions[%d]", i, j), "%v", err)
			}
		}
		first = first && len(r.Parents) > 0 && r.Force == nil && r.Variations == nil
	}
	if len(m.In.Prerequisites) > 0 {
		m.Safe = ""
	}
	if m.Safe == "" {
		m.Note("", "has no safe variant: set one before a rollout of it begins")
	} else {
		m.Note("", "has %s for its safe variant: GrowthBook has none", m.Safe)
	}
}

// gate adds a prerequisite, unless all that the other feature gives meets it.
func (im *importer) gate(m *peers.Maker, p parent, first bool) error {
	other := im.made[p.ID]
	if other == nil {
		return fmt.Errorf("asks for a feature that there is not: %s", p.ID)
	}
	met, null, err := im.passing(other, p)
	switch always := len(met) == len(other.Variants) && (null || !im.givesNull(p.ID)); {
	case err != nil:
		return err
	case always:
		m.Note("", "is behind a gate that every value of %s passes: it is not asked here", p.ID)
		return nil
	case !p.Gate:
		return fmt.Errorf("asks for what %s gives, and skips the rule alone when that is not so", p.ID)
	case !first:
		return fmt.Errorf("is a gate behind other rules")
	case im.givesNull(p.ID) && null:
		return fmt.Errorf("is passed where %s gives null, too", p.ID)
	case len(met) != 1:
		return fmt.Errorf("is passed by %d of the %d values of %s, and a prerequisite asks for one", len(met), len(other.Variants), p.ID)
	}
	of := flags.Prerequisite{Flag: p.ID, Variant: met[0]}
	if !slices.Contains(m.In.Prerequisites, of) {
		m.In.Prerequisites = append(m.In.Prerequisites, of)
	}
	return nil
}

// givesNull reports whether a feature may give null: by default, or behind a
// gate of its own.
func (im *importer) givesNull(key string) bool {
	f := im.features[key]
	return peers.IsNull(f.Default) || slices.ContainsFunc(f.Rules, func(r rule) bool { return len(r.Parents) > 0 })
}

// passing returns the variants of a feature whose values meet a gate's condition,
// and whether null does.
func (im *importer) passing(other *peers.Maker, p parent) (met []string, null bool, err error) {
	desk, err := peers.NewDesk(peers.Options{Environment: "gate"})
	if err != nil {
		return nil, false, err // unreachable: it has an environment
	}
	is, err := (&importer{desk: desk, groups: im.groups}).condition(p.Condition)
	if err != nil {
		return nil, false, err
	}
	m := desk.Begin("gate", "")
	m.Boolean()
	m.Rule("met", is, flags.Rule{Serve: "on"})
	m.Done()
	set := flags.NewSet(flags.Ruleset{Environment: desk.Environment, Flags: []flags.Recorded{{Flag: m.Flag, Revision: 1}}}, nil)
	passes := func(raw json.RawMessage) bool {
		var value any
		return json.Unmarshal(raw, &value) == nil &&
			set.Evaluate(m.Key, &flags.Context{Attributes: map[string]any{"value": value}}).Variant == "on"
	}
	for _, name := range slices.Sorted(maps.Keys(other.Variants)) {
		if passes(other.Variants[name]) {
			met = append(met, name)
		}
	}
	return met, passes(json.RawMessage("null")), nil
}
