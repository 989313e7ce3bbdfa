package flagd

import (
	"fmt"
	"math"
	"strings"

	"github.com/sluice-hq/sluice/flags"
)

// fractional converts into splits that hash what flagd hashes.
func (c *converter) fractional(path string, when []flags.Condition, args []any) error {
	if len(args) == 0 {
		return c.branch(path, when, nil)
	}
	implicit := flags.HashInput{Salt: c.flag.Key, By: flags.TargetingKey}
	if _, arm := args[0].([]any); arm {
		return c.split(path, when, args, implicit)
	}
	op, parts := operator(args[0])
	if op == "cat" {
		hash, err := c.joined(path+"[0].cat", parts)
		if err != nil {
			return err
		}
		return c.split(path, when, args[1:], hash)
	}
	name, err := c.attribute(path+"[0]", args, 0)
	if err != nil {
		return err
	}
	explicit := flags.HashInput{By: name}
	if name != flags.TargetingKey { // without it flagd takes flag key and targeting key
		if err := c.reads(path, name, texts); err != nil {
			return err
		}
		missing := flags.Condition{Attribute: name, Op: flags.IsNotSet}
		if err := c.split(path, append(when[:len(when):len(when)], missing), args[1:], implicit); err != nil {
			return err
		}
	}
	return c.split(path, when, args[1:], explicit)
}

// joined converts what a cat joins: known texts, and one attribute behind
// them.
func (c *converter) joined(path string, parts []any) (flags.HashInput, error) {
	h := flags.HashInput{Joined: true}
	if len(parts) < 2 {
		return h, stays(path, "joins fewer than two")
	}
	var salt strings.Builder
	for i, p := range parts[:len(parts)-1] {
		op, names := operator(p)
		text, known := p.(string)
		if op == "var" && len(names) == 1 && names[0] == "$flagd.flagKey" {
			text, known = c.flag.Key, true
		}
		if !known {
			return h, stays(fmt.Sprintf("%s[%d]", path, i), "is not a known text before an attribute")
		}
		salt.WriteString(text)
	}
	var err error
	h.Salt = salt.String()
	if h.By, err = c.attribute(path, parts, len(parts)-1); err != nil {
		return h, err
	}
	return h, c.reads(path, h.By, texts)
}

// split adds a rule that splits. Weights are scaled to flags.Whole, which moves
// no unit if all of them come out whole: h·T/2^32 < w is h/2^32 < w/T.
func (c *converter) split(path string, when []flags.Condition, args []any, hash flags.HashInput) error {
	arms, total, err := c.arms(path, args)
	if err != nil {
		return err
	}
	if total == 0 {
		return c.branch(path, when, nil)
	}
	for i := range arms {
		scaled := arms[i].Weight * flags.Whole
		if scaled%total != 0 {
			return stays(path, "has weights that are not whole thousandths of a percent: %d of %d", arms[i].Weight, total)
		}
		arms[i].Weight = scaled / total
	}
	return c.add(path, when, flags.Rule{Split: arms, Hash: &hash})
}

// arms reads variants and weights. Neighbours of one variant become one arm,
// and those of no weight none.
func (c *converter) arms(path string, args []any) (arms []flags.Arm, total int, err error) {
	for i, a := range args {
		at := fmt.Sprintf("%s[%d]", path, i)
		variant, weight, ok := arm(a)
		if _, known := c.flag.Variants[variant]; !ok || !known {
			return nil, 0, stays(at, "is not a variant of the flag with a weight that is known")
		}
		if weight == 0 {
			continue
		}
		total += weight
		if last := len(arms) - 1; last >= 0 && arms[last].Variant == variant {
			arms[last].Weight += weight
			continue
		}
		for _, before := range arms {
			if before.Variant == variant {
				return nil, 0, stays(at, "is a second arm of %s", variant)
			}
		}
		arms = append(arms, flags.Arm{Variant: variant, Weight: weight})
	}
	if total > math.MaxInt32 {
		return nil, 0, stays(path, "has weights that add up to too much")
	}
	return arms, total, nil
}

// arm reads [variant, weight].
func arm(a any) (variant string, weight int, ok bool) {
	list, _ := a.([]any)
	if len(list) == 0 {
		return "", 0, false
	}
	switch v := list[0].(type) {
	case string:
		variant = v
	case bool:
		variant = fmt.Sprint(v)
	default:
		return "", 0, false
	}
	if len(list) == 1 || list[1] == nil {
		return variant, 1, true
	}
	w, isNumber := list[1].(float64)
	if !isNumber || w != math.Trunc(w) || w > math.MaxInt32 {
		return "", 0, false
	}
	return variant, int(max(w, 0)), true
}
