package stats

import (
	"math"
	"math/rand/v2"
	"testing"
)

// five is the strata of GrowthBook, packages/stats/tests/frequentist/
// test_post_strat.py: n, sum and sum of squares of a count, the same of a
// denominator, and the sum of the products, of control and treatment in turn.
var five = [10][6]float64{
	{21, 330.0696210595999, 5377.811252605509, 890.9766550739607, 38220.95223835553, 14263.937571840695},
	{42, 708.1220000911836, 12249.255519049513, 1745.9858250014954, 73194.53424221886, 29826.620793423102},
	{65, 1391.96628040659, 30546.63404187155, 2769.8126179473184, 118719.96077578884, 59924.702385890436},
	{75, 1807.4703052657744, 45000.287664918586, 3184.8395612061063, 136710.92474497214, 78119.14871556411},
	{102, 2916.824124651419, 86396.06886690554, 4445.780384331884, 195387.7733842407, 129041.55268673625},
	{101, 3104.5399914554023, 98365.40553530994, 4235.277718489282, 179690.4720421368, 132444.36911739354},
	{151, 5172.587929941052, 182453.04528037464, 6510.170220892494, 283094.7243365024, 226127.20135744457},
	{121, 4613.696610070716, 180520.64781229294, 5079.943060454901, 215529.32009367683, 196562.8269130501},
	{160, 6539.348445231273, 274981.98909352464, 6906.305872710853, 300900.3106781779, 286483.9732935189},
	{162, 7431.953259880505, 349244.6690736718, 6899.004661928157, 296839.44355002965, 321057.8410309036},
}

func fiveStrata(ratio bool) []Stratum {
	arm := func(a [6]float64) Sample {
		n := a[0]
		j := Joint{N: int64(n), Means: []float64{a[1] / n, a[3] / n}, M: []float64{a[2] - a[1]*a[1]/n, a[5] - a[1]*a[3]/n, a[4] - a[3]*a[3]/n}}
		if ratio {
			return RatioSample(j)
		}
		return Mean(j.Moments(0))
	}
	var out []Stratum
	for i := 0; i < len(five); i += 2 {
		out = append(out, Stratum{Epoch: 1, Control: arm(five[i]), Treatment: arm(five[i+1])})
	}
	return out
}

// The numbers of that file: point estimates and standard errors, absolute and
// relative, of the count and of the ratio.
func TestPostStratified_growthbook(t *testing.T) {
	for _, tt := range []struct {
		name            string
		ratio, relative bool
		estimate, se    float64
	}{
		{"count", false, false, 3.548094377986586, 0.37634374823059685},
		{"count, relative", false, true, 0.10994584851937336, 0.012225394656480164},
		{"ratio", true, false, 0.10008903417216031, 0.005071004003792392},
		{"ratio, relative", true, true, 0.13371299783026003, 0.007131233706378072},
	} {
		c := Compare(fiveStrata(tt.ratio), Options{Relative: tt.relative})
		p := c.PostStratified
		if p == nil || !near(p.Estimate, tt.estimate, 1e-9) || !near(p.SE, tt.se, 1e-6) || !p.Fixed.Contains(p.Estimate) || p.Strata != 5 {
			t.Errorf("%s: %+v, want %v ± %v", tt.name, p, tt.estimate, tt.se)
		}
		if c.Estimate == p.Estimate {
			t.Errorf("%s: the overlap-weighted estimate is the same", tt.name)
		}
	}
}

// A stratum that lacks an arm is taken together with the largest of its epoch
// and stage, and with none of another mixture.
func TestPostStratified_thinStrata(t *testing.T) {
	strata := []Stratum{
		{Epoch: 1, Stage: "canary", Control: Proportion(900, 90), Treatment: Proportion(100, 12)},
		{Epoch: 1, Stage: "canary", Control: Proportion(20, 2), Treatment: Proportion(1, 1)},
		{Epoch: 2, Stage: "half", Control: Proportion(500, 100), Treatment: Proportion(500, 110)},
		{Epoch: 3, Stage: "all", Control: Proportion(0, 0), Treatment: Proportion(9000, 9000)},
	}
	want := Compare([]Stratum{
		{Epoch: 1, Control: Proportion(920, 92), Treatment: Proportion(101, 13)},
		{Epoch: 2, Control: Proportion(500, 100), Treatment: Proportion(500, 110)},
	}, Options{}).PostStratified
	got := Compare(strata, Options{}).PostStratified
	if got == nil || got.Estimate != want.Estimate || got.SE != want.SE || got.Left != 9000 || got.Strata != 2 {
		t.Errorf("%+v, want %+v", got, want)
	}
	if c := Compare(strata[:1], Options{}); c.PostStratified != nil {
		t.Errorf("one stratum: %+v", c.PostStratified)
	}
}

// A small arm that varies more keeps its own variance: with one variance for
// both arms such a test fires three times as often as it says.
func TestPostStratified_falseAlarms(t *testing.T) {
	const looks, alpha = 1000, 0.05
	r := rand.New(rand.NewPCG(31, 1))
	draw := func(n int, mean, sd float64) Sample {
		var m Moments
		for range n {
			m = m.Merge(momentsOf(mean + sd*r.NormFloat64()))
		}
		return Mean(m)
	}
	fired := 0
	for range looks {
		var strata []Stratum
		for k := range 4 {
			strata = append(strata, Stratum{Epoch: k, Control: draw(700, float64(k), 1), Treatment: draw(30, float64(k), 3)})
		}
		if Compare(strata, Options{}).PostStratified.P < alpha {
			fired++
		}
	}
	if got, limit := float64(fired)/looks, alpha+3*math.Sqrt(alpha*(1-alpha)/looks); got > limit {
		t.Errorf("%v of %d tests without an effect fire, want %v at most (seed 31)", got, looks, limit)
	}
}

// A ramp from 1 to 50 % of a metric that drifts: the strata keep their error,
// pooled over the mixtures the same data nearly always look like an effect.
func TestRampIsNeverPooled(t *testing.T) {
	const looks, alpha = 400, 0.05
	r := rand.New(rand.NewPCG(32, 1))
	fired, popular, pooled := 0, 0, 0
	for range looks {
		var strata []Stratum
		all := Stratum{Control: Proportion(0, 0), Treatment: Proportion(0, 0)}
		for k, share := range []float64{0.01, 0.05, 0.1, 0.25, 0.5} {
			for day := range 2 {
				p := 0.10 + 0.02*float64(k) + 0.01*float64(day)
				nt := int64(share * 5000)
				s := Stratum{Epoch: k, Control: Proportion(5000-nt, binomial(r, 5000-nt, p)), Treatment: Proportion(nt, binomial(r, nt, p))}
				strata = append(strata, s)
				all.Control, all.Treatment = all.Control.Merge(s.Control), all.Treatment.Merge(s.Treatment)
			}
		}
		c := Compare(strata, Options{})
		fired += one(c.P < alpha)
		popular += one(c.PostStratified.P < alpha)
		pooled += one(Compare([]Stratum{all}, Options{}).P < alpha)
	}
	limit := alpha + 3*math.Sqrt(alpha*(1-alpha)/looks)
	for name, got := range map[string]int{"weighted by overlap": fired, "by units": popular} {
		if rate := float64(got) / looks; rate > limit {
			t.Errorf("%s: %v of the tests fire, want %v at most (seed 32)", name, rate, limit)
		}
	}
	if float64(pooled)/looks < 0.5 {
		t.Errorf("pooled: %v: this test shows nothing", float64(pooled)/looks)
	}
}

func one(yes bool) int {
	if yes {
		return 1
	}
	return 0
}
