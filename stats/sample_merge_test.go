package stats

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestSample_MergeWithoutUnits: an arm without units, which has neither joint
// moments nor a distribution, takes none from the other.
func TestSample_MergeWithoutUnits(t *testing.T) {
	j := Joint{N: 2, Means: []float64{3, 4}, M: []float64{1, 0, 2}}
	d := Distribution{Nu: 0.5, Scale: 1, Estimate: 7, Events: 3, Units: 2, Buckets: []Bucket{{I: 7, N: 3}}}
	for _, s := range []Sample{RatioSample(j), QuantileSample(d, j), Mean(j.Moments(0)).With(j), Proportion(2, 1).With(j)} {
		none := Sample{Kind: s.Kind}
		if diff := cmp.Diff(s, s.Merge(none)); diff != "" {
			t.Errorf("%s and nothing (-want +got):\n%s", s.Kind, diff)
		}
		if diff := cmp.Diff(s, none.Merge(s)); diff != "" {
			t.Errorf("nothing and %s (-want +got):\n%s", s.Kind, diff)
		}
	}
}
