package flagd

import (
	"encoding/json"
	"testing"

	"github.com/sluice-hq/sluice/flags"
)

// FuzzImport reads documents of all kinds. One that is taken gives flags that
// can be evaluated and written again, and one that is converted answers alike
// for a unit of which nothing is known.
func FuzzImport(f *testing.F) {
	for _, targeting := range []string{
		`{"if":[{"starts_with":[{"var":"email"}]},"on"]}`,
		`{"if":[{"and":[{"in":["@acme",{"var":"email"}]},{"<":[{"var":"age"},18]}]},"on","off"]}`,
		`{"fractional":[{"cat":[{"var":"$flagd.flagKey"},{"var":"email"}]},["on",25],["off",75]]}`,
		`{"if":[{"sem_ver":[{"var":"version"},"^","1.2"]},"on",{"$ref":"vip"}]}`,
		`{"fractionalEvaluation":[{"var":"email"},["on"],["off",null]]}`,
	} {
		f.Add(document(plain+`,"metadata":{"owner":"growth"},"targeting":`+targeting, `,"$evaluators":{"vip":{"if":[{"!":[{"var":"tier"}]},"off"]}},"metadata":{"version":"1"}`))
	}
	f.Add([]byte(`{"flags":[{"key":"a",` + plain + `}]}`))
	f.Fuzz(func(t *testing.T, source []byte) {
		if len(source) > 8<<10 {
			return
		}
		o := Options{Environment: "production", Owner: "web"}
		kept, _, err := Import(source, o)
		o.Convert = true
		converted, _, failure := Import(source, o)
		if (err == nil) != (failure == nil) {
			t.Fatalf("%s: %v as it is, %v converted", source, err, failure)
		}
		if err != nil {
			return
		}
		if _, err := json.Marshal(kept); err != nil {
			t.Fatal(err)
		}
		before, after := compile(kept), compile(converted)
		for _, key := range before.Keys() {
			a, b := before.Evaluate(key, &flags.Context{}), after.Evaluate(key, &flags.Context{})
			if a.Error == "" && a.Variant != b.Variant {
				t.Errorf("%s: %s is %q, and %q converted", source, key, a.Variant, b.Variant)
			}
		}
		Export(flags.Ruleset{Environment: "production", Flags: recorded(converted)}, nil)
	})
}

func recorded(list []flags.Flag) []flags.Recorded {
	out := make([]flags.Recorded, len(list))
	for i, f := range list {
		out[i] = flags.Recorded{Flag: f, Revision: uint64(i + 1)}
	}
	return out
}
