package featbit

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/sluice-hq/sluice/flags"
	"github.com/sluice-hq/sluice/flags/peers"
)

type condition struct {
	Property string `json:"property"`
	Op       string `json:"op"`
	Value    string `json:"value"`
}

// conditions hold when all of them do.
func (im *importer) conditions(list []condition) (peers.Cond, error) {
	all := peers.Always
	for i, c := range list {
		is, err := im.condition(c)
		if err != nil {
			return peers.Never, fmt.Errorf("conditions[%d] %w", i, err)
		}
		all = peers.And(all, is)
	}
	return all, nil
}

// attribute returns what a property is called here: FeatBit's clients take
// keyId in any spelling.
func (im *importer) attribute(name string) string {
	if strings.EqualFold(name, "keyId") {
		name = "keyId"
	}
	return im.desk.Attribute(name, "keyId")
}

// orders are the operators that compare numbers.
var orders = map[string]flags.Operator{
	"LessThan": flags.Lt, "LessEqualThan": flags.Lte, "BiggerThan": flags.Gt, "BiggerEqualThan": flags.Gte,
}

// pieces are those that look for a piece of text.
var pieces = map[string]flags.Operator{"Contains": flags.Contains, "StartsWith": flags.StartsWith, "EndsWith": flags.EndsWith}

// opposites are those that hold when another does not, where the property is
// absent too.
var opposites = map[string]string{
	"NotEqual": "Equal", "NotContain": "Contains", "NotOneOf": "IsOneOf", "NotMatchRegex": "MatchRegex", notInSegment: inSegment,
}

// What stands in the place of an operator for a segment.
const (
	inSegment    = "User is in segment"
	notInSegment = "User is not in segment"
)

func (im *importer) condition(c condition) (peers.Cond, error) {
	if c.Op == "" {
		c.Op = c.Property
	}
	if twin, ok := opposites[c.Op]; ok {
		c.Op = twin
		is, err := im.positive(c)
		return peers.Not(is), err
	}
	return im.positive(c)
}

func (im *importer) positive(c condition) (peers.Cond, error) {
	name := im.attribute(c.Property)
	switch op := c.Op; {
	case op == inSegment:
		return im.members(c.Value)
	case op == "IsOneOf":
		list, err := texts(c.Value)
		return peers.OneOf(name, list...), err
	case op == "Equal" && c.Value == "":
		return peers.Never, nil // as there
	case op == "Equal":
		return peers.OneOf(name, c.Value), nil
	case op == "IsTrue":
		return truth(name, true), nil
	case op == "IsFalse":
		return truth(name, false), nil
	case pieces[op] != "" && c.Value == "":
		return peers.Never, nil
	case pieces[op] != "":
		return peers.Test(name, pieces[op], c.Value), nil
	case op == "MatchRegex":
		return pattern(name, c.Value)
	case orders[op] != "":
		n, err := strconv.ParseFloat(c.Value, 64)
		if err != nil {
			return peers.Never, nil
		}
		im.desk.Number(name)
		return peers.Test(name, orders[op], n), nil
	}
	return peers.Never, fmt.Errorf("has an operator that is not known here: %s", c.Op)
}

// truth asks for true or false, as a boolean or written in any letters.
func truth(name string, is bool) peers.Cond {
	return peers.Or(peers.Test(name, flags.Eq, is), peers.Fold(peers.Test(name, flags.Eq, strconv.FormatBool(is))))
}

// texts reads a list that is written as a text.
func texts(value string) ([]string, error) {
	var list []string
	if err := json.Unmarshal([]byte(value), &list); err != nil {
		return nil, fmt.Errorf("has a value that is no list: %w", err)
	}
	return list, nil
}

func (im *importer) members(value string) (peers.Cond, error) {
	ids, err := texts(value)
	is := peers.Never
	for _, id := range ids {
		if im.segments[id] {
			is = peers.Or(is, peers.Member("featbit-"+id))
		}
	}
	return is, err
}

// pattern looks for a regular expression, which must be one of RE2.
func pattern(name, text string) (peers.Cond, error) {
	if text == "" {
		return peers.Never, nil
	}
	return peers.Pattern(name, text)
}
