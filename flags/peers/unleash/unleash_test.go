package unleash

import (
	"encoding/json"
	"testing"

	"github.com/sluice-hq/sluice/flags"
	"github.com/sluice-hq/sluice/flags/peers"
	"github.com/sluice-hq/sluice/flags/peers/peerstest"
)

// published is testdata/unleash.json.
type published struct {
	Specifications []struct {
		Name         string          `json:"name"`
		State        json.RawMessage `json:"state"`
		Tests        []test          `json:"tests"`
		VariantTests []test          `json:"variantTests"`
	} `json:"specifications"`
}

type test struct {
	Description string          `json:"description"`
	Toggle      string          `json:"toggleName"`
	Context     unleashContext  `json:"context"`
	Expected    json.RawMessage `json:"expectedResult"`
}

type unleashContext map[string]any

// here returns the context as a client of ours sends it.
func (c unleashContext) here(numbers []string) *flags.Context {
	out := &flags.Context{Attributes: map[string]any{}}
	for name, v := range c {
		out.Attributes[name] = v
	}
	properties, _ := c["properties"].(map[string]any)
	for name, v := range properties {
		out.Attributes[name] = v
	}
	delete(out.Attributes, "properties")
	out.TargetingKey, _ = out.Attributes["userId"].(string)
	delete(out.Attributes, "userId")
	peerstest.Numbers(out, numbers)
	return out
}

func TestPublishedCases(t *testing.T) {
	var p published
	peerstest.Read(t, "../testdata/unleash.json", &p)
	tally := peerstest.NewTally(t)
	for _, s := range p.Specifications {
		brought, err := Import(s.State, peers.Options{Environment: "production", Owner: "growth"})
		if err != nil {
			t.Fatalf("%s: %v", s.Name, err)
		}
		set := peerstest.Compile(brought)
		for _, c := range s.Tests {
			r := set.Evaluate(c.Toggle, c.Context.here(brought.Numbers))
			value := string(r.Value)
			if r.Error == flags.FlagNotFound {
				value = "false" // as for any toggle that there is not
			}
			tally.Count(s.Name+": "+c.Description, reason(brought, c.Toggle), value == string(c.Expected))
		}
		for _, c := range s.VariantTests {
			tally.Count(s.Name+": "+c.Description, reason(brought, c.Toggle), c.sameVariant(t, set, c.Context.here(brought.Numbers)))
		}
	}
	tally.Compare("testdata/published.txt")
}

// reason says why a case may differ: its flag is left out.
func reason(b peers.Brought, toggle string) string {
	for _, n := range b.Notes {
		if n.Left && (n.Flag == toggle || n.Flag == toggle+suffix) {
			return n.Text
		}
	}
	return ""
}

// sameVariant compares both flags of a toggle with what Unleash says of it.
func (c test) sameVariant(t *testing.T, set *flags.Set, ctx *flags.Context) bool {
	var want struct {
		Name           string `json:"name"`
		Enabled        bool   `json:"enabled"`
		FeatureEnabled *bool  `json:"feature_enabled"`
		Payload        *struct {
			Value string `json:"value"`
		} `json:"payload"`
	}
	if err := json.Unmarshal(c.Expected, &want); err != nil {
		t.Fatal(err)
	}
	is, r := set.Evaluate(c.Toggle, ctx), set.Evaluate(c.Toggle+suffix, ctx)
	if want.FeatureEnabled != nil && (is.Variant == "on") != *want.FeatureEnabled {
		return false
	}
	if r.Error == flags.FlagNotFound { // a toggle without variants has none for anybody
		return !want.Enabled
	}
	var text string
	payload := want.Payload == nil || r.Type == flags.Object && string(r.Value) == want.Payload.Value ||
		json.Unmarshal(r.Value, &text) == nil && text == want.Payload.Value
	return r.Variant == want.Name && (r.Variant != none) == want.Enabled && payload
}
