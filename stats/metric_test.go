package stats

import (
	"encoding/json"
	"testing"
	"time"
)

func TestMetricText(t *testing.T) {
	want := Metric{Key: "latency", Event: "latency_ms", Aggregate: Average, Direction: Decrease, Window: time.Hour}
	b, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	var got Metric
	if err := json.Unmarshal(b, &got); err != nil || got != want {
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
