package peers

import (
	"encoding/json"
	"math"
	"os"
	"testing"

	"github.com/sluice-hq/sluice/stats"
)

// sums is one arm of the recorded cases.
type sums struct {
	N        int64     `json:"n"`
	Sums     []float64 `json:"sums"`
	Products []float64 `json:"products"` // packed as in stats.Joint
}

func (s sums) sample(kind stats.Kind) stats.Sample {
	j := joint(s.N, s.Sums, s.Products)
	switch {
	case kind == stats.KindRatio:
		return stats.RatioSample(j)
	case len(s.Sums) == 1:
		return stats.Mean(j.Moments(0))
	}
	return stats.Mean(j.Moments(0)).With(j)
}

type postStratCase struct {
	Name               string
	Kind               stats.Kind
	Relative, Absolute struct{ Estimate, SE float64 }
	Strata             []struct{ Control, Treatment sums }
}

func (c postStratCase) strata() []stats.Stratum {
	var strata []stats.Stratum
	for i, s := range c.Strata {
		strata = append(strata, stats.Stratum{Epoch: i + 1, Control: s.Control.sample(c.Kind), Treatment: s.Treatment.sample(c.Kind)})
	}
	return strata
}

func postStratCases(t *testing.T) []postStratCase {
	t.Helper()
	var recorded struct{ Cases []postStratCase }
	b, err := os.ReadFile("testdata/gbstats_post_strat.json")
	if err == nil {
		err = json.Unmarshal(b, &recorded)
	}
	if err != nil || len(recorded.Cases) != 4 {
		t.Fatal(err, len(recorded.Cases))
	}
	return recorded.Cases
}

// TestGBStats_PostStratified holds the moments that gbstats' own tests expect of
// five strata (the file names its source): means, means with a past, ratios,
// ratios with a past.
func TestGBStats_PostStratified(t *testing.T) {
	for _, c := range postStratCases(t) {
		for _, relative := range []bool{true, false} {
			want := c.Absolute
			if relative {
				want = c.Relative
			}
			got := Compare(GBStats, c.strata(), stats.Options{Relative: relative})
			if got.Refused != nil || !near(got.Estimate, want.Estimate, 1e-9) || !near(got.SE, want.SE, 1e-9) {
				t.Errorf("%s, relative %v: %v ± %v (%v), want %v ± %v", c.Name, relative, got.Estimate, got.SE, got.Refused, want.Estimate, want.SE)
			}
			if past := c.Name == "count_reg" || c.Name == "ratio_reg"; said(got, "taken to vary alike") != past {
				t.Errorf("%s: warnings %v", c.Name, got.Warnings)
			}
		}
	}
}

// TestGBStats_PostStratifiedThin holds the cases test_missing_variation_data, in
// which one unit stands alone in a stratum, and
// test_count_relative_point_estimate_uses_negative_baseline_magnitude of the
// same file.
func TestGBStats_PostStratifiedThin(t *testing.T) {
	c := postStratCases(t)[0]
	want := Compare(GBStats, c.strata(), stats.Options{})
	last := &c.Strata[len(c.Strata)-1].Control
	last.N, last.Sums[0], last.Products[0] = last.N-1, last.Sums[0]-1, last.Products[0]-1
	thin := append(c.strata(), stats.Stratum{Epoch: 6, Control: mean(1, 1, 1), Treatment: stats.Sample{Kind: stats.KindMean}})
	if got := Compare(GBStats, thin, stats.Options{}); !near(got.Estimate, want.Estimate, 1e-12) || !near(got.SE, want.SE, 1e-12) {
		t.Errorf("with a stratum of one unit: %v ± %v, want %v ± %v", got.Estimate, got.SE, want.Estimate, want.SE)
	}
	below := func(m float64) stats.Sample { return mean(1000, m*1000, (m*m+4)*1000) }
	for treated, lift := range map[float64]float64{-5: 0.5, -15: -0.5, 5: 1.5} {
		s := append(pair(below(-10), below(treated)), pair(below(-10), below(treated))...)
		if got := Compare(GBStats, s, stats.Options{Relative: true}); !near(got.Estimate, lift, 1e-12) {
			t.Errorf("from -10 to %v: lift %v, want %v", treated, got.Estimate, lift)
		}
	}
}

// Where a past varies in no arm, or an arm has none, gbstats forgets it (the
// cases …_fallback of the same file).
func TestGBStats_PostStratifiedWithoutPast(t *testing.T) {
	for i, name := range []string{"count", "ratio"} {
		c := postStratCases(t)[2*i]
		idle := c.strata()
		for k := range idle {
			idle[k].Control, idle[k].Treatment = withIdlePast(idle[k].Control), withIdlePast(idle[k].Treatment)
		}
		got, want := Compare(GBStats, idle, stats.Options{Relative: true}), Compare(GBStats, c.strata(), stats.Options{Relative: true})
		if !near(got.Estimate, want.Estimate, 1e-12) || !near(got.SE, want.SE, 1e-12) {
			t.Errorf("%s: %v ± %v, want %v ± %v", name, got.Estimate, got.SE, want.Estimate, want.SE)
		}
	}
}

// withIdlePast returns the sample with a past of zeros.
func withIdlePast(s stats.Sample) stats.Sample {
	if s.Kind == stats.KindRatio {
		m := s.Joint.M
		return stats.RatioSample(stats.Joint{N: s.N, Means: append(s.Joint.Means[:2:2], 0, 0), M: []float64{m[0], m[1], 0, 0, m[2], 0, 0, 0, 0, 0}})
	}
	return s.With(stats.Joint{N: s.N, Means: []float64{s.Moments.Mean, 0}, M: []float64{s.Moments.M2, 0, 0}})
}

// TestGBStats_PostStratifiedSlope: post-stratified and adjusted, gbstats takes
// both arms to vary alike, so that a small and noisy treatment arm looks known
// far better than it is. The honest error of this difference is its noisy arm's
// alone, 3/√40.
func TestGBStats_PostStratifiedSlope(t *testing.T) {
	arm := func(n int64, sd float64) stats.Sample {
		j := stats.Joint{N: n, Means: []float64{10, 5}, M: []float64{sd * sd * float64(n-1), 0.01 * float64(n-1), float64(n - 1)}}
		return stats.Mean(j.Moments(0)).With(j)
	}
	one := stats.Stratum{Control: arm(980, 1), Treatment: arm(20, 3)}
	c := Compare(GBStats, []stats.Stratum{one, one}, stats.Options{})
	if honest := 3 / math.Sqrt(40); !(c.SE < 0.45*honest) || !said(c, "far too small") {
		t.Errorf("standard error %v beside %v, %v", c.SE, honest, c.Warnings)
	}
}
