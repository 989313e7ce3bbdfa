package unleash

import (
	"fmt"
	"strconv"
	"time"

	"github.com/sluice-hq/sluice/flags"
	"github.com/sluice-hq/sluice/flags/peers"
)

type constraint struct {
	ContextName     string   `json:"contextName"`
	Operator        string   `json:"operator"`
	Values          []string `json:"values"`
	Value           string   `json:"value"`
	Inverted        bool     `json:"inverted"`
	CaseInsensitive bool     `json:"caseInsensitive"`
}

// constraints hold when all of them do.
func (im *importer) constraints(list []constraint) (peers.Cond, error) {
	all := peers.Always
	for i, c := range list {
		is, err := im.constraint(c)
		if err != nil {
			return peers.Never, fmt.Errorf("constraints[%d] %w", i, err)
		}
		if c.Inverted {
			is = peers.Not(is)
		}
		all = peers.And(all, is)
	}
	return all, nil
}

func (im *importer) constraint(c constraint) (peers.Cond, error) {
	name := im.attribute(c.ContextName)
	switch c.ContextName {
	case "currentTime", "environment", "appName":
		im.desk.Filled(c.ContextName)
	}
	switch c.Operator {
	case "IN":
		return peers.OneOf(name, c.Values...), nil
	case "NOT_IN":
		return peers.Not(peers.OneOf(name, c.Values...)), nil
	case "STR_CONTAINS":
		return c.pieces(name, flags.Contains), nil
	case "STR_STARTS_WITH":
		return c.pieces(name, flags.StartsWith), nil
	case "STR_ENDS_WITH":
		return c.pieces(name, flags.EndsWith), nil
	case "NUM_EQ":
		return im.number(c, name, flags.Eq)
	case "NUM_GT":
		return im.number(c, name, flags.Gt)
	case "NUM_GTE":
		return im.number(c, name, flags.Gte)
	case "NUM_LT":
		return im.number(c, name, flags.Lt)
	case "NUM_LTE":
		return im.number(c, name, flags.Lte)
	case "DATE_AFTER":
		return c.date(name, flags.After)
	case "DATE_BEFORE":
		return c.date(name, flags.Before)
	case "REGEX":
		return c.pattern(name)
	case "IN_CIDR":
		return addresses(name, c.Values), nil
	}
	return c.version(name)
}

// pattern asks for a regular expression, which is one of RE2 there, too: any
// other is met by nobody.
func (c constraint) pattern(name string) (peers.Cond, error) {
	is, err := peers.Pattern(name, c.Value)
	switch {
	case err != nil && c.Inverted:
		return is, err
	case err != nil:
		return peers.Never, nil
	}
	return c.fold(is), nil
}

// version asks for a version, as strictly written as Unleash wants it.
func (c constraint) version(name string) (peers.Cond, error) {
	ops := map[string]flags.Operator{
		"SEMVER_EQ": flags.SemverEq, "SEMVER_GT": flags.SemverGt, "SEMVER_LT": flags.SemverLt, "SEMVER_GTE": flags.SemverGte, "SEMVER_LTE": flags.SemverLte,
	}
	op, ok := ops[c.Operator]
	if !ok {
		return peers.Never, fmt.Errorf("has an operator that is not known here: %s", c.Operator)
	}
	return peers.And(peers.Test(name, flags.Regex, peers.StrictVersion), peers.Test(name, op, c.Value)), nil
}

// pieces asks for any piece of text; an empty one is in every text.
func (c constraint) pieces(name string, op flags.Operator) peers.Cond {
	var values []any
	for _, v := range c.Values {
		if v == "" {
			return peers.Test(name, flags.IsSet)
		}
		values = append(values, v)
	}
	if len(values) == 0 {
		return peers.Never
	}
	return c.fold(peers.Test(name, op, values...))
}

func (c constraint) fold(is peers.Cond) peers.Cond {
	if c.CaseInsensitive {
		return peers.Fold(is)
	}
	return is
}

// number asks for a number, which contexts have to send as such.
func (im *importer) number(c constraint, name string, op flags.Operator) (peers.Cond, error) {
	im.desk.Number(name)
	n, err := strconv.ParseFloat(c.Value, 64)
	if err != nil {
		return peers.Never, nil // as Unleash has it
	}
	return peers.Test(name, op, n), nil
}

func (c constraint) date(name string, op flags.Operator) (peers.Cond, error) {
	t, err := time.Parse(time.RFC3339, c.Value)
	if err != nil {
		return peers.Never, fmt.Errorf("has a value that is no date in RFC 3339: %q", c.Value)
	}
	return peers.Test(name, op, t.Format(time.RFC3339Nano)), nil
}
