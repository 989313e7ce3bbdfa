package warehouse

import (
	"testing"
	"time"

	"github.com/sluice-hq/sluice/ingest"
	"github.com/sluice-hq/sluice/ingest/ingesttest"
)

// BenchmarkErase_nothing is what looking again at one deletion costs, among a
// million rows.
func BenchmarkErase_nothing(b *testing.B) {
	w, _ := start(b)
	const rows = 50_000
	for i := range uint64(16) {
		if err := w.Insert(b.Context(), block(string(rune('a'+i)), i, i, ingesttest.Rows("facts-0", i, i*rows, rows))); err != nil {
			b.Fatal(err)
		}
	}
	f := ingest.Forgotten{Kind: "user", Unit: ingest.UnitText(12345), Before: noon.Add(time.Hour), Fence: map[string]uint64{"facts-0": 99}}
	for b.Loop() {
		if n, err := w.Erase(b.Context(), f); err != nil || n != 0 {
			b.Fatal(n, err)
		}
	}
}
