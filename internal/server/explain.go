package server

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
)

type explainIn struct {
	Key          string `path:"key" example:"checkout.payments.express-pay"`
	Environment  string `query:"environment" doc:"for tokens that are bound to none"`
	Unit         string `query:"unit" doc:"id of the flag's unit" example:"u-1"`
	TargetingKey string `query:"targetingKey" doc:"when it is not the unit's id"`
	At           string `query:"at" doc:"revision or RFC 3339 time; now when absent" example:"2027-01-31T09:00:00Z"`
	attributes   url.Values
}

// attributePrefix begins the query parameters that are attributes of the
// context: attribute.plan=pro.
const attributePrefix = "attribute."

// Resolve implements huma.Resolver: names of attributes are anybody's, so that
// they cannot be declared as fields.
func (in *explainIn) Resolve(ctx huma.Context) []error {
	u := ctx.URL()
	in.attributes = attributesOf(u.Query())
	return nil
}

// attributesOf returns the attributes of the context among the parameters of a
// query.
func attributesOf(query url.Values) url.Values {
	all := url.Values{}
	for name, values := range query {
		if attribute, ok := strings.CutPrefix(name, attributePrefix); ok {
			all[attribute] = values
		}
	}
	return all
}

// ExplanationView is an evaluation, step by step.
type ExplanationView struct {
	Environment string `json:"environment"`
	At          string `json:"at,omitempty" doc:"as it was asked for; absent: now"`
	flags.Explanation
}

type explainOut struct{ Body ExplanationView }

// explainFlag evaluates a flag, now or as it was, and says why.
func (s *server) explainFlag(ctx context.Context, in *explainIn) (*explainOut, error) {
	if in.Environment == "" {
		in.Environment = who(ctx).Environment
	}
	set, err := s.sets.at(in.Environment)
	if err != nil {
		return nil, err
	}
	unit, err := s.unitOf(in.Key)
	if in.At != "" {
		set, unit, err = s.setOf(ctx, in)
	}
	if err != nil {
		return nil, err
	}
	c, err := in.context(unit)
	if err != nil {
		return nil, err
	}
	c.Now = s.Now()
	if at, err := time.Parse(time.RFC3339, in.At); err == nil {
		c.Now = at // what an imported rule saw then
	}
	return &explainOut{ExplanationView{in.Environment, in.At, set.Explain(in.Key, c)}}, nil
}

// unitOf returns the kind of a flag's unit.
func (s *server) unitOf(key string) (string, error) {
	var f flags.Recorded
	known := false
	s.Projection.View(func(uint64) { f, known = s.Flags.Flag(key) })
	if !known {
		return "", fmt.Errorf("flag %s: %w", key, errNoSuch)
	}
	return f.Unit, nil
}

// setOf compiles what a request's moment had, and returns the unit of the flag
// then.
func (s *server) setOf(ctx context.Context, in *explainIn) (*flags.Set, string, error) {
	state, f, err := s.past(ctx, in.Key, in.At)
	if err != nil {
		return nil, "", err
	}
	lists, err := s.lists(ctx, state.Lists(), s.sets.fresh().lists)
	if err != nil {
		return nil, "", err
	}
	return state.Compile(in.Environment, lists), f.Unit, nil
}

// context makes the evaluation context. The unit's id is where evaluation
// looks for it: in the attribute of its kind, for users in the targeting key.
func (in *explainIn) context(unit string) (*flags.Context, error) {
	c := &flags.Context{TargetingKey: in.TargetingKey, Attributes: map[string]any{}}
	var faults event.Invalids
	for name, values := range in.attributes {
		switch path := "query." + attributePrefix + name; {
		case name == "":
			faults.Add(path, values[0], "names no attribute", "write attribute.plan=pro")
		case len(values) > 1:
			faults.Add(path, values[1], "stands twice", `write a list as JSON: ["a","b"]`)
		default:
			c.Attributes[name] = attributeValue(values[0])
		}
	}
	_, given := c.Attributes[unit]
	switch {
	case in.Unit == "":
	case given:
		faults.Add("query.unit", in.Unit, "stands beside attribute."+unit, "write one of the two")
	case unit == flags.DefaultUnit && in.TargetingKey == "":
		c.TargetingKey = in.Unit
	default:
		c.Attributes[unit] = in.Unit
	}
	return c, faults.Err()
}

// attributeValue reads JSON, and everything else as text.
func attributeValue(text string) any {
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		return text
	}
	return v
}
