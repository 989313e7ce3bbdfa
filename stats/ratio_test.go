package stats

import (
	"math"
	"testing"
)

// jointOf returns the joint moments of rows of values.
func jointOf(rows ...[]float64) Joint {
	j := Joint{}
	for _, r := range rows {
		k := len(r)
		j = j.Merge(Joint{N: 1, Means: r, M: make([]float64, k*(k+1)/2)})
	}
	return j
}

// zipped returns the joint moments of columns of values.
func zipped(columns ...[]float64) Joint {
	rows := make([][]float64, len(columns[0]))
	for i := range rows {
		for _, c := range columns {
			rows[i] = append(rows[i], c[i])
		}
	}
	return jointOf(rows...)
}

// The README of avito-tech/abito, "Works with Ratio samples": statistic
// −0.9481011064982815, difference −0.1789473684210527 with the standard error
// 0.18874291696797746.
func TestCompareRatio_abito(t *testing.T) {
	c := Compare([]Stratum{{
		Control:   RatioSample(zipped([]float64{1, 2, 8}, []float64{4, 5, 10})),
		Treatment: RatioSample(zipped([]float64{1, 2, 3}, []float64{4, 5, 6})),
	}}, Options{})
	if !near(c.Estimate, -0.1789473684210527, 1e-12) || !near(c.SE, 0.18874291696797746, 1e-12) || !near(c.Statistic, -0.9481011064982815, 1e-12) {
		t.Errorf("%v ± %v, t %v", c.Estimate, c.SE, c.Statistic)
	}
}

// A ratio whose denominator is 1 is a mean, to the gates as well.
func TestRatioOfOnesIsAMean(t *testing.T) {
	ones := func(s Sample) Sample {
		m := s.Moments
		return RatioSample(Joint{N: m.N, Means: []float64{m.Mean, 1}, M: []float64{m.M2, 0, 0}})
	}
	means := []Stratum{{Control: Mean(Moments{N: 400, Mean: 10, M2: 1600}), Treatment: Mean(Moments{N: 300, Mean: 11, M2: 1500})}}
	ratios := []Stratum{{Control: ones(means[0].Control), Treatment: ones(means[0].Treatment)}}
	if got, want := Compare(ratios, Options{Relative: true}), Compare(means, Options{Relative: true}); got.Fixed != want.Fixed || got.Band != want.Band || got.P != want.P {
		t.Errorf("%+v, want %+v", got, want)
	}
	f, ok := Freeze(ratios)
	if want, _ := Freeze(means); !ok || f != want {
		t.Errorf("frozen %+v, want %+v", f, want)
	}
	g := Guardrail{Margin: 0.05, Direction: Decrease}
	if got, want := g.Judge(ratios, f), g.Judge(means, f); got.LogBreach != want.LogBreach || got.Bounds != want.Bounds {
		t.Errorf("%+v, want %+v", got, want)
	}
}

// Clusters of one size have the mean and the variance of the clusters' means.
func TestClustersOfOneSize(t *testing.T) {
	sums := []float64{12, 15, 9, 18, 21, 12, 9, 15, 18, 12}
	five := make([]float64, len(sums))
	means := make([]float64, len(sums))
	for i, s := range sums {
		five[i], means[i] = 5, s/5
	}
	clusters := ClusterSample(zipped(sums, five))
	want := momentsOf(means...)
	if !near(clusters.Center(), want.Mean, 1e-12) || !near(clusters.Variance(), want.Variance(), 1e-12) {
		t.Errorf("%v ± %v, want %v ± %v", clusters.Center(), clusters.Variance(), want.Mean, want.Variance())
	}
	c := Compare([]Stratum{{Control: clusters, Treatment: clusters}}, Options{})
	if c.Refused != nil || len(c.Warnings) != 1 || c.Warnings[0] != warnClusters || !near(c.DF, 18, 1e-9) {
		t.Errorf("%+v", c)
	}
}

func TestRatioRefuses(t *testing.T) {
	good := zipped([]float64{1, 2, 8}, []float64{4, 5, 10})
	with := func(change func(*Joint)) Sample {
		j := Joint{N: good.N, Means: append([]float64(nil), good.Means...), M: append([]float64(nil), good.M...)}
		change(&j)
		return RatioSample(j)
	}
	other := RatioSample(good)
	nine := make([]float64, 9)
	for i := range nine {
		nine[i] = float64(i + 1)
	}
	for _, tt := range []struct {
		name  string
		s     Sample
		code  Code
		field string
	}{
		{"no moments", Sample{Kind: KindRatio, N: 3}, BadInput, "control.num_sum"},
		{"one value", with(func(j *Joint) { j.Means, j.M = j.Means[:1], j.M[:1] }), BadInput, "control.num_sum"},
		{"too few products", with(func(j *Joint) { j.M = j.M[:2] }), BadInput, "control"},
		{"infinite", with(func(j *Joint) { j.Means[1] = math.Inf(1) }), BadInput, "control.sum"},
		{"NaN", with(func(j *Joint) { j.M[1] = math.NaN() }), BadInput, "control.sum"},
		{"negative squares", with(func(j *Joint) { j.M[2] = -1 }), BadInput, "control.sum_squares"},
		{"product too large", with(func(j *Joint) { j.M[1] = 100 }), BadInput, "control.sum_product"},
		{"counts differ", Sample{Kind: KindRatio, N: 4, Joint: &good}, BadInput, "control.n"},
		{"no denominators", RatioSample(zipped([]float64{1, 2, 8}, []float64{0, 0, 0})), TooFewUnits, "den_sum"},
		{"no units", Sample{Kind: KindRatio}, TooFewUnits, "control.n"},
		{"one unit", RatioSample(jointOf([]float64{1, 2})), TooFewUnits, "control.n"},
		{"nine clusters", ClusterSample(zipped(nine, nine)), TooFewUnits, "clusters"},
	} {
		s := Stratum{Control: tt.s, Treatment: other}
		if tt.s.Kind == KindCluster {
			s.Treatment = tt.s
		}
		c := Compare([]Stratum{s}, Options{})
		if c.Refused == nil || c.Refused.Code != tt.code || c.Refused.Field != tt.field {
			t.Errorf("%s: %v, want %s of %s", tt.name, c.Refused, tt.code, tt.field)
		}
		if c.P != 1 || c.Fixed != Open() || c.Band != Open() {
			t.Errorf("%s: p %v, %v: a refusal is no evidence", tt.name, c.P, c.Fixed)
		}
	}
}

// A numerator that is a multiple of its denominator has no variance, though
// rounding may make it negative.
func TestRatioVarianceNeverNegative(t *testing.T) {
	j := zipped([]float64{0.1, 0.7, 1.3}, []float64{0.3, 2.1, 3.9})
	if v := RatioSample(j).Variance(); !(v >= 0 && v < 1e-15) {
		t.Errorf("variance %v", v)
	}
}

// One of a hundred units has a denominator. It agrees with the ratio that it
// makes, so that the arm seemed to be known exactly.
func TestRatioOfOneUnit(t *testing.T) {
	single := RatioSample(Joint{N: 100, Means: []float64{0.03, 0.01}, M: []float64{8.91, 2.97, 0.99}})
	many := RatioSample(Joint{N: 10_000, Means: []float64{1, 1}, M: []float64{2e4, 1e4, 1e4}})
	c := Compare(oneStratum(many, single), Options{})
	if c.Refused == nil || c.Refused.Code != TooFewUnits || c.Refused.Field != "den_sum" || c.P != 1 {
		t.Errorf("%v, p %v", c.Refused, c.P)
	}
}
