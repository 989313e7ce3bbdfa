package server

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/sluice-hq/sluice/stats"
	"github.com/sluice-hq/sluice/stats/calculator"
)

// questions is one question of each command, with an answer that says all that
// the command can.
var questions = map[string][]string{
	"compare": {
		`{"control": {"type": "events", "count": 0, "exposure": 100}, "treatment": {"type": "events", "count": 7, "exposure": 100}}`,
		`{"control": {"type": "proportion", "n": 100, "sum": 30}, "treatment": {"type": "proportion", "n": 100, "sum": 40}, "inference": "bayes"}`,
		`{"control": {"type": "mean", "n": 4, "sum": 6, "sum_squares": 14}, "treatment": {"type": "mean", "n": 4, "sum": 6, "sum_squares": 14}}`,
		`{"control": {"type": "proportion", "n": 100, "sum": 30}, "treatment": {"type": "proportion", "n": 100, "sum": 40}, "inference": "always-valid"}`,
		`{"control": {"type": "proportion", "n": 100, "sum": 30}, "treatment": {"type": "proportion", "n": 100, "sum": 40}, "inference": "group-sequential", "information": [0.5]}`,
		`{"control": {"type": "mean", "n": 4, "post_sum": 6, "post_sum_squares": 14, "pre_sum": 6, "pre_sum_squares": 14, "post_pre_sum_product": 10},
			"treatment": {"type": "mean", "n": 4, "post_sum": 6, "post_sum_squares": 14, "pre_sum": 6, "pre_sum_squares": 14, "post_pre_sum_product": 10}}`,
	},
	"guardrail": {`{"control": {"type": "proportion", "n": 100, "sum": 30}, "treatment": {"type": "proportion", "n": 100, "sum": 40}, "margin": 0.1}`},
	"events":    {`{"counts": [1, 2]}`, `{"counts": [1], "units": 100, "rate": 0.01}`},
	"srm":       {`{"observed": [10, 20], "weights": [1, 1]}`, `{"observed": [10, 20], "weights": [1, 1], "method": "sequential"}`},
	"adjust":    {`{"p": [0.1]}`},
	"power":     {`{"metric": {"kind": "mean", "mean": 1, "sd": 1, "cluster": {"mean": 5, "icc": 0.1}}, "effect": 0.5}`},
	"boundary":  {`{"looks": 2, "design": "pocock", "beta": 0.2, "stopped": {"look": 1, "z": 3}}`},
}

// TestCalculationsAreDescribed holds the document and the calculator together:
// it takes every member that is described, and describes every one it says.
func TestCalculationsAreDescribed(t *testing.T) {
	for _, command := range calculator.Commands() {
		at, ok := calculations()[command]
		if !ok || len(questions[command]) == 0 {
			t.Errorf("%s has no route or no question", command)
			continue
		}
		for name := range membersOf(at.taken) {
			_, err := calculator.Answer(command, []byte(`{"`+name+`": null}`))
			var r *stats.Refusal
			if errors.As(err, &r) && r.Field == name && strings.Contains(r.Message, "no setting") {
				t.Errorf("%s takes no %s", command, name)
			}
		}
		for _, q := range questions[command] {
			out, err := calculator.Answer(command, []byte(q))
			if err != nil {
				t.Fatalf("%s %s: %v", command, q, err)
			}
			said := map[string]any{}
			if err := json.Unmarshal(out, &said); err != nil {
				t.Fatal(err)
			}
			for name := range said {
				if !membersOf(at.answer)[name] {
					t.Errorf("%s says %s, which is not described", command, name)
				}
			}
		}
	}
}

// calculations are the routes of the calculator by command.
func calculations() map[string]described {
	all := map[string]described{}
	for _, at := range table {
		if command, ok := strings.CutPrefix(at.path, "/api/v1/stats/"); ok {
			all[command] = byItself[at.name]
		}
	}
	return all
}

// membersOf are the names of a type's members in JSON.
func membersOf(v any) map[string]bool {
	names := map[string]bool{}
	t := reflect.TypeOf(v)
	for _, f := range reflect.VisibleFields(t) {
		if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "" {
			names[name] = true
		}
	}
	return names
}
