package dashboards

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
)

var places3 = []string{"development", "staging", "production"}

func condition(attribute string, op flags.Operator, values ...any) *flags.Condition {
	return &flags.Condition{Attribute: attribute, Op: op, Values: values}
}

// sampleFlag has everything that a flag can have.
func sampleFlag() FlagSeen {
	release := flags.Recorded{
		Flag: flags.Flag{
			Key: "checkout.payments.express-pay", Description: "One-tap payment on the checkout page", Purpose: flags.Release, Owner: "payments-team",
			Tags: []string{"payments", "mobile"}, Type: flags.Boolean, Variants: flags.Variants{"on": json.RawMessage("true"), "off": json.RawMessage("false")},
			Default: "off", Safe: "off", Cleanup: &flags.Cleanup{EndState: flags.Promote, Due: event.Duration(30 * 24 * time.Hour)},
			Environments: map[string]flags.Environment{
				"production": {Enabled: true,
					Prerequisites: []flags.Prerequisite{{Flag: "checkout.new-basket", Variant: "on"}},
					Targets:       []flags.Target{{Variant: "on", Units: []string{"ana", "user-7"}}},
					Rules: []flags.Rule{
						{Name: "staff", When: condition("email", flags.EndsWith, "@shop.example"), Serve: "on"},
						{Name: "beta", When: &flags.Condition{All: []flags.Condition{*condition("", flags.InSegment, "beta-testers"), *condition("app", flags.SemverGte, "2.4.0")}}, Split: flags.Even("on", "off"), Until: "2027-01-31"},
					},
					Allocation: &flags.Allocation{Rollout: "production/checkout.payments.express-pay/2", Stage: "ramp", Epoch: 1, Unit: "user", Coverage: 25000, Arms: flags.Even("on", "off")},
				},
				"staging":     {Enabled: true, Forced: &flags.Forced{Reason: "payments fail", At: at.Add(-time.Hour)}},
				"development": {},
			},
		},
		Revision: 412, Created: at.AddDate(0, -2, 0), Changed: at.Add(-time.Hour), Actor: "person:ana", Comment: "staff and beta testers first",
	}
	due := at.AddDate(0, 0, 12)
	return FlagSeen{
		Flag: release, Life: flags.Life{Stage: flags.RollingOut, Stale: true, Reasons: []string{"nobody changed it for 60 days"}}, Due: &due,
		Health: map[string]decisions.FlagHealth{
			"production": {State: decisions.Ailing, Source: "incident pager-7", Since: at.Add(-time.Hour), Text: "An incident is open: payments fail."},
			"staging":    {State: decisions.Healthy, Source: "rollout staging/checkout.payments.express-pay/1", Text: "The rollout finds no harm."},
		},
		Seen: map[string]flags.Seen{"production": {Asked: at.Add(-time.Minute), Since: at.AddDate(0, -1, 0)}, "staging": {Since: at.AddDate(0, -1, 0)}},
	}
}

// plainFlag has nothing that it need not have.
func plainFlag(key string) FlagSeen {
	return FlagSeen{Flag: flags.Recorded{
		Flag: flags.Flag{Key: key, Purpose: flags.Operational, Owner: "shop-team", Type: flags.Number, Variants: flags.Variants{"few": json.RawMessage("3"), "many": json.RawMessage("1e300")},
			Default: "few", Safe: "few", Environments: map[string]flags.Environment{"production": {Enabled: true}}},
		Revision: 7, Created: at, Changed: at, Actor: "person:ben",
	}, Life: flags.Life{Stage: flags.Live}}
}

func sampleFlagDetail() FlagDetail {
	all := Rights{Write: true, Decide: true}
	return FlagDetail{
		FlagSeen: sampleFlag(), Order: places3, May: map[string]Rights{"production": all, "staging": all, "development": all}, Rollouts: []Seen{ended()},
		Inherited: map[string][]flags.InheritedRule{"production": {{Tags: []string{"payments"}, Name: "embargo", When: condition("country", flags.In, "XX", "YY"), Serve: "off"}}},
		Schedules: []flags.Schedule{{At: at.Add(48 * time.Hour), Made: at.Add(-time.Hour), Actor: "person:ana", Standing: flags.Pending, Changes: []flags.Change{{Op: flags.AddUnits, Environment: "production", Variant: "on", Units: []string{"user-8"}}}}},
	}
}

func flagSamples() map[string]Page {
	f := sampleFrame(InFlags)
	f.Path, f.Environment = "/flags", ""
	asOf := AsOf{Log: 9182, JSON: "/api/v1/flags"}
	list := FlagList{Flags: []FlagSeen{sampleFlag(), plainFlag("shop.gift-cards")}, Order: places3}
	many := FlagList{Order: places3, Asked: url.Values{"q": {"shop"}, "cursor": {"abc"}}, Next: "def", Filter: FlagFilter{Q: "shop", Stale: "true", Sort: "changed"}}
	for i := range 200 {
		many.Flags = append(many.Flags, plainFlag(fmt.Sprintf("shop.basket.flag-%03d.%s", i, strings.Repeat("long", i%9))))
	}
	wide := sampleFlagDetail()
	wide.Flag.Variants = flags.Variants{}
	for i := range 12 {
		wide.Flag.Variants[fmt.Sprintf("arm-%02d", i)] = json.RawMessage(fmt.Sprintf(`{"limit":%d,"text":"%s"}`, i, strings.Repeat("x", 40*i)))
	}
	bare := FlagDetail{FlagSeen: plainFlag("shop.gift-cards"), Order: places3}
	all := tabSamples(asOf)
	maps.Copy(all, healthSamples(asOf))
	maps.Copy(all, map[string]Page{
		"flags": NewFlags(f, list, asOf, at), "flags-many": NewFlags(f, many, asOf, at), "flags-none": NewFlags(f, FlagList{}, asOf, at),
		"flag": NewFlag(f, sampleFlagDetail(), asOf), "flag-arms": NewFlag(f, wide, asOf), "flag-bare": NewFlag(Frame{Path: "/flags/shop.gift-cards", Person: "person:eve"}, bare, asOf),
	})
	return all
}

// TestGets: what everybody gets is said in one sentence, whatever decides.
func TestGets(t *testing.T) {
	f := sampleFlag().Flag
	archived := f
	archived.Archived, archived.Answer = true, "on"
	ramp := plainFlag("a").Flag
	ramp.Environments = map[string]flags.Environment{"production": {Enabled: true, Allocation: &flags.Allocation{Ramp: true, Coverage: 125, Arms: []flags.Arm{{Variant: "many", Weight: flags.Whole}}}}}
	for want, got := range map[string]string{
		"2 named units get on, then 2 rules, then 25 % of units are compared: 50 % on, 50 % off; all others get off, as long as checkout.new-basket answers on": gets(f, "production"),
		"everybody gets off: it is forced, payments fail":          gets(f, "staging"),
		"everybody gets off: it is disabled":                       gets(f, "development"),
		"everybody gets off: the flag is not there":                gets(f, "moon"),
		"everybody gets on: it is archived":                        gets(archived, "production"),
		"everybody gets few":                                       gets(plainFlag("a").Flag, "production"),
		"0.125 % of units get many; all others get few":            gets(ramp, "production"),
		"everybody gets what the code says: the flag is not there": gets(flags.Recorded{}, "production"),
	} {
		if got = strings.ReplaceAll(got, space, " "); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// TestNewFlag_steps: evaluation's steps stand in the order in which they are
// asked, the default last.
func TestNewFlag_steps(t *testing.T) {
	p := NewFlag(Frame{}, sampleFlagDetail(), AsOf{})
	var kinds []string
	for _, s := range p.Where[2].Steps {
		kinds = append(kinds, s.Kind)
	}
	want := []string{"prerequisite", "targets", "rule", "rule", "inherited rule", "rollout", "default"}
	if diff := cmp.Diff(want, kinds); diff != "" {
		t.Error(diff)
	}
}

// TestFlagPages_offerWhatMayBeDone: whoever may not write or decide sees no
// button that would be refused.
func TestFlagPages_offerWhatMayBeDone(t *testing.T) {
	d := sampleFlagDetail()
	for name, c := range map[string]struct {
		may  Rights
		want []string
	}{
		"nobody": {Rights{}, nil}, "writer": {Rights{Write: true}, []string{"Edit rules"}},
		"decider": {Rights{Write: true, Decide: true}, []string{"Edit rules", "Disable", "Force the safe variant"}},
	} {
		d.May = maps.Clone(d.May)
		d.May["production"] = c.may
		var got []string
		for _, b := range NewFlag(Frame{}, d, AsOf{}).Where[2].Acts {
			got = append(got, b.Name)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}
