package ingest_test

import (
	"strings"
	"testing"
	"time"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/ingest"
	"github.com/sluice-hq/sluice/stats"
)

var tracedAt = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// traced is one unit of which everything is enrolled, countable and in time,
// until a test changes it.
type traced struct {
	ingest.Tracing
	rows ingest.Rows
	n    byte
}

func newTraced(metrics ...stats.Metric) *traced {
	return &traced{Tracing: ingest.Tracing{Environment: "production", Flag: "gate", Rollout: "production/gate/1", UnitKind: "user", Metrics: metrics, Gate: true,
		Until: tracedAt.AddDate(0, 0, 30), Watermark: map[string]uint64{"facts-0": 100}}}
}

func (u *traced) expose(after time.Duration, arm string, change ...func(*ingest.ExposureRow)) {
	u.n++
	r := ingest.ExposureRow{Place: ingest.Place{Shard: "facts-0", Seq: uint64(u.n)}, ID: event.ID{u.n}, Environment: "production", Flag: "gate", Variant: arm, UnitKind: "user", Unit: 7,
		Rollout: "production/gate/1", Stage: "ramp", Epoch: 1, Arm: arm, Enrolled: true, At: tracedAt.Add(after)}
	for _, c := range change {
		c(&r)
	}
	u.rows.Exposures = append(u.rows.Exposures, r)
}

func (u *traced) happen(after time.Duration, change ...func(*ingest.MetricRow)) {
	u.n++
	r := ingest.MetricRow{Place: ingest.Place{Shard: "facts-0", Seq: uint64(u.n)}, ID: event.ID{u.n}, Environment: "production", Name: "purchase", UnitKind: "user", Unit: 7, Value: 2_500_000, At: tracedAt.Add(after)}
	for _, c := range change {
		c(&r)
	}
	u.rows.Metrics = append(u.rows.Metrics, r)
}

func (u *traced) trace() ingest.Trace { return u.Of("user", 7, u.rows) }

var basket = stats.Metric{Key: "basket", Event: "purchase", Aggregate: stats.Sum, Window: time.Hour, Lookback: 2 * time.Hour, Where: []stats.Condition{{Attribute: "country", Values: []string{"DE", ""}}}}

// TestTracing_whyNot: each thing that keeps an event out of the result is said.
func TestTracing_whyNot(t *testing.T) {
	for want, change := range map[string]func(*ingest.MetricRow){
		"waits: it is on disk":                                  func(r *ingest.MetricRow) { r.Seq = 101 },
		"is a test event":                                       func(r *ingest.MetricRow) { r.Synthetic = true },
		"is of a unit of the kind workspace":                    func(r *ingest.MetricRow) { r.UnitKind = "workspace" },
		"no metric of the plan is made of events":               func(r *ingest.MetricRow) { r.Name = "page_view" },
		`its country is "FR", and the metric asks for "DE", ""`: func(r *ingest.MetricRow) { r.Attributes = map[string]string{"country": "FR"} },
		"3h after the first exposure; the window ends":          func(r *ingest.MetricRow) { r.At = tracedAt.Add(3 * time.Hour) },
		"3h before the first exposure; what explains":           func(r *ingest.MetricRow) { r.At = tracedAt.Add(-3 * time.Hour) },
		"1m30s after the first exposure; the window ends after": func(r *ingest.MetricRow) { r.Name = "quick"; r.At = tracedAt.Add(90 * time.Second) },
	} {
		u := newTraced(basket, stats.Metric{Key: "quick", Event: "quick", Aggregate: stats.Count, Window: time.Minute})
		u.expose(0, "on")
		u.happen(time.Minute, change)
		e := u.trace().Events[0]
		why := e.Why
		if len(e.Uses) > 0 {
			why = e.Uses[0].Why
		}
		if v := u.trace().Entries[0].Values[0]; !strings.HasPrefix(why, want) || v.Events != 0 {
			t.Errorf("got %q with %d events counted, want %q", why, v.Events, want)
		}
	}
	u := newTraced(basket)
	u.happen(0)
	if e := u.trace().Events[0]; e.Why != "the unit was never enrolled in this rollout" {
		t.Errorf("without an exposure: %+v", e)
	}
}

// TestTracing_whyNoArm: each thing that keeps an exposure from saying in which
// arm the unit is.
func TestTracing_whyNoArm(t *testing.T) {
	for want, change := range map[string]func(*ingest.ExposureRow){
		"waits: it is on disk":                func(r *ingest.ExposureRow) { r.Seq = 101 },
		"is a test event":                     func(r *ingest.ExposureRow) { r.Synthetic = true },
		"is of no rollout":                    func(r *ingest.ExposureRow) { r.Rollout = "" },
		"is of the rollout production/gate/2": func(r *ingest.ExposureRow) { r.Rollout = "production/gate/2" },
		"is of a unit of the kind workspace":  func(r *ingest.ExposureRow) { r.UnitKind = "workspace" },
		"is not of an arm: the allocation did not decide what the unit got (TARGETING_MATCH)": func(r *ingest.ExposureRow) { r.Enrolled, r.Reason = false, "TARGETING_MATCH" },
	} {
		u := newTraced(basket)
		u.expose(0, "on", change)
		if got := u.trace(); !strings.HasPrefix(got.Exposures[0].Why, want) || got.Exposures[0].Counted || len(got.Entries) != 0 {
			t.Errorf("got %+v, want %q", got.Exposures, want)
		}
	}
	u := newTraced(basket)
	u.expose(0, "on", func(r *ingest.ExposureRow) { r.Environment = "staging" })
	u.expose(0, "on", func(r *ingest.ExposureRow) { r.Flag = "other" })
	if got := u.trace(); len(got.Exposures) != 0 {
		t.Errorf("of another flag or environment: %+v", got.Exposures)
	}
}

// TestTracing_standing: where a unit stands in an epoch, and that its events then
// count for nothing.
func TestTracing_standing(t *testing.T) {
	inEpoch := func(n int32) func(*ingest.ExposureRow) { return func(r *ingest.ExposureRow) { r.Epoch = n } }
	for _, c := range []struct {
		name   string
		change func(*traced)
		want   ingest.Standing
		why    string
	}{
		{"one arm", func(*traced) {}, ingest.StandsCounted, ""},
		{"two arms", func(u *traced) { u.expose(time.Minute, "off") }, ingest.StandsTwoArms, "the unit saw 2 arms"},
		{"known", func(u *traced) { u.Since = tracedAt.Add(time.Second) }, ingest.StandsKnown, "the tests began afresh"},
		{"ahead", func(u *traced) { u.Until = tracedAt.Add(-time.Second) }, ingest.StandsAhead, "the clock"},
		{"earlier", func(u *traced) { u.Epochs = 1; u.expose(time.Minute, "on", inEpoch(2)) }, ingest.StandsEarlier, "the same arms came again, and the unit counts in epoch 1"},
	} {
		u := newTraced(basket)
		u.expose(0, "on")
		u.happen(time.Minute)
		c.change(u)
		got := u.trace()
		e := got.Entries[len(got.Entries)-1]
		if e.Standing != c.want || !strings.HasPrefix(e.Why, c.why) || e.Values[0].Counted != (c.want == ingest.StandsCounted) {
			t.Errorf("%s: %+v", c.name, e)
		}
	}
}

// TestTracing_values: a unit's events come to what its metric makes of them, once
// each, however often they are found.
func TestTracing_values(t *testing.T) {
	metric := func(a stats.Aggregate) stats.Metric {
		return stats.Metric{Key: string(a), Event: "purchase", Aggregate: a, Window: time.Hour}
	}
	ratio := metric(stats.Ratio)
	ratio.Denominator = &stats.Source{Event: "visit"}
	u := newTraced(metric(stats.Conversion), metric(stats.Count), basket, metric(stats.Average), ratio, metric(stats.Quantile))
	u.expose(0, "on")
	u.happen(-time.Hour)
	u.happen(time.Minute)
	u.happen(2*time.Minute, func(r *ingest.MetricRow) { r.Value = 500_000 })
	u.happen(time.Minute, func(r *ingest.MetricRow) { r.Name = "visit"; r.Value = 4_000_000 })
	u.rows.Metrics = append(u.rows.Metrics, u.rows.Metrics...) // loaded while it was read
	got := u.trace()
	for i, want := range []float64{1, 2, 3, 1.5, 0.75} {
		if v := got.Entries[0].Values[i]; v.Value == nil || *v.Value != want || v.Events != 2 || !v.Counted {
			t.Errorf("%s: %+v, want %v", v.Metric, v, want)
		}
	}
	if v := got.Entries[0].Values; v[2].Before != 1 || v[5].Value != nil || len(got.Events) != 4 {
		t.Errorf("%+v of %d events", v, len(got.Events))
	}
	u.Until = tracedAt.Add(30 * time.Minute)
	if v := u.trace().Entries[0].Values[1]; v.Counted || !strings.HasPrefix(v.Why, "the unit is asked once it is old enough, from 2026-11-20T13:00:00Z on") {
		t.Errorf("too young: %+v", v)
	}
	none := newTraced(metric(stats.Average))
	none.expose(0, "on")
	if v := none.trace().Entries[0].Values[0]; v.Counted || v.Value != nil || v.Why != "a unit without events has no mean" {
		t.Errorf("a mean of nothing: %+v", v)
	}
}
