package warehouse

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestTrail reads when all looks were, and of some of them one metric and the
// units alone.
func TestTrail(t *testing.T) {
	w, _ := start(t)
	for i, data := range []string{`[{"metric":"a","n":1},{"metric":"b","n":2}]`, `[{"metric":"b"}]`, ``} {
		l := Look{Rollout: rollout, At: noon.Add(time.Duration(i) * time.Minute), Stage: "canary", Action: "hold", Reason: "young", Data: json.RawMessage(data),
			Record: json.RawMessage(`{"verdict":{"text":"long"},"evidence":{"units":[{"arm":"on","n":7}],"queries":[{"sql":"SELECT 1"}]}}`)}
		if i == 2 {
			l.Decision, l.Record = "d1", nil // as looks were kept before their numbers were
		}
		for range 2 { // the same look again is one look
			if err := w.InsertLook(t.Context(), l); err != nil {
				t.Fatal(err)
			}
		}
	}
	moments, err := w.Moments(t.Context(), rollout, noon.Add(90*time.Second))
	if err != nil || len(moments) != 2 || !moments[0].At.Equal(noon) || moments[1].Action != "hold" {
		t.Errorf("the first two looks are %+v, %v", moments, err)
	}
	got, err := w.LooksAt(t.Context(), rollout, "a", []time.Time{noon, noon.Add(2 * time.Minute), noon.Add(time.Hour)})
	want := []Look{
		{Rollout: rollout, At: noon, Stage: "canary", Action: "hold", Data: json.RawMessage(`[{"metric":"a","n":1}]`), Record: json.RawMessage(`{"evidence":{"units":[{"arm":"on","n":7}]}}`)},
		{Rollout: rollout, At: noon.Add(2 * time.Minute), Stage: "canary", Action: "hold", Decision: "d1", Data: json.RawMessage(`[]`)},
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v, -want +got:\n%s", err, diff)
	}
	if none, err := w.LooksAt(t.Context(), "production/other/1", "a", nil); err != nil || len(none) != 0 {
		t.Errorf("of another rollout: %v, %v", none, err)
	}
}

// TestDaily counts each unit on the day it came, as a readout counts them.
func TestDaily(t *testing.T) {
	w, _ := start(t)
	var s story
	s.expose(1, "on", noon)
	s.expose(1, "on", noon.Add(24*time.Hour)) // came yesterday
	s.expose(2, "off", noon.Add(13*time.Hour))
	s.expose(3, "on", noon.Add(13*time.Hour))
	s.expose(4, "on", noon)
	s.expose(4, "off", noon.Add(time.Hour)) // saw two arms
	s.expose(5, "on", noon.Add(48*time.Hour))
	if err := w.Insert(t.Context(), block("story", 1, s.n, s.rows)); err != nil {
		t.Fatal(err)
	}
	got, asked, err := w.Daily(t.Context(), question(purchase))
	first := noon.Truncate(24 * time.Hour)
	count := func(arm string) Count { return Count{Epoch: 1, Stage: "canary", Arm: arm, N: 1} }
	want := []Daily{{first, count("on")}, {first.AddDate(0, 0, 1), count("off")}, {first.AddDate(0, 0, 1), count("on")}}
	if diff := cmp.Diff(want, got); diff != "" || err != nil || asked.Hash == (Query{}).Hash {
		t.Errorf("%v, -want +got:\n%s", err, diff)
	}
}
