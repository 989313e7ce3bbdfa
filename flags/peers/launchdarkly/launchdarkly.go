// Package launchdarkly brings flags along from LaunchDarkly: what it gives to
// server-side SDKs (GET https://sdk.launchdarkly.com/sdk/latest-all), for one
// environment. Salts and seeds are in it, so that percentages keep their units.
//
// Contexts of the kind user are known by the targeting key. The key of any
// other kind is the attribute of that name; more of other kinds is not asked.
package launchdarkly

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/sluice-hq/sluice/flags"
	"github.com/sluice-hq/sluice/flags/peers"
)

// document is what SDKs get.
type document struct {
	Flags    map[string]flag    `json:"flags"`
	Segments map[string]segment `json:"segments"`
}

type flag struct {
	On             bool               `json:"on"`
	Deleted        bool               `json:"deleted"`
	Variations     []json.RawMessage  `json:"variations"`
	OffVariation   *int               `json:"offVariation"`
	Prerequisites  []prerequisite     `json:"prerequisites"`
	Targets        []target           `json:"targets"`
	ContextTargets []target           `json:"contextTargets"`
	Rules          []rule             `json:"rules"`
	Fallthrough    variationOrRollout `json:"fallthrough"`
	Salt           string             `json:"salt"`
}

type prerequisite struct {
	Key       string `json:"key"`
	Variation int    `json:"variation"`
}

type target struct {
	ContextKind string   `json:"contextKind"`
	Values      []string `json:"values"`
	Variation   int      `json:"variation"`
}

type rule struct {
	ID      string   `json:"id"`
	Clauses []clause `json:"clauses"`
	variationOrRollout
}

type variationOrRollout struct {
	Variation *int     `json:"variation"`
	Rollout   *rollout `json:"rollout"`
}

type rollout struct {
	Kind        string `json:"kind"`
	ContextKind string `json:"contextKind"`
	BucketBy    string `json:"bucketBy"`
	Seed        *int   `json:"seed"`
	Variations  []struct {
		Variation int `json:"variation"`
		Weight    int `json:"weight"`
	} `json:"variations"`
}

// user is the kind of context that the targeting key is of.
const user = "user"

// Import turns what SDKs get into flags and segments.
func Import(source []byte, o peers.Options) (peers.Brought, error) {
	var doc document
	if err := peers.Read(source, &doc, "LaunchDarkly", "flags"); err != nil {
		return peers.Brought{}, err
	}
	desk, err := peers.NewDesk(o)
	if err != nil {
		return peers.Brought{}, err
	}
	maps.DeleteFunc(doc.Flags, func(_ string, f flag) bool { return f.Deleted })
	maps.DeleteFunc(doc.Segments, func(_ string, s segment) bool { return s.Deleted })
	im := importer{desk: desk, document: doc, prefix: o.Environment + "."}
	for _, key := range slices.Sorted(maps.Keys(doc.Segments)) {
		im.segment(key, doc.Segments[key])
	}
	for _, key := range slices.Sorted(maps.Keys(doc.Flags)) {
		im.flag(key, doc.Flags[key])
	}
	return desk.Finish(), nil
}

type importer struct {
	desk *peers.Desk
	document
	prefix string   // of the keys of segments, of which each environment has its own there
	within []string // keys of the segments that are being written out, from the outside in
}

func (im *importer) flag(key string, f flag) {
	m := making{Maker: im.desk.Begin(key, "flags."+key), importer: im, flag: f}
	m.In.Enabled = f.On
	for i, raw := range f.Variations {
		m.names = append(m.names, m.variation(i, raw))
	}
	if f.OffVariation != nil {
		m.Safe = m.variant("offVariation", *f.OffVariation)
	}
	m.prerequisites()
	m.targets()
	for i, r := range f.Rules {
		m.rule(i, r)
	}
	m.Default = m.Safe
	m.decides("fallthrough", "fallthrough", peers.Always, f.Fallthrough)
	m.Done()
}

// making is one flag that is being made.
type making struct {
	*peers.Maker
	*importer
	flag  flag
	names []string // of the variants, by index
}

// variation takes a variation up, under a name of its own even if another has
// the same value: targets and prerequisites tell them apart.
func (m *making) variation(i int, raw json.RawMessage) string {
	var v any
	name := fmt.Sprintf("variation-%d", i)
	if json.Unmarshal(raw, &v) == nil {
		if is, ok := v.(bool); ok && m.Variants[fmt.Sprint(is)] == nil {
			name = fmt.Sprint(is)
		}
	}
	return m.Named(name, raw)
}

// variant returns the name of the variation with that index.
func (m *making) variant(path string, i int) string {
	if i < 0 || i >= len(m.names) {
		m.Leave(path, "names the variation %d, and there are %d", i, len(m.names))
		return ""
	}
	return m.names[i]
}

// prerequisites ask for a variation of a flag that is on. A flag that is off
// answers its off variation, which must be another one. What there is not is
// never met: the flag is off for everybody then.
func (m *making) prerequisites() {
	for i, p := range m.flag.Prerequisites {
		path := fmt.Sprintf("prerequisites[%d]", i)
		other, ok := m.Flags[p.Key]
		switch {
		case !ok || p.Variation < 0 || p.Variation >= len(other.Variations):
			m.In.Enabled = false
			m.Note(path, "asks for what there is not, variation %d of %s: off for everybody there, and disabled here", p.Variation, p.Key)
		case other.OffVariation != nil && *other.OffVariation == p.Variation:
			m.Leave(path, "asks for the off variation of %s, which counts there only while the flag is on", p.Key)
		default:
			o := making{Maker: m.desk.Begin(p.Key, ""), importer: m.importer}
			for i, raw := range other.Variations {
				o.names = append(o.names, o.variation(i, raw))
			}
			m.In.Prerequisites = append(m.In.Prerequisites, flags.Prerequisite{Flag: p.Key, Variant: o.names[p.Variation]})
		}
	}
}

// targets takes up single contexts. Where some cannot be listed, such as those of
// other kinds than user, all become rules, before all others: their order counts.
func (m *making) targets() {
	list, field := m.flag.ContextTargets, "contextTargets"
	if len(list) == 0 {
		list, field = m.flag.Targets, "targets"
	}
	mixed := slices.ContainsFunc(list, func(t target) bool { return !m.desk.Listed(m.keyOf(t.ContextKind)) })
	for i, t := range list {
		values := t.Values
		if isUser(t.ContextKind) && len(values) == 0 {
			values = m.userTargets(t.Variation)
		}
		name, by, variant := fmt.Sprintf("target-%d", i+1), m.keyOf(t.ContextKind), m.variant(fmt.Sprintf("%s[%d]", field, i), t.Variation)
		if mixed {
			m.Rule(name, peers.Among(by, values), flags.Rule{Serve: variant})
			continue
		}
		m.Target(name, by, variant, values)
	}
}

func isUser(kind string) bool { return kind == "" || kind == user }

// keyOf returns the attribute that is the key of a kind of context.
func (im *importer) keyOf(kind string) string {
	if isUser(kind) {
		return im.desk.Attribute("key", "key")
	}
	return kind
}

func (m *making) userTargets(variation int) []string {
	for _, t := range m.flag.Targets {
		if t.Variation == variation {
			return t.Values
		}
	}
	return nil
}

func (m *making) rule(i int, r rule) {
	path, name := fmt.Sprintf("rules[%d]", i), r.ID
	if name == "" {
		name = fmt.Sprintf("rule-%d", i+1)
	}
	when, err := m.clauses(r.Clauses)
	if err != nil {
		m.Leave(path, "%v", err)
		return
	}
	m.decides(path, name, when, r.variationOrRollout)
}

// decides adds what a rule, or the fallthrough, gives.
func (m *making) decides(path, name string, when peers.Cond, v variationOrRollout) {
	switch {
	case v.Variation != nil && path == "fallthrough":
		m.Default = m.variant(path, *v.Variation)
	case v.Variation != nil:
		m.Rule(name, when, flags.Rule{Serve: m.variant(path, *v.Variation)})
	case v.Rollout == nil || len(v.Rollout.Variations) == 0:
		m.Leave(path, "gives neither a variation nor a rollout")
	default:
		m.rollout(path+".rollout", name, when, *v.Rollout)
	}
}

// rollout deals units out. The last variation has whoever is past the end.
func (m *making) rollout(path, name string, when peers.Cond, r rollout) {
	by, err := m.bucketBy(r.ContextKind, r.BucketBy, r.Kind == "experiment")
	if err != nil {
		m.Leave(path, "%v", err)
		return
	}
	salt := m.Key + "." + m.flag.Salt + "."
	if r.Seed != nil {
		salt = fmt.Sprintf("%d.", *r.Seed)
	}
	ranges, sum := make([]peers.Range, len(r.Variations)), 0
	for i, v := range r.Variations {
		from := min(sum, flags.Whole)
		sum += max(v.Weight, 0)
		ranges[i] = peers.Range{Variant: m.variant(path, v.Variation), From: from, To: min(sum, flags.Whole)}
	}
	ranges[len(ranges)-1].To = flags.Whole
	m.Spread(name, when, flags.HashInput{Version: flags.LaunchDarkly, Salt: salt, By: by}, ranges)
}
