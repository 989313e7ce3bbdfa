package meter

import (
	"math"
	"testing"
)

func TestFamily_read(t *testing.T) {
	fill := Family{Name: "sluice_stream_bytes", Kind: Gauge}
	fill.Add(3, "shard", "facts-0", "kind", "x")
	fill.Add(4, "shard", "facts-1", "kind", "x")
	families := []Family{One("sluice_goroutines", "", Gauge, 7), fill}
	for name, c := range map[string]struct{ got, want float64 }{
		"all":           {Find(families, "sluice_stream_bytes").Sum(), 7},
		"of a label":    {Find(families, "sluice_stream_bytes").Sum("shard", "facts-1"), 4},
		"of two labels": {Find(families, "sluice_stream_bytes").Sum("shard", "facts-1", "kind", "y"), 0},
		"unknown":       {Find(families, "sluice_none").Sum(), 0},
		"most":          {fill.Most(), 4},
		"most of none":  {Family{}.Most(), 0},
	} {
		if c.got != c.want {
			t.Errorf("%s: got %v, want %v", name, c.got, c.want)
		}
	}
}

func TestFamily_Quantile(t *testing.T) {
	h := NewHistogram(0.25, 1)
	if _, ok := h.Family("sluice_ack_seconds", "").Quantile(0.99); ok {
		t.Error("a histogram without values has a quantile")
	}
	for _, v := range []float64{0.125, 0.25, 0.5, 4} {
		h.Observe(v)
	}
	f := h.Family("sluice_ack_seconds", "")
	for q, want := range map[float64]float64{0.5: 0.25, 0.75: 1, 0.99: math.Inf(1)} {
		if got, ok := f.Quantile(q); !ok || got != want {
			t.Errorf("quantile %v: got %v, want %v", q, got, want)
		}
	}
}
