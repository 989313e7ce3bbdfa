package dashboards

import (
	"fmt"
	"testing"
	"time"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
	"github.com/sluice-hq/sluice/ingest"
)

func sampleTrace(more int) *ingest.Trace {
	first := at.Add(-26 * time.Hour)
	t := &ingest.Trace{Rollout: "production/shop.checkout/1", UnitKind: "user", Kind: "user", Unit: "hash:00c0ffee00c0ffee", Until: at, Watermark: map[string]uint64{"facts-0": 412, "facts-1": 9}}
	t.Entries = []ingest.Entry{
		{Epoch: 1, Stage: "canary", Arm: "on", First: first, Exposures: 2, Standing: ingest.StandsCounted, Values: []ingest.EntryValue{
			{Metric: "purchases", From: first, To: first.Add(24 * time.Hour), Events: 2, Before: 1, Value: pointer(1.), Counted: true},
			{Metric: "latency", From: first, Value: pointer(123456789.25), Events: 12_345_678, Counted: true},
			{Metric: "day_7_retention", From: first.AddDate(0, 0, 6), To: first.AddDate(0, 0, 7), Value: pointer(0.), Why: "the unit is asked once it is old enough, from 2026-11-27T12:00:02Z on"}}},
		{Epoch: 2, Stage: "ramp", Arm: "on", First: at.Add(-time.Hour), Exposures: 1, Standing: ingest.StandsTwoArms, Why: "the unit saw 2 arms in this epoch, and is kept out", Values: []ingest.EntryValue{
			{Metric: "purchases", From: at.Add(-time.Hour), Why: "the unit saw 2 arms in this epoch, and is kept out"}}},
	}
	t.Exposures = []ingest.TracedExposure{
		{ID: event.ID{1}, Message: "facts-0.12.3", At: first, Variant: "on", Epoch: 1, Stage: "canary", Arm: "on", First: true, Counted: true},
		{ID: event.ID{2}, Message: "facts-0.13.0", At: at, Variant: "off", Why: "is of no rollout: the sender named no revision of the flag, or one without an allocation"}}
	t.Events = []ingest.TracedEvent{
		{ID: event.ID{3}, Message: "facts-0.9.1", At: first.Add(-time.Hour), Name: "purchase", Value: 5, Uses: []ingest.Use{{Metric: "purchases", Epoch: 1, Arm: "on", As: ingest.PartBaseline}, {Metric: "basket", Why: `its country is "FR", and the metric asks for DE`}}},
		{ID: event.ID{4}, Message: "facts-0.14.0", At: first.Add(time.Hour), Name: "purchase", Value: 19.99, Uses: []ingest.Use{{Metric: "purchases", Epoch: 1, Arm: "on", As: ingest.PartValue}}},
		{ID: event.ID{5}, Message: "facts-0.15.0", At: at, Name: "page_view", Value: 1, Why: "no metric of the plan is made of events of this name"}}
	for i := range more {
		t.Events = append(t.Events, ingest.TracedEvent{ID: event.ID{6}, Message: fmt.Sprint("facts-0.16.", i), At: at, Name: "purchase", Value: 1e-6, Uses: []ingest.Use{{Metric: "purchases", Epoch: 1, As: ingest.PartValue}}})
	}
	return t
}

func sampleErasure() *UnitErasure {
	return &UnitErasure{Next: "n", Deletions: []ingest.Forgotten{
		{Kind: "user", Unit: "hash:0000000000000001", Before: at, Actor: "person:ana", Comment: "case 4711"},
		{Kind: "workspace", Unit: "hash:0000000000000002", Before: at.AddDate(0, 0, -1), Actor: "person:ana", Erased: &ingest.Erasure{At: at, Rows: 12345, Letters: 1}}}}
}

func unitSamples() map[string]Page {
	f := sampleFrame(InEvents)
	f.Path, f.Refresh, f.Environments = "/events/unit", 0, nil
	f.Log = 412
	where := []string{"production", "staging"}
	q := UnitAsked{Environment: "production", Flag: "shop.checkout", Kind: "user", ID: "u-17", Attributes: "plan=pro"}
	seen := UnitTraced{Kind: "user", Unit: "hash:00c0ffee00c0ffee", Evaluation: sampleExplanation(), Rollout: "production/shop.checkout/1", Trace: sampleTrace(0), Letters: []ingest.Letter{sampleLetter(1)}}
	many := seen
	many.Trace = sampleTrace(400)
	for i := range 60 {
		v := many.Trace.Entries[0].Values[i%3]
		v.Metric = fmt.Sprintf("metric_%d_with_quite_a_long_name", i)
		many.Trace.Entries[0].Values = append(many.Trace.Entries[0].Values, v)
	}
	byHash := q
	byHash.ID, byHash.Number = "hash:00c0ffee00c0ffee", "2"
	stray := UnitTraced{Kind: "user", Unit: byHash.ID, Rollout: "production/shop.checkout/2", Trace: &ingest.Trace{Rollout: "production/shop.checkout/2", UnitKind: "workspace", Kind: "user", Unit: byHash.ID, Until: at}}
	kept := UnitKept{UnitFacts: ingest.UnitFacts{Kind: "user", Unit: byHash.ID, Exposures: make([]ingest.KeptOf, 12), Metrics: make([]ingest.KeptOf, 3400)},
		Mentions: []Mentioned{{"segment", "beta", "included"}, {"flag", "shop.checkout", "environments.production.targets"}}, Remains: []string{"Looks and decisions hold sums over arms, which do not change."}}
	return map[string]Page{
		"unit": NewUnit(f, where, q, &seen, sampleErasure(), at), "unit-many": NewUnit(f, where, q, &many, nil, at), "unit-stray": NewUnit(f, where, byHash, &stray, nil, at),
		"unit-empty": NewUnit(f, where, UnitAsked{}, nil, &UnitErasure{}, at), "unit-erase": NewUnitErase(f, q, kept, "018f"),
	}
}

// TestNewUnit: the conclusion is that of the rows, an answer's address holds no
// id, and each event says what it counts for, or why for nothing.
func TestNewUnit(t *testing.T) {
	a := unitSamples()["unit"].(UnitPage).Answer
	if want := "In epoch 1 it counts in the arm on, with 2 of 3\u00a0metrics. In epoch 2 it does not count: the unit saw 2 arms in this epoch, and is kept out."; a.Said != want {
		t.Errorf("said %q, want %q", a.Said, want)
	}
	if want := "/events/unit?environment=production&flag=shop.checkout&kind=user&unit=hash%3A00c0ffee00c0ffee"; a.Share != want {
		t.Errorf("the address is %s, want %s", a.Share, want)
	}
	if v := a.Entries[0].Values; v[0].Window != "from the first exposure until 1d after it" || v[1].Window != "from the first exposure on" || v[2].Window != "from 6d after it until 7d after it" || v[2].Mark != Ignored || v[2].Why == "" {
		t.Errorf("values %+v", v)
	}
	if e := a.Entries[1]; e.Mark != Ignored || e.Why == "" || e.Values[0].Why != "" {
		t.Errorf("what is said of the unit is said again of its metrics: %+v", e)
	}
	if x := a.Exposures[1]; x.Uses[0].For != "on, canary, epoch 1" || x.Uses[0].Why != "The first: the unit counts by it." {
		t.Errorf("the first exposure: %+v", x)
	}
	if e := a.Events; e[0].Uses[0].Mark != Ignored || e[1].Uses[0] != (UnitUse{Counts, "purchases, epoch 1", ""}) || e[1].Value != "19.99" || len(e[2].Uses) != 2 || e[2].Uses[1].Mark != Ignored {
		t.Errorf("events %+v", e)
	}
	if many := unitSamples()["unit-many"].(UnitPage).Answer; len(many.Events) != eventsShown || many.Left != "353\u00a0older events are not shown; the copy as JSON has them." {
		t.Errorf("%d events, left %q", len(many.Events), many.Left)
	}
}

// TestTraceSaid: whatever keeps a unit out of every result is said first.
func TestTraceSaid(t *testing.T) {
	q := UnitAsked{Flag: "shop.checkout"}
	for want, seen := range map[string]UnitTraced{
		"shop.checkout has no rollout here: nothing of the unit is analysed.":               {},
		"a/b/1 has not begun: nothing of the unit is analysed yet.":                         {Rollout: "a/b/1"},
		"a/b/1 counts units of the kind workspace: no event of a user counts there.":        {Rollout: "a/b/1", Trace: &ingest.Trace{Rollout: "a/b/1", Kind: "user", UnitKind: "workspace"}},
		"The unit is in no arm of a/b/1: none of its 0\u00a0exposures to the flag says so.": {Rollout: "a/b/1", Trace: &ingest.Trace{Rollout: "a/b/1"}},
	} {
		if got := traceSaid(q, seen); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	p := unitSamples()["unit-stray"].(UnitPage)
	if p.Answer.Evaluation != nil || p.Answer.Unevaluated == "" || p.MayErase || p.AsOf.JSON != "/api/v1/units/traces?environment=production&flag=shop.checkout&kind=user&number=2&unit=hash%3A00c0ffee00c0ffee" {
		t.Errorf("by hash: %+v %s", p.Answer, p.AsOf.JSON)
	}
	if empty := unitSamples()["unit-empty"].(UnitPage); empty.Answer != nil || empty.Export != nil || !empty.MayErase || empty.Ask.Fields[3].Value != flags.DefaultUnit {
		t.Errorf("nobody is asked for: %+v", empty)
	}
}
