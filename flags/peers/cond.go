package peers

import (
	"math"
	"slices"
	"strconv"

	"github.com/sluice-hq/sluice/flags"
)

// Cond is a condition in the making: parts may turn out to hold always or
// never, and then need not be written.
type Cond struct {
	known, holds bool
	is           flags.Condition
}

// Always and Never hold for everybody and for nobody.
var (
	Always = Cond{known: true, holds: true}
	Never  = Cond{known: true}
)

// Test asks for one attribute.
func Test(attribute string, op flags.Operator, values ...any) Cond {
	c := flags.Condition{Attribute: attribute, Op: op}
	switch {
	case len(values) == 1 && op != flags.Modulo:
		c.Value = values[0]
	case len(values) > 0:
		c.Values = values
	}
	return Cond{is: c}
}

// Fold is a test that takes capitals and small letters for the same.
func Fold(c Cond) Cond {
	c.is.IgnoreCase = true
	return c
}

// Member asks whether the unit is in a segment.
func Member(segment string) Cond {
	return Cond{is: flags.Condition{Op: flags.InSegment, Value: segment}}
}

// Between asks for a range of a hash's places.
func Between(h flags.HashInput, from, to int) Cond {
	if from >= to {
		return Never
	}
	return Cond{is: flags.Condition{Op: flags.InBucket, Hash: &h, Values: []any{from, to}}}
}

// There asks whether the attribute has something that can be hashed.
func There(attribute string) Cond {
	set := Test(attribute, flags.IsSet)
	if attribute == flags.TargetingKey {
		return set // an empty key is none
	}
	return And(set, Not(Test(attribute, flags.Eq, "")))
}

// And holds when all of the list do.
func And(list ...Cond) Cond { return joined(list, true) }

// Or holds when one of the list does.
func Or(list ...Cond) Cond { return joined(list, false) }

// joined leaves out what changes nothing; neutral is what an empty list is.
func joined(list []Cond, neutral bool) Cond {
	var parts []flags.Condition
	for _, c := range list {
		switch {
		case c.known && c.holds == neutral:
			continue
		case c.known:
			return Cond{known: true, holds: !neutral}
		case neutral && c.is.All != nil:
			parts = append(parts, c.is.All...)
		case !neutral && c.is.Any != nil:
			parts = append(parts, c.is.Any...)
		default:
			parts = append(parts, c.is)
		}
	}
	switch {
	case len(parts) == 0:
		return Cond{known: true, holds: neutral}
	case len(parts) == 1:
		return Cond{is: parts[0]}
	case neutral:
		return Cond{is: flags.Condition{All: parts}}
	}
	return Cond{is: flags.Condition{Any: parts}}
}

// Not holds when c does not. It is not the negated operator: that is not met
// either where the attribute is absent.
func Not(c Cond) Cond {
	switch {
	case c.known:
		return Cond{known: true, holds: !c.holds}
	case c.is.Any != nil:
		return Cond{is: flags.Condition{None: c.is.Any}}
	case len(c.is.None) == 1:
		return Cond{is: c.is.None[0]}
	}
	return Cond{is: flags.Condition{None: []flags.Condition{c.is}}}
}

// When returns the condition as a rule has it, nil for everybody; false when
// it never holds.
func (c Cond) When() (*flags.Condition, bool) {
	if c.known {
		return nil, c.holds
	}
	is := c.is
	return &is, true
}

// everybody is the condition of a segment that everybody is in, which has to
// say so.
func everybody() *flags.Condition {
	key := flags.Condition{Attribute: flags.TargetingKey, Op: flags.IsSet}
	none := flags.Condition{Attribute: flags.TargetingKey, Op: flags.IsNotSet}
	return &flags.Condition{Any: []flags.Condition{key, none}}
}

// Texts returns values that are met by the texts, and by numbers and booleans
// that are written like one of them: most peers turn every attribute into text
// before they compare.
func Texts(texts ...string) []any {
	var out []any
	add := func(v any) {
		if !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	for _, s := range texts {
		add(s)
		if f, err := strconv.ParseFloat(s, 64); err == nil && math.Abs(f) < 1<<53 && strconv.FormatFloat(f, 'f', -1, 64) == s {
			add(f)
		}
		if s == "true" || s == "false" {
			add(s == "true")
		}
	}
	return out
}

// Among asks whether the attribute is one of the texts, and those alone.
func Among(attribute string, texts []string) Cond {
	values := make([]any, len(texts))
	for i, s := range texts {
		values[i] = s
	}
	if len(values) == 0 {
		return Never
	}
	return Cond{is: flags.Condition{Attribute: attribute, Op: flags.In, Values: values}}
}

// OneOf asks whether the attribute is one of the texts, or written like one.
func OneOf(attribute string, texts ...string) Cond {
	values := Texts(texts...)
	if len(values) == 0 {
		return Never
	}
	return Cond{is: flags.Condition{Attribute: attribute, Op: flags.In, Values: values}}
}
