package launchdarkly

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/sluice-hq/sluice/flags"
	"github.com/sluice-hq/sluice/flags/peers"
)

type clause struct {
	ContextKind string `json:"contextKind"`
	Attribute   string `json:"attribute"`
	Op          string `json:"op"`
	Values      []any  `json:"values"`
	Negate      bool   `json:"negate"`
}

// clauses hold when all of them do.
func (im *importer) clauses(list []clause) (peers.Cond, error) {
	all := peers.Always
	for i, c := range list {
		is, err := im.clause(c)
		if err != nil {
			return peers.Never, fmt.Errorf("clauses[%d] %w", i, err)
		}
		all = peers.And(all, is)
	}
	return all, nil
}

// clause holds when the attribute meets one of the values. Negated, it holds
// when it meets none; but never where the attribute is absent.
func (im *importer) clause(c clause) (peers.Cond, error) {
	if c.Op == "segmentMatch" {
		is, err := im.members(c.Values)
		if c.Negate {
			is = peers.Not(is)
		}
		return is, err
	}
	name, err := im.attribute(c.ContextKind, c.Attribute)
	if err != nil {
		return peers.Never, err
	}
	is := peers.Never
	for _, v := range c.Values {
		one, err := c.value(name, v)
		if err != nil {
			return peers.Never, err
		}
		is = peers.Or(is, one)
	}
	absent := peers.Never
	if name == "anonymous" { // it is false where it is not said
		absent = peers.Not(peers.Test(name, flags.IsSet))
		if holds := c.Op == "in" && slices.Contains(c.Values, any(false)); holds == c.Negate {
			absent = peers.Never
		}
	}
	if c.Negate {
		is = peers.And(peers.Test(name, flags.IsSet), peers.Not(is))
	}
	return peers.Or(is, absent), nil
}

// members asks for segments. Within a segment, which names no others here, their
// conditions are written out.
func (im *importer) members(values []any) (peers.Cond, error) {
	is := peers.Never
	for _, v := range values {
		key, _ := v.(string)
		if _, ok := im.Segments[key]; !ok {
			continue // as there
		}
		one := peers.Member(im.prefix + key)
		if len(im.within) > 0 {
			var err error
			if one, err = im.writtenOut(key); err != nil {
				return is, err
			}
		}
		is = peers.Or(is, one)
	}
	return is, nil
}

// attribute returns what a clause asks for. With a kind of context it may be a
// path, and without one it is a name.
func (im *importer) attribute(kind, name string) (string, error) {
	switch {
	case name == "":
		return "", fmt.Errorf("names no attribute")
	case name == "kind":
		return "", fmt.Errorf("asks for the kind of the context, which contexts here do not have")
	case kind != "" && kind != user && (name == "key" || name == "/key"):
		return kind, nil
	case kind != "" && kind != user:
		return "", fmt.Errorf("asks for an attribute of a context of another kind: %s of %s", name, kind)
	}
	if kind != "" && strings.HasPrefix(name, "/") {
		path, ok := reference(name)
		if !ok {
			return "", fmt.Errorf("has an attribute reference that cannot be followed: %s", name)
		}
		name = path
	}
	return im.desk.Attribute(name, "key"), nil
}

// reference turns a path with slashes into one with dots.
func reference(name string) (string, bool) {
	path := strings.Split(name[1:], "/")
	for i, part := range path {
		stray := strings.Contains(strings.NewReplacer("~1", "", "~0", "").Replace(part), "~")
		if part == "" || stray || strings.Contains(part, ".") && len(path) > 1 {
			return "", false
		}
		path[i] = strings.NewReplacer("~1", "/", "~0", "~").Replace(part)
	}
	return strings.Join(path, "."), true
}

// bucketBy returns the attribute that a rollout hashes.
func (im *importer) bucketBy(kind, by string, experiment bool) (string, error) {
	if by == "" || experiment {
		by = "key"
	}
	name, err := im.attribute(kind, by)
	if err == nil && strings.Contains(name, ".") && strings.HasPrefix(by, "/") {
		return "", fmt.Errorf("hashes what lies within an attribute: %s", by)
	}
	return name, err
}

// pieces are the operators that look for a piece of text.
var pieces = map[string]flags.Operator{"startsWith": flags.StartsWith, "endsWith": flags.EndsWith, "contains": flags.Contains}

// orders are those that compare numbers.
var orders = map[string]flags.Operator{
	"lessThan": flags.Lt, "lessThanOrEqual": flags.Lte, "greaterThan": flags.Gt, "greaterThanOrEqual": flags.Gte,
}

// versions are those that compare versions.
var versions = map[string]flags.Operator{
	"semVerEqual": flags.SemverEq, "semVerLessThan": flags.SemverLt, "semVerGreaterThan": flags.SemverGt,
}

// value compares with one value. One of a kind that the operator does not
// compare is never met.
func (c clause) value(name string, v any) (peers.Cond, error) {
	text, isText := v.(string)
	number, isNumber := v.(float64)
	switch op := c.Op; {
	case op == "in":
		return equal(name, v)
	case op == "matches" && isText:
		return peers.Pattern(name, text)
	case pieces[op] != "" && isText && text == "":
		return peers.Test(name, flags.Regex, "^"), nil // any text
	case pieces[op] != "" && isText:
		return peers.Test(name, pieces[op], text), nil
	case orders[op] != "" && isNumber:
		return peers.Test(name, orders[op], number), nil
	case versions[op] != "" && isText && version.MatchString(text):
		return peers.And(peers.Test(name, flags.Regex, version.String()), peers.Test(name, versions[op], whole(text))), nil
	case op == "before" || op == "after":
		return c.moment(name, v), nil
	case op == "matches" || pieces[op] != "" || orders[op] != "" || versions[op] != "":
		return peers.Never, nil
	}
	return peers.Never, fmt.Errorf("has an operator that is not known here: %s", c.Op)
}

func equal(name string, v any) (peers.Cond, error) {
	switch v.(type) {
	case string, float64, bool:
		return peers.Test(name, flags.Eq, v), nil
	case nil:
		return peers.Never, nil
	}
	return peers.Never, fmt.Errorf("compares with a list or an object")
}

// version is what LaunchDarkly takes for one: without a v, and with what is
// missing at the end for zero.
var version = regexp.MustCompile(`^(0|[1-9]\d*)(\.(0|[1-9]\d*)){0,2}(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$`)

// whole writes a version with all its three numbers.
func whole(v string) string {
	end := strings.IndexAny(v, "-+")
	if end < 0 {
		end = len(v)
	}
	return v[:end] + strings.Repeat(".0", 2-strings.Count(v[:end], ".")) + v[end:]
}

// dayAlone is a date here, and none there.
const dayAlone = `^[^T]*$`

// moment compares with a date in RFC 3339, or in milliseconds.
func (c clause) moment(name string, v any) peers.Cond {
	var t time.Time
	switch v := v.(type) {
	case string:
		var err error
		if t, err = time.Parse(time.RFC3339, v); err != nil {
			return peers.Never
		}
	case float64:
		t = time.UnixMilli(int64(v)).UTC()
	default:
		return peers.Never
	}
	op := flags.Before
	if c.Op == "after" {
		op = flags.After
	}
	return peers.And(peers.Not(peers.Test(name, flags.Regex, dayAlone)), peers.Test(name, op, t.Format(time.RFC3339Nano)))
}
