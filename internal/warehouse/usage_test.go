package warehouse

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/ingest"
)

// report adds a reading of evaluations.
func (s *story) report(flag, variant, way string, n int64, at time.Time, change ...func(*ingest.ReadingRow)) {
	p, i := s.place()
	r := ingest.ReadingRow{Place: p, ID: idAt(at, i), Day: ingest.DayOf(idAt(at, i)), Environment: "production", Name: ingest.Evaluations,
		Value: n * 1_000_000, At: at, Received: at, Labels: map[string]string{"flag": flag, "variant": variant, "reason": "SPLIT", "way": way}}
	for _, f := range change {
		f(&r)
	}
	s.rows.Readings = append(s.rows.Readings, r)
}

func TestUsage(t *testing.T) {
	var s story
	day, next := noon.Truncate(24*time.Hour), noon.Add(24*time.Hour).Truncate(24*time.Hour)
	s.report("checkout", "on", "asked", 40, noon)
	s.report("checkout", "on", "asked", 2, noon.Add(time.Minute))
	s.report("checkout", "on", "listed", 7, noon.Add(2*time.Minute))
	s.report("checkout", "off", "", 5, noon.Add(24*time.Hour)) // an SDK that says no way
	s.report("search", "on", "listed", 9, noon)
	s.report("checkout", "on", "asked", 100, noon, func(r *ingest.ReadingRow) { r.Synthetic = true })
	s.report("checkout", "on", "asked", 100, noon, func(r *ingest.ReadingRow) { r.Environment = "staging" })
	s.report("checkout", "on", "asked", 100, noon, func(r *ingest.ReadingRow) { r.Name = "cpu" })
	s.report("checkout", "on", "asked", 100, noon.Add(-48*time.Hour))
	s.expose(1, "on", noon, func(r *ingest.ExposureRow) { r.Reason = "SPLIT" })
	s.expose(2, "on", noon, func(r *ingest.ExposureRow) { r.Reason, r.Synthetic = "SPLIT", true })

	w, _ := start(t)
	b := block("usage", 1, s.n, s.rows)
	for range 2 { // a block that comes twice counts once
		if err := w.Insert(t.Context(), b); err != nil {
			t.Fatal(err)
		}
		b.Token += "again"
	}
	got, err := w.Usage(t.Context(), "production", "checkout", noon.Add(-time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]Usage{
		{Day: day, Flag: "checkout", Variant: "on", Reason: "SPLIT", Asked: 42, Listed: 7, Exposures: 1},
		{Day: next, Flag: "checkout", Variant: "off", Reason: "SPLIT", Asked: 5},
	}, got); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
	all, err := w.Usage(t.Context(), "production", "", noon.Add(-time.Hour))
	if err != nil || len(all) != 3 {
		t.Errorf("of all flags: %+v, %v", all, err)
	}

	if events, reports, err := w.Counted(t.Context()); err != nil || events != 11 || reports != 8 {
		t.Errorf("%d events, %d of them reports, %v", events, reports, err)
	}

	seen, counting, err := w.Seen(t.Context(), "production", noon.Add(-time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	never := time.Unix(0, 0).UTC()
	if d := cmp.Diff([]Seen{{"checkout", noon.Add(24 * time.Hour), noon.Add(2 * time.Minute)}, {"search", never, noon}}, seen); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
	if want := noon.Add(-48 * time.Hour); !counting.Equal(want) {
		t.Errorf("counting since %s, want %s", counting, want)
	}
	if seen, counting, err = w.Seen(t.Context(), "nowhere", noon); err != nil || seen != nil || counting.Unix() != 0 {
		t.Errorf("of nothing: %+v since %s, %v", seen, counting, err)
	}
}
