package calculator

import (
	"math"
	"testing"

	"github.com/sluice-hq/sluice/stats"
)

func sampleRatioOf(observed ...int64) float64 {
	return stats.SampleRatio([]stats.Counts{{Observed: observed, Weights: []float64{1, 1}}}, 0, 100).LogE
}

func TestSRM(t *testing.T) {
	expect(t, ask(t, "srm", `{"observed": [44700, 45489], "weights": [0.5, 0.5]}`), 5e-5, map[string]any{
		"statistic": 6.9024, "df": 1.0, "p_value": 0.0086, "log_e": nil})
	a := ask(t, "srm", `{"observed": [44700, 45489], "weights": [0.5, 0.5], "method": "sequential", "k": 100}`)
	expect(t, a, 1e-9, map[string]any{"log_e": sampleRatioOf(44700, 45489), "statistic": nil})
	if ci := a["ci"].([]any); len(ci) != 2 {
		t.Errorf("ci = %v", ci)
	}
	expect(t, ask(t, "srm", `{"epochs": [{"observed": [950, 50], "weights": [95, 5]}, {"observed": [50, 50], "weights": [1, 1]}]}`), 1e-9,
		map[string]any{"statistic": 0.0, "df": 2.0, "p_value": 1.0})
	// One by one, one-hot and in a batch, the last e-value is that of the counts.
	want := sampleRatioOf(3, 1)
	shares := ask(t, "srm", `{"observed": [3, 1], "weights": [1, 1], "method": "sequential"}`)["ci"].([]any)
	for _, data := range []string{`[0, 1, 0, 0]`, `[[1, 0], [0, 1], [1, 0], [1, 0]]`, `[[3, 1]]`} {
		a := ask(t, "srm", `{"data": `+data+`, "weights": [0.5, 0.5], "dirichlet_alpha": [50, 50]}`)
		path := a["log_e"].([]any)
		if got := path[len(path)-1].(float64); math.Abs(got-want) > 1e-12 {
			t.Errorf("%s: log e %v, want %v", data, got, want)
		}
		for i, of := range a["ci"].([]any) {
			if low, want := of.([]any)[0].(float64), shares[i].([]any)[0].(float64); math.Abs(low-want) > 1e-9 {
				t.Errorf("%s: shares of arm %d begin at %v, want %v", data, i, low, want)
			}
		}
	}
	expect(t, ask(t, "srm", `{"data": [2], "weights": [1, 1, 0], "dirichlet_alpha": 5}`), 0, map[string]any{"leaked": 1.0, "alarm": true})
}

func TestSRMRefuses(t *testing.T) {
	one := `{"observed": [1, 2], "weights": [1, 1]`
	refused(t, "srm", []refusal{
		{one + `, "data": [0]}`, "bad_input", "data"},
		{one + `, "epochs": [` + one + `}]}`, "bad_input", "epochs"},
		{one + `, "dirichlet_alpha": 1}`, "bad_input", "dirichlet_alpha"},
		{one + `, "k": 10}`, "bad_input", "k"},
		{`{"data": [0], "weights": [1, 1], "method": "chi-square"}`, "bad_input", "method"},
		{`{"data": [0], "weights": [1, 1], "k": 1, "dirichlet_alpha": 1}`, "bad_input", "k"},
		{`{"data": [], "weights": [1, 1]}`, "too_few_units", "data"},
		{`{"weights": [1, 1], "epochs": [` + one + `}]}`, "bad_input", "weights"},
		{`{"epochs": [` + one + `}, {"observed": [1, "2"], "weights": [1, 1]}]}`, "bad_input", "epochs[1].observed[1]"},
		{`{"epochs": [` + one + `}, {"observed": [1, 2]}]}`, "bad_input", "epochs[1].weights"},
		{`{}`, "too_few_units", "observed"},
		{`{"observed": [1, 2], "weights": [1]}`, "bad_input", "weights"},
		{`{"observed": [1, -2], "weights": [1, 1]}`, "bad_input", "observed[1]"},
		{`{"observed": [1, 2], "weights": [1, 1], "method": "g-test"}`, "bad_input", "method"},
		{`{"data": [2], "weights": [1, 1]}`, "bad_input", "data[0]"},
		{`{"data": ["a"], "weights": [1, 1]}`, "bad_input", "data[0]"},
		{`{"data": [[-1, 0]], "weights": [1, 1]}`, "bad_input", "data[0]"},
		{`{"data": [0], "weights": [1, 1], "dirichlet_alpha": [1]}`, "bad_input", "dirichlet_alpha"},
		{`{"data": [0], "weights": [1, 1], "dirichlet_alpha": 0}`, "bad_input", "dirichlet_alpha"},
		{`{"data": [0], "weights": [1]}`, "bad_input", "weights"},
		{`{"data": [0], "weights": [1, 1], "compat": "gbstats"}`, "bad_input", "compat"},
		{`{"observed": [1, 2], "weights": [1, 1], "compat": "eppo"}`, "bad_input", "compat"},
		{`{"epochs": [{"observed": [1, 2], "weights": [1, 1]}, {"observed": [1, 2], "weights": [1, 1]}], "compat": "gbstats"}`, "bad_input", "compat"},
		{`{"observed": [1, 2], "weights": [1, 1], "compat": "gbstats", "method": "sequential"}`, "bad_input", "method"},
		{`{"observed": [1, 2], "weights": [1, 1], "compat": "gbstats", "k": 5}`, "bad_input", "k"},
		{`{"observed": [1, 2], "weights": [1, 1], "compat": "gbstats", "alpha": 0.01}`, "bad_input", "alpha"},
		{`{"data": [0], "observed": [1, 2], "weights": [1, 1]}`, "bad_input", "data"},
		{`{"data": [0], "epochs": [], "weights": [1, 1]}`, "bad_input", "data"},
		{`{"data": [0], "weights": [1, 1], "method": "chi-square"}`, "bad_input", "method"},
		{`{"observed": [1, 2], "weights": [1, 1], "dirichlet_alpha": 5}`, "bad_input", "dirichlet_alpha"},
		{`{"epochs": [{"observed": [1, 2], "weights": [1, 1]}, {"observed": [1, -2], "weights": [1, 1]}]}`, "bad_input", "epochs[1].observed[1]"},
		{`{"epochs": [{"observed": [1, 2], "weights": [1, 1]}, {"observed": [1, 2], "weights": [1]}]}`, "bad_input", "epochs[1].weights"},
	})
}

// Shares that are no whole, and units that no arm should have, are told in every
// form of the question.
func TestSRMWarns(t *testing.T) {
	for _, in := range []string{
		`{"observed": [500, 400], "weights": [0.5, 0.4]}`,
		`{"observed": [500, 400], "weights": [0.5, 0.4], "method": "sequential"}`,
		`{"data": [0, 1], "weights": [0.5, 0.4]}`,
		`{"data": [0, 2], "weights": [1, 1, 0]}`,
	} {
		if warnings, _ := ask(t, "srm", in)["warnings"].([]any); len(warnings) == 0 {
			t.Errorf("%s: no warning", in)
		}
	}
}

// By gbstats a leak of 300 units into an arm of weight 0 is no alarm: its p-value
// is that of 8.738 with 2 degrees of freedom.
func TestSRMCompat(t *testing.T) {
	const leak = `{"observed": [5000, 5000, 300], "weights": [0.5, 0.5, 0]`
	expect(t, ask(t, "srm", leak+`, "compat": "gbstats"}`), 5e-4, map[string]any{"statistic": 8.738, "df": 2.0, "p_value": 0.0127, "leaked": 300.0, "alarm": false})
	expect(t, ask(t, "srm", leak+`}`), 0, map[string]any{"alarm": true})
}
