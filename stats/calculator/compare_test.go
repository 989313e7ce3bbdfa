package calculator

import (
	"math"
	"testing"
)

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

// GrowthBook, packages/stats/tests/frequentist/test_tests.py: 0.50386 with the
// standard error 0.03386 and its sequential bounds.
func TestCompareByOtherFormulae(t *testing.T) {
	arms := `"control": {"type": "proportion", "n": 3000, "sum": 1396}, "treatment": {"type": "proportion", "n": 3461, "sum": 2422}`
	expect(t, ask(t, "compare", `{`+arms+`, "relative": true, "inference": "always-valid", "compat": "gbstats"}`), 2e-5, map[string]any{
		"estimate": 0.50386, "se": 0.03386, "ci_low": 0.40098, "ci_high": 0.60675, "log_e": nil})
	methods := map[any]bool{}
	for _, name := range []string{"", "gbstats", "posthog", "statsig", "eppo", "spotify"} {
		methods[ask(t, "compare", `{`+arms+`, "compat": "`+name+`"}`)["method"]] = true
	}
	if len(methods) != 6 {
		t.Errorf("the methods are %v", methods)
	}
}

// The second of five looks of an O'Brien-Fleming-type plan, at 0.025 on one side:
// rpact and gsDesign print 3.357 for it.
func TestCompareAtALook(t *testing.T) {
	a := ask(t, "compare", `{`+cookieArms+`, "side": "less", "alpha": 0.025, "inference": "group-sequential", "information": [0.2, 0.4]}`)
	expect(t, a, 5e-4, map[string]any{"z_critical": 3.3569, "crossed": false, "statistic": -3.16436})
	refused(t, "compare", []refusal{
		{`{` + cookieArms + `, "information": [0.5]}`, "bad_input", "information"},
		{`{` + cookieArms + `, "inference": "group-sequential"}`, "bad_input", "information"},
		{`{` + cookieArms + `, "inference": "group-sequential", "information": [0.5], "rho": 2}`, "bad_input", "rho"},
		{`{` + cookieArms + `, "inference": "group-sequential", "information": [0.5], "gamma": 2}`, "bad_input", "gamma"},
		{`{` + cookieArms + `, "inference": "group-sequential", "information": [0.5], "looks": 2}`, "bad_input", "looks"},
	})
}

// Forty units: the exact band of few units is wider than the asymptotic
// one, and both hold the estimate.
func TestCompareOfFewUnits(t *testing.T) {
	arms := `"control": {"type": "mean", "n": 20, "sum": 20, "sum_squares": 60}, "treatment": {"type": "mean", "n": 20, "sum": 40, "sum_squares": 120}`
	width := func(inference string) float64 {
		a := ask(t, "compare", `{`+arms+`, "n_star": 40, "inference": "`+inference+`"}`)
		return a["ci_high"].(float64) - a["ci_low"].(float64)
	}
	if few, many := width("linear-model"), width("always-valid"); !(few > many) {
		t.Errorf("%v, asymptotic %v", few, many)
	}
}

func TestCompareRefuses(t *testing.T) {
	refused(t, "compare", []refusal{
		{`{` + cookieArms + `, "alpha": 0}`, "bad_input", "alpha"},
		{`{` + cookieArms + `, "alpha": 1}`, "bad_input", "alpha"},
		{`{` + cookieArms + `, "compat": "optimizely"}`, "bad_input", "compat"},
		{`{"control": {"type": "mean", "n": 57016405096, "post_sum": 57016405004947505000, "post_sum_squares": 5.701640491389617e+28, "post_pre_sum_product": 5.701640506129938e+28, "pre_sum": 57016405152351860000, "pre_sum_squares": 5.701640520870373e+28},
			"treatment": {"type": "mean", "n": 248, "post_sum": 248, "post_sum_squares": 496, "post_pre_sum_product": 6859768191.0911665, "pre_sum": 2.3682803586774367e-7, "pre_sum_squares": 189743627562525200}, "relative": true}`, "zero_variance", "sum"},
		{`{` + cookieArms + `, "inference": "frequentist"}`, "bad_input", "inference"},
		{`{` + cookieArms + `, "inference": "bayes", "prior": {"mean": 0}}`, "bad_input", "prior.sd"},
		{`{` + cookieArms + `, "inference": "bayes", "prior": {"sd": -1}}`, "bad_input", "prior.sd"},
		{`{` + cookieArms + `, "n_star": 10, "margin": 1}`, "bad_input", "n_star"},
		{`{` + cookieArms + `, "n_star": 1000}`, "bad_input", "n_star"},
		{`{` + cookieArms + `, "margin": 0.1, "power": 0.9}`, "bad_input", "margin"},
		{`{` + cookieArms + `, "power": 0.9, "inference": "bayes"}`, "bad_input", "power"},
		{`{` + cookieArms + `, "n_star": 1000, "compat": "gbstats"}`, "bad_input", "n_star"},
		{`{` + cookieArms + `, "n_star": 1000, "power": 0.9, "inference": "always-valid"}`, "bad_input", "power"},
		{`{"strata": "all"}`, "bad_input", "strata"},
		{`{` + cookieArms + `, "looks": "all"}`, "bad_input", "looks"},
		{`{` + cookieArms + `, "prior": {"mean": 0}}`, "bad_input", "prior"},
		{`{` + cookieArms + `, "covariate": "shared"}`, "bad_input", "covariate"},
		{`{` + cookieArms + `, "side": "both"}`, "bad_input", "side"},
		{`{` + cookieArms + `, "n_star": 0}`, "bad_input", "n_star"},
		{`{` + cookieArms + `, "strata": [{` + cookieArms + `}]}`, "bad_input", "strata"},
		{`{}`, "bad_input", "control"},
		{`{"strata": []}`, "bad_input", "control"},
		{`{"control": {"type": "proportion", "n": 1, "sum": 1}}`, "bad_input", "treatment"},
		{`{"strata": [{` + cookieArms + `}, {"control": {"type": "proportion", "n": 1, "sum": 1}}]}`, "bad_input", "strata[1].treatment"},
		{`{"control": {"type": "proportion", "n": 10, "sum": 0}, "treatment": {"type": "proportion", "n": 10, "sum": 0}}`, "zero_variance", "sum"},
		{`{"relative": true, "control": {"type": "proportion", "n": 10, "sum": 0}, "treatment": {"type": "proportion", "n": 10, "sum": 3}}`, "unbounded", "control"},
	})
}
