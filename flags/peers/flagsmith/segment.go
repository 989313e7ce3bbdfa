package flagsmith

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/sluice-hq/sluice/flags"
	"github.com/sluice-hq/sluice/flags/peers"
)

type segment struct {
	ID            int            `json:"id"`
	Name          string         `json:"name"`
	Rules         []rule         `json:"rules"`
	FeatureStates []featureState `json:"feature_states"`
}

type rule struct {
	Type       string      `json:"type"`
	Rules      []rule      `json:"rules"`
	Conditions []condition `json:"conditions"`
}

type condition struct {
	Operator string `json:"operator"`
	Property string `json:"property_"`
	Value    any    `json:"value"`
}

func (s segment) key() string { return "flagsmith-" + strconv.Itoa(s.ID) }

// segment takes a segment up. One without rules has nobody in it.
func (im *importer) segment(s segment) {
	doc := flags.Segment{Key: s.key(), Description: s.Name}
	all, err := peers.Never, error(nil)
	if len(s.Rules) > 0 {
		all, err = im.rules(s, "ALL", s.Rules)
	}
	im.desk.Segment(doc, all, err)
}

// rules joins the rules within one.
func (im *importer) rules(s segment, how string, list []rule) (peers.Cond, error) {
	parts := make([]peers.Cond, len(list))
	for i, r := range list {
		conditions := make([]peers.Cond, len(r.Conditions))
		for j, c := range r.Conditions {
			var err error
			if conditions[j], err = im.condition(s, c); err != nil {
				return peers.Never, fmt.Errorf("rules[%d].conditions[%d] %w", i, j, err)
			}
		}
		inner, err := im.rules(s, r.Type, r.Rules)
		if err != nil {
			return peers.Never, fmt.Errorf("rules[%d].%w", i, err)
		}
		parts[i] = peers.And(joined(r.Type, conditions), inner)
	}
	return joined(how, parts), nil
}

// joined joins conditions by the type of their rule; none are met.
func joined(how string, list []peers.Cond) peers.Cond {
	switch {
	case len(list) == 0:
		return peers.Always
	case how == "ALL":
		return peers.And(list...)
	case how == "ANY":
		return peers.Or(list...)
	}
	return peers.Not(peers.Or(list...))
}

// condition tests a trait. A trait that is absent meets nothing but IS_NOT_SET.
func (im *importer) condition(s segment, c condition) (peers.Cond, error) {
	name, err := im.trait(c)
	if err != nil {
		return peers.Never, err
	}
	text, isText := c.Value.(string)
	switch c.Operator {
	case "PERCENTAGE_SPLIT":
		return im.percentage(s, c, name, text)
	case "IN":
		return in(name, c.Value), nil
	case "IS_SET":
		return peers.Test(name, flags.IsSet), nil
	case "IS_NOT_SET":
		return peers.Not(peers.Test(name, flags.IsSet)), nil
	}
	if !isText {
		return peers.Never, nil // as there
	}
	return im.compared(name, c.Operator, text)
}

// trait returns what a property is called here.
func (im *importer) trait(c condition) (string, error) {
	switch c.Property {
	case "$.identity.identifier", "$.identity.key":
		return flags.TargetingKey, nil
	}
	if strings.HasPrefix(c.Property, "$.") {
		return "", fmt.Errorf("asks for %s, which is not known here", c.Property)
	}
	return im.desk.Attribute(c.Property, "$.identity.identifier"), nil
}

// percentage asks for a share of identities, or of a trait's values.
func (im *importer) percentage(s segment, c condition, name, text string) (peers.Cond, error) {
	percent, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return peers.Never, nil
	}
	h := flags.HashInput{Version: flags.Flagsmith, Salt: strconv.Itoa(s.ID) + ",", By: name}
	if c.Property == "" || c.Property == "$.identity.key" {
		h.Salt, h.By = h.Salt+im.APIKey+"_", flags.TargetingKey
		return portion(h, percent), nil
	}
	if c.Property == "$.identity.identifier" {
		return portion(h, percent), nil
	}
	identity := flags.HashInput{Version: flags.Flagsmith, Salt: h.Salt + im.APIKey + "_", By: flags.TargetingKey}
	absent := peers.Not(peers.Test(name, flags.IsSet)) // then it goes by the identity
	return peers.Or(portion(h, percent), peers.And(absent, portion(identity, percent))), nil
}

func portion(h flags.HashInput, percent float64) peers.Cond {
	return peers.Between(h, 0, upTo(percent))
}

// in looks for a trait in a list, in one that is written as JSON, or between
// commas. Booleans are in none.
func in(name string, v any) peers.Cond {
	var list []string
	switch v := v.(type) {
	case string:
		if json.Unmarshal([]byte(v), &list) != nil {
			list = strings.Split(v, ",")
		}
	case []any:
		for _, member := range v {
			if s, ok := member.(string); ok {
				list = append(list, s)
			}
		}
	}
	var values []any
	for _, v := range peers.Texts(list...) {
		if _, truth := v.(bool); !truth {
			values = append(values, v)
		}
	}
	if len(values) == 0 {
		return peers.Never
	}
	if len(values) == 1 {
		return peers.Test(name, flags.Eq, values[0])
	}
	return peers.Test(name, flags.In, values...)
}

// orders are the operators that compare numbers, and versions those that
// compare versions.
var (
	orders = map[string]flags.Operator{
		"GREATER_THAN": flags.Gt, "GREATER_THAN_INCLUSIVE": flags.Gte, "LESS_THAN": flags.Lt, "LESS_THAN_INCLUSIVE": flags.Lte,
	}
	versions = map[string]flags.Operator{
		"EQUAL": flags.SemverEq, "GREATER_THAN": flags.SemverGt, "GREATER_THAN_INCLUSIVE": flags.SemverGte,
		"LESS_THAN": flags.SemverLt, "LESS_THAN_INCLUSIVE": flags.SemverLte,
	}
)

func (im *importer) compared(name, op, text string) (peers.Cond, error) {
	if bound, ok := strings.CutSuffix(text, ":semver"); ok {
		return version(name, op, bound)
	}
	number, err := strconv.ParseFloat(text, 64)
	switch {
	case op == "EQUAL":
		return peers.OneOf(name, text), nil
	case op == "NOT_EQUAL":
		return peers.And(peers.Test(name, flags.IsSet), peers.Not(peers.OneOf(name, text))), nil
	case orders[op] != "" && err == nil:
		im.desk.Number(name)
		return peers.Test(name, orders[op], number), nil
	case op == "MODULO":
		return im.modulo(name, text)
	case op == "CONTAINS" && text != "":
		return peers.Test(name, flags.Contains, text), nil
	case op == "NOT_CONTAINS" && text != "":
		return peers.And(peers.Test(name, flags.IsSet), peers.Not(peers.Test(name, flags.Contains, text))), nil
	case op == "REGEX":
		return pattern(name, text)
	}
	return peers.Never, fmt.Errorf("compares in a way that there is not here: %s %q", op, text)
}

func version(name, op, bound string) (peers.Cond, error) {
	is, negated := peers.Never, op == "NOT_EQUAL"
	strict := peers.Test(name, flags.Regex, peers.StrictVersion)
	switch {
	case !regexp.MustCompile(peers.StrictVersion).MatchString(bound):
		return peers.Never, nil // as there
	case negated:
		is = peers.Not(peers.Test(name, flags.SemverEq, bound))
	case versions[op] != "":
		is = peers.Test(name, versions[op], bound)
	default:
		return is, fmt.Errorf("compares versions in a way that there is not here: %s", op)
	}
	return peers.And(strict, is), nil
}

func (im *importer) modulo(name, text string) (peers.Cond, error) {
	parts := strings.Split(text, "|")
	if len(parts) != 2 {
		return peers.Never, nil // as there
	}
	divisor, err := strconv.ParseFloat(parts[0], 64)
	remainder, also := strconv.ParseFloat(parts[1], 64)
	if err != nil || also != nil {
		return peers.Never, nil
	}
	im.desk.Number(name)
	return peers.Test(name, flags.Modulo, divisor, remainder), nil
}

// pattern looks for a regular expression. Flagsmith's SDKs do not agree where
// one may begin, unless it says so itself.
func pattern(name, text string) (peers.Cond, error) {
	is, err := peers.Pattern(name, text)
	if err == nil && !strings.HasPrefix(text, "^") {
		return peers.Never, fmt.Errorf("has a regular expression without ^, which the SDKs there read in two ways: %q", text)
	}
	return is, err
}
