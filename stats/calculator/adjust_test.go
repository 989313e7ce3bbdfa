package calculator

import (
	"fmt"
	"testing"
)

// The 15 tests of Benjamini & Hochberg 1995, section 4.1: their procedure
// rejects four at 0.05, Bonferroni's three.
const infarction = `[0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.000]`

func TestAdjust(t *testing.T) {
	for method, want := range map[string]int{"bonferroni": 3, "holm": 3, "hochberg": 3, "bh": 4, "by": 3} {
		a := ask(t, "adjust", `{"p": `+infarction+`, "method": "`+method+`"}`)
		rejected := 0
		for _, r := range a["rejected"].([]any) {
			if r.(bool) {
				rejected++
			}
		}
		if rejected != want || len(a["p_adjusted"].([]any)) != 15 {
			t.Errorf("%s rejects %d, want %d: %v", method, rejected, want, a)
		}
	}
	expect(t, ask(t, "adjust", `{"p": [0.01, 0.04]}`), 0, map[string]any{
		"p_adjusted": "[0.02 0.04]", "rejected": "[true true]", "level": 0.025})
	// The largest of three at 1/0.05: 60 = 3/0.05 is just enough.
	expect(t, ask(t, "adjust", `{"e": [60, 0, 1e99], "method": "ebh"}`), 1e-12, map[string]any{"rejected": fmt.Sprint([]bool{true, false, true})})
}

func TestAdjustRefuses(t *testing.T) {
	refused(t, "adjust", []refusal{
		{`{}`, "bad_input", "p"},
		{`{"p": []}`, "bad_input", "p"},
		{`{"e": []}`, "bad_input", "e"},
		{`{"p": [0.5, 1.5]}`, "bad_input", "p[1]"},
		{`{"p": ["0.5"]}`, "bad_input", "p[0]"},
		{`{"p": [null]}`, "bad_input", "p[0]"},
		{`{"p": [0.5], "method": "sidak"}`, "bad_input", "method"},
		{`{"p": [0.5], "method": "ebh"}`, "bad_input", "e"},
		{`{"p": [0.5], "e": [1]}`, "bad_input", "e"},
		{`{"e": [1], "method": "bh"}`, "bad_input", "method"},
		{`{"e": [1, -1]}`, "bad_input", "e[1]"},
		{`{"p": [0.5], "alpha": 0}`, "bad_input", "alpha"},
		{`{"p": [0.5], "alpha": 1}`, "bad_input", "alpha"},
	})
}
