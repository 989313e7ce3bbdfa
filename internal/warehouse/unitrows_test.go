package warehouse

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/sluice-hq/sluice/ingest"
	"github.com/sluice-hq/sluice/ingest/ingesttest"
)

// TestUnitRows reads back, row for row, what was stored of a unit, and nothing
// of another one.
func TestUnitRows(t *testing.T) {
	w, _ := start(t)
	rows := ingesttest.Rows("facts-0", 1, 0, 40)
	if err := w.Insert(t.Context(), block("a", 1, 1, rows)); err != nil {
		t.Fatal(err)
	}
	sorted := []cmp.Option{cmpopts.EquateEmpty(),
		cmpopts.SortSlices(func(a, b ingest.ExposureRow) bool { return a.Idx < b.Idx }), cmpopts.SortSlices(func(a, b ingest.MetricRow) bool { return a.Idx < b.Idx })}
	seen := 0
	for _, r := range rows.Exposures {
		want := rows.Of(r.UnitKind, r.Unit)
		got, err := w.UnitRows(t.Context(), r.UnitKind, r.Unit)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got, sorted...); diff != "" {
			t.Errorf("%s %x (-want +got):\n%s", r.UnitKind, r.Unit, diff)
		}
		seen += got.Len()
	}
	if seen == 0 {
		t.Error("no row was compared")
	}
	if none, err := w.UnitRows(t.Context(), "user", 12345); err != nil || none.Len() != 0 {
		t.Errorf("of a stranger: %+v, %v", none, err)
	}
}
