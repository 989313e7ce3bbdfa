package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/internal/warehouse"
)

// A look comes back as it was; of an older one, the numbers.
func TestLook_comesBack(t *testing.T) {
	at := time.Date(2026, 11, 1, 9, 0, 0, 0, time.UTC)
	want := decisions.Look{
		Rollout: "production/gate/1", At: at, Stage: "canary", Decision: "d", Verdict: decisions.Verdict{Action: decisions.Hold, Reason: "young"},
		Evidence: decisions.Evidence{At: at, Watermark: map[string]decisions.Place{"facts-0": {Seq: 7}}, Exposures: 3, Units: []decisions.Count{},
			Metrics: []decisions.Measured{{Metric: "purchases"}}, Queries: []decisions.Query{{SQL: "SELECT 1", Hash: event.Sum([]byte("x"))}}},
	}
	kept, err := storedLook(want)
	if err != nil || kept.Watermark["facts-0"] != 7 || kept.Hash != want.Evidence.Asked() || strings.Contains(string(kept.Record), "purchases") {
		t.Errorf("kept %+v, %v", kept, err)
	}
	got, err := recalledLook(kept)
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v, look (-want +got):\n%s", err, diff)
	}
	old, err := recalledLook(warehouse.Look{Rollout: want.Rollout, At: at, Stage: "canary", Action: "hold", Reason: "young", Data: kept.Data})
	if err != nil || old.Verdict.Action != decisions.Hold || old.Evidence.Metrics[0].Metric != "purchases" {
		t.Errorf("an old look: %+v, %v", old, err)
	}
	for _, bad := range []warehouse.Look{{Record: json.RawMessage("{")}, {Data: json.RawMessage("{")}} {
		if _, err := recalledLook(bad); err == nil {
			t.Errorf("%+v was read", bad)
		}
	}
}

func TestWriteQueries(t *testing.T) {
	var b strings.Builder
	q := decisions.Query{SQL: "SELECT {a:String}", Params: json.RawMessage(`{"a":"it's \\ here","n":18446744073709551615,"shards":["facts-0",""]}`),
		Hash: event.Sum(nil), Of: []string{"units", "purchases"}}
	if err := writeQueries(&b, []decisions.Query{q}); err != nil {
		t.Fatal(err)
	}
	want := "-- units, purchases\n-- SHA-256 " + q.Hash.String() + "\n" + `SET param_a = 'it\'s \\ here';
SET param_n = 18446744073709551615;
SET param_shards = ['facts-0', ''];
SELECT {a:String};

`
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if err := writeQueries(&b, []decisions.Query{{Params: json.RawMessage("[")}}); err == nil {
		t.Error("parameters that are none were written")
	}
}
