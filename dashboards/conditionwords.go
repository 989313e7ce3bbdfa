package dashboards

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/sluice-hq/sluice/flags"
)

// operatorWords are what conditions ask of an attribute. Where there is a second
// word, it is for several values.
var operatorWords = map[flags.Operator][2]string{
	flags.Eq: {"is"}, flags.Ne: {"is not"}, flags.Lt: {"is below"}, flags.Lte: {"is at most"}, flags.Gt: {"is above"}, flags.Gte: {"is at least"},
	flags.In: {"is"}, flags.NotIn: {"is not", "is none of"}, flags.Contains: {"contains"}, flags.NotContains: {"does not contain", "contains none of"},
	flags.StartsWith: {"begins with"}, flags.EndsWith: {"ends with"}, flags.Regex: {"matches"}, flags.NotRegex: {"does not match", "matches none of"},
	flags.IsSet: {"is known"}, flags.IsNotSet: {"is not known"},
	flags.SemverEq: {"is version"}, flags.SemverNe: {"is not version"}, flags.SemverLt: {"is before version"}, flags.SemverLte: {"is at most version"},
	flags.SemverGt: {"is after version"}, flags.SemverGte: {"is at least version"}, flags.Before: {"is before"}, flags.After: {"is after"}, flags.CIDR: {"is within"},
	flags.InSegment: {"in the segment"}, flags.NotInSegment: {"not in the segment", "in none of the segments"},
}

// asked is a condition as people read it: "email ends with @shop.example and
// country is FR or DE".
func asked(c *flags.Condition) string {
	switch {
	case c == nil:
		return "everybody"
	case c.All != nil:
		return together(c.All, " and ")
	case c.Any != nil:
		return together(c.Any, " or ")
	case c.None != nil:
		return "none of: " + together(c.None, ", ")
	}
	return test(*c)
}

// together says several conditions. Groups among them stand in brackets.
func together(list []flags.Condition, between string) string {
	parts := make([]string, len(list))
	for i, c := range list {
		if parts[i] = asked(&c); c.Op == "" {
			parts[i] = "(" + parts[i] + ")"
		}
	}
	return cmp.Or(strings.Join(parts, between), "no condition at all")
}

// test says what one condition asks of an attribute.
func test(c flags.Condition) string {
	values := c.Values
	if c.Value != nil {
		values = []any{c.Value}
	}
	if c.Op == flags.Modulo && len(values) == 2 {
		return fmt.Sprintf("%s divided by %v leaves %v", c.Attribute, values[0], values[1])
	}
	words, ok := operatorWords[c.Op]
	if !ok {
		return c.String()
	}
	verb, between := words[0], " or "
	if words[1] != "" && len(values) > 1 {
		verb, between = words[1], ", "
	}
	texts := make([]string, len(values))
	for i, v := range values {
		texts[i] = fmt.Sprint(v)
	}
	text := strings.TrimSpace(c.Attribute + " " + verb + " " + strings.Join(texts, between))
	if c.IgnoreCase {
		text += ", in capitals or not"
	}
	return text
}
