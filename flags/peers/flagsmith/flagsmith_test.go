package flagsmith

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/sluice-hq/sluice/flags"
	"github.com/sluice-hq/sluice/flags/peers"
	"github.com/sluice-hq/sluice/flags/peers/peerstest"
)

// bring imports a document with one feature and one segment.
func bring(t *testing.T, feature, rules string) (peers.Brought, *flags.Set) {
	t.Helper()
	doc := fmt.Sprintf(`{"api_key": "test_env", "feature_states": [%s], "project": {"segments": [{"id": 12345, "name": "s", "rules": [%s], "feature_states": [
		{"feature": {"name": "f"}, "enabled": true, "feature_state_value": "in", "feature_segment": {"priority": 0}}]}]}}`, feature, rules)
	b, err := Import([]byte(doc), peers.Options{Environment: "production", Owner: "growth"})
	if err != nil {
		t.Fatal(err)
	}
	return b, peerstest.Compile(b)
}

const plain = `{"feature": {"name": "f"}, "enabled": false, "feature_state_value": "out"}`

// Flagsmith's tests of its engines (engine-test-data 2.0.0) say of these what
// they come to: the comparison, what the trait is, and whether it is met. They
// are told here in our own words.
func TestPublishedComparisons(t *testing.T) {
	tally := peerstest.NewTally(t)
	for _, c := range []struct {
		operator, value string
		trait           any
		met             bool
	}{
		{"EQUAL", "bar", "bar", true}, {"EQUAL", "bar", "baz", false}, {"EQUAL", "1", 1.0, true}, {"EQUAL", "2", 1.0, false},
		{"EQUAL", "1.23", 1.23, true}, {"EQUAL", "true", true, true}, {"EQUAL", "false", true, false}, {"EQUAL", "false", false, true},
		{"NOT_EQUAL", "bar", "bar", false}, {"NOT_EQUAL", "bar", "baz", true}, {"NOT_EQUAL", "bar", nil, false}, {"NOT_EQUAL", "1", 1.0, false},
		{"GREATER_THAN", "1", 2.0, true}, {"GREATER_THAN", "1", 1.0, false}, {"GREATER_THAN_INCLUSIVE", "1", 1.0, true},
		{"LESS_THAN", "1.01", 1.0, true}, {"LESS_THAN_INCLUSIVE", "1", 1.0, true}, {"LESS_THAN_INCLUSIVE", "1", 2.0, false},
		{"CONTAINS", "b", "abc", true}, {"NOT_CONTAINS", "b", "abc", false}, {"NOT_CONTAINS", "d", "abc", true},
		{"REGEX", `^[a-z]+$`, "foo", true}, {"REGEX", `^[a-z]+$`, "FOO", false}, {"REGEX", `[a-z]+`, "foo", true},
		{"IN", "foo,bar", "bar", true}, {"IN", `["foo","bar"]`, "bar", true}, {"IN", "foo,bar", "ba", false}, {"IN", "1,2,3,4", 2.0, true},
		{"IN", "true,false", true, false}, {"IS_SET", "", "x", true}, {"IS_SET", "", nil, false}, {"IS_NOT_SET", "", nil, true}, {"IS_NOT_SET", "", "x", false},
		{"MODULO", "4|2", 2.0, true}, {"MODULO", "4|3", 1.0, false}, {"MODULO", "invalid", 2.0, false}, {"MODULO", "4|2", "foo", false},
		{"EQUAL", "1.0.0:semver", "1.0.0", true}, {"EQUAL", "1.0.0:semver", "1.0.1", false}, {"NOT_EQUAL", "1.0.0:semver", "1.0.1", true},
		{"EQUAL", "1.0.0:semver", "not-a-semver", false}, {"GREATER_THAN", "1.0.0:semver", "1.0.1", true}, {"GREATER_THAN", "1.0.1:semver", "1.0.1-beta", false},
		{"GREATER_THAN_INCLUSIVE", "1.0.1:semver", "1.0.1", true}, {"LESS_THAN", "1.0.1:semver", "1.0.0", true}, {"LESS_THAN_INCLUSIVE", "1.0.0:semver", "1.0.1", false},
	} {
		rule := fmt.Sprintf(`{"type": "ALL", "rules": [{"type": "ANY", "conditions": [{"operator": %q, "property_": "trait", "value": %q}]}]}`, c.operator, c.value)
		b, set := bring(t, plain, rule)
		ctx := &flags.Context{TargetingKey: "user", Attributes: map[string]any{}}
		if c.trait != nil {
			ctx.Attributes["trait"] = c.trait
		}
		reason := ""
		for _, n := range b.Notes {
			if n.Left {
				reason = n.Text
			}
		}
		r := set.Evaluate("f", ctx)
		tally.Count(fmt.Sprintf("%v %s %q", c.trait, c.operator, c.value), reason, (r.Variant == "on") == c.met)
	}
	tally.Compare("testdata/published.txt")
}

// The identity foobar of test_env comes to 54.53 % for the feature 78986 there,
// and to at most 55 % in the segment 12345: 51.99 %, by a second implementation.
func TestPublishedPercentage(t *testing.T) {
	for percent, in := range map[string]bool{"51.99": false, "52": true, "55": true, "0": false, "100": true, "x": false} {
		for _, property := range []string{"", "$.identity.key"} {
			_, set := bring(t, plain, fmt.Sprintf(`{"type": "ALL", "conditions": [{"operator": "PERCENTAGE_SPLIT", "property_": %q, "value": %q}]}`, property, percent))
			if r := set.Evaluate("f", &flags.Context{TargetingKey: "foobar"}); (r.Variant == "on") != in {
				t.Errorf("%s%% by %q: got %s", percent, property, r.Variant)
			}
		}
	}
	for percent, want := range map[float64]string{54.52: "foo", 54.54: "variant_value"} {
		feature := fmt.Sprintf(`{"feature": {"name": "mv"}, "enabled": true, "feature_state_value": "foo", "django_id": 78986,
			"multivariate_feature_state_values": [{"id": 1, "percentage_allocation": %v, "multivariate_feature_option": {"value": "variant_value"}}]}`, percent)
		_, set := bring(t, feature, "")
		if r := set.Evaluate("mv.value", &flags.Context{TargetingKey: "foobar"}); r.Variant != want {
			t.Errorf("%v%%: got %s, want %s", percent, r.Variant, want)
		}
	}
}

// Percentages with an end in them are places with it in them: for every step
// of the hash it is asked both ways.
func TestPercentagesKeepTheirEnds(t *testing.T) {
	for _, percent := range []float64{0, 0.01, 1, 10, 12.5, 25, 33.33, 50, 66.67, 75, 99.99, 100} {
		to := upTo(percent)
		for i := range steps {
			if there, here := float64(i)/steps*100 <= percent, i*flags.Whole/steps < to; there != here {
				t.Fatalf("%v%% and step %d: %v there, %v here", percent, i, there, here)
			}
		}
	}
	for percent, want := range map[float64]int{10: 10_000, 25: 25_000, 100: flags.Whole} {
		if got := upTo(percent); got != want {
			t.Errorf("%v%% ends at %d, want %d", percent, got, want)
		}
	}
}

// A multivariate feature has its options' values, and its own for the rest; an
// identity that has an override has that.
func TestValues(t *testing.T) {
	doc := `{"api_key": "8AYnz4q3KEfT5DFtnramnP", "feature_states": [{"feature": {"name": "mv"}, "enabled": true, "feature_state_value": "control", "django_id": 1016366,
		"multivariate_feature_state_values": [{"id": 191506, "percentage_allocation": 50, "multivariate_feature_option": {"value": "option"}}]}],
		"identity_overrides": [{"identifier": "vip", "identity_features": [{"feature": {"name": "mv"}, "enabled": false, "feature_state_value": "special"}]}]}`
	b, err := Import([]byte(doc), peers.Options{Environment: "production", Owner: "growth"})
	if err != nil {
		t.Fatal(err)
	}
	set, options := peerstest.Compile(b), 0
	for i := range 1000 {
		if set.Evaluate("mv.value", &flags.Context{TargetingKey: "user-" + strconv.Itoa(i)}).Variant == "option" {
			options++
		}
	}
	if options < 450 || options > 550 {
		t.Errorf("%d of 1000 have the option of 50%%", options)
	}
	for id, want := range map[string]string{"user-123": "option", "vip": "special", "": "control"} { // the first is told by engine-test-data
		if r := set.Evaluate("mv.value", &flags.Context{TargetingKey: id}); r.Variant != want {
			t.Errorf("%q has %s, want %s", id, r.Variant, want)
		}
	}
	if r := set.Evaluate("mv", &flags.Context{TargetingKey: "vip"}); r.Variant != "off" {
		t.Errorf("mv is %s for an identity that has it off", r.Variant)
	}
}

// Without what identities are hashed with, no cohort would be the same.
func TestWhatIdentitiesAreHashedWith(t *testing.T) {
	_, err := Import([]byte(`{"feature_states": []}`), peers.Options{Environment: "production", Key: "accountId"})
	for _, want := range []string{`key "accountId" has no meaning for Flagsmith`, "api_key is missing: identities are hashed with it; take the environment document"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}
