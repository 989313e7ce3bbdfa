package growthbook

import (
	"fmt"

	"github.com/sluice-hq/sluice/flags"
	"github.com/sluice-hq/sluice/flags/peers"
)

// member asks for a member of a list that meets one operator, as every operator
// asks of lists here. Of several operators one member has to meet all there, and
// a member that meets none is another question than a list in which none does.
func (im *importer) member(name string, v any) (peers.Cond, error) {
	ops, ok := v.(map[string]any)
	if !ok || len(ops) != 1 {
		return peers.Never, fmt.Errorf("condition.%s.$elemMatch asks for more than one thing of a member", name)
	}
	im.desk.List(name)
	for op, of := range ops {
		list, isList := of.([]any)
		number, isNumber := of.(float64)
		switch {
		case op == "$eq" && isScalar(of):
			return peers.Test(name, flags.Eq, asKey(name, of)), nil
		case (op == "$in" || op == "$ini") && isList && all(list, isScalar):
			return in(name, list, op == "$ini")
		case op == "$regex" || op == "$regexi":
			return pattern(name, of, op == "$regexi")
		case orders[op] != "" && isNumber:
			im.desk.Number(name)
			return peers.Test(name, orders[op], number), nil
		}
	}
	return peers.Never, fmt.Errorf("condition.%s.$elemMatch asks of members what cannot be asked here", name)
}

func isScalar(v any) bool {
	switch v.(type) {
	case string, float64, bool:
		return true
	}
	return false
}

func all(list []any, is func(any) bool) bool {
	for _, v := range list {
		if !is(v) {
			return false
		}
	}
	return true
}

// every asks for all of some members. A text is met by what is written like it.
func (im *importer) every(name string, v any, fold bool) (peers.Cond, error) {
	list, ok := v.([]any)
	if !ok || !all(list, isScalar) {
		return peers.Never, fmt.Errorf("condition.%s.$all asks for lists or objects", name)
	}
	im.desk.List(name)
	is := peers.Test(name, flags.IsSet)
	for _, member := range list {
		text, isText := member.(string)
		one := peers.Test(name, flags.Eq, asKey(name, member))
		switch {
		case isText && fold:
			one = peers.Fold(one)
		case isText:
			one = peers.OneOf(name, text)
		}
		is = peers.And(is, one)
	}
	return is, nil
}

// size asks whether a list is empty, or not: how many there are cannot be asked.
func (im *importer) size(name string, v any) (peers.Cond, error) {
	empty := peers.Test(name, flags.NotRegex, anyText)
	if v == 0.0 {
		return empty, nil
	}
	if ops, ok := v.(map[string]any); ok && len(ops) == 1 && (ops["$gt"] == 0.0 || ops["$gte"] == 1.0) {
		im.desk.List(name)
		return peers.And(peers.Test(name, flags.IsSet), peers.Not(empty)), nil
	}
	return peers.Never, fmt.Errorf("condition.%s.$size asks how many there are, and not just whether there are any", name)
}

// anyText matches every text. That it is not matched is said of an empty list
// alone: a negated operator is not met by what its twin does not compare.
const anyText = "^"

// kind asks for the type of an attribute. A list is told from its members by
// nothing here.
func (im *importer) kind(name string, v any) (peers.Cond, error) {
	var is peers.Cond
	switch v {
	case "null":
		return peers.Test(name, flags.IsNotSet), nil
	case "string":
		is = peers.Test(name, flags.Regex, anyText)
	case "number":
		is = peers.Or(peers.Test(name, flags.Lt, 0.0), peers.Test(name, flags.Gte, 0.0))
	case "boolean":
		is = peers.Test(name, flags.In, true, false)
	default:
		return is, fmt.Errorf("condition.%s.$type asks for a type that cannot be asked for here: %v", name, v)
	}
	im.desk.Note("", "%s is asked for its type, and a list counts as its members here: send no list", name)
	return is, nil
}
