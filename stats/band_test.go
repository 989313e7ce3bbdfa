package stats

import (
	"math"
	"math/rand/v2"
	"testing"
)

// Neither interval may say of zero what its p-value does not.
func TestBandAgreesWithItsP(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 11))
	for range 20_000 {
		noise := math.Exp(2 * r.NormFloat64())
		nc, nt := 2+r.Int64N(3000), 2+r.Int64N(3000)
		control, treatment := valued(nc, 1, noise), valued(nt, 1+r.NormFloat64(), noise*r.Float64())
		if r.IntN(2) == 0 {
			control, treatment = Proportion(nc, r.Int64N(min(nc, 40))), Proportion(nt, r.Int64N(min(nt, 40)))
		}
		o := Options{Relative: r.IntN(2) == 0, Side: []Side{TwoSided, Greater, Less}[r.IntN(3)]}
		c := Compare(oneStratum(control, treatment), o)
		if (c.BandP < 0.05) == c.Band.Contains(0) || c.BandP < 0.05 && c.P >= 0.05 {
			t.Fatalf("%+v against %+v, %+v: p %v and %v, band %v", treatment, control, o, c.P, c.BandP, c.Band)
		}
		if !c.Band.Contains(c.Estimate) || !c.Fixed.Contains(c.Estimate) {
			t.Fatalf("%v is not in %v", c.Estimate, c.Band)
		}
	}
}

// Three units of an arm may vary little by chance. Their band, which is looked at
// from the second on, was left by one change in five that does nothing.
func TestBandOfASmallArm(t *testing.T) {
	const runs, alpha = 300, 0.05
	r, ever := rand.New(rand.NewPCG(13, 17)), 0
	for range runs {
		var control, treatment Moments
		for i := range 40 {
			control = control.Merge(Moments{N: 100, Mean: r.NormFloat64() / 10, M2: 99})
			treatment = treatment.Merge(Moments{N: 1, Mean: r.NormFloat64()})
			if i > 0 && !Compare(oneStratum(Mean(control), Mean(treatment)), Options{}).Band.Contains(0) {
				ever++
				break
			}
		}
	}
	if limit := alpha + 2*math.Sqrt(alpha*(1-alpha)/runs); float64(ever)/runs > limit {
		t.Errorf("the band left zero in %d of %d runs", ever, runs)
	}
}

// Where a relative band is open on both sides there is no always-valid evidence.
func TestOpenBandIsNoEvidence(t *testing.T) {
	sd := math.Sqrt(1000) / 3
	c := Compare(oneStratum(valued(1000, 1, sd), valued(1000, 3, sd)), Options{Relative: true})
	if c.Band != Open() || c.BandP != 1 || c.LogE != 0 || len(c.Warnings) == 0 {
		t.Errorf("band %v, p %v, log e %v, %q", c.Band, c.BandP, c.LogE, c.Warnings)
	}
}
