package main

import (
	"math"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/sluice-hq/sluice/internal/engine/enginetest"
	"github.com/sluice-hq/sluice/internal/warehouse"
	"github.com/sluice-hq/sluice/stats"
)

func TestMain(m *testing.M) { enginetest.Main(m) }

// TestKills kills the process and its engine once at every point of the
// loader and of the keeper of the totals; `make chaos` does so for a quarter of an hour.
func TestKills(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED, nothing was killed: it builds the program and takes minutes")
	}
	t.Parallel() // it waits for what it killed most of the time
	enginetest.Library(t)
	binary := filepath.Join(t.TempDir(), "sluice")
	build := exec.CommandContext(t.Context(), "go", "build", "-tags", "chaos", "-o", binary, "../../cmd/sluice")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building: %v\n%s", err, out)
	}
	o := options{seed: 1, binary: binary, documents: "../../cmd/sluice/demo/cookie-cats.yaml", kills: len(points), rest: 200 * time.Millisecond}
	rows, err := o.killTrial(t.Context())
	t.Logf("\n%s", table(o.seed, rows))
	if err != nil {
		t.Fatal(err)
	}
}

// TestOrder counts some thousand events twice, clean and disordered.
func TestOrder(t *testing.T) {
	t.Parallel()
	enginetest.Library(t)
	o := options{seed: 1, units: 1000}
	rows, err := o.orderTrial(t.Context())
	t.Logf("\n%s", table(o.seed, rows))
	if err != nil {
		t.Fatal(err)
	}
}

// TestDifference finds the smallest of differences.
func TestDifference(t *testing.T) {
	answer := func(sum float64) []warehouse.Answer {
		return []warehouse.Answer{{TwoArms: 1, Samples: []warehouse.Sample{{Metric: "revenue", Sample: stats.Mean(stats.Moments{N: 2, Mean: sum})}}}}
	}
	if err := difference(answer(1), answer(1)); err != nil {
		t.Errorf("equal answers: %v", err)
	}
	if difference(answer(1), answer(math.Nextafter(1, 2))) == nil {
		t.Error("a difference in the last bit was not found")
	}
	if difference([]warehouse.Answer{{}}, []warehouse.Answer{{}}) == nil {
		t.Error("comparing nothing was taken for a proof")
	}
}

// TestLiar loads through an engine that lies.
func TestLiar(t *testing.T) {
	t.Parallel()
	enginetest.Library(t)
	o := options{seed: 1, inserts: 300}
	rows, err := o.liarTrial(t.Context())
	t.Logf("\n%s", table(o.seed, rows))
	if err != nil {
		t.Fatal(err)
	}
}
