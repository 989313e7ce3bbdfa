package calculator

import (
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Five units with 2 1 3 0 4 over 1 1 2 1 3, and the same and more before.
const (
	ratioArm     = `{"type": "ratio", "n": 5, "num_sum": 10, "num_sum_squares": 30, "den_sum": 8, "den_sum_squares": 16, "num_den_sum_product": 21}`
	explainedArm = `{"type": "mean", "n": 5, "post_sum": 10, "post_sum_squares": 30, "pre_sum": 8, "pre_sum_squares": 16, "post_pre_sum_product": 21}`
)

// Linearised by hand: the ratio is 1.25, m − 1.25 d is 0.75, −0.25, 0.5, −1.25
// and 0.25, whose squares add up to 2.5; the variance of the ratio is
// 2.5/4/5/1.6² = 0.048828125.
func TestRatioArms(t *testing.T) {
	a := ask(t, "compare", `{"control": `+ratioArm+`, "treatment": `+ratioArm+`}`)
	expect(t, a, 1e-12, map[string]any{"estimate": 0.0, "se": math.Sqrt(2 * 0.048828125), "control_mean": 1.25})
	other := strings.Replace(ratioArm, "num_den_", "den_num_", 1)
	if b := ask(t, "compare", `{"control": `+other+`, "treatment": `+other+`}`); !cmp.Equal(a, b) {
		t.Errorf("products in the other order: %v", cmp.Diff(a, b))
	}
}

// Ten clusters of two units each, whose sums are 0 and 4 in turn: the mean is 1,
// and the squares of the sums less the mean of their units add up to 40, over
// 20² units and times 10/9.
func TestClusterArms(t *testing.T) {
	arm := `{"type": "cluster", "clusters": 10, "sum": 20, "sum_squares": 80, "n_sum": 20, "n_sum_squares": 40, "sum_n_product": 40}`
	expect(t, ask(t, "compare", `{"control": `+arm+`, "treatment": `+arm+`}`), 1e-12, map[string]any{
		"estimate": 0.0, "se": math.Sqrt(2. * 40 / 400 * 10 / 9), "control_mean": 1.0, "df": 18.0})
	few := `{"type": "cluster", "clusters": 9, "sum": 20, "sum_squares": 80, "n_sum": 18, "n_sum_squares": 36, "sum_n_product": 40}`
	refused(t, "compare", []refusal{{`{"control": ` + few + `, "treatment": ` + arm + `}`, "too_few_units", "clusters"}})
}

// The bounds lie where 1.96 errors of the share put them in 100 of 400 events,
// so that the error of all 400 is half of (30−10)/(2·1.96).
func TestQuantileArms(t *testing.T) {
	arm := `{"type": "quantile", "n": 400, "n_star": 100, "nu": 0.5, "quantile_hat": 20, "lower": 10, "upper": 30}`
	expect(t, ask(t, "compare", `{"control": `+arm+`, "treatment": `+arm+`}`), 1e-9, map[string]any{
		"estimate": 0.0, "se": math.Sqrt2 * 20 / 2 / 1.959963984540054 / 2, "control_mean": 20.0})
	q := func(rest string) string {
		return `{"control": {"type": "quantile", ` + rest + `}, "treatment": ` + arm + `}`
	}
	refused(t, "compare", []refusal{
		{q(`"n": 400, "n_star": 100, "nu": 0.9, "quantile_hat": 20, "lower": 10, "upper": 30`), "bad_input", "treatment.nu"},
		{q(`"n": 400, "n_star": 100, "nu": 1, "quantile_hat": 20, "lower": 10, "upper": 30`), "bad_input", "control.nu"},
		{q(`"n": 400, "n_star": 0, "nu": 0.5, "quantile_hat": 20, "lower": 10, "upper": 30`), "bad_input", "control.n_star"},
		{q(`"n": 400, "n_star": 100, "nu": 0.5, "quantile_hat": 20, "lower": 21, "upper": 30`), "bad_input", "control.lower"},
		{q(`"n": 400, "n_star": 100, "nu": 0.5, "quantile_hat": 20, "lower": 10, "upper": 19`), "bad_input", "control.upper"},
		{q(`"n": 400, "nu": 0.5, "quantile_hat": 20, "upper": 30`), "bad_input", "control.lower"},
		{q(`"n": 400, "n_star": 100, "nu": 0.5, "quantile_hat": 20, "lower": 20, "upper": 20`), "zero_variance", "control.lower"},
		{q(`"n": 34, "nu": 0.9, "quantile_hat": 20, "lower": 10, "upper": 30`), "too_few_units", "control.n"},
		{q(`"n": 34, "nu": 0.1, "quantile_hat": 20, "lower": 10, "upper": 30`), "too_few_units", "control.n"},
	})
}

func TestArmsRefuse(t *testing.T) {
	p := func(arm string) string {
		return `{"control": ` + arm + `, "treatment": {"type": "proportion", "n": 100, "sum": 10}}`
	}
	refused(t, "compare", []refusal{
		{p(`{"n": 1}`), "bad_input", "control.type"},
		{p(`{"type": "ratio", "n": 1}`), "bad_input", "control.num_sum"},
		{p(`{"type": "events", "count": 1}`), "bad_input", "control.type"},
		{p(`{"type": "mean", "n": 1, "post_sum": 3}`), "bad_input", "control.post_sum"},
		{p(`{"type": "proportion", "n": 10}`), "bad_input", "control.sum"},
		{p(`{"type": "proportion", "n": 10, "sum": 11}`), "bad_input", "control.sum"},
		{p(`{"type": "proportion", "n": 10, "sum": 1.5}`), "bad_input", "control.sum"},
		{p(`{"type": "proportion", "n": -10, "sum": 1}`), "bad_input", "control.n"},
		{p(`{"type": "proportion", "n": 1e30, "sum": 1}`), "bad_input", "control.n"},
		{p(`{"type": "proportion", "n": "10", "sum": 1}`), "bad_input", "control.n"},
		{p(`{"type": "proportion", "n": 10, "sum": 1, "sum_squares": 1}`), "bad_input", "control.sum_squares"},
		{p(`{"type": "proportion", "n": 1, "sum": 1}`), "too_few_units", "control.n"},
		{p(`{"type": "mean", "n": 10, "sum": 10, "sum_squares": 10}`), "bad_input", "treatment.type"},
		{p(`{"type": "mean", "n": 10, "sum": 100, "sum_squares": 10}`), "bad_input", "control.sum_squares"},
		{`{"control": {"type": "mean", "n": 0, "sum": 0, "sum_squares": 0}, "treatment": {"type": "mean", "n": 4, "sum": 6, "sum_squares": 14}}`, "too_few_units", "control.n"},
		{p(strings.Replace(ratioArm, "21", "2100", 1)), "bad_input", "control.num_den_sum_product"},
		{p(strings.Replace(ratioArm, "}", `, "pre_sum": 3}`, 1)), "bad_input", "control.pre_sum"},
		{p(`{"type": "mean", "n": 0, "sum": 1, "sum_squares": 0}`), "bad_input", "control.sum_squares"},
		{p(`{"type": "means"}`), "bad_input", "control.type"},
		{p(`[]`), "bad_input", "control"},
		{p(`{"type": 3}`), "bad_input", "control.type"},
		{p(`{"type": "mean", "n": 2, "sum": 1e999, "sum_squares": 0}`), "bad_input", "control.sum"},
		{p(`{"type": "mean", "n": 2, "sum": 1e-999999999, "sum_squares": 0}`), "bad_input", "treatment.type"},
		{p(`{"type": "mean", "n": 2, "sum": NaN, "sum_squares": 0}`), "bad_input", ""},
	})
}
