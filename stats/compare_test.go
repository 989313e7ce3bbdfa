package stats

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"testing"
)

// Student's sleep data (Biometrika 1908), as R's t.test(extra ~ group) prints
// them: t = −1.8608, df = 17.776, p = 0.07939, [−3.3654832, 0.2054832].
func sleep() []Stratum {
	return []Stratum{{
		Control:   Mean(momentsOf(1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4)),
		Treatment: Mean(momentsOf(0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0)),
	}}
}

func TestCompareWelch(t *testing.T) {
	c := Compare(sleep(), Options{})
	if !near(c.Statistic, -1.8608, 5e-5) || !near(c.DF, 17.776, 5e-4) || !near(c.P, 0.07939, 5e-6) {
		t.Errorf("t %v, df %v, p %v, want -1.8608, 17.776, 0.07939", c.Statistic, c.DF, c.P)
	}
	if !near(c.Fixed.Low, -3.3654832, 1e-6) || !near(c.Fixed.High, 0.2054832, 1e-6) {
		t.Errorf("interval %v, want [-3.3654832, 0.2054832]", c.Fixed)
	}
	less := Compare(sleep(), Options{Side: Less})
	if !near(less.P, 0.07939/2, 5e-6) || !math.IsInf(less.Fixed.Low, -1) || !math.IsInf(less.Band.Low, -1) {
		t.Errorf("one-sided: p %v, %v, %v", less.P, less.Fixed, less.Band)
	}
	if greater := Compare(sleep(), Options{Side: Greater}); !near(greater.P, 1-0.07939/2, 5e-6) {
		t.Errorf("the other side: p %v", greater.P)
	}
}

// The always-valid band holds the fixed interval, and an interval excludes 0
// when its p-value is below alpha.
func TestBandHoldsFixed(t *testing.T) {
	for _, o := range []Options{{}, {Relative: true}, {Side: Less}, {Side: Greater, Relative: true}, {Alpha: 0.01, Margin: 0.01}} {
		for name, strata := range map[string][]Stratum{"day 1": cookieDay1(), "day 7": cookieDay7(), "sleep": sleep()} {
			c := Compare(strata, o)
			if c.Refused != nil {
				if name != "sleep" {
					t.Errorf("%s %+v: %v", name, o, c.Refused)
				}
				continue
			}
			if c.Band.Low > c.Fixed.Low || c.Band.High < c.Fixed.High || !c.Fixed.Contains(c.Estimate) {
				t.Errorf("%s %+v: band %v, fixed %v, estimate %v", name, o, c.Band, c.Fixed, c.Estimate)
			}
			alpha := or(o.Alpha, 0.05)
			if (c.BandP < alpha) == c.Band.Contains(0) || (c.P < alpha) == c.Fixed.Contains(0) {
				t.Errorf("%s %+v: p %v and %v beside %v and %v", name, o, c.BandP, c.P, c.Band, c.Fixed)
			}
		}
	}
}

// An end of Fieller's interval is a ratio R at which yt = R yc is tested with
// exactly the critical value (Fieller 1954).
func TestFiellerInvertsItsTest(t *testing.T) {
	strata := []Stratum{{Control: Proportion(400, 40), Treatment: Proportion(380, 52)}}
	c := Compare(strata, Options{Relative: true})
	if c.Method != methodFieller {
		t.Fatalf("method %q with a control mean known to 15 %%", c.Method)
	}
	k := contrasted(strata, Unadjusted)
	for _, lift := range []float64{c.Fixed.Low, c.Fixed.High} {
		r := 1 + lift
		z := (k.yt - r*k.yc) / math.Sqrt(k.vt+r*r*k.vc)
		if !near(math.Abs(z), 1.959964, 1e-6) {
			t.Errorf("z at lift %v = %v, want ±1.959964", lift, z)
		}
	}
	large := Compare(cookieDay7(), Options{Relative: true})
	if large.Method != methodDelta || !near(large.Estimate, -0.0082013/0.1902013, 1e-6) {
		t.Errorf("%s: %v", large.Method, large.Estimate)
	}
}

// A negative control mean: an increase is a positive relative change.
func TestCompareNegativeControl(t *testing.T) {
	strata := []Stratum{{
		Control:   Mean(Moments{N: 1000, Mean: -10, M2: 999}),
		Treatment: Mean(Moments{N: 1000, Mean: -9, M2: 999}),
	}}
	c := Compare(strata, Options{Relative: true})
	if !near(c.Estimate, 0.1, 1e-12) || !c.Fixed.Contains(0.1) || c.Fixed.Contains(0) {
		t.Errorf("lift %v %v, want 0.1", c.Estimate, c.Fixed)
	}
	k := contrasted(strata, Unadjusted)
	if f := k.fieller(1.96); !f.Contains(0.1) || f.Contains(0) || f.Contains(-0.1) {
		t.Errorf("Fieller %v, want around 0.1", f)
	}
}

// Strata whose baselines differ are compared within, never across: pooled, the
// treatment looks far better, because most of it came when the baseline was
// high (Simpson's paradox).
func TestCompareStrata(t *testing.T) {
	strata := []Stratum{
		{Epoch: 1, Control: Proportion(9900, 990), Treatment: Proportion(100, 10)},
		{Epoch: 2, Control: Proportion(5000, 1500), Treatment: Proportion(5000, 1500)},
	}
	c := Compare(strata, Options{})
	if c.Estimate != 0 || c.P != 1 {
		t.Errorf("estimate %v, p %v, want none", c.Estimate, c.P)
	}
	pooled := []Stratum{{Control: strata[0].Control.Merge(strata[1].Control), Treatment: strata[0].Treatment.Merge(strata[1].Treatment)}}
	if p := Compare(pooled, Options{}); p.P > 1e-10 {
		t.Errorf("pooled p = %v: this test shows nothing", p.P)
	}
}

func TestCompareRefuses(t *testing.T) {
	ok := Proportion(1000, 100)
	one := func(c, t Sample) []Stratum { return []Stratum{{Control: c, Treatment: t}} }
	nan := math.NaN()
	for _, tt := range []struct {
		name   string
		strata []Stratum
		o      Options
		code   Code
	}{
		{"no data", nil, Options{}, TooFewUnits},
		{"no units", one(Proportion(0, 0), ok), Options{}, TooFewUnits},
		{"one unit", one(ok, Proportion(1, 1)), Options{}, TooFewUnits},
		{"two strata of one arm", []Stratum{{Control: ok, Treatment: Proportion(0, 0)}, {Control: Proportion(0, 0), Treatment: ok}}, Options{}, TooFewUnits},
		{"no variance", one(Proportion(100, 0), Proportion(100, 0)), Options{}, ZeroVariance},
		{"constants", one(Mean(Moments{N: 5, Mean: 1}), Mean(Moments{N: 5, Mean: 2})), Options{}, ZeroVariance},
		{"x above n", one(ok, Proportion(10, 11)), Options{}, BadInput},
		{"negative x", one(ok, Proportion(10, -1)), Options{}, BadInput},
		{"negative n", one(Proportion(-1, 0), ok), Options{}, BadInput},
		{"NaN", one(Mean(Moments{N: 5, Mean: nan, M2: 1}), Mean(Moments{N: 5, M2: 1})), Options{}, BadInput},
		{"infinite", one(Mean(Moments{N: 5, M2: math.Inf(1)}), Mean(Moments{N: 5, M2: 1})), Options{}, BadInput},
		{"negative squares", one(Mean(Moments{N: 5, M2: -1}), Mean(Moments{N: 5, M2: 1})), Options{}, BadInput},
		{"mixed kinds", one(Mean(Moments{N: 5, M2: 1}), ok), Options{}, BadInput},
		{"zero value", one(Sample{}, Sample{}), Options{}, BadInput},
		{"counts differ", one(Sample{Kind: KindMean, N: 4, Moments: Moments{N: 5}}, Mean(Moments{N: 5})), Options{}, BadInput},
		{"relative to zero", one(Proportion(1000, 0), ok), Options{Relative: true}, Unbounded},
		{"relative and all gone", one(ok, Proportion(1000, 0)), Options{Relative: true}, ZeroVariance},
		{"relative to noise", one(Mean(Moments{N: 10, Mean: 0.1, M2: 9}), Mean(Moments{N: 10, Mean: 1, M2: 9})), Options{Relative: true}, Unbounded},
		{"alpha 1", one(ok, ok), Options{Alpha: 1}, BadInput},
		{"alpha NaN", one(ok, ok), Options{Alpha: nan}, BadInput},
		{"one-sided alpha of a half", one(ok, ok), Options{Alpha: 0.5, Side: Less}, BadInput},
		{"side", one(ok, ok), Options{Side: "both"}, BadInput},
		{"margin", one(ok, ok), Options{Margin: -1}, BadInput},
		{"units", one(ok, ok), Options{Units: math.Inf(1)}, BadInput},
		{"power", one(ok, ok), Options{Power: 1}, BadInput},
	} {
		c := Compare(tt.strata, tt.o)
		if c.Refused == nil || c.Refused.Code != tt.code {
			t.Errorf("%s: refused %v, want %s", tt.name, c.Refused, tt.code)
		}
		if c.P != 1 || c.BandP != 1 || c.Fixed != Open() || c.Band != Open() {
			t.Errorf("%s: p %v, %v, intervals %v %v: a refusal is no evidence", tt.name, c.P, c.BandP, c.Fixed, c.Band)
		}
		if _, err := json.Marshal(c); err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

func TestCompareWarns(t *testing.T) {
	c := Compare([]Stratum{{Control: Proportion(10000, 0), Treatment: Proportion(10000, 20)}}, Options{})
	if c.Refused != nil || len(c.Warnings) != 2 {
		t.Errorf("refused %v, warnings %q, want two", c.Refused, c.Warnings)
	}
}

// All of one arm and none of the other: the interval is not a point.
func TestCompareSeparated(t *testing.T) {
	c := Compare([]Stratum{{Control: Proportion(100, 0), Treatment: Proportion(100, 100)}}, Options{})
	if c.Refused != nil || c.Fixed.High-c.Fixed.Low < 0.1 || c.P > 1e-6 {
		t.Errorf("%+v", c)
	}
}

func TestIntervalJSON(t *testing.T) {
	want := Interval{Low: -1.5, High: math.Inf(1)}
	b, err := json.Marshal(want)
	if err != nil || string(b) != `{"low":-1.5,"high":null}` {
		t.Fatalf("%s, %v", b, err)
	}
	var got Interval
	if err := json.Unmarshal(b, &got); err != nil || got != want {
		t.Errorf("read back as %v, %v", got, err)
	}
}

// Neither a billion on top of every value nor the order of the strata moves an
// absolute comparison.
func TestCompareAtAnOffset(t *testing.T) {
	r := rand.New(rand.NewPCG(41, 1))
	build := func(offset float64) []Stratum {
		r := rand.New(rand.NewPCG(41, 2))
		var out []Stratum
		for k := range 8 {
			arm := func(n int, effect float64) Sample {
				var m Moments
				for range n {
					m = m.Merge(Moments{N: 1, Mean: offset + float64(k) + effect + math.Round(r.NormFloat64()*64)/64})
				}
				return Mean(m)
			}
			out = append(out, Stratum{Epoch: k, Control: arm(200+10*k, 0), Treatment: arm(100, 0.25)})
		}
		return out
	}
	near0, far := Compare(build(0), Options{}), Compare(build(1<<30), Options{})
	if !near(far.Estimate, near0.Estimate, 1e-6) || !near(far.SE, near0.SE, 1e-9) {
		t.Errorf("%v ± %v, without the offset %v ± %v", far.Estimate, far.SE, near0.Estimate, near0.SE)
	}
	strata := build(1 << 30)
	for range 50 {
		r.Shuffle(len(strata), func(i, j int) { strata[i], strata[j] = strata[j], strata[i] })
		got := Compare(strata, Options{})
		if !near(got.Estimate, far.Estimate, 1e-12) || !near(got.SE, far.SE, 1e-12) || !near(got.Band.Low, far.Band.Low, 1e-12) {
			t.Fatalf("in another order %v ± %v %v, want %v ± %v %v", got.Estimate, got.SE, got.Band, far.Estimate, far.SE, far.Band)
		}
	}
}

// GrowthBook, packages/stats/tests/frequentist/test_tests.py: 0.70732 with the
// standard error 0.37879 relative, 0.29 (0.12478) in (0.04538, 0.53462) with
// p = 0.02016 absolute.
func TestCompare_growthbook(t *testing.T) {
	arm := func(n, sum, squares float64) Sample {
		return Mean(Moments{N: int64(n), Mean: sum / n, M2: squares - sum*sum/n})
	}
	strata := []Stratum{{Control: arm(3407, 1396.87, 52377.9767), Treatment: arm(3461, 2422.7, 134698.29)}}
	c := Compare(strata, Options{})
	if !near(c.Estimate, 0.29, 5e-6) || !near(c.SE, 0.12478, 5e-6) || !near(c.P, 0.02016, 5e-6) || !near(c.Fixed.Low, 0.04538, 5e-6) || !near(c.Fixed.High, 0.53462, 5e-6) {
		t.Errorf("%v ± %v in %v, p %v", c.Estimate, c.SE, c.Fixed, c.P)
	}
	if c = Compare(strata, Options{Relative: true}); !near(c.Estimate, 0.70732, 5e-6) || !near(c.SE, 0.37879, 5e-6) || c.Method != methodFieller {
		t.Errorf("relative: %v ± %v, %s", c.Estimate, c.SE, c.Method)
	}
}
