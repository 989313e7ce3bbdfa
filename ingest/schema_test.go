package ingest

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/ingest/shapes"
)

// schemas is where the published ones are.
const schemas = "../docs/schemas"

// published is what these tests look at in a schema, beside what a validator does.
type published struct {
	Required   []string                   `json:"required"`
	Properties map[string]json.RawMessage `json:"properties"`
}

func publishedOf(t *testing.T, kind string) (p published) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(schemas, kind+".json"))
	if err == nil {
		err = json.Unmarshal(b, &p)
	}
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func compiled(t *testing.T, kind string) *jsonschema.Schema {
	t.Helper()
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	s, err := c.Compile(filepath.Join(schemas, kind+".json"))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func valid(t *testing.T, s *jsonschema.Schema, text string) error {
	t.Helper()
	v, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return s.Validate(v)
}

// open is what a door sees where everything is declared.
type open struct{}

func (open) Known(_, flag string) bool                                      { return flag != "" }
func (open) UnitKind(string, string, uint64) string                         { return "user" }
func (open) Assigned(string, string, uint64, string) (a Assignment, _ bool) { return a, false }
func (open) Declared(string) bool                                           { return true }

// TestSchemas_sayWhatTheParserSays holds the published fields, those that must be
// there, and the words that may be in them to the parser's.
func TestSchemas_sayWhatTheParserSays(t *testing.T) {
	for _, kind := range Kinds {
		p, s := publishedOf(t, kind), func() shape { s, _ := shapeOf(kind); return s }()
		var fields []string
		for name := range p.Properties {
			fields = append(fields, name)
		}
		if diff := cmp.Diff(sorted((s.must | s.may).names()), sorted(fields)); diff != "" {
			t.Errorf("fields of %s (-parser +schema):\n%s", kind, diff)
		}
		if diff := cmp.Diff(sorted(s.must.names()), sorted(p.Required)); diff != "" {
			t.Errorf("required of %s (-parser +schema):\n%s", kind, diff)
		}
	}
	var source struct{ Enum []Source }
	if err := json.Unmarshal(publishedOf(t, KindExposure).Properties["source"], &source); err != nil {
		t.Fatal(err)
	}
	want := []Source{BySender, ByTelemetry, ByEvaluation}
	for _, s := range shapes.Shapes {
		want = append(want, Source(s))
	}
	if diff := cmp.Diff(want, source.Enum); diff != "" {
		t.Errorf("sources (-parser +schema):\n%s", diff)
	}
}

func sorted(list []string) []string {
	list = slices.Clone(list)
	slices.Sort(list)
	return list
}

// TestSchemas_examples: every recorded example passes its schema and the door, and
// with a fault in it neither.
func TestSchemas_examples(t *testing.T) {
	b, err := os.ReadFile(filepath.Join(schemas, "examples.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	door := &Door{Flags: open{}, Metrics: open{}, Key: []byte("0123456789abcdef0123456789abcdef")}
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	taken, err := door.Accept("production", b, now)
	if err != nil || len(taken.Rejected) > 0 {
		t.Fatalf("the door says %+v, %v", taken.Rejected, err)
	}
	first := map[string]map[string]any{}
	for line := range bytes.Lines(b) {
		var e map[string]any
		if err := json.Unmarshal(line, &e); err != nil {
			t.Fatal(err)
		}
		kind := e["kind"].(string)
		if first[kind] == nil {
			first[kind] = e
		}
		if err := valid(t, compiled(t, kind), string(line)); err != nil {
			t.Errorf("%s: %v", line, err)
		}
	}
	long := strings.Repeat("x", 2000)
	for _, c := range []struct {
		kind, field string
		value       any // nil: the field is left out
	}{
		{KindExposure, "flag", nil}, {KindExposure, "flag", ""}, {KindExposure, "unit", map[string]any{"kind": "user"}}, {KindExposure, "unit", map[string]any{"kind": "a b", "id": "u"}},
		{KindExposure, "id", "not-one"}, {KindExposure, "id", "6ba7b810-9dad-41d1-80b4-00c04fd430c8"}, {KindExposure, "variant", 7}, {KindExposure, "revision", -1},
		{KindExposure, "enrolled", "yes"}, {KindExposure, "at", "yesterday"}, {KindExposure, "source", "elsewhere"}, {KindExposure, "attributes", map[string]any{"n": 1}},
		{KindExposure, "attributes", map[string]any{"n": long}}, {KindExposure, "colour", "red"}, {KindExposure, "sdk", map[string]any{"version": "1"}},
		{KindMetric, "units", nil}, {KindMetric, "units", map[string]any{}}, {KindMetric, "units", map[string]any{"user": ""}}, {KindMetric, "value", "1"}, {KindMetric, "value", 1e300}, {KindMetric, "name", long},
		{KindDeployment, "version", nil}, {KindDeployment, "units", map[string]any{"user": "u"}},
		{KindReading, "value", nil}, {KindReading, "labels", []any{}}, {KindReading, "synthetic", 1},
	} {
		bad := map[string]any{}
		for name, v := range first[c.kind] {
			bad[name] = v
		}
		if bad[c.field] = c.value; c.value == nil {
			delete(bad, c.field)
		}
		text, _ := json.Marshal(bad)
		if valid(t, compiled(t, c.kind), string(text)) == nil {
			t.Errorf("the schema takes %.300s", text)
		}
		if _, err := door.Accept("production", text, now); err == nil {
			t.Errorf("the door takes %.300s", text)
		}
	}
	if taken.Metrics[0].ID == (event.ID{}) {
		t.Error("no ID was read")
	}
}
