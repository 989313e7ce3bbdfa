package peers

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/launchdarkly/go-sdk-common/v3/ldattr"
	"github.com/launchdarkly/go-sdk-common/v3/ldcontext"
	"github.com/launchdarkly/go-sdk-common/v3/ldvalue"
	evaluation "github.com/launchdarkly/go-server-sdk-evaluation/v3"
	"github.com/launchdarkly/go-server-sdk-evaluation/v3/ldbuilders"
	"github.com/launchdarkly/go-server-sdk-evaluation/v3/ldmodel"

	"github.com/sluice-hq/sluice/flags"
	"github.com/sluice-hq/sluice/flags/flagd"
)

// BenchmarkEvaluate answers one flag in three ways in one run: one rule that
// does not match, and half of the units each get one of two arms.
//
//	go test -run '^$' -bench Evaluate -benchmem
func BenchmarkEvaluate(b *testing.B) {
	b.Run("Sluice", benchSluice)
	b.Run("SluiceTargeting", benchTargeting)
	b.Run("LaunchDarkly", benchLaunchDarkly)
	b.Run("flagd", benchFlagd)
}

const unit = "0b5f8d4e-3b0e-4d0a-9a55-8f3f5b0c1d2e"

var sink any

// flagOf is the flag, with what production does.
func flagOf(e flags.Environment) flags.Ruleset {
	e.Enabled = true
	f := flags.Flag{
		Key: "checkout", Type: flags.Boolean, Variants: flags.Variants{"on": json.RawMessage(`true`), "off": json.RawMessage(`false`)},
		Default: "off", Safe: "off", Unit: "workspace", Environments: map[string]flags.Environment{environment: e},
	}
	return flags.Ruleset{Environment: environment, Flags: []flags.Recorded{{Flag: f, Revision: 1}}}
}

// split is the flag as a rollout leaves it.
func split() flags.Ruleset {
	return flagOf(flags.Environment{
		Rules:      []flags.Rule{{Name: "staff", When: &flags.Condition{Attribute: "ring", Op: flags.In, Values: []any{"internal", "beta"}}, Serve: "on"}},
		Allocation: &flags.Allocation{Rollout: "r", Epoch: 1, Salt: "checkout", Unit: "workspace", Coverage: flags.Whole, Arms: flags.Even("on", "off")},
	})
}

func contextHere() *flags.Context {
	return &flags.Context{TargetingKey: "u-1", Attributes: map[string]any{"ring": "public", "workspace": unit}}
}

func benchSet(b *testing.B, set *flags.Set, c *flags.Context) {
	if r := set.Evaluate("checkout", c); r.Variant == "" || r.Step == flags.AtDefault {
		b.Fatalf("the unit is in no arm: %+v", r)
	}
	b.ReportAllocs()
	var r flags.Result
	for b.Loop() {
		r = set.Evaluate("checkout", c)
	}
	sink = r
}

func benchSluice(b *testing.B) { benchSet(b, flags.NewSet(split(), nil), contextHere()) }

// The same as imported JSONLogic.
func benchTargeting(b *testing.B) {
	rule := `{"if":[{"in":[{"var":"ring"},["internal","beta"]]},"on",{"fractional":[{"var":"workspace"},["on",50],["off",50]]}]}`
	benchSet(b, flags.NewSet(flagOf(flags.Environment{Targeting: flags.Logic(rule)}), nil), contextHere())
}

// nothing is LaunchDarkly's way to other flags and segments: there are none.
type nothing struct{}

func (nothing) GetFeatureFlag(string) *ldmodel.FeatureFlag { return nil }
func (nothing) GetSegment(string) *ldmodel.Segment         { return nil }

func benchLaunchDarkly(b *testing.B) {
	flag := ldbuilders.NewFlagBuilder("checkout").On(true).Salt("checkout").Variations(ldvalue.Bool(true), ldvalue.Bool(false)).OffVariation(1).
		AddRule(ldbuilders.NewRuleBuilder().ID("staff").Variation(0).Clauses(ldbuilders.Clause("ring", ldmodel.OperatorIn, ldvalue.String("internal"), ldvalue.String("beta")))).
		Fallthrough(ldmodel.VariationOrRollout{Rollout: ldmodel.Rollout{
			BucketBy:   ldattr.NewRef("workspace"),
			Variations: []ldmodel.WeightedVariation{ldbuilders.Bucket(0, 50000), ldbuilders.Bucket(1, 50000)},
		}}).Build()
	e := evaluation.NewEvaluator(nothing{})
	c := ldcontext.NewBuilder("u-1").SetString("ring", "public").SetString("workspace", unit).Build()
	if r := e.Evaluate(&flag, c, nil); !r.Detail.VariationIndex.IsDefined() {
		b.Fatalf("the unit is in no arm: %v", r.Detail)
	}
	b.ReportAllocs()
	var r evaluation.Result
	for b.Loop() {
		r = e.Evaluate(&flag, c, nil)
	}
	sink = r
}

// The export, by flagd's evaluator without its server, logs and metrics.
func benchFlagd(b *testing.B) {
	doc, left := flagd.Export(split(), nil)
	if len(left) > 0 {
		b.Fatal(left)
	}
	var theirs struct{ Flags map[string]definition }
	if err := json.Unmarshal(doc.JSON(), &theirs); err != nil {
		b.Fatal(err)
	}
	d, context := theirs.Flags["checkout"], attributes(*contextHere())
	b.ReportAllocs()
	for b.Loop() {
		variant, err := d.answer("checkout", context)
		if err != nil || variant == "" {
			b.Fatal(fmt.Errorf("%q: %w", variant, err))
		}
		sink = variant
	}
}
