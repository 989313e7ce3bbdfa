package calculator

import (
	"math"
	"testing"
)

// R's help of poisson.test: 11 events of 800 person-years against 21 of 3,011
// have the rate ratio 1.971488 with the interval 0.8584264 to 4.2772659.
func TestCompareOfCounts(t *testing.T) {
	arms := `"control": {"type": "events", "count": 21, "exposure": 3011}, "treatment": {"type": "events", "count": 11, "exposure": 800}`
	expect(t, ask(t, "compare", `{`+arms+`, "relative": true}`), 1e-6, map[string]any{
		"estimate": 0.971488, "ci_low": 0.8584264 - 1, "ci_high": 4.2772659 - 1, "control_mean": 21. / 3011})
	// Strata, every look, and an arm without events are answered by events.
	events := ask(t, "events", `{"counts": [21, 11], "traffic": [0.79008134, 0.20991866]}`)
	for _, in := range []string{`{` + arms + `, "inference": "always-valid", "side": "greater"}`, `{"side": "greater", "strata": [{` + arms + `}, {` + arms + `}]}`} {
		a := ask(t, "compare", in)
		if len(a["warnings"].([]any)) != 1 || a["ci_high"] != nil || a["log_e"] == nil {
			t.Errorf("%s: %v", in, a)
		}
	}
	expect(t, ask(t, "compare", `{`+arms+`, "inference": "always-valid", "side": "greater"}`), 1e-6, map[string]any{"log_e": events["log_e"], "p_value": events["p_value"]})
	two := ask(t, "compare", `{`+arms+`, "inference": "always-valid"}`)
	expect(t, two, 1e-6, map[string]any{"log_e": events["log_e_two_sided"], "ci_low": events["ci_low"], "ci_high": events["ci_high"]})
}

// Errors that never were before: 500 in 10,000 against none.
func TestCompareOfCountsWithoutAny(t *testing.T) {
	none := `"control": {"type": "events", "count": 0, "exposure": 10000}, "treatment": {"type": "events", "count": 500, "exposure": 10000}`
	a := ask(t, "compare", `{`+none+`}`)
	expect(t, a, 1e-9, map[string]any{"state": "breached", "ci_high": nil, "log_e": ask(t, "events", `{"counts": [0, 500]}`)["log_e_two_sided"]})
	if p := a["p_value"].(float64); p > 1e-100 {
		t.Errorf("p = %v", p)
	}
	g := ask(t, "guardrail", `{`+none+`, "margin": 0.1}`)
	expect(t, g, 1e-9, map[string]any{"state": "breached", "harmed": true, "estimate": nil, "information": 500.0, "information_needed": nil})
}

// Seven failures and none are a breach on one side; on both they leave 0 within
// the interval, and the answer on both sides does not say more than that.
func TestCompareOfCountsDoesNotContradictItself(t *testing.T) {
	seven := `"control": {"type": "events", "count": 0, "exposure": 100}, "treatment": {"type": "events", "count": 7, "exposure": 100}`
	two := ask(t, "compare", `{`+seven+`}`)
	if low := two["ci_low"].(float64); two["state"] != "unknown" || low >= 0 || two["p_value"].(float64) < 0.05 {
		t.Errorf("two sides: %v", two)
	}
	one := ask(t, "compare", `{`+seven+`, "side": "greater"}`)
	if low := one["ci_low"].(float64); one["state"] != "breached" || low <= 0 || one["p_value"].(float64) > 0.05 {
		t.Errorf("one side: %v", one)
	}
}

func TestGuardrailOfCounts(t *testing.T) {
	same := `"control": {"type": "events", "count": 3000, "exposure": 2e9}, "treatment": {"type": "events", "count": 3000, "exposure": 2e9}`
	g := ask(t, "guardrail", `{`+same+`, "margin": 0.2, "direction": "decrease"}`)
	expect(t, g, 1e-9, map[string]any{"state": "safe", "estimate": 0.0, "se": math.Sqrt(2. / 3000)})
	if low, high := g["ci_low"].(float64), g["ci_high"].(float64); !(low < 0 && high > 0 && high < 0.2) {
		t.Errorf("%v", g)
	}
	refused(t, "guardrail", []refusal{
		{`{` + same + `, "margin": 0.2, "direction": "increase"}`, "bad_input", "direction"},
		{`{` + same + `, "margin": 0.2, "absolute": true}`, "bad_input", "absolute"},
		{`{` + same + `, "margin": 0.2, "detect": 0.1}`, "bad_input", "detect"},
		{`{` + same + `, "margin": -0.2}`, "bad_input", "margin"},
	})
	proportion := `{"type": "proportion", "n": 100, "sum": 1}`
	refused(t, "compare", []refusal{
		{`{` + same + `, "compat": "gbstats"}`, "bad_input", "compat"},
		{`{` + same + `, "margin": 0.1}`, "bad_input", "margin"},
		{`{` + same + `, "n_star": 100, "inference": "always-valid"}`, "bad_input", "n_star"},
		{`{` + same + `, "covariate": "pooled"}`, "bad_input", "covariate"},
		{`{` + same + `, "inference": "bayes"}`, "bad_input", "inference"},
		{`{` + same + `, "inference": "always-valid", "side": "less"}`, "bad_input", "side"},
		{`{"control": {"type": "events", "count": 1, "exposure": 0}, "treatment": ` + proportion + `}`, "bad_input", "control.type"},
		{`{"control": {"type": "events", "count": 1, "exposure": 0}, "treatment": {"type": "events", "count": 1, "exposure": 1}}`, "bad_input", "control.exposure"},
		{`{"control": {"type": "events", "count": 1.5, "exposure": 1}, "treatment": {"type": "events", "count": 1, "exposure": 1}}`, "bad_input", "control.count"},
		{`{"control": {"type": "events", "count": 1, "exposure": 1, "n": 3}, "treatment": {"type": "events", "count": 1, "exposure": 1}}`, "bad_input", "control.n"},
		{`{"strata": [{"control": ` + proportion + `, "treatment": ` + proportion + `}, {` + same + `}]}`, "bad_input", "strata[1].control.type"},
	})
}
