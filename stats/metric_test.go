package stats

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestMetricText(t *testing.T) {
	want := Metric{Key: "latency", Event: "latency_ms", Aggregate: Average, Direction: Decrease, Window: time.Hour,
		Where: []Condition{{Attribute: "country", Values: []string{"DE"}}, {Attribute: "ring", Not: true, Values: []string{"staff"}}},
		Cap:   0.999, Lookback: 14 * 24 * time.Hour, Denominator: &Source{Event: "visit"}, Nu: 0.95, Return: &Return{From: time.Hour, To: 2 * time.Hour}}
	b, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	var got Metric
	if err := json.Unmarshal(b, &got); err != nil || !cmp.Equal(got, want) {
		t.Errorf("%s read back as %+v, %v", b, got, err)
	}
	for _, text := range []string{`{"aggregate": "median"}`, `{"direction": "up"}`, `{"direction": ""}`} {
		if err := json.Unmarshal([]byte(text), &got); err == nil {
			t.Errorf("%s was read without an error", text)
		}
	}
}

func TestMetricDefaults(t *testing.T) {
	for _, tt := range []struct {
		m    Metric
		want time.Duration
	}{
		{Metric{}, 24 * time.Hour},
		{Metric{Window: time.Hour}, time.Hour},
		{Metric{Window: 7 * 24 * time.Hour}, 24 * time.Hour},
		{Metric{Window: 7 * 24 * time.Hour, GateWindow: 48 * time.Hour}, 48 * time.Hour},
	} {
		if got := tt.m.Gate(); got != tt.want {
			t.Errorf("gate window of %+v = %v, want %v", tt.m, got, tt.want)
		}
	}
	if got := (Metric{}).FixedPoint(); got != 1e-6 {
		t.Errorf("fixed point = %v, want 1e-6", got)
	}
	if Conversion.Proportion() == Sum.Proportion() {
		t.Error("a conversion is a proportion, a sum is not")
	}
}

func TestMetric_Span(t *testing.T) {
	hour, week := time.Hour, 7*24*time.Hour
	for _, c := range []struct {
		name     string
		metric   Metric
		gate     bool
		from, to time.Duration
		open     bool
		age      time.Duration
	}{
		{"while enrolled", Metric{}, false, 0, 0, true, 0},
		{"its gate", Metric{}, true, 0, DefaultGateWindow, false, DefaultGateWindow},
		{"a week", Metric{Window: week}, false, 0, week, false, 0},
		{"its gate", Metric{Window: week, GateWindow: hour}, true, 0, hour, false, hour},
		{"an hour's gate", Metric{Window: hour}, true, 0, hour, false, hour},
		{"failures of anybody, at once", Metric{Aggregate: Failures}, true, 0, 0, true, 0},
		{"failures of a week, at once", Metric{Aggregate: Failures, Window: week}, true, 0, week, false, 0},
		{"failures of an hour, at once", Metric{Aggregate: Failures, Window: week, GateWindow: hour}, true, 0, hour, false, 0},
		{"back within a week", Metric{Window: hour, Return: &Return{From: hour, To: week}}, false, hour, week, false, week},
		{"its gate", Metric{GateWindow: hour, Return: &Return{From: hour, To: week}}, true, hour, week, false, week},
	} {
		from, to, open := c.metric.Span(c.gate)
		if age := c.metric.Age(c.gate); from != c.from || to != c.to || open != c.open || age != c.age {
			t.Errorf("%s: from %v to %v, open %t, age %v", c.name, from, to, open, age)
		}
	}
}

func TestAggregate_Kind(t *testing.T) {
	want := map[Aggregate]Kind{
		Conversion: KindProportion, Retention: KindProportion, Failures: KindProportion, Count: KindMean, Sum: KindMean, Average: KindMean,
		Ratio: KindRatio, Quantile: KindQuantile,
	}
	for _, a := range aggregates {
		if a.Kind() != want[a] {
			t.Errorf("%s gives a %s", a, a.Kind())
		}
	}
}
