package ingest_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/ingest"
	"github.com/sluice-hq/sluice/stats"
)

func metric(change ...func(*ingest.Metric)) ingest.Metric {
	m := ingest.Metric{
		Key: "checkout_completed", Description: "Payments that went through", Owner: "payments", Event: "purchase",
		Aggregate: stats.Conversion, Direction: stats.Increase, Window: event.Duration(7 * 24 * time.Hour),
	}
	for _, c := range change {
		c(&m)
	}
	return m
}

func TestMetric_Validate(t *testing.T) {
	if err := metric().Validate(); err != nil {
		t.Error(err)
	}
	for _, c := range []struct {
		path   string
		change func(*ingest.Metric)
	}{
		{"key", func(m *ingest.Metric) { m.Key = "a b" }},
		{"event", func(m *ingest.Metric) { m.Event = strings.Repeat("x", 129) }},
		{"description", func(m *ingest.Metric) { m.Description = "" }},
		{"owner", func(m *ingest.Metric) { m.Owner = "" }},
		{"aggregate", func(m *ingest.Metric) { m.Aggregate = "median" }},
		{"aggregate", func(m *ingest.Metric) { m.Aggregate = "" }},
		{"direction", func(m *ingest.Metric) { m.Direction = "up" }},
		{"quantile", func(m *ingest.Metric) { m.Quantile = 0.5 }},
		{"quantile", func(m *ingest.Metric) { m.Aggregate = stats.Quantile }},
		{"quantile", func(m *ingest.Metric) { m.Aggregate, m.Quantile = stats.Quantile, 95 }},
		{"denominator", func(m *ingest.Metric) { m.Aggregate = stats.Ratio }},
		{"denominator", func(m *ingest.Metric) { m.Denominator = &ingest.Denominator{Event: "x"} }},
		{"denominator.event", func(m *ingest.Metric) { m.Aggregate, m.Denominator = stats.Ratio, &ingest.Denominator{} }},
		{"retention", func(m *ingest.Metric) { m.Aggregate, m.Window = stats.Retention, 0 }},
		{"retention", func(m *ingest.Metric) {
			m.Aggregate, m.Window, m.Retention = stats.Retention, 0, &ingest.Retention{From: 7, To: 7}
		}},
		{"rate", func(m *ingest.Metric) { m.Rate = 100 }},
		{"cap.percentile", func(m *ingest.Metric) { m.Aggregate, m.Cap = stats.Sum, &ingest.Cap{Percentile: 1.5} }},
		{"cap", func(m *ingest.Metric) { m.Cap = &ingest.Cap{Percentile: 0.99} }},
		{"cap", func(m *ingest.Metric) { m.Aggregate, m.Cap = stats.Failures, &ingest.Cap{Percentile: 0.99} }},
		{"baseline", func(m *ingest.Metric) {
			m.Aggregate, m.Quantile, m.Baseline = stats.Quantile, 0.5, &ingest.Baseline{Lookback: 7}
		}},
		{"window", func(m *ingest.Metric) { m.Aggregate, m.Retention = stats.Retention, &ingest.Retention{From: 6, To: 7} }},
		{"denominator.where[0].op", func(m *ingest.Metric) {
			m.Aggregate, m.Denominator = stats.Ratio, &ingest.Denominator{Event: "x", Where: []ingest.Condition{{Attribute: "a", Op: "like", Values: []string{"b"}}}}
		}},
		{"gateWindow", func(m *ingest.Metric) { m.GateWindow = m.Window + 1 }},
		{"baseline.lookback", func(m *ingest.Metric) { m.Baseline = &ingest.Baseline{} }},
		{"where[1].op", func(m *ingest.Metric) {
			m.Where = []ingest.Condition{{Attribute: "a", Op: "in", Values: []string{"b"}}, {Attribute: "a", Op: "like", Values: []string{"b"}}}
		}},
		{"where[0].values", func(m *ingest.Metric) { m.Where = []ingest.Condition{{Attribute: "a", Op: "in"}} }},
		{"where[0].attribute", func(m *ingest.Metric) { m.Where = []ingest.Condition{{Op: "in", Values: []string{"b"}}} }},
	} {
		var faults event.Invalids
		if err := metric(c.change).Validate(); !errors.As(err, &faults) || len(faults) != 1 || faults[0].Path != c.path {
			t.Errorf("got %v, want a fault of %s", err, c.path)
		}
	}
}

// TestMetric_document reads the document of the manual.
func TestMetric_document(t *testing.T) {
	const doc = `{"key":"checkout_errors","description":"d","owner":"o","event":"error","aggregate":"events","direction":"decrease",
		"unitOfMeasure":"errors","window":"7d","gateWindow":"24h","baseline":{"lookback":"14d"},"rate":"0.1%",
		"where":[{"attribute":"country","op":"in","values":["DE","FR"]}]}`
	var m ingest.Metric
	if err := json.Unmarshal([]byte(doc), &m); err != nil {
		t.Fatal(err)
	}
	if err := m.Validate(); err != nil {
		t.Error(err)
	}
	want := stats.Metric{
		Key: "checkout_errors", Event: "error", Aggregate: stats.Failures, Direction: stats.Decrease, UnitOfMeasure: "errors",
		Scale: 1e-6, Window: 7 * 24 * time.Hour, GateWindow: 24 * time.Hour, Lookback: 14 * 24 * time.Hour, Rate: 0.001,
		Where: []stats.Condition{{Attribute: "country", Values: []string{"DE", "FR"}}},
	}
	if diff := cmp.Diff(want, m.Stats()); diff != "" || m.Rate.Float() != 0.001 {
		t.Errorf("rate %v, metric (-want +got):\n%s", m.Rate, diff)
	}
}

func TestShare(t *testing.T) {
	for text, want := range map[string]ingest.Share{"0%": 0, "0.1%": 1000, "5%": 50_000, "100%": 1_000_000, "0.0001%": 1, "12.5%": 125_000} {
		var s ingest.Share
		if err := s.UnmarshalText([]byte(text)); err != nil || s != want || s.String() != text {
			t.Errorf("%s = %d (%s), %v; want %d", text, s, s, err, want)
		}
	}
	for _, text := range []string{"", "%", "5", "-1%", "100.0001%", "0.00001%", "a%", ".5%", "1e1%", "5 %"} {
		if s := ingest.Share(7); s.UnmarshalText([]byte(text)) == nil {
			t.Errorf("%q is read as %d", text, s)
		}
	}
}

// record handles a command and applies its event.
func record(t *testing.T, c *ingest.Catalog, log *event.MemLog, d ingest.Define) {
	t.Helper()
	e, expect, err := c.Handle(d)
	if err != nil {
		t.Fatal(err)
	}
	seq, err := log.Append(t.Context(), e, expect)
	if err != nil {
		t.Fatal(err)
	}
	for r, err := range log.Read(t.Context(), event.Filter{}, seq-1) {
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Apply(r); err != nil {
			t.Fatal(err)
		}
	}
}

func TestCatalog(t *testing.T) {
	c, log := ingest.NewCatalog(), event.NewMemLog()
	if c.Declared("purchase") {
		t.Error("an empty catalog declares purchase")
	}
	first := ingest.Define{ID: event.Derive("1"), Metric: metric(), Expect: 0, At: noon, Actor: "person:ana", Comment: "first"}
	record(t, c, log, first)
	record(t, c, log, ingest.Define{ID: event.Derive("2"), Expect: event.Any, At: noon, Actor: "person:ana", Metric: metric(func(m *ingest.Metric) {
		m.Key, m.Event, m.Aggregate, m.Denominator = "per_visit", "", stats.Ratio, &ingest.Denominator{Event: "visit"}
	})})
	for name, want := range map[string]bool{"purchase": true, "per_visit": true, "visit": true, "checkout_completed": false, "": false} {
		if got := c.Declared(name); got != want {
			t.Errorf("Declared(%q) = %v", name, got)
		}
	}
	if got := c.ByEvent("visit"); !cmp.Equal(got, []string{"per_visit"}) {
		t.Errorf("ByEvent(visit) = %v", got)
	}
	record(t, c, log, ingest.Define{ID: event.Derive("3"), Expect: 1, At: noon, Actor: "person:ben", Metric: metric(func(m *ingest.Metric) { m.Event = "bought" })})
	if c.Declared("purchase") || !c.Declared("bought") {
		t.Error("the old name of the event is declared still")
	}
	d, ok := c.Declaration("checkout_completed")
	want := ingest.Declaration{Metric: metric(func(m *ingest.Metric) { m.Event = "bought" }), Revision: 3, Changed: noon, Actor: "person:ben"}
	if diff := cmp.Diff(want, d); diff != "" || !ok {
		t.Errorf("declaration (-want +got):\n%s", diff)
	}
	if m, ok := c.Metric("checkout_completed"); !ok || m.Event != "bought" {
		t.Errorf("Metric = %+v, %v", m, ok)
	}
	if got := c.Keys(); !cmp.Equal(got, []string{"checkout_completed", "per_visit"}) {
		t.Errorf("keys %v", got)
	}
	again := ingest.NewCatalog()
	p := event.NewProjection(again)
	if err := p.Catch(t.Context(), log); err != nil || marshal(t, again.State()) != marshal(t, c.State()) {
		t.Errorf("replayed: %v\n%s\n%s", err, marshal(t, again.State()), marshal(t, c.State()))
	}
}

func TestCatalog_refusals(t *testing.T) {
	c, log := ingest.NewCatalog(), event.NewMemLog()
	define := ingest.Define{ID: event.Derive("1"), Metric: metric(), At: noon, Actor: "person:ana"}
	record(t, c, log, define)
	if _, _, err := c.Handle(define); !errors.Is(err, event.ErrConflict) {
		t.Errorf("at a revision that was: %v", err)
	}
	define.Expect = 1
	if _, _, err := c.Handle(define); !errors.Is(err, ingest.ErrUnchanged) {
		t.Errorf("the same again: %v", err)
	}
	define.Metric.Direction = ""
	if _, _, err := c.Handle(define); !errors.As(err, new(event.Invalids)) {
		t.Errorf("invalid: %v", err)
	}
	for _, r := range []event.Recorded{
		{Event: event.Event{Type: ingest.MetricDefined, Subject: "metric.a", Data: []byte("{")}},
		{Event: event.Event{Type: ingest.MetricDefined, Subject: "metric.a", Data: []byte(`{"metric":{"key":"b"}}`)}},
	} {
		if err := c.Apply(r); err == nil {
			t.Errorf("applied %s", r.Data)
		}
	}
	if err := c.Apply(event.Recorded{Event: event.Event{Type: "metric.renamed", Subject: "metric.a"}}); err != nil {
		t.Errorf("an unknown type: %v", err)
	}
}

// TestMetric_Stats reads documents with every part that a metric can have.
func TestMetric_Stats(t *testing.T) {
	week := event.Duration(7 * 24 * time.Hour)
	for _, c := range []struct {
		change func(*ingest.Metric)
		want   func(*stats.Metric)
	}{
		{func(m *ingest.Metric) { m.Aggregate, m.Cap = stats.Sum, &ingest.Cap{Percentile: 0.999} }, func(m *stats.Metric) { m.Cap = 0.999 }},
		{func(m *ingest.Metric) { m.Aggregate, m.Quantile = stats.Quantile, 0.95 }, func(m *stats.Metric) { m.Nu = 0.95 }},
		{func(m *ingest.Metric) { m.Baseline = &ingest.Baseline{Lookback: week} }, func(m *stats.Metric) { m.Lookback = 7 * 24 * time.Hour }},
		{func(m *ingest.Metric) {
			m.Aggregate, m.Window, m.Retention = stats.Retention, 0, &ingest.Retention{From: week, To: week + 1}
		}, func(m *stats.Metric) {
			m.Window, m.Return = 0, &stats.Return{From: 7 * 24 * time.Hour, To: 7*24*time.Hour + 1}
		}},
		{func(m *ingest.Metric) {
			m.Where = []ingest.Condition{{Attribute: "country", Op: "in", Values: []string{"DE"}}, {Attribute: "ring", Op: "not_in", Values: []string{"staff"}}}
		}, func(m *stats.Metric) {
			m.Where = []stats.Condition{{Attribute: "country", Values: []string{"DE"}}, {Attribute: "ring", Not: true, Values: []string{"staff"}}}
		}},
		{func(m *ingest.Metric) {
			m.Aggregate, m.Denominator = stats.Ratio, &ingest.Denominator{Event: "visit", Where: []ingest.Condition{{Attribute: "bot", Op: "in", Values: []string{""}}}}
		}, func(m *stats.Metric) {
			m.Denominator = &stats.Source{Event: "visit", Where: []stats.Condition{{Attribute: "bot", Values: []string{""}}}}
		}},
	} {
		m := metric(c.change)
		if err := m.Validate(); err != nil {
			t.Errorf("%s: %v", m.Aggregate, err)
		}
		want := stats.Metric{Key: m.Key, Event: m.Event, Aggregate: m.Aggregate, Direction: m.Direction, Scale: 1e-6, Window: 7 * 24 * time.Hour}
		c.want(&want)
		if diff := cmp.Diff(want, m.Stats()); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}
