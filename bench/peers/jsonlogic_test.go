package peers

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"

	peer "github.com/diegoholiveira/jsonlogic/v3"

	"github.com/sluice-hq/sluice/flags/jsonlogic"
)

// TestRulesAnswerAsTheirs runs random rules over random data through the
// evaluator of flagd and through ours. Rules that we refuse when they are
// compiled are left out, and counted.
func TestRulesAnswerAsTheirs(t *testing.T) {
	r := rand.New(rand.NewPCG(*seed, 1))
	var values, failures, refused, ran int
	for range *rules {
		g := ruleMaker{r}
		text := g.text(g.rule(4))
		ours, err := jsonlogic.Compile(text, nil)
		if err != nil {
			refused++
			continue
		}
		for range 3 {
			data := g.data()
			want, err := theirs(t, text, data)
			if ranData(err) {
				ran++
				continue
			}
			failed := err != nil
			got, err := ours.Evaluate(&jsonlogic.Data{Attributes: data})
			switch {
			case failed && err != nil:
				failures++
			case failed || err != nil || !same(got.Any(), want):
				t.Fatalf("seed %d: %s over %s\ngot  %#v, %v\nwant %#v, failed %v", *seed, text, g.text(data), got.Any(), err, want, failed)
			default:
				values++
			}
		}
	}
	t.Logf("%d values and %d failures alike; %d rules refused when compiled, %d ran data", values, failures, refused, ran)
	if values < *rules/2 {
		t.Errorf("%d values were compared, want at least %d", values, *rules/2)
	}
}

// theirs is flagd's way: the result goes through JSON, and what cannot is a
// failure.
func theirs(t *testing.T, rule []byte, data map[string]any) (value any, failure error) {
	t.Helper()
	raw, err := json.Marshal(data)
	if err != nil {
		t.Fatal(err)
	}
	out, err := peer.ApplyRaw(rule, raw)
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(out, &value); err != nil {
		t.Fatal(err)
	}
	return value, nil
}

// ranData reports whether they ran an object out of the data as a rule, which
// we never do: the operator they miss is an attribute.
func ranData(err error) bool {
	var invalid peer.ErrInvalidOperator
	return errors.As(err, &invalid)
}

// same compares by JSON, as flagd does; what is no JSON is not the same.
func same(a, b any) bool {
	if _, err := json.Marshal(a); err != nil {
		return false
	}
	return reflect.DeepEqual(a, b) || fmt.Sprint(a) == fmt.Sprint(b) && isNumber(a)
}

func isNumber(v any) bool { _, ok := v.(float64); return ok }
