package ingest_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/ingest"
)

// TestExposure_sdk keeps what evaluated the flag in the attributes, also where
// an environment keeps none, and says the same when a letter is sent again.
func TestExposure_sdk(t *testing.T) {
	e := exposure()
	e.Attributes = map[string]string{"plan": "pro", ingest.SDKName: "somebody's own"}
	e.SDK = ingest.SDK{Name: "openfeature-go", Version: "1.4.2"}
	signed := map[string]string{ingest.SDKName: "openfeature-go", ingest.SDKVersion: "1.4.2"}
	all := map[string]string{"plan": "pro", ingest.SDKName: "openfeature-go", ingest.SDKVersion: "1.4.2"}
	for name, c := range map[string]struct {
		privacy ingest.Privacy
		want    map[string]string
	}{"all": {nil, all}, "none": {keeps{Only: []string{}}, signed}} {
		d := door()
		d.Privacy = c.privacy
		got, err := d.Accept("production", []byte(marshal(t, e)), noon)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c.want, got.Exposures[0].Attributes); diff != "" {
			t.Errorf("%s: attributes (-want +got):\n%s", name, diff)
		}
	}
	e.SDK = ingest.SDK{}
	got, err := accept(marshal(t, e))
	if err != nil || got.Exposures[0].Attributes[ingest.SDKName] != "somebody's own" {
		t.Errorf("without an SDK: %v, %v", got.Exposures, err)
	}
}

func TestCodeDefault_text(t *testing.T) {
	c := ingest.CodeDefault{SDK: ingest.SDK{Name: "openfeature-go", Version: "1.4.2"}, Variant: "on", Safe: "off", Reason: "ERROR", Units: 3}
	want := "openfeature-go 1.4.2 gave 3 units on where evaluations failed; the safe variant is off. Give the evaluation in that code the default off"
	if got := c.Text(); got != want {
		t.Errorf("got %q", got)
	}
	c.SDK, c.Reason = ingest.SDK{}, "DISABLED"
	if got := c.Text(); !strings.HasPrefix(got, "a sender that does not name its SDK gave") || !strings.Contains(got, "the flag was off") {
		t.Errorf("got %q", got)
	}
}
