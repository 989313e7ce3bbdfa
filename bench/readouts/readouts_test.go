package main

import (
	"strings"
	"testing"

	"github.com/sluice-hq/sluice/internal/engine/enginetest"
	"github.com/sluice-hq/sluice/internal/warehouse"
)

func TestMain(m *testing.M) { enginetest.Main(m) }

// TestMeasure is the whole program in small: it fails when the totals are not
// equal to the raw events.
func TestMeasure(t *testing.T) {
	f, err := measure(t.Context(), enginetest.StartSupervisor(t), size{units: 2000, exposures: 10_000, events: 60_000})
	if err != nil {
		t.Fatal(err)
	}
	if f.leaves < 2 || min(f.raw, f.join, f.build, f.read, f.fold, f.small, f.later) <= 0 || f.resident <= 0 {
		t.Errorf("something was not measured: %+v", f)
	}
	text := table{f}.String()
	t.Log("\n" + text)
	if strings.Count(text, "\n") != 11 {
		t.Errorf("a line for each figure, got\n%s", text)
	}
}

// TestEqual_tellsApart: an answer that differs in one exposure is refused.
func TestEqual_tellsApart(t *testing.T) {
	if err := equal(warehouse.Answer{Exposures: 1}, warehouse.Answer{Exposures: 2}); err == nil {
		t.Error("one exposure and two are equal")
	}
}
