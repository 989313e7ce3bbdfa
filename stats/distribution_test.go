package stats

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestMiddle(t *testing.T) {
	for i, want := range map[int]float64{
		0: 0, 1: 1, 511: 511, -511: -511, 512: 512.5, 513: 514.5, 767: 1022.5, 768: 1025.5, -768: -1025.5,
		14335: math.Ldexp(511, 54) + (math.Ldexp(1, 54)-1)/2, // the last that an Int64 reaches
	} {
		if got := Middle(i); got != want {
			t.Errorf("Middle(%d) = %v, want %v", i, got, want)
		}
	}
	for i := 1; i < 14336; i++ {
		gap := Middle(i) - Middle(i-1)
		if gap <= 0 || i >= 512 && gap > Middle(i)/256+1 {
			t.Fatalf("bucket %d is %v from the one before", i, gap)
		}
	}
}

func TestNewDistribution(t *testing.T) {
	d, err := NewDistribution(0.5, 0.001, 2, []Bucket{{-3, 1}, {100, 2}, {512, 1}})
	if err != nil || d.Events != 4 || d.Estimate != 0.1 {
		t.Errorf("%+v, %v", d, err)
	}
	if d, err = NewDistribution(0.76, 0.001, 2, d.Buckets); err != nil || d.Estimate != 0.5125 {
		t.Errorf("%+v, %v", d, err)
	}
	if d, err = NewDistribution(0.5, 1, 0, nil); err != nil || d.Estimate != 0 {
		t.Errorf("no events: %+v, %v", d, err)
	}
	for name, c := range map[string]struct {
		nu      float64
		buckets []Bucket
	}{
		"out of order": {0.5, []Bucket{{2, 1}, {1, 1}}}, "twice": {0.5, []Bucket{{1, 1}, {1, 1}}},
		"an empty one": {0.5, []Bucket{{1, 0}}}, "nu 0": {0, nil}, "nu 1": {1, nil}, "nu is no number": {math.NaN(), nil},
	} {
		if d, err := NewDistribution(c.nu, 1, 1, c.buckets); err == nil {
			t.Errorf("%s: %+v", name, d)
		}
	}
}

func TestDistribution_Merge(t *testing.T) {
	of := func(units int64, buckets ...Bucket) Distribution {
		d, err := NewDistribution(0.5, 1, units, buckets)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	a, b := of(2, Bucket{1, 1}, Bucket{5, 2}, Bucket{9, 1}), of(3, Bucket{0, 1}, Bucket{5, 1}, Bucket{700, 5})
	want := of(5, Bucket{0, 1}, Bucket{1, 1}, Bucket{5, 3}, Bucket{9, 1}, Bucket{700, 5})
	for _, got := range []Distribution{a.Merge(b), b.Merge(a)} {
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
	if diff := cmp.Diff(a, a.Merge(of(0))); diff != "" {
		t.Errorf("with nothing:\n%s", diff)
	}
}

func TestRank(t *testing.T) {
	for _, c := range []struct {
		n     int64
		share float64
		want  int64
	}{{0, 0.5, 0}, {1, 0.001, 1}, {100, 0.07, 7}, {100, 0.95, 95}, {101, 0.95, 96}, {3, 0.999, 3}, {math.MaxInt64, 0.5, 1 << 62}} {
		if got := Rank(c.n, c.share); got != c.want {
			t.Errorf("Rank(%d, %v) = %d, want %d", c.n, c.share, got, c.want)
		}
	}
}

func TestSample_merges(t *testing.T) {
	j := Joint{N: 3, Means: []float64{3, 2}, M: []float64{8, 6, 6}}
	ratio := RatioSample(j)
	if ratio.Center() != 1.5 || ratio.N != 3 {
		t.Errorf("ratio: %+v", ratio)
	}
	d, err := NewDistribution(0.5, 1, 2, []Bucket{{7, 4}})
	if err != nil {
		t.Fatal(err)
	}
	quantile := QuantileSample(d, j)
	if quantile.Center() != 7 || quantile.N != 3 {
		t.Errorf("quantile: %+v", quantile)
	}
	if m := quantile.Merge(quantile); m.N != 6 || m.Joint != nil || m.Distribution.Events != 8 || m.Distribution.Units != 4 {
		t.Errorf("merged: %+v", m)
	}
	if m := ratio.Merge(ratio); m.N != 6 || m.Joint.N != 6 || m.Joint.Of(0, 0) != 16 {
		t.Errorf("merged: %+v", m)
	}
	if empty := (Sample{Kind: KindRatio}); empty.Center() != 0 || empty.Merge(ratio).N != 3 {
		t.Errorf("empty: %v", empty.Center())
	}
}
