package main

import (
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/sluice-hq/sluice/internal/engine/enginetest"
)

func TestMain(m *testing.M) { enginetest.Main(m) }

// TestKills kills the process and its engine once at every point of the
// loader; `make chaos` does so for a quarter of an hour.
func TestKills(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED, nothing was killed: it builds the program and takes half a minute")
	}
	enginetest.Library(t)
	binary := filepath.Join(t.TempDir(), "sluice")
	build := exec.CommandContext(t.Context(), "go", "build", "-tags", "chaos", "-o", binary, "../../cmd/sluice")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building: %v\n%s", err, out)
	}
	o := options{seed: 1, binary: binary, documents: "../../cmd/sluice/demo/cookie-cats.yaml", kills: len(points)}
	rows, err := o.killTrial(t.Context())
	t.Logf("\n%s", table(o.seed, rows))
	if err != nil {
		t.Fatal(err)
	}
}
