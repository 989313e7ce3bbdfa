package jsonlogic

import (
	"encoding/json"
	"testing"
	"time"
)

// FuzzEvaluate holds rules and data of all kinds against what must be true of
// each: an answer that JSON can write or an error, the same each time, and
// before long.
func FuzzEvaluate(f *testing.F) {
	for _, rule := range []string{
		`{"if":[{"==":[{"var":"plan"},"pro"]},"on",{"var":["other","off"]}]}`,
		`{"reduce":[{"var":"list"},{"+":[{"var":"accumulator"},{"var":"current.n"}]},0]}`,
		`{"filter":[{"var":"list"},{"some":[{"var":"list"},{"<":[{"var":"n"},{"max":[1,{"var":"n"}]}]}]}]}`,
		`{"missing_some":[1,["a",{"cat":["b",{"var":""}]}]]}`,
		`{"substr":[{"var":"plan"},-2,{"var":"n"}]}`,
		`{"in":[{"var":"n"},[[1,3],7]]}`,
		`{"merge":[{"map":[{"var":"list"},{"var":[]}]},{"!":[{"%":[7,{"var":"n"}]}]}]}`,
		`{"probe":[{"var":"list"}]}`,
	} {
		f.Add([]byte(rule), []byte(`{"plan":"pro","n":2,"list":[{"n":1},{"n":null},[3]]}`))
	}
	probe := map[string]Operator{"probe": func(c Call) (Value, error) {
		v, _ := c.Lookup("n")
		return BoolOf(c.List && len(c.Args) > 0 && v.Kind() == Number), nil
	}}
	f.Fuzz(func(t *testing.T, source, attributes []byte) {
		var d Data
		if len(source)+len(attributes) > 4<<10 || json.Unmarshal(attributes, &d.Attributes) != nil {
			return
		}
		rule, err := Compile(source, probe)
		if err != nil {
			return
		}
		began := time.Now()
		v, err := rule.Evaluate(&d)
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("%s took %s", source, took)
		}
		text, unwritten := json.Marshal(v.Any())
		if unwritten != nil {
			t.Errorf("%s gives %v: %v", source, v, unwritten)
		}
		again, failure := rule.Evaluate(&d)
		if same, _ := json.Marshal(again.Any()); string(same) != string(text) || (failure == nil) != (err == nil) {
			t.Errorf("%s gives %s (%v), then %s (%v)", source, text, err, same, failure)
		}
	})
}
