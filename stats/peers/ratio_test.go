package peers

import (
	"math"
	"testing"

	"github.com/sluice-hq/sluice/stats"
)

// check_srm of growthbook/growthbook packages/stats/gbstats/utils.py: 300 units
// that leaked into an arm of weight 0 beside 5,000 and 5,000 give a chi-square of
// 8.738 with 2 degrees of freedom, whose tail is exp(−x/2).
func TestSampleRatio_GBStatsHidesALeak(t *testing.T) {
	m := SampleRatio(GBStats, stats.Counts{Observed: []int64{5000, 5000, 300}, Weights: []float64{0.5, 0.5, 0}})
	want := math.Exp(-2 * 150 * 150 / 5150.0 / 2)
	if m.Refused != nil || m.DF != 2 || !near(m.P, want, 1e-12) || m.Alarm || m.Leaked != 300 || len(m.Warnings) != 2 {
		t.Errorf("%+v, want p %v and no alarm", m, want)
	}
	if ours := stats.SampleRatio([]stats.Counts{{Observed: []int64{5000, 5000, 300}, Weights: []float64{0.5, 0.5, 0}}}, 0, 0); !ours.Alarm {
		t.Errorf("the leak is an alarm here: %+v", ours)
	}
}

func TestSampleRatio_GBStats(t *testing.T) {
	// One degree of freedom: the tail of x is erfc(sqrt(x/2)).
	m := SampleRatio(GBStats, stats.Counts{Observed: []int64{1000, 1200}, Weights: []float64{1, 1}})
	if want := math.Erfc(math.Sqrt(2 * 100 * 100 / 1100.0 / 2)); !near(m.P, want, 1e-12) || !m.Alarm {
		t.Errorf("%+v, want p %v", m, want)
	}
	if none := SampleRatio(GBStats, stats.Counts{Observed: []int64{0, 0}, Weights: []float64{1, 1}}); none.P != 1 || none.Alarm {
		t.Errorf("without units: %+v", none)
	}
	for field, m := range map[string]stats.SRM{
		"compat":   SampleRatio(Eppo, stats.Counts{Observed: []int64{1, 1}, Weights: []float64{1, 1}}),
		"observed": SampleRatio(GBStats, stats.Counts{Observed: []int64{-1, 1}, Weights: []float64{1, 1}}),
	} {
		if m.Refused == nil || m.Refused.Field != field || m.P != 1 || m.Alarm {
			t.Errorf("%s: %+v", field, m)
		}
	}
}
