package flags

import (
	"reflect"
	"slices"
	"strings"
)

// This file evaluates flags a second time, as slowly and plainly as it can be
// written: from the documents, with built strings and no preparation.

// refHouse is what a ruleset holds, by key.
type refHouse struct {
	flags    map[string]Recorded
	segments []RecordedSegment // by revision
	rules    []InheritedRule
}

func (h refHouse) evaluate(key string, c *Context, depth int) (variant string, step Step, enrolled bool) {
	r := h.flags[key]
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
		if v, _, _ := h.evaluate(p.Flag, c, depth+1); v != p.Variant {
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
	rules := append([]Rule{}, e.Rules...)
	for _, inherited := range h.rules {
		for _, tag := range inherited.Tags {
			if slices.Contains(r.Tags, tag) {
				rules = append(rules, Rule{Name: inherited.Name, When: inherited.When, Serve: inherited.Serve})
				break
			}
		}
	}
	for _, rule := range append(rules, e.Served...) {
		if rule.When != nil && !h.met(*rule.When, c, nil) {
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
	if a != nil && a.Slice != nil {
		if b := Bucket(a.Slice.Salt + ":slice:" + unit); b < a.Slice.From || b >= a.Slice.To {
			return r.Default, AtDefault, false
		}
	}
	if a == nil || unit == "" || a.Audience != nil && !h.met(*a.Audience, c, a.Segments) || Bucket(a.Salt+":enrol:"+unit) >= a.Coverage {
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

// member looks a segment up by its revision; without pins, the newest.
func (h refHouse) member(key string, in *Context, pins map[string]uint64) bool {
	for i := len(h.segments) - 1; i >= 0; i-- {
		s := h.segments[i]
		if s.Key != key || pins != nil && s.Revision != pins[key] {
			continue
		}
		id, _ := in.Attributes[s.Unit].(string)
		if s.Unit == DefaultUnit {
			id = in.TargetingKey
		}
		switch {
		case id != "" && slices.Contains(s.Excluded.Units, id):
			return false
		case id != "" && slices.Contains(s.Included.Units, id):
			return true
		}
		return s.When != nil && h.met(*s.When, in, nil)
	}
	return false
}

func (h refHouse) met(c Condition, in *Context, pins map[string]uint64) bool {
	if c.Op == InSegment || c.Op == NotInSegment {
		for _, key := range c.Values {
			if h.member(key.(string), in, pins) {
				return c.Op == InSegment
			}
		}
		return c.Op == NotInSegment
	}
	for _, child := range c.All {
		if !h.met(child, in, pins) {
			return false
		}
	}
	for _, child := range c.None {
		if h.met(child, in, pins) {
			return false
		}
	}
	for _, child := range c.Any {
		if h.met(child, in, pins) {
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
		return ok && !h.met(Condition{Attribute: c.Attribute, Op: Eq, Value: c.Value}, in, pins)
	case NotIn:
		return ok && !h.met(Condition{Attribute: c.Attribute, Op: In, Values: c.Values}, in, pins)
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
