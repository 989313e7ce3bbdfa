package flagd

import (
	"encoding/json"
	"os"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
)

// published is testdata/cases.json: what flagd's own project says its
// evaluators must answer.
type published struct {
	Document json.RawMessage `json:"document"`
	Cases    []struct {
		Group    string         `json:"group"`
		Name     string         `json:"name"`
		Flag     string         `json:"flag"`
		Type     string         `json:"type"`
		Context  map[string]any `json:"context"`
		Value    any            `json:"value"`
		Reason   string         `json:"reason"`
		Error    string         `json:"error"`
		Metadata map[string]any `json:"metadata"`
	} `json:"cases"`
}

func readPublished(t *testing.T) published {
	t.Helper()
	b, err := os.ReadFile("testdata/cases.json")
	if err != nil {
		t.Fatal(err)
	}
	var p published
	if err := json.Unmarshal(b, &p); err != nil {
		t.Fatal(err)
	}
	return p
}

func TestPublishedCases(t *testing.T) {
	p := readPublished(t)
	list, _, err := Import(p.Document, Options{Environment: "production"})
	want := event.Invalids{{Path: "flags.ref-to-nonexistent-evaluator-flag.targeting.if[0].$ref", Value: "nonexistent_evaluator", Why: "is not among $evaluators", Fix: "define it there"}}
	if diff := cmp.Diff(want, err); diff != "" {
		t.Fatalf("faults of the document: want -, got +\n%s", diff)
	}
	if n := len(p.Cases); n != 125 {
		t.Errorf("%d cases, and 125 are published", n)
	}
	set := compile(list)
	passed := map[string]int{}
	for _, c := range p.Cases {
		r := set.Evaluate(c.Flag, contextOf(c.Context))
		if fault := differs(c.Type, c.Value, c.Error, r); fault != "" || c.Reason != "" && string(r.Reason) != c.Reason {
			t.Errorf("%s: %s: %s for %v: %s, %s; want value %v, error %q, reason %q", c.Group, c.Name, c.Flag, c.Context, fault, r.Reason, c.Value, c.Error, c.Reason)
			continue
		}
		if c.Metadata != nil && !(len(c.Metadata) == 0 && len(r.Metadata) == 0) && !sameJSON(c.Metadata, r.Metadata) {
			t.Errorf("%s: %s: metadata %v, want %v", c.Group, c.Flag, r.Metadata, c.Metadata)
			continue
		}
		passed[c.Group]++
	}
	t.Logf("passed: %v", passed)
}

// compile makes a set of what an import made, faults and all.
func compile(list []flags.Flag) *flags.Set {
	r := flags.Ruleset{Environment: "production"}
	for i, f := range list {
		r.Flags = append(r.Flags, flags.Recorded{Flag: f, Revision: uint64(i + 1)})
	}
	return flags.NewSet(r, nil)
}

func contextOf(attributes map[string]any) *flags.Context {
	c := &flags.Context{Attributes: map[string]any{}}
	for name, v := range attributes {
		c.Attributes[name] = v
	}
	c.TargetingKey, _ = c.Attributes[flags.TargetingKey].(string)
	delete(c.Attributes, flags.TargetingKey)
	return c
}

// differs says what is not as a provider of that type must find it, "" for
// nothing. A value of another type is a mismatch, which the provider reports.
func differs(kind string, value any, code string, r flags.Result) string {
	types := map[string]flags.Type{"Boolean": flags.Boolean, "String": flags.String, "Integer": flags.Number, "Float": flags.Number, "Object": flags.Object}
	got := string(r.Error)
	if got == "" && r.Value != nil && r.Type != types[kind] {
		got = "TYPE_MISMATCH"
	}
	switch {
	case got != code:
		return "error " + got
	case code != "":
		return ""
	case !sameJSON(value, r.Value):
		return "value " + string(r.Value)
	}
	return ""
}

func sameJSON(a, b any) bool {
	var x, y any
	for _, p := range []struct {
		from any
		to   *any
	}{{a, &x}, {b, &y}} {
		raw, err := json.Marshal(p.from)
		if err != nil || json.Unmarshal(raw, p.to) != nil {
			return false
		}
	}
	return reflect.DeepEqual(x, y)
}
