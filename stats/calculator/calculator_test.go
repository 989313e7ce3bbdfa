package calculator

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/sluice-hq/sluice/stats"
)

const cookieArms = `"control": {"type": "proportion", "n": 44700, "sum": 8502}, "treatment": {"type": "proportion", "n": 45489, "sum": 8279}`

// ask returns the answer to a question.
func ask(t *testing.T, command, in string) map[string]any {
	t.Helper()
	out, err := Answer(command, []byte(in))
	if err != nil {
		t.Fatalf("%s %s: %v", command, in, err)
	}
	var answer map[string]any
	if err := json.Unmarshal(out, &answer); err != nil {
		t.Fatalf("%s: %v", out, err)
	}
	return answer
}

// expect compares numbers of an answer to so many digits.
func expect(t *testing.T, answer map[string]any, within float64, want map[string]any) {
	t.Helper()
	for key, w := range want {
		got := answer[key]
		x, isNumber := got.(float64)
		if y, ok := w.(float64); ok && isNumber && math.Abs(x-y) <= within*math.Max(1, math.Abs(y)) {
			continue
		}
		if fmt.Sprint(got) != fmt.Sprint(w) {
			t.Errorf("%s = %v, want %v", key, got, w)
		}
	}
}

func sampleRatioOf(observed ...int64) float64 {
	return stats.SampleRatio([]stats.Counts{{Observed: observed, Weights: []float64{1, 1}}}, 0, 100).LogE
}

func TestCompare(t *testing.T) {
	expect(t, ask(t, "compare", `{`+cookieArms+`}`), 5e-5, map[string]any{
		"estimate": -0.0082, "ci_low": -0.0133, "ci_high": -0.0031, "p_value": 0.00155, "statistic": -3.16436,
		"control_mean": 0.1902, "treatment_mean": 0.1820, "warnings": "[]"})
	expect(t, ask(t, "compare", `{"strata": [{`+cookieArms+`}], "side": "less", "relative": true}`), 5e-5, map[string]any{
		"estimate": -0.04312, "ci_low": nil, "se": 0.01333})
	// Half-width at N* = 5,000 by the closed form in units of [WSR, eq. 9].
	a := ask(t, "compare", `{`+cookieArms+`, "inference": "always-valid", "n_star": 5000}`)
	l := -2 * math.Log(0.05)
	n, rho2 := 90189., (l+math.Log(1+l))/5000
	half := a["se"].(float64) * math.Sqrt(n) * math.Sqrt(2*(n*rho2+1)/(n*n*rho2)*math.Log(math.Sqrt(n*rho2+1)/0.05))
	expect(t, a, 1e-9, map[string]any{"ci_low": a["estimate"].(float64) - half, "ci_high": a["estimate"].(float64) + half})
}

// Sums of values near 1.7e9: exact digits keep the variance that floats lose.
func TestMean(t *testing.T) {
	// 0, 1, 2, 3 on top of 1.7e9, and 10, 11, 12, 13.
	a := ask(t, "compare", `{"control": {"type": "mean", "n": 4, "sum": 6800000006, "sum_squares": 11560000020400000014},
		"treatment": {"type": "mean", "n": 4, "sum": 6800000046, "sum_squares": 11560000156400000534}}`)
	expect(t, a, 1e-9, map[string]any{"estimate": 10.0, "se": math.Sqrt(2 * (5. / 3) / 4), "df": 6.0})
}

func TestGuardrail(t *testing.T) {
	a := ask(t, "guardrail", `{`+cookieArms+`, "margin": 0, "detect": 0.04, "direction": "increase", "alpha": 0.05}`)
	expect(t, a, 0.01, map[string]any{"state": "breached", "e_value": 57.0, "information": 148927.0, "information_needed": 106812.0})
	a = ask(t, "guardrail", `{"control": {"type": "proportion", "n": 10000, "sum": 0}, "treatment": {"type": "proportion", "n": 10000, "sum": 500},
		"margin": 0.1, "direction": "decrease"}`)
	expect(t, a, 0, map[string]any{"state": "breached", "relative": false})
}

func TestEvents(t *testing.T) {
	expect(t, ask(t, "events", `{"counts": [0, 7], "traffic": [0.5, 0.5], "margin": 1, "k": 2, "alpha": 0.05}`), 1e-9, map[string]any{
		"state": "breached", "log_e": math.Log(31.875), "ci_high": nil})
	expect(t, ask(t, "events", `{"counts": [0, 500]}`), 1e-9, map[string]any{"state": "breached"})
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
	for _, data := range []string{`[0, 1, 0, 0]`, `[[1, 0], [0, 1], [1, 0], [1, 0]]`, `[[3, 1]]`} {
		path := ask(t, "srm", `{"data": `+data+`, "weights": [0.5, 0.5], "dirichlet_alpha": [50, 50]}`)["log_e"].([]any)
		if got := path[len(path)-1].(float64); math.Abs(got-want) > 1e-12 {
			t.Errorf("%s: log e %v, want %v", data, got, want)
		}
	}
	expect(t, ask(t, "srm", `{"data": [2], "weights": [1, 1, 0], "dirichlet_alpha": 5}`), 0, map[string]any{"leaked": 1.0, "alarm": true})
}

func TestRefuses(t *testing.T) {
	p := func(arm string) string {
		return `{"control": ` + arm + `, "treatment": {"type": "proportion", "n": 100, "sum": 10}}`
	}
	for _, tt := range []struct{ command, in, code, field string }{
		{"bayes", `{}`, "bad_input", ""},
		{"power", `{}`, "bad_input", ""},
		{"compare", ``, "bad_input", ""},
		{"compare", `[]`, "bad_input", ""},
		{"compare", `{} {}`, "bad_input", ""},
		{"compare", `{`, "bad_input", ""},
		{"compare", `{}`, "bad_input", "control"},
		{"compare", `{"controls": 1}`, "bad_input", "controls"},
		{"compare", `{"alpha": "0.05"}`, "bad_input", "alpha"},
		{"compare", `{` + cookieArms + `, "alpha": 0}`, "bad_input", "alpha"},
		{"compare", `{` + cookieArms + `, "alpha": 1}`, "bad_input", "alpha"},
		{"compare", `{` + cookieArms + `, "compat": "gbstats"}`, "bad_input", "compat"},
		{"compare", `{` + cookieArms + `, "inference": "bayes"}`, "bad_input", "inference"},
		{"compare", `{` + cookieArms + `, "prior": {"mean": 0}}`, "bad_input", "prior"},
		{"compare", `{` + cookieArms + `, "covariate": "pooled"}`, "bad_input", "covariate"},
		{"compare", `{` + cookieArms + `, "side": "both"}`, "bad_input", "side"},
		{"compare", `{` + cookieArms + `, "n_star": 0}`, "bad_input", "n_star"},
		{"compare", `{` + cookieArms + `, "strata": [{` + cookieArms + `}]}`, "bad_input", "strata"},
		{"compare", `{"control": {"type": "proportion", "n": 1, "sum": 1}}`, "bad_input", "control"},
		{"compare", p(`{"n": 1}`), "bad_input", "type"},
		{"compare", p(`{"type": "ratio", "n": 1}`), "bad_input", "type"},
		{"compare", p(`{"type": "events", "count": 1}`), "bad_input", "type"},
		{"compare", p(`{"type": "mean", "n": 1, "post_sum": 3}`), "bad_input", "post_sum"},
		{"compare", p(`{"type": "proportion", "n": 10}`), "bad_input", "sum"},
		{"compare", p(`{"type": "proportion", "n": 10, "sum": 11}`), "bad_input", "sum"},
		{"compare", p(`{"type": "proportion", "n": 10, "sum": 1.5}`), "bad_input", "sum"},
		{"compare", p(`{"type": "proportion", "n": -10, "sum": 1}`), "bad_input", "n"},
		{"compare", p(`{"type": "proportion", "n": 1e30, "sum": 1}`), "bad_input", "n"},
		{"compare", p(`{"type": "proportion", "n": "10", "sum": 1}`), "bad_input", ""},
		{"compare", p(`{"type": "proportion", "n": 10, "sum": 1, "sum_squares": 1}`), "bad_input", "sum_squares"},
		{"compare", p(`{"type": "proportion", "n": 1, "sum": 1}`), "too_few_units", "control.n"},
		{"compare", p(`{"type": "mean", "n": 10, "sum": 10, "sum_squares": 10}`), "bad_input", "treatment.type"},
		{"compare", p(`{"type": "mean", "n": 10, "sum": 100, "sum_squares": 10}`), "bad_input", "sum_squares"},
		{"compare", p(`{"type": "mean", "n": 0, "sum": 0, "sum_squares": 0}`), "too_few_units", "n"},
		{"compare", p(`{"type": "mean", "n": 2, "sum": 1e999, "sum_squares": 0}`), "bad_input", "sum"},
		{"compare", p(`{"type": "mean", "n": 2, "sum": 1e-999999999, "sum_squares": 0}`), "bad_input", "treatment.type"},
		{"compare", p(`{"type": "mean", "n": 2, "sum": NaN, "sum_squares": 0}`), "bad_input", ""},
		{"compare", `{"control": {"type": "proportion", "n": 10, "sum": 0}, "treatment": {"type": "proportion", "n": 10, "sum": 0}}`, "zero_variance", "sum"},
		{"compare", `{"relative": true, "control": {"type": "proportion", "n": 10, "sum": 0}, "treatment": {"type": "proportion", "n": 10, "sum": 3}}`, "unbounded", "control"},
		{"guardrail", `{` + cookieArms + `}`, "bad_input", "margin"},
		{"guardrail", `{` + cookieArms + `, "margin": 0}`, "bad_input", "detect"},
		{"guardrail", `{` + cookieArms + `, "margin": 0.1, "direction": "up"}`, "bad_input", ""},
		{"guardrail", `{` + cookieArms + `, "margin": 0.1, "inference": "fixed"}`, "bad_input", "inference"},
		{"guardrail", `{"margin": 0.1, "control": {"type": "proportion", "n": 99, "sum": 1}, "treatment": {"type": "proportion", "n": 100, "sum": 1}}`, "too_few_units", "control.n"},
		{"guardrail", `{"margin": 0.1, "control": {"type": "proportion", "n": 100, "sum": 1}, "treatment": {"type": "proportion", "n": 99, "sum": 1}}`, "too_few_units", "treatment.n"},
		{"guardrail", `{"margin": 0.1, "control": {"type": "proportion", "n": 100, "sum": 0}, "treatment": {"type": "proportion", "n": 100, "sum": 0}}`, "zero_variance", "sum"},
		{"events", `{"counts": [1]}`, "bad_input", "counts"},
		{"events", `{"counts": [1, -1]}`, "bad_input", "counts[1]"},
		{"events", `{"counts": [1.5, 1]}`, "bad_input", "counts[0]"},
		{"events", `{"counts": [1, 1], "traffic": [0, 1]}`, "bad_input", "traffic"},
		{"events", `{"counts": [1, 1], "margin": 0}`, "bad_input", "margin"},
		{"srm", `{}`, "too_few_units", "observed"},
		{"srm", `{"observed": [1, 2], "weights": [1]}`, "bad_input", "weights"},
		{"srm", `{"observed": [1, -2], "weights": [1, 1]}`, "bad_input", "observed[1]"},
		{"srm", `{"observed": [1, 2], "weights": [1, 1], "method": "g-test"}`, "bad_input", "method"},
		{"srm", `{"data": [2], "weights": [1, 1]}`, "bad_input", "data[0]"},
		{"srm", `{"data": ["a"], "weights": [1, 1]}`, "bad_input", "data[0]"},
		{"srm", `{"data": [[-1, 0]], "weights": [1, 1]}`, "bad_input", "data[0]"},
		{"srm", `{"data": [0], "weights": [1, 1], "dirichlet_alpha": [1]}`, "bad_input", "dirichlet_alpha"},
		{"srm", `{"data": [0], "weights": [1, 1], "dirichlet_alpha": 0}`, "bad_input", "dirichlet_alpha"},
		{"srm", `{"data": [0], "weights": [1]}`, "bad_input", "weights"},
	} {
		out, err := Answer(tt.command, []byte(tt.in))
		var refusal *stats.Refusal
		if !errors.As(err, &refusal) || string(refusal.Code) != tt.code || refusal.Field != tt.field || refusal.Message == "" {
			t.Errorf("%s %s: %v, want %s of %q", tt.command, tt.in, out, tt.code, tt.field)
			continue
		}
		if !strings.HasPrefix(string(out), `{"error":{"code":"`+tt.code+`"`) {
			t.Errorf("%s %s: printed %s", tt.command, tt.in, out)
		}
	}
}

// Whatever the words: an answer or a refusal, and JSON.
func FuzzAnswer(f *testing.F) {
	f.Add("compare", `{`+cookieArms+`}`)
	f.Add("guardrail", `{`+cookieArms+`, "margin": 0.1}`)
	f.Add("events", `{"counts": [0, 7], "traffic": [0.5, 0.5]}`)
	f.Add("srm", `{"data": [0, 1, [1, 0]], "weights": [1, 1], "dirichlet_alpha": 3}`)
	f.Fuzz(func(t *testing.T, command, in string) {
		out, err := Answer(command, []byte(in))
		var refusal *stats.Refusal
		if !json.Valid(out) || err != nil && !errors.As(err, &refusal) {
			t.Fatalf("%s, %v", out, err)
		}
	})
}
