// Package flagsmith brings features along from Flagsmith: the environment
// document that it gives to SDKs which evaluate locally
// (GET /api/v1/environment-document/).
//
// A feature answers two questions there, and becomes a flag for each: whether
// it is enabled is the boolean flag of its key, and its value, where it has
// any, that of the key with ".value" behind it. Percentages keep their hash,
// which is of the identity's key: the environment's and the identifier. That is
// what SDKs hash that evaluate locally, and what the Edge API does.
package flagsmith

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
	"github.com/sluice-hq/sluice/flags/peers"
)

// document is the environment document.
type document struct {
	APIKey        string         `json:"api_key"`
	Name          string         `json:"name"`
	FeatureStates []featureState `json:"feature_states"`
	Project       struct {
		Segments []segment `json:"segments"`
	} `json:"project"`
	Overrides []identity `json:"identity_overrides"`
}

type featureState struct {
	Feature struct {
		Name string `json:"name"`
	} `json:"feature"`
	Enabled        bool            `json:"enabled"`
	Value          json.RawMessage `json:"feature_state_value"`
	DjangoID       int             `json:"django_id"`
	UUID           string          `json:"featurestate_uuid"`
	Multivariate   []option        `json:"multivariate_feature_state_values"`
	FeatureSegment *struct {
		Priority int `json:"priority"`
	} `json:"feature_segment"`
}

type option struct {
	ID         *int    `json:"id"`
	UUID       string  `json:"mv_fs_value_uuid"`
	Percentage float64 `json:"percentage_allocation"`
	Option     struct {
		Value json.RawMessage `json:"value"`
	} `json:"multivariate_feature_option"`
}

type identity struct {
	Identifier string         `json:"identifier"`
	Features   []featureState `json:"identity_features"`
}

// suffix is what the flag of a feature's value has behind its key.
const suffix = ".value"

// Import turns an environment document into flags and segments.
func Import(source []byte, o peers.Options) (peers.Brought, error) {
	var doc document
	if err := peers.Read(source, &doc, "Flagsmith", "feature_states"); err != nil {
		return peers.Brought{}, err
	}
	desk, err := peers.NewDesk(o)
	if err == nil {
		err = checkHashed(doc, o)
	}
	if err != nil {
		return peers.Brought{}, err
	}
	im := importer{desk: desk, document: doc}
	for _, s := range doc.Project.Segments {
		im.segment(s)
	}
	for i, f := range doc.FeatureStates {
		im.feature(f, fmt.Sprintf("feature_states[%d]", i))
	}
	return desk.Finish(), nil
}

// checkHashed refuses what percentages, options and overrides cannot be brought
// along with: they are of identities, which are hashed with the environment's key.
func checkHashed(doc document, o peers.Options) error {
	var faults event.Invalids
	if o.Key != "" {
		faults.Add("key", o.Key, "has no meaning for Flagsmith, whose percentages are of identities", "leave it out, and send the identifier as the targeting key")
	}
	if doc.APIKey == "" {
		faults.Add("api_key", nil, "is missing: identities are hashed with it", "take the environment document")
	}
	return faults.Err()
}

type importer struct {
	desk *peers.Desk
	document
}

// feature makes the flag that is enabled or not, and that of the value.
func (im *importer) feature(f featureState, path string) {
	name := f.Feature.Name
	m := im.desk.Begin(name, path)
	m.Boolean()
	m.Default = onOff(f.Enabled)
	im.target(m, name, func(s featureState) (string, bool) { return onOff(s.Enabled), true })
	for _, o := range im.overrides(name) {
		m.Rule(o.name(), o.when(), flags.Rule{Serve: onOff(o.Enabled)})
	}
	m.Done()
	if im.hasValue(f) {
		im.value(f, path)
	}
}

func onOff(enabled bool) string {
	if enabled {
		return "on"
	}
	return "off"
}

// override is what a segment has for a feature.
type override struct {
	featureState
	segment segment
}

func (o override) name() string     { return fmt.Sprintf("segment-%d", o.segment.ID) }
func (o override) when() peers.Cond { return peers.Member(o.segment.key()) }

// overrides returns those of a feature, the strongest first: of the lowest
// priority, and of several of those the one of the last segment by key.
func (im *importer) overrides(feature string) []override {
	var out []override
	for _, s := range im.Project.Segments {
		for _, f := range s.FeatureStates {
			if f.Feature.Name == feature {
				out = append(out, override{f, s})
			}
		}
	}
	slices.SortStableFunc(out, func(a, b override) int {
		return cmp.Or(cmp.Compare(a.priority(), b.priority()), -strings.Compare(strconv.Itoa(a.segment.ID), strconv.Itoa(b.segment.ID)))
	})
	return out
}

func (f featureState) priority() int {
	if f.FeatureSegment == nil {
		return math.MaxInt
	}
	return f.FeatureSegment.Priority
}

// target gives single identities what they have, if it has a variant.
func (im *importer) target(m *peers.Maker, feature string, variant func(featureState) (string, bool)) {
	var names []string // in the order of the export
	of, seen := map[string][]string{}, map[string]bool{}
	for _, id := range im.Overrides {
		for _, f := range id.Features {
			if f.Feature.Name != feature || seen[id.Identifier] {
				continue
			}
			seen[id.Identifier] = true // the first counts there
			name, ok := variant(f)
			if !ok {
				m.Leave("", "gives null to the identity %s, which no flag has here", id.Identifier)
				continue
			}
			if of[name] == nil {
				names = append(names, name)
			}
			of[name] = append(of[name], id.Identifier)
		}
	}
	for _, name := range names {
		m.Target("identities-"+name, flags.TargetingKey, name, of[name])
	}
}

// hasValue reports whether a feature has a value for anybody.
func (im *importer) hasValue(f featureState) bool {
	has := func(f featureState) bool { return !peers.IsNull(f.Value) || len(f.Multivariate) > 0 }
	if has(f) || slices.ContainsFunc(im.overrides(f.Feature.Name), func(o override) bool { return has(o.featureState) }) {
		return true
	}
	return slices.ContainsFunc(im.Overrides, func(id identity) bool {
		return slices.ContainsFunc(id.Features, func(s featureState) bool { return s.Feature.Name == f.Feature.Name && has(s) })
	})
}

// value makes the flag of a feature's value. Its safe variant is the value of
// the environment.
func (im *importer) value(f featureState, path string) {
	m := im.desk.Begin(f.Feature.Name+suffix, path)
	if !peers.IsNull(f.Value) {
		m.Default = m.Variant(f.Value)
		m.Safe = m.Default
	}
	im.target(m, f.Feature.Name, func(s featureState) (string, bool) {
		if peers.IsNull(s.Value) {
			return "", false
		}
		return m.Variant(s.Value), true
	})
	for _, o := range im.overrides(f.Feature.Name) {
		im.options(m, o.name(), o.when(), o.featureState)
		if peers.IsNull(o.Value) {
			m.Leave("", "has null in the segment %s, which no flag has here", o.segment.Name)
			continue
		}
		m.Rule(o.name()+"-else", o.when(), flags.Rule{Serve: m.Variant(o.Value)})
	}
	im.options(m, "everybody", peers.Always, f)
	m.Done()
}

// options deals the values of a multivariate feature out. Who gets none of them
// has the feature's own.
func (im *importer) options(m *peers.Maker, name string, when peers.Cond, f featureState) {
	key := f.UUID
	if f.DjangoID != 0 {
		key = strconv.Itoa(f.DjangoID)
	}
	h := flags.HashInput{Version: flags.Flagsmith, Salt: key + "," + im.APIKey + "_", By: flags.TargetingKey}
	list := slices.SortedStableFunc(slices.Values(f.Multivariate), func(a, b option) int { return a.rank().Cmp(b.rank()) })
	var ranges []peers.Range
	from, sum := 0, 0.0
	for _, o := range list {
		sum += o.Percentage
		to := upTo(sum)
		if peers.IsNull(o.Option.Value) {
			m.Leave("", "has an option without a value")
			continue
		}
		ranges = append(ranges, peers.Range{Variant: m.Variant(o.Option.Value), From: from, To: to})
		from = to
	}
	m.Spread(name, when, h, ranges)
}

// rank is an option's place among others.
func (o option) rank() *big.Int {
	if o.ID != nil {
		return big.NewInt(int64(*o.ID))
	}
	if n, ok := new(big.Int).SetString(strings.ReplaceAll(o.UUID, "-", ""), 16); ok {
		return n
	}
	return big.NewInt(math.MaxInt64)
}

// steps is in how many steps Flagsmith deals out.
const steps = 9998

// upTo returns the places of a percentage, whose end is in it: the percentage
// itself in places where that is the same.
func upTo(percentage float64) int {
	n := peers.Steps(steps, func(i float64) bool { return i/steps*100 <= percentage })
	place := func(n int) int { return n * flags.Whole / steps }
	if plain := int(math.Round(percentage * flags.Whole / 100)); n > 0 && place(n-1) < plain && plain <= place(n) {
		return plain
	}
	if n == steps {
		return flags.Whole
	}
	return place(n)
}
