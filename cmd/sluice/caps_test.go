package main

import (
	"math/big"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/internal/warehouse"
	"github.com/sluice-hq/sluice/stats"
)

// Exposures of units of another kind reach the evidence.
func TestFill_strays(t *testing.T) {
	e := fill(decisions.Evidence{}, nil, warehouse.Answer{Strays: []warehouse.Stray{{Kind: "account", Exposures: 7}}})
	if diff := cmp.Diff([]decisions.Stray{{Kind: "account", Exposures: 7}}, e.Strays); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// A cap that was taken once is asked for again as it was, to the last digit.
func TestCapsComeBack(t *testing.T) {
	huge, _ := new(big.Int).SetString("123456789012345678901234567890", 10)
	for _, c := range []struct {
		metric stats.Metric
		caps   warehouse.Caps
		at     float64
	}{
		{stats.Metric{Key: "visits", Aggregate: stats.Count}, warehouse.Caps{Value: big.NewInt(40)}, 40},
		{stats.Metric{Key: "revenue", Aggregate: stats.Sum}, warehouse.Caps{Value: big.NewInt(12_500_000)}, 12.5},
		{stats.Metric{Key: "basket", Aggregate: stats.Average}, warehouse.Caps{Value: big.NewInt(12_500_000_000)}, 12.5},
		{stats.Metric{Key: "per_item", Aggregate: stats.Ratio}, warehouse.Caps{Value: huge, Denominator: big.NewInt(7)}, 1.2345678901234568e23},
	} {
		frozen := capOf(c.metric, warehouse.Answer{Caps: map[string]warehouse.Caps{c.metric.Key: c.caps}})
		if frozen == nil || frozen.Value.At < c.at*(1-1e-15) || frozen.Value.At > c.at*(1+1e-15) {
			t.Errorf("%s: got %+v, want it at %g", c.metric.Key, frozen, c.at)
			continue
		}
		r := decisions.Rollout{
			Standing: decisions.Standing{Caps: map[string]decisions.Cap{c.metric.Key: *frozen}}, Metrics: map[string]stats.Metric{c.metric.Key: c.metric},
			Plan: decisions.Plan{Metrics: decisions.Metrics{Diagnostics: []decisions.Diagnostic{{Metric: c.metric.Key}}}},
		}
		big := cmp.Comparer(func(x, y *big.Int) bool { return x == y || x != nil && y != nil && x.Cmp(y) == 0 })
		if diff := cmp.Diff(map[string]warehouse.Caps{c.metric.Key: c.caps}, question(r).Caps, big); diff != "" {
			t.Errorf("%s: asked for again (-want +got):\n%s", c.metric.Key, diff)
		}
	}
	if got := capOf(stats.Metric{Key: "visits"}, warehouse.Answer{Caps: map[string]warehouse.Caps{"visits": {}}}); got != nil {
		t.Errorf("nobody had a value, got the cap %+v", got)
	}
}
