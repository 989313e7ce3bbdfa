package dashboards

import (
	"testing"

	"github.com/sluice-hq/sluice/flags"
)

// TestAsked reads conditions aloud.
func TestAsked(t *testing.T) {
	mail := flags.Condition{Attribute: "email", Op: flags.EndsWith, Values: []any{"@shop.example"}}
	lands := flags.Condition{Attribute: "country", Op: flags.In, Values: []any{"FR", "DE"}}
	for want, c := range map[string]*flags.Condition{
		"everybody":                     nil,
		"email ends with @shop.example": &mail,
		"email ends with @shop.example and (country is FR or DE or not in the segment beta)": {All: []flags.Condition{mail, {Any: []flags.Condition{lands, {Op: flags.NotInSegment, Values: []any{"beta"}}}}}},
		"none of: country is FR or DE":    {None: []flags.Condition{lands}},
		"country is none of FR, DE":       {Attribute: "country", Op: flags.NotIn, Values: []any{"FR", "DE"}},
		"n divided by 10 leaves 3":        {Attribute: "n", Op: flags.Modulo, Values: []any{10, 3}},
		"plan is known":                   {Attribute: "plan", Op: flags.IsSet},
		"plan is pro, in capitals or not": {Attribute: "plan", Op: flags.Eq, Value: "pro", IgnoreCase: true},
		"app is at least version 2.4.0":   {Attribute: "app", Op: flags.SemverGte, Value: "2.4.0"},
		"no condition at all":             {All: []flags.Condition{}},
		"x like y":                        {Attribute: "x", Op: "like", Value: "y"},
	} {
		if got := asked(c); got != want {
			t.Errorf("it says %q, want %q", got, want)
		}
	}
}
