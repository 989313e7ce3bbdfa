package flagd

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/sluice-hq/sluice/flags"
	"github.com/sluice-hq/sluice/flags/jsonlogic"
)

// condition converts a part that is true or false.
func (c *converter) condition(path string, part any) (flags.Condition, error) {
	op, args := operator(part)
	at := path + "." + op
	switch {
	case op == "and" && len(args) > 0:
		list, err := c.conditions(at, args)
		return flags.Condition{All: list}, err
	case op == "or" && len(args) > 0:
		list, err := c.conditions(at, args)
		return flags.Condition{Any: list}, err
	case op == "!" && len(args) == 1:
		list, err := c.conditions(at, args)
		return flags.Condition{None: list}, err
	case op == "!!" && len(args) == 1:
		return c.condition(at+"[0]", args[0])
	case op == "!=" || op == "!==":
		equal, err := c.leaf(at, strings.Replace(op, "!", "=", 1), args)
		return flags.Condition{None: []flags.Condition{equal}}, err
	case op == "":
		return flags.Condition{}, stays(path, "is not a comparison")
	}
	leaf, err := c.leaf(at, op, args)
	if err != nil {
		return leaf, err
	}
	return c.absent(at, leaf, part)
}

func (c *converter) conditions(path string, args []any) ([]flags.Condition, error) {
	out := make([]flags.Condition, len(args))
	for i := range args {
		var err error
		if out[i], err = c.condition(fmt.Sprintf("%s[%d]", path, i), args[i]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// absent adds what the part says where there is no such attribute: flagd reads
// null as 0, and a rule's comparison is not met.
func (c *converter) absent(path string, leaf flags.Condition, part any) (flags.Condition, error) {
	if leaf.Attribute == "" || leaf.Op == flags.IsNotSet {
		return leaf, nil // none of this is a plain comparison
	}
	raw, err := json.Marshal(part)
	if err != nil {
		return leaf, err // unreachable: it was read from JSON
	}
	rule, err := flags.Logic(raw).Compile()
	if err != nil {
		return leaf, stays(path, "does not compile")
	}
	is, err := rule.Evaluate(&jsonlogic.Data{})
	switch {
	case err != nil:
		return leaf, stays(path, "fails where %s is missing", leaf.Attribute)
	case !is.True():
		return leaf, nil
	}
	return flags.Condition{Any: []flags.Condition{{Attribute: leaf.Attribute, Op: flags.IsNotSet}, leaf}}, nil
}

// leaf converts a comparison of one attribute with something that is known.
func (c *converter) leaf(path, op string, args []any) (flags.Condition, error) {
	switch op {
	case "==", "===":
		return c.equal(path, args)
	case "<", "<=", ">", ">=":
		return c.order(path, op, args)
	case "in":
		return c.in(path, args)
	case "starts_with", "ends_with":
		return c.text(path, flags.Operator(op), args, 0, 1) // they have the same names
	case "sem_ver":
		return c.version(path, args)
	}
	return flags.Condition{}, stays(path, "has no operator of rules that says the same")
}

// attribute returns the name that a part reads.
func (c *converter) attribute(path string, args []any, i int) (string, error) {
	if i >= len(args) {
		return "", stays(path, "has not enough operands")
	}
	op, names := operator(args[i])
	name := ""
	if op == "var" && len(names) == 1 {
		name, _ = names[0].(string)
	}
	switch {
	case name == "":
		return "", stays(path, "does not compare an attribute with a value")
	case strings.ContainsAny(name, ".") || strings.HasPrefix(name, "$"):
		return "", stays(path, "reads %s, which is a path there, and may be a part of the name here", name)
	}
	return name, nil
}

// pair finds attribute and value of a comparison of two, and whether the value
// stood first.
func (c *converter) pair(path string, args []any) (name string, value any, turned bool, err error) {
	if len(args) != 2 {
		return "", nil, false, stays(path, "does not compare two")
	}
	if op, _ := operator(args[0]); op == "var" {
		name, err = c.attribute(path, args, 0)
		return name, args[1], false, err
	}
	name, err = c.attribute(path, args, 1)
	return name, args[0], true, err
}

func (c *converter) equal(path string, args []any) (flags.Condition, error) {
	name, value, _, err := c.pair(path, args)
	if err != nil {
		return flags.Condition{}, err
	}
	if value == nil {
		return flags.Condition{Attribute: name, Op: flags.IsNotSet}, nil
	}
	return c.values(path, flags.Condition{Attribute: name, Op: flags.Eq, Value: value}, value)
}

// values checks that all values are of one kind, and notes it.
func (c *converter) values(path string, leaf flags.Condition, values ...any) (flags.Condition, error) {
	for _, v := range values {
		k, ok := kindOf(v)
		if !ok {
			return leaf, stays(path, "compares with what is not a text, number or boolean")
		}
		if err := c.reads(path, leaf.Attribute, k); err != nil {
			return leaf, err
		}
	}
	if err := leaf.Validate(); err != nil {
		return leaf, stays(path, "cannot be a rule: %v", err)
	}
	return leaf, nil
}

func kindOf(v any) (kind, bool) {
	switch v.(type) {
	case string:
		return texts, true
	case float64:
		return numbers, true
	case bool:
		return booleans, true
	}
	return "", false
}

func (c *converter) order(path, op string, args []any) (flags.Condition, error) {
	name, value, turned, err := c.pair(path, args)
	if err != nil {
		return flags.Condition{}, err
	}
	if _, ok := value.(float64); !ok {
		return flags.Condition{}, stays(path, "compares with what is not a number")
	}
	is := map[string]flags.Operator{"<": flags.Lt, "<=": flags.Lte, ">": flags.Gt, ">=": flags.Gte}[op]
	if turned {
		is = map[string]flags.Operator{"<": flags.Gt, "<=": flags.Gte, ">": flags.Lt, ">=": flags.Lte}[op]
	}
	return c.values(path, flags.Condition{Attribute: name, Op: is, Value: value}, value)
}

// in is membership in a list, or a piece of an attribute's text.
func (c *converter) in(path string, args []any) (flags.Condition, error) {
	if len(args) == 2 {
		if list, ok := args[1].([]any); ok && len(list) > 0 {
			name, err := c.attribute(path, args, 0)
			if err != nil {
				return flags.Condition{}, err
			}
			return c.values(path, flags.Condition{Attribute: name, Op: flags.In, Values: list}, list...)
		}
	}
	return c.text(path, flags.Contains, args, 1, 0)
}

// text converts an operator on an attribute's text; the operands have places.
func (c *converter) text(path string, op flags.Operator, args []any, attribute, value int) (flags.Condition, error) {
	name, err := c.attribute(path, args, attribute)
	if err != nil {
		return flags.Condition{}, err
	}
	if len(args) != 2 {
		return flags.Condition{}, stays(path, "does not look for a text")
	}
	piece, ok := args[value].(string)
	if !ok {
		return flags.Condition{}, stays(path, "does not look for a text")
	}
	return c.values(path, flags.Condition{Attribute: name, Op: op, Values: []any{piece}}, piece)
}

func (c *converter) version(path string, args []any) (flags.Condition, error) {
	name, err := c.attribute(path, args, 0)
	if err != nil {
		return flags.Condition{}, err
	}
	if len(args) != 3 {
		return flags.Condition{}, stays(path, "is not of the form [version, operator, version]")
	}
	sign, _ := args[1].(string)
	bound, ok := args[2].(string)
	if !ok {
		return flags.Condition{}, stays(path, "compares with a version that is no text")
	}
	if sign == "^" || sign == "~" {
		return c.versionRange(path, name, sign, bound)
	}
	is, ok := map[string]flags.Operator{
		"=": flags.SemverEq, "!=": flags.SemverNe, "<": flags.SemverLt, "<=": flags.SemverLte, ">": flags.SemverGt, ">=": flags.SemverGte,
	}[sign]
	if !ok {
		return flags.Condition{}, stays(path, "has the operator %q, which gives null", sign)
	}
	return c.values(path, flags.Condition{Attribute: name, Op: is, Value: bound}, bound)
}

// versionRange is ^, one major version, or ~, one minor version, with their
// prereleases, of which -0 is the first.
func (c *converter) versionRange(path, name, sign, bound string) (flags.Condition, error) {
	var major, minor uint32
	text := strings.TrimPrefix(strings.TrimPrefix(bound, "v"), "V")
	if n, _ := fmt.Sscanf(text, "%d.%d", &major, &minor); n == 0 {
		return flags.Condition{}, stays(path, "compares with %q, which is not a version", bound)
	}
	from, to := fmt.Sprintf("%d.%d.0-0", major, minor), fmt.Sprintf("%d.%d.0-0", major, uint64(minor)+1)
	if sign == "^" {
		from, to = fmt.Sprintf("%d.0.0-0", major), fmt.Sprintf("%d.0.0-0", uint64(major)+1)
	}
	whole := flags.Condition{Attribute: name, Op: flags.SemverEq, Value: bound}
	if _, err := c.values(path, whole, bound); err != nil {
		return flags.Condition{}, err
	}
	return flags.Condition{All: []flags.Condition{
		{Attribute: name, Op: flags.SemverGte, Value: from}, {Attribute: name, Op: flags.SemverLt, Value: to},
	}}, nil
}
