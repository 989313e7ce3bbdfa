package ingest_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/ingest"
	"github.com/sluice-hq/sluice/ingest/ingesttest"
)

// keeps is what every environment keeps.
type keeps ingest.Attributes

func (k keeps) Kept(string) ingest.Attributes { return ingest.Attributes(k) }

// TestDoor_attributesThatAreKept sends the same attributes with an exposure, a
// metric event that nobody declares, and a deployment: what an environment does
// not keep is in no row and in no dead letter.
func TestDoor_attributesThatAreKept(t *testing.T) {
	sent := `"attributes":{"plan":"pro","email":"a@example.org"}`
	body := `[{"kind":"exposure","id":"` + id1.String() + `","flag":"checkout","variant":"on","unit":{"kind":"user","id":"u"},` + sent + `},
		{"kind":"metric","id":"` + id1.String() + `","name":"undeclared","units":{"user":"u"},` + sent + `},
		{"kind":"deployment","id":"` + id1.String() + `","service":"shop","version":"1",` + sent + `}]`
	plan, both := map[string]string{"plan": "pro"}, map[string]string{"plan": "pro", "email": "a@example.org"}
	for name, c := range map[string]struct {
		privacy ingest.Privacy
		want    map[string]string
		dropped []string
	}{
		"no privacy":        {nil, both, nil},
		"all":               {keeps{}, both, nil},
		"some":              {keeps{Only: []string{"plan", "country"}}, plan, []string{"email"}},
		"none":              {keeps{Only: []string{}}, nil, []string{"email", "plan"}},
		"private":           {keeps{Private: []string{"email"}}, plan, []string{"email"}},
		"private and only":  {keeps{Only: []string{"plan"}, Private: []string{"email"}}, plan, []string{"email"}},
		"private above all": {keeps{Only: []string{"plan", "email"}, Private: []string{"email"}}, plan, []string{"email"}},
	} {
		d := door()
		d.Privacy = c.privacy
		got, err := d.Accept("production", []byte(body), noon)
		if err != nil || len(got.Exposures)+len(got.Deployments)+len(got.Dead) != 3 {
			t.Fatalf("%s: %+v, %v", name, got, err)
		}
		again, err := (&ingest.Door{Flags: house{}, Metrics: everything{}, Key: unitKey, Replay: true}).Accept("production", got.Dead[0].Fact, noon)
		if err != nil {
			t.Fatal(err)
		}
		for _, attributes := range []map[string]string{got.Exposures[0].Attributes, again.Metrics[0].Attributes, got.Deployments[0].Attributes} {
			if len(attributes) != len(c.want) || len(c.want) > 0 && !cmp.Equal(c.want, attributes) {
				t.Errorf("%s: kept %v, want %v", name, attributes, c.want)
			}
		}
		if diff := cmp.Diff(c.dropped, got.Dropped); diff != "" {
			t.Errorf("%s: dropped (-want +got):\n%s", name, diff)
		}
	}
}

// TestDoor_privateLabels: what is kept nowhere is not kept as a label of a reading
// either. The list of attributes to keep is about units, which readings have not.
func TestDoor_privateLabels(t *testing.T) {
	d := door()
	d.Privacy = keeps{Only: []string{"plan"}, Private: []string{"email"}}
	got, err := d.Accept("production", []byte(`[{"kind":"reading","id":"`+id1.String()+`","name":"cpu","value":1,"labels":{"host":"a","email":"a@example.org"}}]`), noon)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"host": "a"}, got.Readings[0].Labels); diff != "" || !cmp.Equal(got.Dropped, []string{"email"}) {
		t.Errorf("dropped %v, labels (-want +got):\n%s", got.Dropped, diff)
	}
}

// everything declares every metric event.
type everything struct{}

func (everything) Declared(string) bool { return true }

// TestExposure_source follows who recorded an exposure from the wire to the
// row, through a pack, and to a letter that is sent again.
func TestExposure_source(t *testing.T) {
	for _, source := range []ingest.Source{ingest.BySender, ingest.ByTelemetry, ingest.ByEvaluation} {
		e := exposure()
		e.Source = source
		got, err := accept(marshal(t, e))
		if err != nil {
			t.Fatal(err)
		}
		other := ingesttest.Exposure(ingest.Place{}, 7)
		got.Extend(ingest.Batch{Count: 1, Oldest: noon, Newest: noon, Received: noon, Rows: ingest.Rows{Exposures: []ingest.ExposureRow{other}}})
		back, err := codec.Decode("", event.Message{Seq: 1, Data: codec.Encode(got.Batch)})
		if err != nil || len(back.Exposures) != 2 || back.Exposures[0].Source != source || back.Exposures[1].Source != ingest.BySender {
			t.Errorf("source %q is read back as %+v, %v", source, back.Exposures, err)
		}
		if source.Lossy() != (source != ingest.BySender) {
			t.Errorf("source %q is lossy: %v", source, source.Lossy())
		}
	}
}
