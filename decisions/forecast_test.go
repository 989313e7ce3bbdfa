package decisions

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/stats"
)

// TestForecast: what came in a tenth of the time comes to the whole in ten
// times; a test without a plan, and one that is refused, has none.
func TestForecast(t *testing.T) {
	start := time.Date(2026, 11, 1, 9, 0, 0, 0, time.UTC)
	r := Rollout{Standing: Standing{Status: Running, Started: start}}
	reading := func(have, need float64) stats.Reading { return stats.Reading{Information: have, Needed: need} }
	refused := reading(1, 2)
	refused.Refused = &stats.Refusal{Message: "too few"}
	e := Evidence{At: start.Add(24 * time.Hour), Metrics: []Measured{
		{Metric: "signups", Outcome: &stats.Outcome{Reading: reading(10, 100)}},
		{Metric: "latency", Judgement: &stats.Judgement{Reading: reading(50, 40)}},
		{Metric: "idle", Judgement: &stats.Judgement{Reading: reading(0, 40)}},
		{Metric: "new", Judgement: &stats.Judgement{Reading: refused}},
		{Metric: "limited", Judgement: &stats.Judgement{Reading: reading(5, 0)}},
		{Metric: "shown"},
	}}
	in10, now := start.AddDate(0, 0, 10), e.At
	want := []Forecast{{"signups", 0.1, &in10}, {"latency", 1.25, &now}, {"idle", 0, nil}}
	if diff := cmp.Diff(want, r.Forecast(e)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	r.Status = RolledBack
	if got := r.Forecast(e); got[0].At != nil {
		t.Errorf("a rollout that is over has a date: %+v", got[0])
	}
}
