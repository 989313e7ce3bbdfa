package calculator

import "testing"

func TestGuardrail(t *testing.T) {
	a := ask(t, "guardrail", `{`+cookieArms+`, "margin": 0, "detect": 0.04, "direction": "increase", "alpha": 0.05}`)
	expect(t, a, 0.01, map[string]any{"state": "breached", "e_value": 57.0, "information": 148927.0, "information_needed": 229492.0})
	a = ask(t, "guardrail", `{"control": {"type": "proportion", "n": 10000, "sum": 0}, "treatment": {"type": "proportion", "n": 10000, "sum": 500},
		"margin": 0.1, "direction": "decrease"}`)
	expect(t, a, 0, map[string]any{"state": "breached", "relative": false})
}

func TestGuardrailRefuses(t *testing.T) {
	refused(t, "guardrail", []refusal{
		{`{` + cookieArms + `}`, "bad_input", "margin"},
		{`{` + cookieArms + `, "margin": 0}`, "bad_input", "detect"},
		{`{` + cookieArms + `, "margin": 0.1, "direction": "up"}`, "bad_input", "direction"},
		{`{` + cookieArms + `, "margin": 0.1, "inference": "fixed"}`, "bad_input", "inference"},
		{`{"margin": 0.1, "control": {"type": "proportion", "n": 99, "sum": 1}, "treatment": {"type": "proportion", "n": 100, "sum": 1}}`, "too_few_units", "control.n"},
		{`{"margin": 0.1, "control": {"type": "proportion", "n": 100, "sum": 1}, "treatment": {"type": "proportion", "n": 99, "sum": 1}}`, "too_few_units", "treatment.n"},
		{`{"margin": 0.1, "control": {"type": "proportion", "n": 100, "sum": 0}, "treatment": {"type": "proportion", "n": 100, "sum": 0}}`, "zero_variance", "sum"},
	})
}
