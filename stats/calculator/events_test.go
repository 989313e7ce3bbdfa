package calculator

import (
	"math"
	"testing"
)

func TestEvents(t *testing.T) {
	expect(t, ask(t, "events", `{"counts": [0, 7], "traffic": [0.5, 0.5], "margin": 1, "k": 2, "alpha": 0.05}`), 1e-9, map[string]any{
		"state": "breached", "log_e": math.Log(31.875), "ci_high": nil})
	expect(t, ask(t, "events", `{"counts": [0, 500]}`), 1e-9, map[string]any{"state": "breached"})
}

func TestEventsRefuses(t *testing.T) {
	refused(t, "events", []refusal{
		{`{"counts": [1]}`, "bad_input", "counts"},
		{`{"counts": [1, -1]}`, "bad_input", "counts[1]"},
		{`{"counts": [1.5, 1]}`, "bad_input", "counts[0]"},
		{`{"counts": [1, 1], "traffic": [0, 1]}`, "bad_input", "traffic"},
		{`{"counts": [1, 1], "margin": 0}`, "bad_input", "margin"},
	})
}
