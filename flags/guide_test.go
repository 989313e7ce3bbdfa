package flags

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"
)

// Whatever the rules and the context are, the guides lead to the rule that a
// walk through all of them finds first.
func TestGuidesLeadToTheFirstMatch(t *testing.T) {
	guided := 0
	rapid.Check(t, func(t *rapid.T) {
		rules := make([]Rule, rapid.IntRange(0, 150).Draw(t, "rules"))
		for i := range rules {
			rules[i] = genRule(t, fmt.Sprintf("r%d", i))
			if rapid.IntRange(0, 9).Draw(t, "keyed") > 0 {
				when := genKeyed(t)
				rules[i].When = &when
			}
		}
		f := checkout()
		f.Environments[production] = Environment{Enabled: true, Rules: rules}
		compiled := NewSet(rulesetOf(Recorded{Flag: f}), nil).flags[f.Key]
		for _, g := range compiled.guides {
			guided += len(g.keys)
		}
		for range 20 {
			c := genContext(t)
			if want, got := firstMatch(compiled.rules, c), compiled.rule(c); want != got {
				t.Fatalf("for %+v: got %+v, want %+v", c, got, want)
			}
		}
	})
	if guided == 0 {
		t.Error("nothing was looked up by a text: the rules test nothing")
	}
}

// genKeyed returns a condition that a guide can look up, most of the time.
func genKeyed(t *rapid.T) Condition {
	value := rapid.SampledFrom([]any{"beta", "public", "u-1", "w-1", "", 30.0})
	leaf := Condition{Attribute: rapid.SampledFrom([]string{"ring", "workspace", TargetingKey}).Draw(t, "attribute"), Op: In}
	for range rapid.IntRange(1, 3).Draw(t, "values") {
		leaf.Values = append(leaf.Values, value.Draw(t, "value"))
	}
	if rapid.Bool().Draw(t, "alone") {
		return leaf
	}
	return Condition{All: []Condition{*genCondition(t, 1), leaf}}
}

func firstMatch(rules []rule, c *Context) *rule {
	for i := range rules {
		if rules[i].when == nil || rules[i].when.met(c) {
			return &rules[i]
		}
	}
	return nil
}
