package flags

import (
	"reflect"
	"strings"
)

// This file evaluates flags a second time, as slowly and plainly as it can be
// written: from the documents, with built strings and no preparation.

func refEvaluate(list map[string]Recorded, key string, c *Context, depth int) (variant string, step Step, enrolled bool) {
	r := list[key]
	e := r.Environments[production]
	if r.Archived {
		return r.Answer, AtArchived, false
	}
	if !e.Enabled {
		return r.Safe, AtDisabled, false
	}
	if e.Forced != nil {
		return r.Safe, AtForced, false
	}
	for _, p := range e.Prerequisites {
		if depth == deepest {
			return r.Safe, AtPrerequisite, false
		}
		if v, _, _ := refEvaluate(list, p.Flag, c, depth+1); v != p.Variant {
			return r.Safe, AtPrerequisite, false
		}
	}
	unit, _ := c.Attributes[r.Unit].(string)
	for _, t := range e.Targets {
		for _, id := range t.Units {
			if id == unit {
				return t.Variant, AtTarget, false
			}
		}
	}
	for _, rule := range append(append([]Rule{}, e.Rules...), e.Served...) {
		if rule.When != nil && !refMet(*rule.When, c) {
			continue
		}
		if rule.Serve != "" {
			return rule.Serve, AtRule, false
		}
		if unit == "" {
			return r.Default, AtDefault, false
		}
		return refPick(rule.Split, Bucket(key+":"+rule.Name+":arm:"+unit)), AtRule, false
	}
	a := e.Allocation
	if a == nil || unit == "" || a.Audience != nil && !refMet(*a.Audience, c) || Bucket(a.Salt+":enrol:"+unit) >= a.Coverage {
		return r.Default, AtDefault, false
	}
	return refPick(a.Arms, Bucket(a.Salt+":arm:"+unit)), AtAllocation, true
}

func refPick(arms []Arm, bucket int) string {
	for _, a := range arms {
		if bucket < a.Weight {
			return a.Variant
		}
		bucket -= a.Weight
	}
	return ""
}

func refMet(c Condition, in *Context) bool {
	for _, child := range c.All {
		if !refMet(child, in) {
			return false
		}
	}
	for _, child := range c.None {
		if refMet(child, in) {
			return false
		}
	}
	for _, child := range c.Any {
		if refMet(child, in) {
			return true
		}
	}
	if c.Attribute == "" {
		return c.Any == nil
	}
	v, ok := in.Attributes[c.Attribute]
	if c.Attribute == TargetingKey {
		v, ok = in.TargetingKey, in.TargetingKey != ""
	}
	switch c.Op {
	case IsSet:
		return ok
	case IsNotSet:
		return !ok
	case Ne:
		return ok && !refMet(Condition{Attribute: c.Attribute, Op: Eq, Value: c.Value}, in)
	case NotIn:
		return ok && !refMet(Condition{Attribute: c.Attribute, Op: In, Values: c.Values}, in)
	}
	elements, isList := v.([]any)
	if !isList {
		elements = []any{v}
	}
	for _, el := range elements {
		if ok && refTest(c, el) {
			return true
		}
	}
	return false
}

func refTest(c Condition, v any) bool {
	values := c.Values
	if c.Value != nil {
		values = []any{c.Value}
	}
	for _, want := range values {
		text, isText := v.(string)
		n, isNumber := v.(float64)
		switch {
		case c.Op == Lt && isNumber && n < want.(float64):
			return true
		case c.Op == StartsWith && isText && strings.HasPrefix(text, want.(string)):
			return true
		case (c.Op == Eq || c.Op == In) && reflect.DeepEqual(v, want):
			return true
		}
	}
	return false
}
