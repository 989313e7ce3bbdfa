package calculator

import "testing"

// 57,292 units in both arms come in 11.5 days of 5,000.
func TestPowerTellsDays(t *testing.T) {
	expect(t, ask(t, "power", `{"metric": {"kind": "proportion", "rate": 0.19}, "effect": 0.05, "per_day": 5000}`), 0.01, map[string]any{
		"total": 57292., "days": 57292. / 5000})
	refused(t, "power", []refusal{
		{`{"metric": {"kind": "proportion", "rate": 0.19}, "effect": 0.05, "per_day": 0}`, "bad_input", "per_day"},
		{`{"metric": {"kind": "proportion", "rate": 0.19}, "effect": 0.05, "per_day": 1e-9}`, "bad_input", "per_day"},
	})
}
