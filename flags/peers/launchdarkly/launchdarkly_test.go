package launchdarkly

import (
	"encoding/json"
	"maps"
	"testing"

	"github.com/sluice-hq/sluice/flags"
	"github.com/sluice-hq/sluice/flags/peers"
	"github.com/sluice-hq/sluice/flags/peers/peerstest"
)

// published is testdata/launchdarkly.json.
type published struct {
	Suites []struct {
		Data        json.RawMessage `json:"sdkData"`
		Evaluations []evaluation    `json:"evaluations"`
	} `json:"suites"`
}

type evaluation struct {
	Name      string          `json:"name"`
	Flag      string          `json:"flagKey"`
	Context   map[string]any  `json:"context"`
	Value     json.RawMessage `json:"value"`
	Variation *int            `json:"variationIndex"` // nil: nobody gets one, and the code's default is the answer
}

// here returns the context as a client of ours sends it: the attributes of the
// user, and the keys of other kinds.
func here(c map[string]any) *flags.Context {
	out := &flags.Context{Attributes: map[string]any{}}
	switch kind, _ := c["kind"].(string); kind {
	case "", user:
		custom, _ := c["custom"].(map[string]any)
		maps.Copy(out.Attributes, c)
		maps.Copy(out.Attributes, custom)
		out.TargetingKey, _ = c["key"].(string)
		for _, name := range []string{"key", "kind", "custom"} {
			delete(out.Attributes, name)
		}
	case "multi":
		for kind, of := range c {
			if of, ok := of.(map[string]any); ok && kind == user {
				inner := here(of)
				out.TargetingKey = inner.TargetingKey
				maps.Copy(out.Attributes, inner.Attributes)
			} else if ok {
				out.Attributes[kind] = of["key"]
			}
		}
	default:
		out.Attributes[kind] = c["key"]
	}
	return out
}

// differs are cases that come out otherwise, and why.
var differs = map[string]string{
	"operators-semver-equal: equal: 2.0-rc semVerEqual 2.0.0-rc passes": "an attribute that is a version with fewer than three numbers and a pre-release is none here",
	"operators-semver-equal: equal: 2-rc semVerEqual 2.0.0-rc passes":   "an attribute that is a version with fewer than three numbers and a pre-release is none here",
}

func TestPublishedCases(t *testing.T) {
	var p published
	peerstest.Read(t, "../testdata/launchdarkly.json", &p)
	tally := peerstest.NewTally(t)
	for _, s := range p.Suites {
		brought, err := Import(s.Data, peers.Options{Environment: "production", Owner: "growth"})
		if err != nil {
			t.Fatal(err)
		}
		set := peerstest.Compile(brought)
		for _, e := range s.Evaluations {
			r := set.Evaluate(e.Flag, here(e.Context))
			if e.Variation == nil {
				tally.Count(e.Name, "", r.Variant == "")
				continue
			}
			reason := differs[e.Name]
			for _, n := range brought.Notes {
				if n.Left && n.Flag == e.Flag && reason == "" {
					reason = n.Text
				}
			}
			tally.Count(e.Name, reason, peerstest.Same(r.Value, e.Value))
		}
	}
	tally.Compare("testdata/published.txt")
}
