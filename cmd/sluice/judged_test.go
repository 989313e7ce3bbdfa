package main

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/ingest"
	"github.com/sluice-hq/sluice/internal/engine/enginetest"
	"github.com/sluice-hq/sluice/internal/warehouse"
	"github.com/sluice-hq/sluice/stats"
)

// visits are units of two arms with a few orders and requests each. A request
// takes longer with the treatment, an order is worth the same.
type visits struct {
	r    *rand.Rand
	rows ingest.Rows
	n    uint64
}

var judgedAt = time.Date(2027, 1, 31, 12, 0, 0, 0, time.UTC)

func (v *visits) place() (p ingest.Place, id event.ID) {
	v.n++
	binary.BigEndian.PutUint64(id[:], uint64(judgedAt.UnixMilli())<<16|0x7000)
	binary.BigEndian.PutUint64(id[8:], v.n|1<<63)
	return ingest.Place{Shard: "facts-0", Seq: 1 + v.n/1000, Idx: uint32(v.n % 1000)}, id
}

func (v *visits) meet(unit uint64, arm string) {
	p, id := v.place()
	v.rows.Exposures = append(v.rows.Exposures, ingest.ExposureRow{Place: p, ID: id, Day: ingest.DayOf(id), Environment: "production", Flag: "checkout",
		Variant: arm, UnitKind: "user", Unit: unit, Revision: 1, Rollout: "production/checkout/1", Stage: "experiment", Epoch: 1, Arm: arm, Enrolled: true,
		At: judgedAt, Received: judgedAt})
	slower := map[string]float64{"off": 1, "on": 1.5}[arm]
	pace := 1 + v.r.Float64() // requests of one unit are alike
	for range 1 + v.r.IntN(8) {
		items := float64(1 + v.r.IntN(5))
		v.send(unit, "items", items)
		v.send(unit, "order", items*(8+4*v.r.Float64()))
		v.send(unit, "request", 100*slower*pace*(0.5+v.r.ExpFloat64()))
	}
}

func (v *visits) send(unit uint64, name string, value float64) {
	p, id := v.place()
	at := judgedAt.Add(time.Minute)
	v.rows.Metrics = append(v.rows.Metrics, ingest.MetricRow{Place: p, ID: id, Day: ingest.DayOf(id), Environment: "production", Name: name,
		UnitKind: "user", Unit: unit, Value: int64(value * 1e6), At: at, Received: at})
}

// TestRatiosAndQuantilesAreJudged plans a rollout with both, in every role, and
// reads what the engine counts of it: the slower requests breach guardrail and
// limit, the ratio shows neither gain nor loss.
func TestRatiosAndQuantilesAreJudged(t *testing.T) {
	r := judgedRollout(t)
	v := &visits{r: rand.New(rand.NewPCG(5, 20270131))}
	for unit := range uint64(3000) {
		v.meet(unit+1, []string{"off", "on"}[unit%2])
	}
	w, err := warehouse.Open(t.Context(), warehouse.Config{Dial: enginetest.StartSupervisor(t).Dial})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if err := w.Insert(t.Context(), ingest.Block{Shard: "facts-0", From: 1, To: 1 + v.n/1000, Token: "visits", Rows: v.rows}); err != nil {
		t.Fatal(err)
	}
	q := question(r)
	q.Until, q.Watermark = judgedAt.Add(48*time.Hour), map[string]uint64{"facts-0": 1 + v.n/1000}
	a, err := w.Readout(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	e := fill(decisions.Evidence{At: q.Until}, q.Metrics, a)
	r.Frozen = decisions.Baselines(r, e)
	e = decisions.Read(r, e)
	slow, _ := e.Metric("p90")
	if j := slow.Judgement; j == nil || j.Refused != nil || j.State != stats.Breached || !(j.Estimate > 0.3 && j.Estimate < 0.7) {
		t.Errorf("p90 against its margin: %+v", j)
	}
	top, _ := e.Metric("median")
	if j := top.Limit; j == nil || j.Refused != nil || j.State != stats.Breached || !(j.Estimate > 150) {
		t.Errorf("the median against its limit: %+v", j)
	}
	item, _ := e.Metric("perItem")
	if o := item.Outcome; o == nil || o.Refused != nil || o.Verdict == stats.Superior || o.Verdict == stats.Inferior || !(o.Estimate > -0.02 && o.Estimate < 0.02) {
		t.Errorf("the ratio: %+v", o)
	}
	for _, m := range e.Metrics {
		if m.Comparison == nil || m.Comparison.Refused != nil {
			t.Errorf("%s: nothing is compared: %+v", m.Metric, m.Comparison)
		}
	}
}

// judgedRollout has a ratio and quantiles in the roles of a plan.
func judgedRollout(t *testing.T) decisions.Rollout {
	t.Helper()
	margin := decisions.Percent(5000)
	metrics := map[string]stats.Metric{
		"p90":     {Key: "p90", Event: "request", Aggregate: stats.Quantile, Nu: 0.9, Direction: stats.Decrease, UnitOfMeasure: "ms", Window: time.Hour},
		"median":  {Key: "median", Event: "request", Aggregate: stats.Quantile, Nu: 0.5, Direction: stats.Decrease, UnitOfMeasure: "ms", Window: time.Hour},
		"perItem": {Key: "perItem", Event: "order", Aggregate: stats.Ratio, Denominator: &stats.Source{Event: "items"}, Direction: stats.Increase, Window: time.Hour},
	}
	plan := decisions.Plan{
		Flag: "checkout", Environment: "production", Owner: "shop", Hypothesis: "orders are worth more", Unit: "user",
		Arms: decisions.Arms{Control: "off", Treatment: "on"},
		Metrics: decisions.Metrics{
			Success:    []decisions.Success{{Metric: "perItem", MDE: 2000}},
			Guardrails: []decisions.Guardrail{{Metric: "p90", Margin: &margin}, {Metric: "median", Limit: "150ms"}},
		},
	}
	return decisions.Rollout{
		Standing: decisions.Standing{ID: "production/checkout/1", Status: decisions.Running}, Number: 1, Plan: plan.Filled(), Metrics: metrics,
	}
}
