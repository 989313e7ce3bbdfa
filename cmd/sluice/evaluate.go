package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// evaluateCmd asks what a unit gets, as an application does.
type evaluateCmd struct {
	client
	output
	asked
	UnitKind string `help:"Kind of the unit; its id becomes the attribute of that name." default:"user" placeholder:"KIND"`
}

// Help says how it differs from explain.
func (evaluateCmd) Help() string {
	return "The question is asked through OFREP, with any token that may evaluate. To see why, run: sluice explain"
}

// evaluated is an OFREP answer.
type evaluated struct {
	Key      string          `json:"key"`
	Value    json.RawMessage `json:"value"`
	Variant  string          `json:"variant"`
	Reason   string          `json:"reason"`
	Metadata map[string]any  `json:"metadata"`
}

// Run prints the answer.
func (c evaluateCmd) Run(ctx context.Context) error {
	body, err := c.body()
	if err != nil {
		return err
	}
	var answer evaluated
	path := "/ofrep/v1/evaluate/flags/" + url.PathEscape(c.Key) + "?" + set(url.Values{}, "environment", c.Environment).Encode()
	if err := c.do(ctx, http.MethodPost, path, "application/json", body, &answer); err != nil {
		return ofrepFault(err)
	}
	return c.write(answer, func(w io.Writer) {
		fmt.Fprintf(w, "%s = %s, %s\n", orDash(answer.Variant), answer.Value, answer.Reason)
		for _, name := range slices.Sorted(maps.Keys(answer.Metadata)) {
			fmt.Fprintf(w, "  %s\t%v\n", name, answer.Metadata[name])
		}
	})
}

// body is the evaluation context. The unit's id is the attribute of its kind,
// for users the targeting key.
func (c evaluateCmd) body() ([]byte, error) {
	query, err := c.query()
	if err != nil {
		return nil, err
	}
	attributes := map[string]any{}
	for name, values := range query {
		if attribute, ok := strings.CutPrefix(name, "attribute."); ok {
			attributes[attribute] = typed(values[0])
		}
	}
	for name, id := range map[string]string{c.UnitKind: c.Unit, "targetingKey": c.TargetingKey} {
		if id != "" {
			attributes[name] = id
		}
	}
	if c.UnitKind == "user" && c.TargetingKey == "" && c.Unit != "" {
		delete(attributes, "user")
		attributes["targetingKey"] = c.Unit
	}
	return json.Marshal(map[string]any{"context": attributes})
}

// typed reads JSON, and everything else as text, as explanations do.
func typed(text string) any {
	var v any
	if json.Unmarshal([]byte(text), &v) != nil {
		return text
	}
	return v
}

// ofrepFault says what OFREP says of an evaluation that failed.
func ofrepFault(err error) error {
	e, ok := err.(*apiError)
	if !ok {
		return err
	}
	var fault struct{ ErrorCode, ErrorDetails string }
	if json.Unmarshal(e.Body, &fault) == nil && fault.ErrorCode != "" {
		return fmt.Errorf("%s: %s", fault.ErrorCode, fault.ErrorDetails)
	}
	return err
}
