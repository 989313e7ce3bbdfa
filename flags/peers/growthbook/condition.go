package growthbook

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/sluice-hq/sluice/flags"
	"github.com/sluice-hq/sluice/flags/peers"
)

// condition holds when everything in it does.
func (im *importer) condition(c map[string]any) (peers.Cond, error) {
	all := peers.Always
	for _, name := range slices.Sorted(maps.Keys(c)) {
		is, err := im.part(name, c[name])
		if err != nil {
			return all, err
		}
		all = peers.And(all, is)
	}
	return all, nil
}

func (im *importer) part(name string, v any) (peers.Cond, error) {
	switch name {
	case "$or", "$nor", "$and":
		list, err := im.list(name, v)
		switch {
		case err != nil || name == "$and":
			return peers.And(list...), err
		case len(list) == 0: // no condition is one that holds there
			return choose(name == "$or", peers.Always, peers.Never), nil
		case name == "$nor":
			return peers.Not(peers.Or(list...)), nil
		}
		return peers.Or(list...), nil
	case "$not":
		c, ok := v.(map[string]any)
		if !ok {
			return peers.Never, fmt.Errorf("condition.$not is not a condition")
		}
		is, err := im.condition(c)
		return peers.Not(is), err
	}
	if strings.HasPrefix(name, "$") && name != groups {
		return peers.Never, fmt.Errorf("condition has %s in the place of an attribute", name)
	}
	return im.field(im.desk.Attribute(name, "id"), v)
}

// groups is an attribute in spite of its name.
const groups = "$groups"

func choose(first bool, a, b peers.Cond) peers.Cond {
	if first {
		return a
	}
	return b
}

func (im *importer) list(name string, v any) ([]peers.Cond, error) {
	members, ok := v.([]any)
	if !ok {
		return nil, fmt.Errorf("condition.%s is not a list", name)
	}
	out := make([]peers.Cond, len(members))
	for i, member := range members {
		c, ok := member.(map[string]any)
		if !ok {
			return nil, fmt.Errorf("condition.%s[%d] is not a condition", name, i)
		}
		var err error
		if out[i], err = im.condition(c); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// field tests one attribute: by operators, or for a value, which is written
// out before it is compared.
func (im *importer) field(name string, v any) (peers.Cond, error) {
	switch v := v.(type) {
	case nil:
		return peers.Test(name, flags.IsNotSet), nil
	case string:
		return peers.OneOf(name, v), nil
	case float64:
		if name != flags.TargetingKey { // its SDKs do not agree about a text that is written like it
			im.desk.Number(name)
		}
		return peers.Test(name, flags.Eq, asKey(name, v)), nil
	case bool:
		return peers.Test(name, flags.Eq, v), nil
	case map[string]any:
		if len(v) > 0 && !slices.ContainsFunc(slices.Collect(maps.Keys(v)), func(op string) bool { return !strings.HasPrefix(op, "$") }) {
			return im.operators(name, v)
		}
	}
	return peers.Never, fmt.Errorf("condition.%s compares with a list or an object", name)
}

func (im *importer) operators(name string, ops map[string]any) (peers.Cond, error) {
	all := peers.Always
	for _, op := range slices.Sorted(maps.Keys(ops)) {
		is, err := im.operator(name, op, ops[op])
		if err != nil {
			return all, err
		}
		all = peers.And(all, is)
	}
	return all, nil
}

// orders are the operators that compare numbers here, and texts by their
// letters there: see ordered.
var orders = map[string]flags.Operator{"$lt": flags.Lt, "$lte": flags.Lte, "$gt": flags.Gt, "$gte": flags.Gte}

// versions are those that compare versions.
var versions = map[string]flags.Operator{
	"$veq": flags.SemverEq, "$vgt": flags.SemverGt, "$vgte": flags.SemverGte, "$vlt": flags.SemverLt, "$vlte": flags.SemverLte,
}

func (im *importer) operator(name, op string, v any) (peers.Cond, error) {
	switch op {
	case "$eq":
		return im.equal(name, v)
	case "$ne":
		is, err := im.equal(name, v)
		return peers.Not(is), err
	case "$in", "$nin", "$ini", "$nini":
		list, ok := v.([]any)
		if !ok {
			return peers.Never, nil // as there
		}
		is, err := in(name, list, strings.HasSuffix(op, "i"))
		if strings.HasPrefix(op, "$n") {
			is = peers.Not(is)
		}
		return is, err
	case "$inGroup", "$notInGroup":
		group, _ := v.(string)
		is, err := in(name, im.groups[group], false)
		if op == "$notInGroup" {
			is = peers.Not(is)
		}
		return is, err
	case "$exists":
		is := peers.Test(name, flags.IsSet)
		if v == false || v == nil || v == 0.0 || v == "" {
			is = peers.Not(is)
		}
		return is, nil
	case "$not":
		is, err := im.field(name, v)
		return peers.Not(is), err
	case "$regex", "$regexi":
		return pattern(name, v, op == "$regexi")
	case "$elemMatch":
		return im.member(name, v)
	case "$all", "$alli":
		return im.every(name, v, op == "$alli")
	case "$size":
		return im.size(name, v)
	case "$type":
		return im.kind(name, v)
	}
	return im.compared(name, op, v)
}

// compared is an operator of order.
func (im *importer) compared(name, op string, v any) (peers.Cond, error) {
	number, isNumber := v.(float64)
	text, isText := v.(string)
	switch {
	case orders[op] != "" && isNumber:
		im.desk.Number(name)
		is := peers.Test(name, orders[op], number)
		if zero(op, number) { // what a missing attribute counts for there
			is = peers.Or(is, peers.Test(name, flags.IsNotSet))
		}
		return is, nil
	case orders[op] != "" && isText:
		return im.ordered(name, op, text)
	case versions[op] != "" && isText && version.MatchString(text):
		return peers.Test(name, versions[op], text), nil
	case op == "$vne" && isText && version.MatchString(text):
		return peers.Not(peers.Test(name, flags.SemverEq, text)), nil
	}
	return peers.Never, fmt.Errorf("condition.%s.%s compares in a way that there is not here", name, op)
}

// zero reports whether zero meets a comparison.
func zero(op string, number float64) bool {
	return op == "$lt" && 0 < number || op == "$lte" && 0 <= number || op == "$gt" && 0 > number || op == "$gte" && 0 >= number
}

// version is one with three numbers, which both compare alike.
var version = regexp.MustCompile(`^v?\d{1,5}\.\d{1,5}\.\d{1,5}(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$`)

func (im *importer) equal(name string, v any) (peers.Cond, error) {
	switch v.(type) {
	case nil:
		return peers.Test(name, flags.IsNotSet), nil
	case string, float64, bool:
		return peers.Test(name, flags.Eq, asKey(name, v)), nil
	}
	return peers.Never, fmt.Errorf("condition.%s compares with a list or an object", name)
}

// asKey writes a number out where it is compared with the targeting key, which
// is a text here.
func asKey(name string, v any) any {
	if n, ok := v.(float64); ok && name == flags.TargetingKey {
		return strconv.FormatFloat(n, 'f', -1, 64)
	}
	return v
}

// in looks for the attribute, or a member of it, in a list. Letters may be
// folded in texts alone.
func in(name string, list []any, fold bool) (peers.Cond, error) {
	var texts, others []any
	is := peers.Never
	for _, v := range list {
		switch v.(type) {
		case string:
			texts = append(texts, v)
		case float64, bool:
			others = append(others, asKey(name, v))
		case nil:
			is = peers.Test(name, flags.IsNotSet)
		default:
			return is, fmt.Errorf("condition.%s looks for a list or an object", name)
		}
	}
	if fold {
		return peers.Or(is, peers.Fold(among(name, texts)), among(name, others)), nil
	}
	return peers.Or(is, among(name, append(texts, others...))), nil
}

// among asks for one of the values, and is never met by one of none.
func among(name string, values []any) peers.Cond {
	switch len(values) {
	case 0:
		return peers.Never
	case 1:
		return peers.Test(name, flags.Eq, values[0])
	}
	return peers.Test(name, flags.In, values...)
}

// pattern looks for a regular expression, which must be one of RE2.
func pattern(name string, v any, fold bool) (peers.Cond, error) {
	text, ok := v.(string)
	if !ok || text == "" {
		return peers.Never, fmt.Errorf("condition.%s has a regular expression that is no text", name)
	}
	is, err := peers.Pattern(name, text)
	if err != nil {
		return is, fmt.Errorf("condition.%s %w", name, err)
	}
	if fold {
		is = peers.Fold(is)
	}
	return is, nil
}
