package peers

import (
	"math"
	"testing"

	"github.com/sluice-hq/sluice/stats"
)

// TestSpotify_ZTest holds the p-values that spotify/confidence expects in
// tests/frequentist/test_ztest.py, TestCategoricalBinomialData (to a
// thousandth): test against control and test2 in two countries.
func TestSpotify_ZTest(t *testing.T) {
	us, gb := stats.Proportion(1009, 500), stats.Proportion(100, 50)
	for _, tt := range []struct {
		control, treatment stats.Sample
		p                  float64
	}{
		{gb, stats.Proportion(10, 4), 5.39020329e-01},
		{gb, stats.Proportion(150, 100), 8.25757011e-03},
		{us, stats.Proportion(104, 42), 7.00932382e-02},
		{stats.Proportion(104, 42), gb, 1.65836862e-01},
		{stats.Proportion(104, 42), stats.Proportion(150, 100), 1.99439850e-05},
		{stats.Proportion(104, 42), stats.Proportion(1502, 1005), 9.00993166e-08},
	} {
		c := Compare(Spotify, pair(tt.control, tt.treatment), stats.Options{})
		if math.Abs(c.P/tt.p-1) > 1e-3 {
			t.Errorf("%d of %d against %d of %d: p %v, want %v", tt.treatment.X, tt.treatment.N, tt.control.X, tt.control.N, c.P, tt.p)
		}
	}
	// test_difference_absolute_false of TestBinary, and the adjusted interval of
	// us control against gb test, which is of error 0.05/5.
	c := Compare(Spotify, pair(stats.Proportion(100, 40), stats.Proportion(100, 50)), stats.Options{Relative: true})
	if !near(c.Estimate, 0.25, 1e-15) || !said(c, "doubt is left out") {
		t.Errorf("relative: %v, %v", c.Estimate, c.Warnings)
	}
	c = Compare(Spotify, pair(stats.Proportion(100, 50), stats.Proportion(104, 42)), stats.Options{Alpha: 0.01})
	if !nearInterval(c.Fixed, stats.Interval{Low: -0.27489017, High: 0.08258247}, 1e-4) {
		t.Errorf("interval of error 0.01: %v", c.Fixed)
	}
}

// nims are the two groups of TestWithNims of the same file, at an error of 0.01.
func nims() []stats.Stratum {
	return pair(mean(5000, 10021, 25142), mean(5000, 9892, 24510))
}

// TestSpotify_NonInferiority holds TestWithNims: the bounds to three digits, and
// on which side of 0.01 each p-value is.
func TestSpotify_NonInferiority(t *testing.T) {
	for name, tt := range map[string]struct {
		z    ZTest
		want stats.Interval
		safe bool
	}{
		"increase, margin":    {ZTest{Alpha: 0.01, Direction: stats.Increase, Margin: 0.02}, stats.Interval{Low: -0.0723, High: inf}, false},
		"decrease, margin":    {ZTest{Alpha: 0.01, Direction: stats.Decrease, Margin: 0.02}, stats.Interval{Low: -inf, High: 0.0207}, true},
		"increase, no margin": {ZTest{Alpha: 0.01, Direction: stats.Increase}, stats.Interval{Low: -0.0723, High: inf}, false},
		"decrease, no margin": {ZTest{Alpha: 0.01, Direction: stats.Decrease}, stats.Interval{Low: -inf, High: 0.0207}, false},
	} {
		c := tt.z.Compare(nims())
		if !near(c.Estimate, -0.0258, 5e-4) || !nearInterval(c.Fixed, tt.want, 5e-4) || (c.P < 0.01) != tt.safe {
			t.Errorf("%s: %v %v p %v, want %v, safe %v", name, c.Estimate, c.Fixed, c.P, tt.want, tt.safe)
		}
		if said(c, "taken for known") != (tt.z.Margin > 0) {
			t.Errorf("%s: %v", name, c.Warnings)
		}
	}
}

// TestSpotify_Looks holds TestSequentialOneSided, TestSequentialTwoSided and
// TestSequentialOneSidedThreeGroups, whose two comparisons share 0.05, as closely
// as they do: to three decimals, which is 0.0015 in numpy.
func TestSpotify_Looks(t *testing.T) {
	one := ZTest{Alpha: 0.01, Direction: stats.Increase, Margin: 0.01, Planned: 1e4}
	two := ZTest{Alpha: 0.01, Planned: 1e4}
	three := ZTest{Alpha: 0.05 / 2, Planned: 1e4}
	day := func(n1, n2 int64, sum1, squares1, sum2, squares2 float64) []stats.Stratum {
		return pair(mean(n1, sum1, squares1), mean(n2, sum2, squares2))
	}
	for name, tt := range map[string]struct {
		z     ZTest
		looks [][]stats.Stratum
		want  []stats.Interval
	}{
		"one-sided": {one, [][]stats.Stratum{day(1250, 1250, 2510, 6304, -2492, 6163)}, []stats.Interval{{Low: -4.129515314002298, High: inf}}},
		"two-sided": {two, [][]stats.Stratum{day(1250, 1250, 2510, 6304, 2492, 6163)}, []stats.Interval{{Low: -0.151, High: 0.121}}},
		"group 2": {three, [][]stats.Stratum{day(500, 1000, 1000, 3000, 1000, 6000), day(1000, 2000, 2000, 6000, 2000, 12000)},
			[]stats.Interval{{Low: -1.327445, High: -0.6725549}, {Low: -1.209182, High: -0.7908185}}},
		"group 3": {three, [][]stats.Stratum{day(500, 1500, 1000, 3000, 1000, 12000), day(1000, 3000, 2000, 6000, 2000, 24000)},
			[]stats.Interval{{Low: -1.646339, High: -1.0203281}, {Low: -1.531049, High: -1.1356181}}},
	} {
		got := tt.z.Looks(tt.looks)
		for i, want := range tt.want {
			if got[i].Refused != nil || !nearInterval(got[i].Band, want, 1.5e-3) {
				t.Errorf("%s, look %d: %v %v, want %v", name, i+1, got[i].Band, got[i].Refused, want)
			}
		}
	}
}

// TestSpotify_Overrun holds test_seq_bounds_run_over of
// tests/frequentist/test_bounds.py: 810 units where 300 were planned scale all
// four looks, those that were taken long ago too.
func TestSpotify_Overrun(t *testing.T) {
	z := ZTest{Alpha: 0.01, Planned: 300}
	bounds, err := z.bounds([]float64{250, 450, 630, 810})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []float64{0.00095, 0.00241, 0.00410, 0.00636} {
		if got := 2 * (tail{}).above(bounds[i]); !near(got, want, 1e-4) {
			t.Errorf("look %d: adjusted alpha %v, want %v", i+1, got, want)
		}
	}
	look := pair(mean(200, 200, 400), mean(200, 210, 440))
	if c := z.Looks([][]stats.Stratum{look}); !said(c[0], "spent twice") {
		t.Errorf("an overrun without a word: %v", c[0].Warnings)
	}
}

// Holm's one-sided intervals: what is rejected beside others is bounded by its
// margin, what is not by the error over how many are not.
func TestSpotify_Together(t *testing.T) {
	z := ZTest{Direction: stats.Increase}
	at := func(effect float64) []stats.Stratum { // a standard error of 1
		n := int64(1000)
		return pair(mean(n, 0, 500*999), mean(n, effect*1000, 500*999+effect*effect*1000))
	}
	got := z.Together([][]stats.Stratum{at(4), at(1), at(0.5)})
	for i, want := range []float64{0, 1 - 1.959963984540054, 0.5 - 1.959963984540054} {
		if !near(got[i].Band.Low, want, 1e-6) || !math.IsInf(got[i].Band.High, 1) {
			t.Errorf("test %d: %v, want from %v", i, got[i].Band, want)
		}
	}
	down := ZTest{Direction: stats.Decrease}.Together([][]stats.Stratum{at(-4), at(-1), at(-0.5)})
	for i := range down {
		if !near(down[i].Band.High, -got[i].Band.Low, 1e-9) || down[i].BandP != got[i].BandP {
			t.Errorf("the other direction: %v beside %v", down[i], got[i])
		}
	}
}

func TestSpotify_Refuses(t *testing.T) {
	for _, tt := range []struct {
		field string
		c     stats.Comparison
	}{
		{"margin", ZTest{Margin: math.NaN(), Direction: stats.Increase}.Compare(nims())},
		{"direction", ZTest{Margin: 0.1}.Compare(nims())},
		{"direction", ZTest{}.Together([][]stats.Stratum{nims()})[0]},
		{"information", ZTest{Planned: 100}.Looks([][]stats.Stratum{nims(), pair(mean(20, 20, 40), mean(20, 21, 44))})[0]},
		{"alpha", ZTest{Alpha: 2}.Compare(nims())},
		{"inference", Compare(Spotify, nims(), stats.Options{Inference: stats.AlwaysValid})},
		{"control.type", Compare(Spotify, gbRatioPast(), stats.Options{})},
	} {
		if r := tt.c.Refused; r == nil || r.Field != tt.field || tt.c.P != 1 || tt.c.Fixed != stats.Open() {
			t.Errorf("%s: %+v", tt.field, r)
		}
	}
}
