package calculator

import (
	"math"
	"testing"

	"github.com/sluice-hq/sluice/stats"
)

func TestEvents(t *testing.T) {
	expect(t, ask(t, "events", `{"counts": [0, 7], "traffic": [0.5, 0.5], "margin": 1, "k": 2, "alpha": 0.05}`), 1e-9, map[string]any{
		"state": "breached", "log_e": math.Log(31.875), "ci_high": nil})
	expect(t, ask(t, "events", `{"counts": [0, 500]}`), 1e-9, map[string]any{"state": "breached"})
}

// Of a hundred units thirty failed, where one in a hundred may: the prior
// Beta(0.02, 1.98), cut to what is above, makes log E 75.20958967 by numeric
// integration over the log of the chance.
func TestEventsWithoutControl(t *testing.T) {
	a := ask(t, "events", `{"counts": [30], "units": 100, "rate": 0.01}`)
	want := stats.EventRate{Rate: 0.01}.Judge(30, 100)
	expect(t, a, 1e-9, map[string]any{"state": "breached", "log_e": 75.20958967441737, "p_value": want.P, "estimate": 0.3,
		"ci_low": math.Log(want.Bounds.Low / 0.01), "ci_high": math.Log(want.Bounds.High / 0.01), "log_e_two_sided": nil})
	if low, high := a["ci_low"].(float64), a["ci_high"].(float64); !(low > 0 && low < math.Log(30) && high > math.Log(30)) {
		t.Errorf("bounds %v to %v", low, high)
	}
	expect(t, ask(t, "events", `{"counts": [0], "units": 100, "rate": 0.01}`), 0, map[string]any{"state": "unknown", "estimate": 0.0, "ci_low": nil})
	expect(t, ask(t, "events", `{"counts": [30], "units": 100, "rate": 0.01, "margin": 30}`), 0, map[string]any{"state": "unknown"})
	refused(t, "events", []refusal{
		{`{"counts": [1, 2], "units": 10, "rate": 0.1}`, "bad_input", "counts"},
		{`{"counts": [1], "rate": 0.1}`, "bad_input", "units"},
		{`{"counts": [1, 2], "units": 10}`, "bad_input", "units"},
		{`{"counts": [1], "units": 10, "rate": 0.1, "traffic": [1, 1]}`, "bad_input", "traffic"},
		{`{"counts": [1], "units": "10", "rate": 0.1}`, "bad_input", "units"},
		{`{"counts": [11], "units": 10, "rate": 0.1}`, "bad_input", "counts"},
		{`{"counts": [0], "units": 0, "rate": 0.1}`, "too_few_units", "counts"},
		{`{"counts": [1], "units": 10, "rate": 0}`, "bad_input", "rate"},
		{`{"counts": [1], "units": 10, "rate": 1}`, "bad_input", "rate"},
	})
}

func TestEventsRefuses(t *testing.T) {
	refused(t, "events", []refusal{
		{`{"counts": [1]}`, "bad_input", "counts"},
		{`{"counts": [1, -1]}`, "bad_input", "counts[1]"},
		{`{"counts": [1.5, 1]}`, "bad_input", "counts[0]"},
		{`{"counts": [1, 1], "traffic": [1]}`, "bad_input", "traffic"},
		{`{"counts": [1, 1], "traffic": [0, 1]}`, "bad_input", "traffic"},
		{`{"counts": [1, 1], "margin": 0}`, "bad_input", "margin"},
	})
}
