package stats

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// adjusted returns the sample of a mean with a covariate, from sums.
func adjusted(n, y, x, yy, xy, xx float64) Sample {
	j := Joint{N: int64(n), Means: []float64{y / n, x / n}, M: []float64{yy - y*y/n, xy - y*x/n, xx - x*x/n}}
	return Mean(j.Moments(0)).With(j)
}

// men is the data of Lin 2013 (Ann. Appl. Stat. 7:295), table 2: first-year
// grades of 157 men, 58 of whom were offered services and money, with their
// grades at school. Data set alo_star_men of the R package estimatr.
func men() []Stratum {
	return []Stratum{{
		Control:   adjusted(99, 183.74, 7779.8, 432.7666, 14615.478, 613303.04),
		Treatment: adjusted(58, 105.55, 4589.5, 244.0793, 8431.834, 364190.27),
	}}
}

// Lin 2013, table 2 (and estimatr, tests/testthat/test-replicate-lin2013.R):
// −0.036 (0.158) unadjusted, −0.081 (0.146) with slopes of each arm. The errors
// there take no degrees of freedom off, ours are some 1 % larger.
func TestCUPED_lin(t *testing.T) {
	raw, c := Compare(men(), Options{Covariate: Unadjusted}), Compare(men(), Options{Covariate: ArmSpecific})
	if !near(raw.Estimate, -0.036, 5e-4) || !near(raw.SE, 0.158, 3e-3) || raw.CUPED != nil {
		t.Errorf("unadjusted: %v ± %v, %+v", raw.Estimate, raw.SE, raw.CUPED)
	}
	if !near(c.Estimate, -0.081, 5e-4) || !near(c.SE, 0.146, 4e-3) {
		t.Errorf("each arm its slope: %v ± %v", c.Estimate, c.SE)
	}
	if a := c.CUPED; a == nil || !near(a.Treatment-a.Control, c.Estimate, 1e-12) || !near(a.Reduction, 1-c.SE*c.SE/raw.SE/raw.SE, 1e-9) ||
		!(a.Theta > 79.735/1026.3 && a.Theta < 176.484/1936.494) {
		t.Errorf("%+v", c.CUPED)
	}
	if c.Control.Mean != raw.Control.Mean || !slices.Equal(c.Warnings, []string{warnOwnSlopes, warnSmall}) {
		t.Errorf("control %v, warnings %q", c.Control, c.Warnings)
	}
}

// The usual adjustment with one slope, −0.083 (0.146) in the same table, is the
// regression within arms; the slope of both arms as one differs from it by what
// the arms differ before.
func TestCUPED_linPooled(t *testing.T) {
	c := Compare(men(), Options{Covariate: Pooled})
	if !near(c.Estimate, -0.083, 1e-3) || !near(c.SE, 0.146, 4e-3) || c.CUPED.Covariate != Pooled {
		t.Errorf("%v ± %v, %+v", c.Estimate, c.SE, c.CUPED)
	}
}

// GrowthBook, packages/stats/tests/frequentist/test_tests.py,
// test_sequential_test_runs_ra: 0.50338 with the standard error 0.33341. There
// the change is a share of the unadjusted control mean, here of the adjusted.
func TestCUPED_growthbook(t *testing.T) {
	c := Compare([]Stratum{{
		Control:   adjusted(3000, 1396.87, 16.87, 52377.9767, 1, 527.9767),
		Treatment: adjusted(3461, 2422.7, 22.7, 134698.29, 1, 1348.29),
	}}, Options{Covariate: Pooled, Relative: true})
	if !near(c.Estimate, 0.50338, 2e-5) || !near(c.SE, 0.33341, 1e-4) {
		t.Errorf("%v ± %v", c.Estimate, c.SE)
	}
}

// ratioBefore returns the sample of a ratio with the same before, from the sums of m, d, m before and d before, and of their products in
// the order of Joint.
func ratioBefore(n float64, sums [4]float64, products [10]float64) Sample {
	j := Joint{N: int64(n), Means: make([]float64, 4), M: make([]float64, 10)}
	for a := range 4 {
		j.Means[a] = sums[a] / n
		for b := a; b < 4; b++ {
			at := packed(a, b, 4)
			j.M[at] = products[at] - sums[a]*sums[b]/n
		}
	}
	return RatioSample(j)
}

// GrowthBook, packages/stats/tests/frequentist/test_tests.py,
// test_two_sided_ttest_test_runs_ratio_ra: −0.0007 with the standard error
// 0.00391, p = 0.85771, as a share of the unadjusted control ratio.
func TestCUPED_ratioGrowthbook(t *testing.T) {
	c := Compare([]Stratum{{
		Control: ratioBefore(100, [4]float64{485.112236689623, 679.9093275844917, 192.59138069991536, 290.1398399750233},
			[10]float64{2715.484666118136, 3602.146836776702, 1113.6215759318352, 1559.2878434944676,
				4939.424001640236, 1460.3181079276983, 2130.9404074446747, 460.076026390857, 634.239482353647, 920.9461385038898}),
		Treatment: ratioBefore(100, [4]float64{514.7757826608777, 705.4090874383759, 206.94157227402536, 302.54389139107326},
			[10]float64{2994.897482705013, 3918.1561431600717, 1237.0953021125997, 1701.0287270040265,
				5291.36604146392, 1604.0759503266522, 2292.081739775257, 514.2903702246757, 698.4173425817908, 994.4506208125663}),
	}}, Options{Covariate: Pooled, Relative: true})
	if !near(c.Estimate, -0.0007, 1e-5) || !near(c.SE, 0.00391, 3e-5) || !near(c.P, 0.85771, 1e-3) {
		t.Errorf("%v ± %v, p %v", c.Estimate, c.SE, c.P)
	}
}

// people draws units whose outcome depends on what was known before, with
// another slope in each arm.
func people(r *rand.Rand, n int, effect, slope float64) Sample {
	var j Joint
	for range n {
		x := 1e9 + 3*r.NormFloat64()
		y := 10 + effect + slope*(x-1e9) + 2*r.NormFloat64()
		j = j.Merge(Joint{N: 1, Means: []float64{y, x}, M: make([]float64, 3)})
	}
	return Mean(j.Moments(0)).With(j)
}

// At 8 % treatment and slopes that differ, intervals hold the effect as often as
// they say, and those of one pooled slope are wider.
func TestCUPED_coverage(t *testing.T) {
	const looks, want = 500, 0.95
	r := rand.New(rand.NewPCG(21, 1))
	held, own, pooled, raw := 0, 0., 0., 0.
	for range looks {
		s := []Stratum{{Control: people(r, 3000, 0, 1), Treatment: people(r, 250, 1, 1.6)}}
		c := Compare(s, Options{})
		if c.Fixed.Contains(1) {
			held++
		}
		own, pooled, raw = own+c.SE, pooled+Compare(s, Options{Covariate: Pooled}).SE, raw+Compare(s, Options{Covariate: Unadjusted}).SE
	}
	got := float64(held) / looks
	if tolerance := 3 * math.Sqrt(want*(1-want)/looks); math.Abs(got-want) > tolerance {
		t.Errorf("%v of the intervals hold the effect, want %v ± %v (seed 21)", got, want, tolerance)
	}
	if !(own < 0.9*pooled && pooled < 0.9*raw) {
		t.Errorf("mean standard errors %v, %v, %v", own/looks, pooled/looks, raw/looks)
	}
}

// The estimate and its error are those of y − θx by the units themselves, for
// the θ between the slopes that is reported.
func TestCUPED_isTheDifferenceOfResiduals(t *testing.T) {
	r := rand.New(rand.NewPCG(22, 1))
	var arms [2]Sample
	var rows [2][][2]float64
	for a := range arms {
		var j Joint
		for range 40 {
			x := r.NormFloat64()
			y := x*float64(a+1) + r.NormFloat64()
			rows[a] = append(rows[a], [2]float64{x, y})
			j = j.Merge(Joint{N: 1, Means: []float64{y, x}, M: make([]float64, 3)})
		}
		arms[a] = Mean(j.Moments(0)).With(j)
	}
	c := Compare([]Stratum{{Control: arms[0], Treatment: arms[1]}}, Options{Covariate: ArmSpecific})
	var left [2]Moments
	for a := range rows {
		for _, u := range rows[a] {
			left[a] = left[a].Merge(momentsOf(u[1] - c.CUPED.Theta*u[0]))
		}
	}
	se := math.Sqrt((left[0].Variance() + left[1].Variance()) / 40 * 39 / 38)
	if !near(c.Estimate, left[1].Mean-left[0].Mean, 1e-12) || !near(c.SE, se, 1e-12) {
		t.Errorf("%v ± %v, want %v ± %v", c.Estimate, c.SE, left[1].Mean-left[0].Mean, se)
	}
}

// A unit without a history is not one that did nothing: the indicator beside
// the value takes off what the two groups differ by.
func TestCUPED_missingHistory(t *testing.T) {
	r := rand.New(rand.NewPCG(23, 1))
	arm := func(columns int) Sample {
		var j Joint
		for i := range 400 {
			before, missing := 5+r.NormFloat64(), 0.
			y := before
			if i%2 == 0 {
				before, missing, y = 0, 1, 5
			}
			row := []float64{y + 0.1*r.NormFloat64(), before, missing}
			j = j.Merge(jointOf(row[:columns]))
		}
		return Mean(j.Moments(0)).With(j)
	}
	alone := Compare([]Stratum{{Control: arm(2), Treatment: arm(2)}}, Options{})
	both := Compare([]Stratum{{Control: arm(3), Treatment: arm(3)}}, Options{})
	if both.CUPED.Reduction < 0.95 || alone.CUPED.Reduction > 0.5 {
		t.Errorf("reduction with the indicator %v, without %v", both.CUPED.Reduction, alone.CUPED.Reduction)
	}
}

// Columns that say nothing of their own have no slope: a constant, a copy, and
// one that only rounding tells from a constant.
func TestCUPED_columnsThatSayNothing(t *testing.T) {
	r := rand.New(rand.NewPCG(24, 1))
	build := func(more func(x float64) []float64) []Stratum {
		r = rand.New(rand.NewPCG(24, 1))
		arm := func() Sample {
			var j Joint
			for range 100 {
				x := r.NormFloat64()
				j = j.Merge(jointOf(append([]float64{x + r.NormFloat64(), x}, more(x)...)))
			}
			return Mean(j.Moments(0)).With(j)
		}
		return []Stratum{{Control: arm(), Treatment: arm()}}
	}
	want := Compare(build(func(float64) []float64 { return nil }), Options{})
	for name, more := range map[string]func(float64) []float64{
		"constant": func(float64) []float64 { return []float64{7} },
		"copy":     func(x float64) []float64 { return []float64{3*x - 2} },
		"rounding": func(x float64) []float64 { return []float64{1e9 + math.Round(x)*1e-7} },
	} {
		got := Compare(build(more), Options{})
		if !near(got.Estimate, want.Estimate, 1e-9) || !near(got.SE, want.SE, 1e-9) {
			t.Errorf("%s: %v ± %v, want %v ± %v", name, got.Estimate, got.SE, want.Estimate, want.SE)
		}
	}
}

func TestCUPED_refusesAndWarns(t *testing.T) {
	copied := jointOf([]float64{1, 1}, []float64{2, 2}, []float64{4, 4}, []float64{9, 9})
	same := Mean(copied.Moments(0)).With(copied)
	if c := Compare([]Stratum{{Control: same, Treatment: same}}, Options{}); c.Refused == nil || c.Refused.Code != ZeroVariance || c.P != 1 {
		t.Errorf("a value that was known before: %+v", c)
	}
	few := jointOf([]float64{1, 3}, []float64{2, 1})
	two := Mean(few.Moments(0)).With(few)
	if c := Compare([]Stratum{{Control: two, Treatment: two}}, Options{}); c.Refused != nil || c.CUPED != nil || c.Warnings[0] != warnNoBaseline {
		t.Errorf("two units: %+v", c)
	}
	if c := Compare(men(), Options{Covariate: "lasso"}); c.Refused == nil || c.Refused.Field != "covariate" {
		t.Errorf("lasso: %v", c.Refused)
	}
	good := men()[0].Control
	with := func(change func(*Joint)) Sample {
		j := Joint{N: good.Joint.N, Means: append([]float64(nil), good.Joint.Means...), M: append([]float64(nil), good.Joint.M...)}
		change(&j)
		return Mean(good.Moments).With(j)
	}
	for name, tt := range map[string]struct {
		s     Sample
		field string
	}{
		"other units":        {with(func(j *Joint) { j.N++ }), "control.n"},
		"another value":      {with(func(j *Joint) { j.Means[0]++ }), "control.post_sum"},
		"another spread":     {with(func(j *Joint) { j.M[0] *= 2 }), "control.post_sum"},
		"product too large":  {with(func(j *Joint) { j.M[1] = 1e5 }), "control.sum_product"},
		"product of nothing": {with(func(j *Joint) { j.M[2] = 0 }), "control.sum_product"},
	} {
		if c := Compare([]Stratum{{Control: tt.s, Treatment: good}}, Options{}); c.Refused == nil || c.Refused.Field != tt.field {
			t.Errorf("%s: %v, want one of %s", name, c.Refused, tt.field)
		}
	}
	// Each pair of three could vary like that, all three could not.
	three := Joint{N: 10, Means: []float64{0, 0, 0}, M: []float64{1, 0.9, -0.9, 1, 0.9, 1}}
	if r := three.fault("x"); r == nil || r.Field != "x.sum_product" {
		t.Errorf("three values: %v", r)
	}
}

// Gates see the covariate as Compare does: the clock runs faster, and the
// margin's contrast, whose arms share the covariate's mean, keeps its error.
func TestCUPED_inGates(t *testing.T) {
	r := rand.New(rand.NewPCG(25, 1))
	with := []Stratum{
		{Epoch: 1, Control: people(r, 2000, 0, 1), Treatment: people(r, 200, -0.4, 1)},
		{Epoch: 2, Control: people(r, 1000, 0, 1), Treatment: people(r, 1000, -0.4, 1)},
	}
	var without []Stratum
	for _, s := range with {
		s.Control.Joint, s.Treatment.Joint = nil, nil
		without = append(without, s)
	}
	g := Guardrail{Margin: 0.01}
	judge := func(strata []Stratum) Judgement {
		f, ok := Freeze(strata)
		if !ok {
			t.Fatal("nothing frozen")
		}
		return g.Judge(strata, f)
	}
	a, b := judge(with), judge(without)
	if a.State != Breached || b.State == Breached || !(a.SE < 0.7*b.SE) || !(a.Information > 2*b.Information) {
		t.Errorf("with: %s ± %v, I %v; without: %s ± %v, I %v", a.State, a.SE, a.Information, b.State, b.SE, b.Information)
	}
	c := Compare(with, Options{Relative: true})
	if !near(a.Estimate, c.Estimate, 1e-9) || !near(a.SE, c.SE, 1e-4) {
		t.Errorf("gate %v ± %v, comparison %v ± %v", a.Estimate, a.SE, c.Estimate, c.SE)
	}
}

// What moves the covariate by a billion, or measures it in other units, moves
// nothing else; nor does the order of the strata.
func TestCUPED_indifferent(t *testing.T) {
	base := men()
	moved := men()
	for _, s := range []*Sample{&moved[0].Control, &moved[0].Treatment} {
		s.Joint.Means[1] = 1e9 + 1e3*s.Joint.Means[1]
		s.Joint.M[1] *= 1e3
		s.Joint.M[2] *= 1e6
	}
	want, got := Compare(base, Options{Relative: true}), Compare(moved, Options{Relative: true})
	if !near(got.Estimate, want.Estimate, 1e-9) || !near(got.SE, want.SE, 1e-12) {
		t.Errorf("%v ± %v, want %v ± %v", got.Estimate, got.SE, want.Estimate, want.SE)
	}
	r := rand.New(rand.NewPCG(26, 1))
	var strata []Stratum
	for i := range 12 {
		strata = append(strata, Stratum{Epoch: i, Control: people(r, 60, float64(i), 1), Treatment: people(r, 20+i, float64(i), 2)})
	}
	want = Compare(strata, Options{})
	for range 20 {
		r.Shuffle(len(strata), func(i, j int) { strata[i], strata[j] = strata[j], strata[i] })
		if got := Compare(strata, Options{}); !near(got.Estimate, want.Estimate, 1e-12) || !near(got.SE, want.SE, 1e-12) {
			t.Fatalf("%v ± %v, want %v ± %v", got.Estimate, got.SE, want.Estimate, want.SE)
		}
	}
}

// A look after every 100 units at data without an effect: gates that are
// adjusted by a skewed covariate, which most units lack, keep their error.
func TestCUPED_gatesKeepTheirError(t *testing.T) {
	const rollouts, looks, alpha, seed = 300, 40, 0.05, 27
	r := rand.New(rand.NewPCG(seed, 1))
	unit := func() []float64 {
		habit, before, missing := math.Exp(r.NormFloat64()), 0., 1.
		if r.IntN(3) == 0 {
			before, missing = habit*math.Exp(0.3*r.NormFloat64()), 0
		}
		return []float64{habit * math.Exp(0.5*r.NormFloat64()), before, missing}
	}
	g := Guardrail{Detect: 0.2, Direction: Decrease, Alpha: alpha}
	fired := 0
	for range rollouts {
		var control, treatment Joint
		var f Frozen
		for range looks {
			for range 50 {
				control, treatment = control.Merge(jointOf(unit())), treatment.Merge(jointOf(unit()))
			}
			strata := []Stratum{{Control: Mean(control.Moments(0)).With(control), Treatment: Mean(treatment.Moments(0)).With(treatment)}}
			if f.Variance == 0 {
				f, _ = Freeze(strata)
			}
			if f.Variance > 0 && g.Judge(strata, f).Breached {
				fired++
				break
			}
		}
	}
	if got, limit := float64(fired)/rollouts, alpha+2*math.Sqrt(alpha*(1-alpha)/rollouts); got > limit {
		t.Errorf("%v of the rollouts without an effect breach, want %v at most (seed %d)", got, limit, seed)
	}
}
