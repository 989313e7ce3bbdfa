// Package featbit brings flags along from FeatBit: what its evaluation server
// gives to server-side SDKs (GET /api/public/sdk/server/latest-all), for one
// environment.
//
// Rules keep their order, and rollouts their hash and the attribute they go by.
// The variation of a disabled flag is the safe variant.
package featbit

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
	"github.com/sluice-hq/sluice/flags/peers"
)

// document is what SDKs get.
type document struct {
	Data struct {
		Event    string    `json:"eventType"` // full, or patch: what has changed alone
		Flags    []flag    `json:"featureFlags"`
		Segments []segment `json:"segments"`
	} `json:"data"`
}

type flag struct {
	Key               string      `json:"key"`
	Description       string      `json:"description"`
	Enabled           bool        `json:"isEnabled"`
	Archived          bool        `json:"isArchived"`
	VariationType     string      `json:"variationType"`
	Variations        []variation `json:"variations"`
	DisabledVariation string      `json:"disabledVariationId"`
	TargetUsers       []struct {
		KeyIDs    []string `json:"keyIds"`
		Variation string   `json:"variationId"`
	} `json:"targetUsers"`
	Rules       []rule `json:"rules"`
	Fallthrough rule   `json:"fallthrough"`
}

type variation struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Value string `json:"value"`
}

type rule struct {
	ID          string      `json:"id"`
	Name        string      `json:"name"`
	DispatchKey string      `json:"dispatchKey"`
	Conditions  []condition `json:"conditions"`
	Variations  []struct {
		ID      string     `json:"id"`
		Rollout [2]float64 `json:"rollout"`
	} `json:"variations"`
}

type segment struct {
	ID       string   `json:"id"`
	Name     string   `json:"name"`
	Archived bool     `json:"isArchived"`
	Included []string `json:"included"`
	Excluded []string `json:"excluded"`
	Rules    []rule   `json:"rules"`
}

// Import turns what SDKs get into flags and segments.
func Import(source []byte, o peers.Options) (peers.Brought, error) {
	var doc document
	if err := peers.Read(source, &doc, "FeatBit", "data.featureFlags"); err != nil {
		return peers.Brought{}, err
	}
	if doc.Data.Event == "patch" {
		var faults event.Invalids
		faults.Add("data.eventType", doc.Data.Event, "says that these are changes alone", "ask for all of it: latest-all without a timestamp")
		return peers.Brought{}, faults
	}
	desk, err := peers.NewDesk(o)
	if err != nil {
		return peers.Brought{}, err
	}
	im := importer{desk: desk, segments: map[string]bool{}}
	for _, s := range doc.Data.Segments {
		if !s.Archived {
			im.segment(s)
		}
	}
	for i, f := range doc.Data.Flags {
		path := fmt.Sprintf("data.featureFlags[%d]", i)
		if f.Archived {
			desk.Note(path, "is archived there, and not carried over: %s", f.Key)
			continue
		}
		im.flag(f, path)
	}
	return desk.Finish(), nil
}

type importer struct {
	desk     *peers.Desk
	segments map[string]bool // that the export has, by id
}

// segment takes a segment up. What is listed is a user there, whatever the
// flag's unit is.
func (im *importer) segment(s segment) {
	im.segments[s.ID] = true
	doc := flags.Segment{Key: "featbit-" + s.ID, Description: s.Name}
	any, err := im.meeting(s)
	if by := im.attribute("keyId"); by == flags.TargetingKey {
		doc.Included.Units, doc.Excluded.Units = peers.IDs(s.Included), peers.IDs(s.Excluded)
	} else {
		any = peers.And(peers.Not(peers.Among(by, s.Excluded)), peers.Or(peers.Among(by, s.Included), any))
	}
	im.desk.Segment(doc, any, err)
}

// meeting holds for whoever meets one of the rules.
func (im *importer) meeting(s segment) (peers.Cond, error) {
	any := peers.Never
	for i, r := range s.Rules {
		is, err := im.conditions(r.Conditions)
		if err != nil {
			return any, fmt.Errorf("rules[%d].%w", i, err)
		}
		any = peers.Or(any, is)
	}
	return any, nil
}

func (im *importer) flag(f flag, path string) {
	m := making{Maker: im.desk.Begin(f.Key, path), importer: im, names: map[string]string{}}
	m.Description, m.In.Enabled = f.Description, f.Enabled
	for i, v := range f.Variations {
		m.variation(fmt.Sprintf("variations[%d]", i), f.VariationType, v)
	}
	m.Safe = m.variant("disabledVariationId", f.DisabledVariation)
	m.Default = m.Safe
	for i, t := range f.TargetUsers {
		m.Target(fmt.Sprintf("target-%d", i+1), im.attribute("keyId"), m.variant(fmt.Sprintf("targetUsers[%d]", i), t.Variation), t.KeyIDs)
	}
	for i, r := range f.Rules {
		at := fmt.Sprintf("rules[%d]", i)
		when, err := im.conditions(r.Conditions)
		if err != nil {
			m.Leave(at, "%v", err)
			continue
		}
		m.deal(at, r.name(i), when, r)
	}
	m.deal("fallthrough", "fallthrough", peers.Always, f.Fallthrough)
	m.Done()
}

func (r rule) name(i int) string {
	if r.ID != "" {
		return r.ID
	}
	return fmt.Sprintf("rule-%d", i+1)
}

// making is one flag that is being made.
type making struct {
	*peers.Maker
	*importer
	names map[string]string // id of a variation -> name of the variant
}

// variation takes a variation up: its value is written out there, whatever its
// type is.
func (m *making) variation(path, kind string, v variation) {
	raw, err := value(kind, v.Value)
	if err != nil {
		m.Leave(path+".value", "%v", err)
		return
	}
	name := v.Name
	if name == "" {
		m.names[v.ID] = m.Variant(raw)
		return
	}
	m.names[v.ID] = m.Named(name, raw)
}

func value(kind, text string) (json.RawMessage, error) {
	if kind == "string" {
		raw, err := json.Marshal(text)
		return raw, err
	}
	if kind == "boolean" {
		text = strings.ToLower(text)
	}
	if !json.Valid([]byte(text)) {
		return nil, fmt.Errorf("is not a %s: %q", kind, text)
	}
	return json.RawMessage(text), nil
}

func (m *making) variant(path, id string) string {
	name, ok := m.names[id]
	if !ok {
		m.Leave(path, "names a variation that there is not: %q", id)
	}
	return name
}

// deal adds what a rule gives: a range of the hash to each variation. A range
// of everybody asks for no hash.
func (m *making) deal(path, name string, when peers.Cond, r rule) {
	by := "keyId"
	if r.DispatchKey != "" {
		by = r.DispatchKey
	}
	h := flags.HashInput{Version: flags.FeatBit, Salt: m.Key, By: m.attribute(by)}
	var ranges []peers.Range
	for i, v := range r.Variations {
		at := fmt.Sprintf("%s.variations[%d]", path, i)
		variant := m.variant(at, v.ID)
		from, ok := peers.Thousandths(v.Rollout[0])
		to, also := peers.Thousandths(v.Rollout[1])
		switch {
		case from == 0 && to == flags.Whole && len(ranges) == 0:
			m.Rule(name, when, flags.Rule{Serve: variant})
			return
		case !ok || !also:
			m.Leave(at+".rollout", "has an end that is not a whole thousandth of a percent: %v", v.Rollout)
			return
		}
		ranges = append(ranges, peers.Range{Variant: variant, From: from, To: to})
	}
	m.Spread(name, when, h, ranges)
}
