package calculator

import (
	"fmt"
	"testing"

	"github.com/sluice-hq/sluice/stats"
)

// Half a standard deviation at 80 % takes 64 units an arm (Cohen 1988,
// "Statistical Power Analysis", table 2.4.1).
func TestPower(t *testing.T) {
	expect(t, ask(t, "power", `{"metric": {"kind": "mean", "mean": 1, "sd": 1}, "effect": 0.5, "absolute": true}`), 1e-9, map[string]any{
		"n": "[64 64]", "total": 128.0, "power": 0.8, "inflation": 1.0})
	// The same units, asked the other way round.
	a := ask(t, "power", `{"metric": {"kind": "mean", "mean": 1, "sd": 1}, "effect": 0.5, "absolute": true, "n": 64}`)
	expect(t, a, 2e-3, map[string]any{"n": "[64 64]", "power": 0.8, "mde": 0.5})
	b := ask(t, "power", `{"metric": {"kind": "mean", "mean": 1, "sd": 1}, "effect": 0.5, "absolute": true, "n": [64, 64], "arms": 2}`)
	expect(t, b, 0, map[string]any{"power": a["power"], "mde": a["mde"]})
	expect(t, ask(t, "power", `{"metric": {"kind": "proportion", "rate": 0.19}, "effect": 0.05, "arms": 3, "weights": [2, 1, 1]}`), 0,
		map[string]any{"warnings": "[]"})
	c := ask(t, "power", `{"metric": {"kind": "proportion", "rate": 0.19, "cluster": {"mean": 5, "icc": 0.1}}, "margin": 0.02, "effect": 0, "inference": "always-valid", "power": 0.9}`)
	if c["inflation"].(float64) <= 1 || len(c["clusters"].([]any)) != 2 {
		t.Errorf("%v", c)
	}
}

// A failure that control does not have, of one treated unit in a thousand; and
// a rate that is to be shown not to have grown by half.
func TestPowerOfEvents(t *testing.T) {
	never := stats.EventDesign{Effect: 0.001, Absolute: true}.Solve()
	expect(t, ask(t, "power", `{"metric": {"kind": "events", "rate": 0}, "effect": 0.001, "absolute": true}`), 0, map[string]any{
		"n": fmt.Sprint(never.Units), "power": 0.8, "mde": 0.001})
	half := stats.EventDesign{Rate: 0.01, Exclude: 1.5}.Solve()
	expect(t, ask(t, "power", `{"metric": {"kind": "events", "rate": 0.01}, "margin": 0.5}`), 1e-9, map[string]any{"n": fmt.Sprint(half.Units), "mde": 0.5})
	e := func(rest string) string { return `{"metric": {"kind": "events", "rate": 0.01` + rest + `}` }
	refused(t, "power", []refusal{
		{`{"metric": {"kind": "events"}}`, "bad_input", "metric.rate"},
		{e(`, "sd": 1}, "effect": 0.5`), "bad_input", "metric"},
		{e(`}, "effect": 0.5, "side": "two"`), "bad_input", "side"},
		{e(`}, "effect": 0.5, "looks": 2`), "bad_input", "looks"},
		{e(`}, "effect": 0.5, "inference": "fixed"`), "bad_input", "inference"},
		{e(`}, "effect": 0.5, "direction": "increase"`), "bad_input", "direction"},
		{e(`}, "effect": 0.5, "arms": 3`), "bad_input", "arms"},
		{e(`}, "margin": 0`), "bad_input", "margin"},
		{e(`}, "effect": -0.5`), "bad_input", "effect"},
	})
}

func TestPowerRefuses(t *testing.T) {
	m := func(rest string) string { return `{"metric": {"kind": "mean", "mean": 1, "sd": 1}` + rest + `}` }
	refused(t, "power", []refusal{
		{`{}`, "bad_input", "metric.kind"},
		{`{"metric": {"kind": "proportion"}}`, "bad_input", "metric.rate"},
		{`{"metric": {"kind": "proportion", "rate": 0}, "effect": 0.1}`, "bad_input", "metric.rate"},
		{`{"metric": {"kind": "proportion", "rate": 0.1, "mean": 0.1}}`, "bad_input", "metric.rate"},
		{`{"metric": {"kind": "mean"}}`, "bad_input", "metric.mean"},
		{`{"metric": {"kind": "mean", "mean": 1}, "effect": 0.1}`, "bad_input", "metric.sd"},
		{`{"metric": {"kind": "mean", "mean": 1, "sd": 0}, "effect": 0.1}`, "bad_input", "metric.sd"},
		{`{"metric": {"kind": "median", "mean": 1, "sd": 1}, "effect": 0.1}`, "bad_input", "metric.kind"},
		{`{"metric": {"kind": "mean", "mean": "1"}}`, "bad_input", "metric.mean"},
		{m(``), "bad_input", "effect"},
		{m(`, "effect": 0.1, "n": 0`), "bad_input", "n"},
		{m(`, "effect": 0.1, "n": "many"`), "bad_input", "n"},
		{m(`, "effect": 0.1, "n": [10]`), "bad_input", "n"},
		{m(`, "effect": 0.1, "n": [10, 0]`), "bad_input", "n[1]"},
		{m(`, "effect": 0.1, "n": [10, 10], "arms": 3`), "bad_input", "n"},
		{m(`, "effect": 0.1, "n": [10, 10], "weights": [1, 1]`), "bad_input", "weights"},
		{m(`, "effect": 0.1, "arms": 1`), "bad_input", "arms"},
		{m(`, "effect": 0.1, "arms": 3, "weights": [1, 1]`), "bad_input", "weights"},
		{m(`, "effect": 0.1, "weights": [1, 0]`), "bad_input", "weights"},
		{m(`, "effect": 0.1, "looks": 0`), "bad_input", "looks"},
		{m(`, "effect": 0.1, "alpha": 0.7`), "bad_input", "alpha"},
		{m(`, "effect": 0.1, "power": 0`), "bad_input", "power"},
		{m(`, "effect": 0.1, "side": "less"`), "bad_input", "effect"},
		{m(`, "effect": 0.1, "inference": "bayes"`), "bad_input", "inference"},
		{m(`, "effect": 0.1, "direction": "decrease"`), "bad_input", "direction"},
		{`{"metric": {"kind": "mean", "mean": 1, "sd": 1, "nu": 0.5}, "effect": 0.1}`, "bad_input", "metric.nu"},
		{`{"metric": {"kind": "quantile", "mean": 1, "sd": 1, "density": 0.5}, "effect": 0.1}`, "bad_input", "metric.density"},
		{m(`, "margin": 0`), "bad_input", "margin"},
		{m(`, "margin": 0.1, "direction": "up"`), "bad_input", "direction"},
	})
}
