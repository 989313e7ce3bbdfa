package flags

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// FuzzPlainContext holds the short way against encoding/json: what it reads,
// it reads alike, and what it does not read, it leaves.
func FuzzPlainContext(f *testing.F) {
	for _, seed := range []string{
		`{"context":{"targetingKey":"u-1","n":-12.50,"yes":true,"no":false,"nil":null}}`,
		` { "context" : { "a" : 0 , "a" : "again" } } `, `{"context":{}}`, `{"context":{"a":01}}`, `{"context":{"a":-}}`,
		`{"context":{"a":1.}}`, `{"context":{"a":1e3}}`, `{"context":{"a":"\u0041"}}`, `{"context":{"é":"ü"}}`, `{"context":{"a":[1]}}`,
		`{"context":{"a":1,}}`, `{"context":{,}}`, `{"context":{"a":1}} x`, `{"context":{"a":1}`, `{"other":1,"context":{}}`, `{"context":null}`,
		`{"context":{"a":99999999999999999999999999999999}}`, `{"context":{"a":truefalse}}`, `{"context":{"a":"`, ``, `{`, `[]`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		got, ok := plainContext(body)
		if !ok {
			return
		}
		var want struct{ Context map[string]any }
		if err := json.Unmarshal(body, &want); err != nil {
			t.Fatalf("%q was read, and encoding/json says %v", body, err)
		}
		if d := cmp.Diff(want.Context, got); d != "" {
			t.Errorf("%q (-want +got):\n%s", body, d)
		}
	})
}

// A short way that is never taken would pass the test above.
func TestPlainContextIsTaken(t *testing.T) {
	got, ok := plainContext([]byte(` {"context": {"targetingKey":"u-1", "n":-12.50,"yes":true,"nil":null} }` + "\n"))
	if d := cmp.Diff(map[string]any{"targetingKey": "u-1", "n": -12.5, "yes": true, "nil": nil}, got); !ok || d != "" {
		t.Errorf("%v, -want +got:\n%s", ok, d)
	}
}
