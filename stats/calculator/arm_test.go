package calculator

import (
	"fmt"
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

// The experiment of Lin 2013 (Ann. Appl. Stat. 7:295), table 2, with grades at
// school: −0.036 (0.158) unadjusted, −0.081 (0.146) with slopes of each arm.
func TestArmsWithCovariate(t *testing.T) {
	men := `"control": {"type": "mean", "n": 99, "post_sum": 183.74, "post_sum_squares": 432.7666, "pre_sum": 7779.8, "pre_sum_squares": 613303.04, "post_pre_sum_product": 14615.478},
		"treatment": {"type": "mean", "n": 58, "post_sum": 105.55, "post_sum_squares": 244.0793, "pre_sum": 4589.5, "pre_sum_squares": 364190.27, "post_pre_sum_product": 8431.834}`
	a := ask(t, "compare", `{`+men+`}`)
	expect(t, a, 5e-3, map[string]any{"estimate": -0.081, "se": 0.146, "control_mean": 1.856})
	if d := a["treatment_adjusted"].(float64) - a["control_adjusted"].(float64); math.Abs(d-a["estimate"].(float64)) > 1e-12 || a["theta"].(float64) <= 0 {
		t.Errorf("%v", a)
	}
	raw := ask(t, "compare", `{`+men+`, "covariate": "none"}`)
	expect(t, raw, 5e-3, map[string]any{"estimate": -0.036, "se": 0.158, "theta": nil})
	// Nobody is new, so that the indicator of new units says nothing.
	known := strings.NewReplacer(`"post_pre`, `"new_sum": 0, "new_sum_squares": 0, "post_new_sum_product": 0, "pre_new_sum_product": 0, "post_pre`).Replace(men)
	expect(t, ask(t, "compare", `{`+known+`}`), 1e-9, map[string]any{"estimate": a["estimate"], "se": a["se"]})
}

// GrowthBook, packages/stats/tests/frequentist/test_tests.py,
// test_two_sided_ttest_test_runs_ratio_ra: −0.0007 with the standard error
// 0.00391, p = 0.85771.
func TestRatioArmsWithCovariate(t *testing.T) {
	arm := func(sums [4]float64, products [10]float64) string {
		names := []string{"post_num", "post_den", "pre_num", "pre_den"}
		s, at := `{"type": "ratio", "n": 100`, 0
		for i, a := range names {
			s += fmt.Sprintf(`, "%s_sum": %v, "%s_sum_squares": %v`, a, sums[i], a, products[at])
			at++
			for _, b := range names[i+1:] {
				s += fmt.Sprintf(`, "%s_%s_sum_product": %v`, a, b, products[at])
				at++
			}
		}
		return s + `}`
	}
	data := `"control": ` + arm([4]float64{485.112236689623, 679.9093275844917, 192.59138069991536, 290.1398399750233},
		[10]float64{2715.484666118136, 3602.146836776702, 1113.6215759318352, 1559.2878434944676,
			4939.424001640236, 1460.3181079276983, 2130.9404074446747, 460.076026390857, 634.239482353647, 920.9461385038898}) +
		`, "treatment": ` + arm([4]float64{514.7757826608777, 705.4090874383759, 206.94157227402536, 302.54389139107326},
		[10]float64{2994.897482705013, 3918.1561431600717, 1237.0953021125997, 1701.0287270040265,
			5291.36604146392, 1604.0759503266522, 2292.081739775257, 514.2903702246757, 698.4173425817908, 994.4506208125663})
	expect(t, ask(t, "compare", `{`+data+`, "relative": true, "compat": "gbstats"}`), 1e-5, map[string]any{"estimate": -0.0007, "se": 0.00391, "p_value": 0.85771})
	expect(t, ask(t, "compare", `{`+data+`, "relative": true, "covariate": "pooled"}`), 1e-3, map[string]any{"estimate": -0.0007, "se": 0.00391, "p_value": 0.85771})
}

// Ten clusters of two units each, whose sums are 0 and 4 in turn: the mean is 1,
// and the squares of the sums less the mean of their units add up to 40, over
// 20² units and times 10/9.
func TestClusterArms(t *testing.T) {
	arm := `{"type": "cluster", "clusters": 10, "sum": 20, "sum_squares": 80, "n_sum": 20, "n_sum_squares": 40, "sum_n_product": 40}`
	expect(t, ask(t, "compare", `{"control": `+arm+`, "treatment": `+arm+`}`), 1e-12, map[string]any{
		"estimate": 0.0, "se": math.Sqrt(2. * 40 / 400 * 10 / 9), "control_mean": 1.0, "df": 18.0})
	// The sums before are those after, and explain all of them.
	before := strings.Replace(arm, "}", `, "pre_sum": 20, "pre_sum_squares": 80, "pre_n_sum": 20, "pre_n_sum_squares": 40,
		"sum_pre_product": 80, "sum_pre_n_product": 40, "n_pre_product": 40, "n_pre_n_product": 40, "pre_pre_n_product": 40}`, 1)
	refused(t, "compare", []refusal{{`{"control": ` + before + `, "treatment": ` + before + `}`, "zero_variance", "sum"}})
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
		{p(`{"type": "mean", "n": 1, "post_sum": 3}`), "bad_input", "control.post_sum_squares"},
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
