package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/ingest"
	"github.com/sluice-hq/sluice/internal/warehouse"
	"github.com/sluice-hq/sluice/stats"
)

// plan is what the door of a trial knows: one flag whose revisions are the
// stages of a rollout, the third of them a new epoch.
type plan struct{}

const (
	trialFlag    = "checkout"
	trialRollout = "production/checkout/1"
)

// Known implements ingest.Flags.
func (plan) Known(_, flag string) bool { return flag == trialFlag }

// UnitKind implements ingest.Flags.
func (plan) UnitKind(string, string, uint64) string { return "user" }

// Assigned implements ingest.Flags.
func (plan) Assigned(_, _ string, revision uint64, variant string) (ingest.Assignment, bool) {
	stage := map[uint64]string{1: "canary", 2: "ramp", 3: "experiment"}[revision]
	return ingest.Assignment{Rollout: trialRollout, Stage: stage, Epoch: int32(1 + revision/3), Arm: variant}, stage != ""
}

// Declared implements ingest.Declared.
func (plan) Declared(string) bool { return true }

// question asks for every kind of statistic that is computed.
func question(watermark map[string]uint64, gate bool) warehouse.Question {
	return warehouse.Question{
		Environment: "production", Flag: trialFlag, Rollout: trialRollout, UnitKind: "user", Control: "off", Treatments: []string{"on"},
		Gate: gate, Until: trialEnd, Watermark: watermark, Metrics: metrics(),
	}
}

// metrics returns one metric of each shape.
func metrics() []stats.Metric {
	metric := func(key, event string, a stats.Aggregate, change func(*stats.Metric)) stats.Metric {
		m := stats.Metric{Key: key, Event: event, Aggregate: a, Window: 72 * time.Hour, GateWindow: 12 * time.Hour}
		change(&m)
		return m
	}
	plain := func(*stats.Metric) {}
	west := []stats.Condition{{Attribute: "region", Values: []string{"west"}}}
	return []stats.Metric{
		metric("bought", "purchase", stats.Conversion, plain),
		metric("orders", "purchase", stats.Count, func(m *stats.Metric) { m.Where = west }),
		metric("revenue", "purchase", stats.Sum, plain),
		metric("capped", "purchase", stats.Sum, func(m *stats.Metric) { m.Cap = 0.99 }),
		metric("adjusted", "purchase", stats.Sum, func(m *stats.Metric) { m.Lookback = 6 * time.Hour }),
		metric("basket", "purchase", stats.Average, plain),
		metric("slow", "latency", stats.Quantile, func(m *stats.Metric) { m.Nu = 0.9 }),
		metric("rate", "purchase", stats.Ratio, func(m *stats.Metric) { m.Denominator = &stats.Source{Event: "latency"} }),
		metric("crashed", "crash", stats.Failures, plain),
		metric("came back", "latency", stats.Retention, func(m *stats.Metric) {
			m.Window, m.GateWindow, m.Return = 0, 0, &stats.Return{From: 12 * time.Hour, To: 36 * time.Hour}
		}),
	}
}

// The trial's events are of six days, so that none is too old for the door,
// which takes the time of arrival from us.
var (
	trialStart = time.Date(2026, 11, 2, 0, 0, 0, 0, time.UTC)
	trialEnd   = trialStart.Add(5 * 24 * time.Hour)
)

// fact is one event with what the order of sending goes by.
type fact struct {
	id   event.ID
	at   time.Time
	body json.RawMessage
}

// maker draws facts.
type maker struct {
	r     *rand.Rand
	n     uint64
	facts []fact
}

// story draws the events of so many units: some are seen again, some in two
// arms, some in two stages or epochs; events happen before and after, inside
// and outside of the windows.
func story(units int, seed uint64) []fact {
	m := &maker{r: rand.New(rand.NewPCG(seed, 2))}
	for u := range units {
		unit := fmt.Sprintf("u-%d", u)
		arm := []string{"on", "off"}[m.r.IntN(2)]
		first := m.later(trialStart, 60*time.Hour)
		m.expose(unit, arm, first, 1+uint64(m.r.IntN(2)))
		for m.r.IntN(3) == 0 {
			m.expose(unit, arm, m.later(first, 40*time.Hour), 1+uint64(m.r.IntN(3)))
		}
		if m.r.IntN(100) == 0 {
			m.expose(unit, "on", m.later(first, time.Hour), 1)
			m.expose(unit, "off", m.later(first, time.Hour), 1)
		}
		for range m.r.IntN(11) {
			m.happen(unit, m.later(first.Add(-3*time.Hour), 80*time.Hour))
		}
	}
	slices.SortStableFunc(m.facts, func(a, b fact) int { return a.at.Compare(b.at) })
	return m.facts
}

func (m *maker) later(t time.Time, most time.Duration) time.Time {
	return t.Add(time.Duration(m.r.Int64N(int64(most)))).Truncate(time.Millisecond)
}

func (m *maker) expose(unit, arm string, at time.Time, revision uint64) {
	id := m.id(at)
	m.add(id, at, ingest.Exposure{
		Kind: ingest.KindExposure, ID: id, Flag: trialFlag, Variant: arm, Unit: ingest.Unit{Kind: "user", ID: unit},
		Revision: revision, Enrolled: true, Reason: "SPLIT", At: at, Attributes: map[string]string{"plan": []string{"free", "pro"}[m.r.IntN(2)]},
	})
}

// happen draws a metric event. Values are of very different sizes, so that
// sums in another order would differ if they were not exact.
func (m *maker) happen(unit string, at time.Time) {
	id := m.id(at)
	name := []string{"purchase", "latency", "crash"}[min(m.r.IntN(20)/9, 2)]
	value := float64(m.r.Int64N(2_000_000_000)-200_000_000) / 1e6
	if m.r.IntN(50) == 0 {
		value *= 100_000
	}
	m.add(id, at, ingest.MetricEvent{
		Kind: ingest.KindMetric, ID: id, Name: name, Value: &value, Units: map[string]string{"user": unit, "workspace": "w-" + unit[:3]}, At: at,
		Attributes: map[string]string{"region": []string{"east", "west"}[m.r.IntN(2)]},
	})
}

func (m *maker) add(id event.ID, at time.Time, e any) {
	body, err := json.Marshal(e)
	if err != nil {
		panic(err) // unreachable unless a number drawn above is not finite
	}
	m.facts = append(m.facts, fact{id, at, body})
}

// id returns a new ID of version 7 that holds a time.
func (m *maker) id(at time.Time) (id event.ID) {
	m.n++
	binary.BigEndian.PutUint64(id[:], uint64(at.UnixMilli())<<16)
	binary.BigEndian.PutUint64(id[8:], m.n)
	id[6], id[8] = id[6]|0x70, id[8]&0x3f|0x80
	return id
}

// send lets a batch of facts in, at a time by which all of them have happened.
func (w *world) send(ctx context.Context, batch []fact) error {
	var body bytes.Buffer
	now := trialStart
	for _, f := range batch {
		body.Write(f.body)
		body.WriteByte('\n')
		if f.at.After(now) {
			now = f.at
		}
	}
	r, err := w.intake.Accept(ctx, ingest.Request{Environment: "production", Body: &body}, now.Add(time.Second))
	if err == nil && len(r.Rejected)+r.DeadLetters > 0 {
		err = fmt.Errorf("%d of %d events were not taken: %+v", len(r.Rejected)+r.DeadLetters, len(batch), r)
	}
	return err
}
