package warehouse

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/ingest"
)

func TestCodeDefaults(t *testing.T) {
	w, _ := start(t)
	var s story
	by := func(reason, sdk string, more ...func(*ingest.ExposureRow)) func(*ingest.ExposureRow) {
		return func(r *ingest.ExposureRow) {
			r.Reason, r.Enrolled, r.Attributes = reason, false, map[string]string{}
			if sdk != "" {
				r.Attributes = map[string]string{ingest.SDKName: sdk, ingest.SDKVersion: "1.0"}
			}
			for _, f := range more {
				f(r)
			}
		}
	}
	unknown := func(r *ingest.ExposureRow) { r.Revision = 0 }
	s.expose(1, "on", noon, by("ERROR", "go"))
	s.expose(1, "on", noon.Add(time.Second), by("ERROR", "go")) // the same unit
	s.expose(2, "on", noon, by("ERROR", "go"))
	s.expose(3, "off", noon, by("ERROR", "go")) // the code's default is the safe variant
	s.expose(4, "on", noon, by("DISABLED", ""))
	s.expose(5, "on", noon, by("DEFAULT", "js", unknown))
	s.expose(6, "on", noon, by("DEFAULT", "js")) // the flag's own default
	s.expose(7, "on", noon, by("SPLIT", "go"))
	s.expose(8, "on", noon.Add(-time.Hour), by("ERROR", "old"))
	s.expose(9, "on", noon, by("ERROR", "go", func(r *ingest.ExposureRow) { r.Synthetic = true }))
	s.expose(9, "on", noon, by("ERROR", "go", func(r *ingest.ExposureRow) { r.Environment = "staging" }))
	if err := w.Insert(t.Context(), block("story", 1, s.n, s.rows)); err != nil {
		t.Fatal(err)
	}
	if err := w.Insert(t.Context(), block("again", 9, s.n, s.rows)); err != nil { // every exposure once more
		t.Fatal(err)
	}
	got, err := w.CodeDefaults(t.Context(), "production", "checkout", "off", noon)
	if err != nil {
		t.Fatal(err)
	}
	want := []ingest.CodeDefault{
		{Variant: "on", Safe: "off", Reason: "DISABLED", Exposures: 1, Units: 1, Newest: noon},
		{SDK: ingest.SDK{Name: "go", Version: "1.0"}, Variant: "on", Safe: "off", Reason: "ERROR", Exposures: 3, Units: 2, Newest: noon.Add(time.Second)},
		{SDK: ingest.SDK{Name: "js", Version: "1.0"}, Variant: "on", Safe: "off", Reason: "DEFAULT", Exposures: 1, Units: 1, Newest: noon},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
