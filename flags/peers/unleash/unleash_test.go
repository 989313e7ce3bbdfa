package unleash

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

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

// bring imports an answer of the client API.
func bring(t *testing.T, source string, o peers.Options) peers.Brought {
	t.Helper()
	o.Environment, o.Owner = "production", "growth"
	b, err := Import([]byte(source), o)
	if err != nil {
		t.Fatalf("%s: %v", source, err)
	}
	return b
}

// What SDKs never see, and what says nothing of whom it is for, is not taken for
// a toggle that everybody has.
func TestOtherExports(t *testing.T) {
	_, err := Import([]byte(`{"features":[{"name":"a"}],"featureStrategies":[]}`), peers.Options{Environment: "production"})
	if err == nil || !strings.Contains(err.Error(), "featureStrategies is of an export of the administration") {
		t.Errorf("an export of the administration: %v", err)
	}
	b := bring(t, `{"features":[{"name":"a","enabled":true},{"name":"b","strategies":[]},{"name":"b","strategies":[]}]}`, peers.Options{})
	if diff := cmp.Diff([]string{"a", "b"}, b.LeftOut()); diff != "" || len(b.Flags) != 1 {
		t.Errorf("%d flags; left out: want -, got +\n%s", len(b.Flags), diff)
	}
	if why := reason(b, "a"); why != "are missing: who is meant is not known" {
		t.Errorf("without strategies: %q", why)
	}
}

// A dependency that is never met there makes a toggle for nobody; one on several
// variants that the other may have is left out.
func TestDependencies(t *testing.T) {
	parent := `{"name":"p","enabled":true,"strategies":[],"variants":[{"name":"a","weight":500},{"name":"b","weight":500}]}`
	for name, c := range map[string]struct {
		of   string
		want []flags.Prerequisite // nil: for nobody
		left string
	}{
		"on":             {`{"feature":"p"}`, []flags.Prerequisite{{Flag: "p", Variant: "on"}}, ""},
		"off":            {`{"feature":"p","enabled":false}`, []flags.Prerequisite{{Flag: "p", Variant: "off"}}, ""},
		"a variant":      {`{"feature":"p","variants":["b","gone"]}`, []flags.Prerequisite{{Flag: "p", Variant: "on"}, {Flag: "p.variant", Variant: "b"}}, ""},
		"any variant":    {`{"feature":"p","variants":["a","b","disabled"]}`, []flags.Prerequisite{{Flag: "p", Variant: "on"}}, ""},
		"two of them":    {`{"feature":"p","variants":["a","b"]}`, nil, "asks for one of several variants of p"},
		"no such one":    {`{"feature":"p","variants":["gone"]}`, nil, ""},
		"no such toggle": {`{"feature":"q"}`, nil, ""},
	} {
		b := bring(t, `{"features":[`+parent+`,{"name":"c","enabled":true,"strategies":[],"dependencies":[`+c.of+`]}]}`, peers.Options{})
		if got := reason(b, "c"); !strings.Contains(got, c.left) || c.left == "" && got != "" {
			t.Errorf("%s: left out because %q, want %q", name, got, c.left)
		}
		for _, f := range b.Flags {
			if e := f.Environments["production"]; f.Key == "c" {
				if diff := cmp.Diff(c.want, e.Prerequisites); diff != "" || (len(e.Rules) == 0) != (c.want == nil) {
					t.Errorf("%s: %d rules (-want +got):\n%s", name, len(e.Rules), diff)
				}
			}
		}
	}
}

// An expression that RE2 cannot read is met by nobody there; what the opposite
// of that is, nobody says.
func TestBrokenExpressions(t *testing.T) {
	toggle := func(inverted bool) string {
		return fmt.Sprintf(`{"features":[{"name":"f","enabled":true,"strategies":[{"name":"default","constraints":[{"contextName":"plan","operator":"REGEX","value":"(","inverted":%v}]}]}]}`, inverted)
	}
	if b := bring(t, toggle(false), peers.Options{}); len(b.Flags) != 1 || len(b.Flags[0].Environments["production"].Rules) != 0 {
		t.Errorf("got %+v", b)
	}
	if why := reason(bring(t, toggle(true), peers.Options{}), "f"); !strings.Contains(why, "is not one of RE2") {
		t.Errorf("inverted: %q", why)
	}
}
