package calculator

import (
	"fmt"
	"math"
	"testing"
)

// list compares a list of numbers of an answer.
func list(t *testing.T, got any, within float64, want ...float64) {
	t.Helper()
	all, _ := got.([]any)
	if len(all) != len(want) {
		t.Fatalf("%v, want %v", got, want)
	}
	for i, w := range want {
		if math.Abs(all[i].(float64)-w) > within {
			t.Errorf("%v, want %v", got, want)
			return
		}
	}
}

// O'Brien-Fleming-type spending of 0.025 over five looks, as gsDesign (sfLDOF)
// and rpact (asOF) print it; 2.413 is Pocock's constant for five looks at 0.05
// with two sides, whose test needs 1.207 times the units at a power of 80 %
// ([JT], tables 2.1 and 2.2: 1.228 at 80 %, 1.207 at 90 %).
func TestBoundary(t *testing.T) {
	a := ask(t, "boundary", `{"alpha": 0.025, "sides": 1, "information": [0.2, 0.4, 0.6, 0.8, 1], "spending": "obrien-fleming"}`)
	list(t, a["z"], 5e-4, 4.8769, 3.3569, 2.6803, 2.2898, 2.0310)
	list(t, a["spent"].([]any)[4:], 1e-9, 0.025)
	if b := ask(t, "boundary", `{"alpha": 0.025, "looks": 5}`); fmt.Sprint(a["z"]) != fmt.Sprint(b["z"]) {
		t.Errorf("%v, want %v", b, a)
	}
	expect(t, ask(t, "boundary", `{"alpha": 0.05, "design": "pocock", "looks": 5, "beta": 0.1}`), 5e-4, map[string]any{"constant": 2.413, "inflation": 1.207})
	expect(t, ask(t, "boundary", `{"alpha": 0.05, "design": "obrien-fleming", "looks": 5, "beta": 0.1}`), 5e-4, map[string]any{"constant": 2.040, "inflation": 1.026})
	// One look at the end is the fixed test, whatever the spending.
	for _, spending := range []string{`"pocock"`, `"power", "rho": 3`, `"hsd", "gamma": -4`} {
		one := ask(t, "boundary", `{"alpha": 0.025, "information": [1], "spending": `+spending+`, "stopped": {"look": 1, "z": 1.959963984540054}}`)
		list(t, one["z"], 1e-6, 1.959963984540054)
		expect(t, one["stopped"].(map[string]any), 1e-6, map[string]any{"p_value": 0.025, "estimate": 1.959963984540054, "ci_low": 0.0})
	}
}

func TestBoundaryRefuses(t *testing.T) {
	refused(t, "boundary", []refusal{
		{`{}`, "bad_input", "information"},
		{`{"information": []}`, "bad_input", "information"},
		{`{"information": [0.5, 0.4]}`, "bad_input", "information"},
		{`{"information": [0, 1]}`, "bad_input", "information"},
		{`{"information": [0.5, 1], "looks": 2}`, "bad_input", "looks"},
		{`{"looks": 0}`, "bad_input", "looks"},
		{`{"looks": 100000}`, "bad_input", "looks"},
		{`{"looks": 2, "alpha": 0}`, "bad_input", "alpha"},
		{`{"looks": 2, "alpha": 1}`, "bad_input", "alpha"},
		{`{"looks": 2, "sides": 3}`, "bad_input", "sides"},
		{`{"looks": 2, "sides": 0}`, "bad_input", "sides"},
		{`{"looks": 2, "spending": "linear"}`, "bad_input", "spending"},
		{`{"looks": 2, "spending": "power", "rho": 0}`, "bad_input", "rho"},
		{`{"looks": 2, "spending": "pocock", "rho": 2}`, "bad_input", "rho"},
		{`{"looks": 2, "spending": "hsd"}`, "bad_input", "gamma"},
		{`{"looks": 2, "spending": "hsd", "gamma": 1e9}`, "bad_input", "gamma"},
		{`{"looks": 2, "gamma": 1}`, "bad_input", "gamma"},
		{`{"looks": 2, "design": "haybittle"}`, "bad_input", "design"},
		{`{"looks": 2, "design": "pocock", "spending": "pocock"}`, "bad_input", "design"},
		{`{"information": [0.5, 0.9], "design": "pocock"}`, "bad_input", "information"},
		{`{"looks": 2, "beta": 0}`, "bad_input", "beta"},
		{`{"looks": 2, "beta": 0.5}`, "bad_input", "beta"},
		{`{"looks": 2, "stopped": {"look": 3, "z": 2}}`, "bad_input", "stopped.look"},
		{`{"looks": 2, "stopped": {"look": 1}}`, "bad_input", "stopped.z"},
		{`{"looks": 2, "alpha": 0.6, "stopped": {"look": 1, "z": 2}}`, "bad_input", "alpha"},
	})
}
