package stats

import (
	"math"
	"testing"
)

// By hand: of 20 units with an ICC of 0.05, 1 + 19/20 without variation, and
// 1 + (20 · 1.25 − 1)/20 with a coefficient of 0.5 (Eldridge, Ashby & Kerry 2006,
// Int. J. Epidemiol. 35:1292).
func TestDesignEffect(t *testing.T) {
	for _, c := range []struct{ cv, want float64 }{{0, 1.95}, {0.5, 2.2}} {
		cluster := &Cluster{Mean: 20, CV: c.cv, ICC: 0.05}
		if got := cluster.DesignEffect(); math.Abs(got-c.want) > 1e-9 {
			t.Errorf("cv %v: design effect %v, want %v", c.cv, got, c.want)
		}
	}
}

func TestClustersNeedMoreUnits(t *testing.T) {
	d := Design{Metric: Expected{Kind: KindMean, Level: 10, SD: 30}, Effect: 0.1}
	alone := d.Solve()
	d.Metric.Cluster = &Cluster{Mean: 20, CV: 0.5, ICC: 0.05}
	p := d.Solve()
	if ratio := float64(p.Total) / float64(alone.Total); math.Abs(ratio-2.2) > 0.01 {
		t.Errorf("%d units in clusters, %d alone: %v times as many, want 2.2", p.Total, alone.Total, ratio)
	}
	if want := (p.Units[0] + 19) / 20; p.Clusters[0] != want {
		t.Errorf("%d clusters hold %d units, want %d", p.Clusters[0], p.Units[0], want)
	}
}

func TestFewClustersAreDoubted(t *testing.T) {
	d := Design{Metric: Expected{Kind: KindMean, Level: 10, SD: 10, Cluster: &Cluster{Mean: 200, ICC: 0.01}}, Effect: 0.3}
	for effect, want := range map[float64]string{0.12: warnClusters, 0.3: warnNoClusters} {
		d.Effect = effect
		if p := d.Solve(); len(p.Warnings) != 1 || p.Warnings[0] != want {
			t.Errorf("effect %v: %d clusters, warnings %q; want %q", effect, p.Clusters, p.Warnings, want)
		}
	}
}

// A covariate that explains half of the variance spares half of the units.
func TestCovariateSparesUnits(t *testing.T) {
	d := Design{Metric: Expected{Kind: KindMean, Level: 10, SD: 30}, Effect: 0.02}
	all := d.Solve().Total
	d.Metric.Explained = 0.5
	if half := d.Solve().Total; math.Abs(float64(half)/float64(all)-0.5) > 1e-4 {
		t.Errorf("%d units with the covariate, %d without", half, all)
	}
}

// The median of an exponential variable of mean 1 is ln 2, its density there a
// half, so that the variance of one unit is 1.
func TestQuantileIsPlannedFromItsDensity(t *testing.T) {
	density := Design{Metric: Expected{Kind: KindQuantile, Level: math.Ln2, Nu: 0.5, Density: 0.5}, Effect: 0.05}
	spread := Design{Metric: Expected{Kind: KindQuantile, Level: math.Ln2, SD: 1}, Effect: 0.05}
	if a, b := density.Solve().Total, spread.Solve().Total; a != b || a == 0 {
		t.Errorf("%d units from the density, %d from the standard deviation", a, b)
	}
}

// What a sample says of a metric is what the comparison takes for its noise.
func TestExpectFromSamples(t *testing.T) {
	clusters := Joint{N: 3, Means: []float64{4, 2}, M: []float64{14, 4, 2}}
	for _, c := range []struct {
		name   string
		sample Sample
		want   Expected
	}{
		{"proportion", Proportion(1000, 190), Expected{Kind: KindProportion, Level: 0.19}},
		{"mean", Mean(Moments{N: 5, Mean: 3, M2: 16}), Expected{Kind: KindMean, Level: 3, SD: 2}},
		{"ratio", RatioSample(clusters), Expected{Kind: KindRatio, Level: 2, SD: math.Sqrt((14 - 2*2*4 + 2*2*2) / 2. / 4)}},
	} {
		got, r := Expect(c.sample)
		if r != nil || math.Abs(got.SD-c.want.SD) > 1e-12 || got.Kind != c.want.Kind || got.Level != c.want.Level {
			t.Errorf("%s: %+v, %v; want %+v", c.name, got, r, c.want)
		}
	}
	for name, s := range map[string]Sample{"one unit": Proportion(1, 1), "no noise": Proportion(10, 0), "no unit": {Kind: KindMean}} {
		if got, r := Expect(s); r == nil {
			t.Errorf("%s: %+v, want a refusal", name, got)
		}
	}
}

// A covariate that is half of the value, and half chance, explains half of it.
func TestExpectCovariates(t *testing.T) {
	with := Mean(Moments{N: 101, Mean: 3, M2: 200}).With(Joint{N: 101, Means: []float64{3, 1, 0}, M: []float64{200, 100, 0, 100, 0, 0}})
	if got, r := Expect(with); r != nil || math.Abs(got.Explained-0.5) > 1e-12 {
		t.Errorf("%+v, %v; want half of the variance explained", got, r)
	}
}
