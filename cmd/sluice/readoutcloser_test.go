package main

import (
	"strings"
	"testing"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/internal/server"
	"github.com/sluice-hq/sluice/stats"
)

// TestCloserTables prints segments, days and the largest unit as people read
// them.
func TestCloserTables(t *testing.T) {
	share := func(x int64) stats.Sample { return stats.Proportion(2000, x) }
	always := stats.Options{Relative: true, Inference: stats.AlwaysValid}
	fades := []stats.Days{{
		Control:   stats.Joint{N: 1000, Means: []float64{1, 1}, M: []float64{1000, 0, 1000}},
		Treatment: stats.Joint{N: 1000, Means: []float64{2, 1}, M: []float64{1000, 0, 1000}},
	}}
	mean := stats.Mean(stats.Moments{N: 100, Mean: 2, M2: 1000})
	v := server.ReadoutView{
		Breakdowns: []server.BreakdownView{{Attribute: "plan", Metrics: stats.Breakdown([]stats.Split{{Metric: "signup", Segments: []stats.Segment{
			{Value: "pro", Strata: []stats.Stratum{{Control: share(400), Treatment: share(600)}}},
			{Strata: []stats.Stratum{{Control: share(400), Treatment: share(400)}}},
			{Rest: true, Strata: []stats.Stratum{{Control: stats.Proportion(1, 1), Treatment: stats.Proportion(0, 0)}}},
		}}}, always)}},
		Novelty:   []server.NoveltyView{{Metric: "visits", Novelty: stats.JudgeNovelty(fades, always)}},
		Influence: []server.InfluenceView{{Metric: "spend", Influence: stats.Influential([]stats.Stratum{{Control: mean, Treatment: mean}}, stats.Largest{Unit: "8f3a", Treatment: true, Value: 20}, always)}},
	}
	r := decisions.Rollout{Metrics: map[string]stats.Metric{"signup": {Aggregate: stats.Conversion}, "visits": {Aggregate: stats.Count}}}
	var b strings.Builder
	closerTables(&b, r, v)
	for _, want := range []string{
		"By plan, exploratory", "signup\tpro\t4,000\t20.00 %\t30.00 %\t50.0 %\t[", "stands out", "signup\t(none)\t4,000", "signup\t(all others)\t\t\t\t\t\tan arm needs two units",
		"signup differs between segments (p = ", "visits by day since first exposure: the effect fades", "1\t1\t2\t1\t[",
		"spend without unit 8f3a (10.0 % of its arm): ",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%q is not in:\n%s", want, b.String())
		}
	}
	if got := lopsidedText(&stats.Quarantine{Lopsided: true, LogE: 7}); !strings.Contains(got, "e = 1.1e+03") || lopsidedText(nil) != "" {
		t.Error(got)
	}
	if got := trendText(stats.Growing); got != "the effect grows" {
		t.Error(got)
	}
}
