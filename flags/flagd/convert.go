package flagd

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/sluice-hq/sluice/flags"
)

// mostRules is how many rules a conversion may make: more are not for people
// to read, and that is what they are made for.
const mostRules = 100

// convert turns a flag's targeting into rules if every unit keeps its variant,
// as long as attributes are of the kinds that the rules compare them with.
// Otherwise it stays, and the report says why.
func (im *importer) convert(f *flags.Flag, e *flags.Environment, path string) {
	if _, err := e.Targeting.Compile(); err != nil {
		return // it is refused, and rules would hide why
	}
	c := converter{flag: f, kinds: map[string]kind{}}
	var rule any
	if err := json.Unmarshal(e.Targeting, &rule); err != nil {
		return // unreachable: it was written by json.Marshal
	}
	if err := c.branch(path, nil, rule); err != nil {
		im.report.warn(path, "stays as it is: %v", err)
		return
	}
	e.Rules, e.Targeting = c.trimmed(), nil
	im.report.Converted = append(im.report.Converted, f.Key)
	if len(c.kinds) > 0 {
		im.report.warn(path, "became rules, which answer alike for attributes of these kinds: %s", c.read())
	}
}

// converter makes rules out of one rule in JSONLogic.
type converter struct {
	flag  *flags.Flag
	rules []flags.Rule
	kinds map[string]kind // attribute -> what it is compared with
}

// kind is what an attribute is taken for.
type kind string

const (
	texts    kind = "text"
	numbers  kind = "number"
	booleans kind = "boolean"
)

// stays is the reason why a part cannot be converted, with its path.
func stays(path, format string, args ...any) error {
	return fmt.Errorf("%s %s", path, fmt.Sprintf(format, args...))
}

// reads notes what an attribute is compared with. Comparing it with texts and
// numbers would mean something else in rules, which know no coercion.
func (c *converter) reads(path, attribute string, k kind) error {
	if was, ok := c.kinds[attribute]; ok && was != k {
		return stays(path, "compares %s with a %s, and elsewhere with a %s", attribute, k, was)
	}
	c.kinds[attribute] = k
	return nil
}

func (c *converter) read() string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(c.kinds)) {
		out = append(out, name+" ("+string(c.kinds[name])+")")
	}
	return strings.Join(out, ", ")
}

// trimmed leaves out rules at the end that give what the default gives.
func (c *converter) trimmed() []flags.Rule {
	list := c.rules
	for len(list) > 0 && list[len(list)-1].Serve == c.flag.Default && list[len(list)-1].Split == nil {
		list = list[:len(list)-1]
	}
	return list
}

// branch makes the rules of a part that decides between variants, for whom all
// of the conditions hold. Together they decide for everybody of those.
func (c *converter) branch(path string, when []flags.Condition, part any) error {
	switch part := part.(type) {
	case nil:
		if c.flag.Default == "" {
			return stays(path, "gives null, and the flag has no default")
		}
		return c.serve(path, when, c.flag.Default)
	case string:
		return c.serve(path, when, part)
	case bool:
		return c.serve(path, when, fmt.Sprint(part))
	}
	op, args := operator(part)
	switch op {
	case "if", "?:":
		return c.choices(path+"."+op, when, args)
	case "fractional":
		return c.fractional(path+"."+op, when, args)
	}
	return stays(path, "is not an if, a fractional or the name of a variant")
}

// operator takes an operator apart; "" for what is none.
func operator(part any) (string, []any) {
	m, _ := part.(map[string]any)
	if len(m) != 1 {
		return "", nil
	}
	for op, args := range m {
		if list, ok := args.([]any); ok {
			return op, list
		}
		return op, []any{args}
	}
	return "", nil
}

func (c *converter) choices(path string, when []flags.Condition, args []any) error {
	for i := 0; i+1 < len(args); i += 2 {
		condition, err := c.condition(fmt.Sprintf("%s[%d]", path, i), args[i])
		if err != nil {
			return err
		}
		if err := c.branch(fmt.Sprintf("%s[%d]", path, i+1), append(slices.Clip(when), condition), args[i+1]); err != nil {
			return err
		}
	}
	var rest any
	if len(args)%2 == 1 {
		rest = args[len(args)-1]
	}
	return c.branch(path+" (else)", when, rest)
}

func (c *converter) serve(path string, when []flags.Condition, variant string) error {
	if _, ok := c.flag.Variants[variant]; !ok {
		return stays(path, "names %q, which is not a variant", variant)
	}
	return c.add(path, when, flags.Rule{Serve: variant})
}

func (c *converter) add(path string, when []flags.Condition, r flags.Rule) error {
	if len(c.rules) == mostRules {
		return stays(path, "would be rule %d", mostRules+1)
	}
	r.Name = fmt.Sprintf("imported-%d", len(c.rules)+1)
	switch len(when) {
	case 0:
	case 1:
		r.When = &when[0]
	default:
		r.When = &flags.Condition{All: slices.Clone(when)}
	}
	c.rules = append(c.rules, r)
	return nil
}
