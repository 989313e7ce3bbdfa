package flagd

import (
	"strings"

	"github.com/sluice-hq/sluice/flags"
)

// test is an operator with its values, to be asked of one scalar.
type test struct {
	meets   func(v logic) logic // nil: a question of presence
	applies func(v logic) logic // a negated operator has something to say of v
	negated bool
	numeric bool // never met by text
}

// test writes an operator. What flagd cannot say is refused.
func (x *exporter) test(path string, c *flags.Condition) (test, bool) {
	values := c.Values
	if c.Value != nil {
		values = []any{c.Value}
	}
	if c.IgnoreCase {
		x.refuse(path+".ignoreCase", nil, "cannot be exported: flagd compares letters as they are", "list the spellings, or normalise the attribute before it is sent")
		return test{}, false
	}
	switch c.Op {
	case flags.IsSet, flags.IsNotSet:
		return test{negated: c.Op == flags.IsNotSet}, true
	case flags.Eq, flags.Ne, flags.In, flags.NotIn:
		return test{meets: equals(values), applies: isScalar, negated: c.Op == flags.Ne || c.Op == flags.NotIn}, true
	case flags.Contains, flags.NotContains, flags.StartsWith, flags.EndsWith:
		return test{meets: part(c.Op, values), applies: isText, negated: c.Op == flags.NotContains}, true
	case flags.Lt, flags.Lte, flags.Gt, flags.Gte:
		return test{meets: ordered(c.Op, values[0]), numeric: true}, true
	case flags.SemverEq, flags.SemverNe, flags.SemverLt, flags.SemverLte, flags.SemverGt, flags.SemverGte:
		return test{meets: versioned(c.Op, values[0]), applies: isVersion, negated: c.Op == flags.SemverNe}, true
	case flags.Modulo:
		return test{meets: modulo(values[0], values[1]), numeric: true}, true
	}
	x.refuse(path+".op", c.Op, "cannot be exported: flagd has no such operator", "use an attribute that says the same")
	return test{}, false
}

// equals is true for any of the values, kind for kind.
func equals(values []any) func(logic) logic {
	var texts []string
	var others []any
	for _, v := range values {
		if s, ok := v.(string); ok {
			texts = append(texts, s)
		} else {
			others = append(others, v)
		}
	}
	return func(v logic) logic {
		var parts []logic
		switch len(texts) {
		case 0:
		case 1:
			parts = append(parts, same(v, texts[0]))
		default:
			parts = append(parts, isOne(v, texts))
		}
		for _, o := range others {
			parts = append(parts, same(v, o))
		}
		return or(parts...)
	}
}

// part looks for pieces of text.
func part(is flags.Operator, values []any) func(logic) logic {
	return func(v logic) logic {
		var parts []logic
		for _, piece := range values {
			if is == flags.Contains || is == flags.NotContains {
				parts = append(parts, op("in", piece, v))
			} else {
				parts = append(parts, op(string(is), v, piece)) // they have the same names
			}
		}
		if is == flags.StartsWith || is == flags.EndsWith {
			return or(parts...) // which are null for what is no text
		}
		return and(isText(v), or(parts...))
	}
}

// ordered compares numbers alone; flagd would read texts and null as such.
func ordered(is flags.Operator, bound any) func(logic) logic {
	sign := map[flags.Operator]string{flags.Lt: "<", flags.Lte: "<=", flags.Gt: ">", flags.Gte: ">="}[is]
	return func(v logic) logic { return and(isNumber(v), op(sign, v, bound)) }
}

// versioned compares versions that are texts; flagd would read numbers too.
func versioned(is flags.Operator, bound any) func(logic) logic {
	sign := map[flags.Operator]string{
		flags.SemverEq: "=", flags.SemverNe: "=", flags.SemverLt: "<", flags.SemverLte: "<=", flags.SemverGt: ">", flags.SemverGte: ">=",
	}[is]
	return func(v logic) logic { return and(isText(v), op("sem_ver", v, sign, wholeVersion(bound))) }
}

// wholeVersion writes a version with all its three numbers and nothing else
// that could be left out, which flagd's schema asks for.
func wholeVersion(bound any) string {
	text, _ := bound.(string)
	text, _, _ = strings.Cut(strings.TrimLeft(text, "vV"), "+")
	numbers, prerelease, has := strings.Cut(text, "-")
	for strings.Count(numbers, ".") < 2 {
		numbers += ".0"
	}
	if has {
		numbers += "-" + prerelease
	}
	return numbers
}

// isVersion is true for texts that are versions: sem_ver gives null for others.
func isVersion(v logic) logic {
	return and(isText(v), other(op("sem_ver", v, "=", "0.0.0"), nil))
}

// modulo divides whole numbers; the remainder is never negative.
func modulo(divisor, remainder any) func(logic) logic {
	return func(v logic) logic {
		positive := op("%", op("+", op("%", v, divisor), divisor), divisor)
		return and(isNumber(v), same(op("%", v, 1), 0), same(positive, remainder))
	}
}
