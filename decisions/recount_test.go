package decisions

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/stats"
)

// rolledBack returns a house whose rollout was rolled back by a breach, the
// decision, and its input.
func rolledBack(t *testing.T) (*house, Decision, Input) {
	h := newHouse(t)
	h.begin(catsPlan())
	h.rounds(newTraffic(harmful), 1000, 60, is(RolledBack))
	d, _ := h.rollout().Last()
	return h, d, h.input(d)
}

// input is what a decision was made from.
func (h *house) input(d Decision) Input {
	h.t.Helper()
	doc, err := h.blobs.Load(h.ctx, d.Input)
	h.must(err)
	in, err := readInput(doc)
	h.must(err)
	return in
}

// TestFromRecord makes a decision again from its document alone, and notices
// another verdict, another document and a query that is not the one of its hash.
func TestFromRecord(t *testing.T) {
	h, d, in := rolledBack(t)
	doc, err := h.blobs.Load(h.ctx, d.Input)
	h.must(err)
	again, err := FromRecord(doc, d.Verdict)
	h.must(err)
	if !again.Same || again.Why != "" || again.Verdict.Action != Rollback || len(again.Faults) != 0 {
		t.Errorf("got %+v", again)
	}
	other := d.Verdict
	other.Text += "!"
	if again, _ := FromRecord(doc, other); again.Same || !strings.Contains(again.Why, "the record gives rollback") {
		t.Errorf("of another verdict: %+v", again)
	}
	in.Evidence.Queries = []Query{{SQL: "SELECT 1", Params: json.RawMessage(`{"until":1}`), Of: []string{"units"}}}
	in.Evidence.Queries[0].Hash = event.Sum([]byte("SELECT 1\x00" + `{"until":1}`))
	in.Evidence.Queries = append(in.Evidence.Queries, Query{SQL: "SELECT 2", Of: []string{"wins"}})
	forged, err := json.Marshal(in)
	h.must(err)
	if again, _ := FromRecord(forged, d.Verdict); len(again.Faults) != 1 || !strings.Contains(again.Faults[0], "query 2, of wins") {
		t.Errorf("faults %q", again.Faults)
	}
	in.Rules = 99
	unknown, err := json.Marshal(in)
	h.must(err)
	if _, err := FromRecord(unknown, d.Verdict); err == nil {
		t.Error("rules that nobody knows are evaluated")
	}
	if _, err := FromRecord([]byte("{"), d.Verdict); err == nil {
		t.Error("half a document is evaluated")
	}
}

// TestRecount_sameCounts: counts that come out the same leave the recorded
// statistics alone, so that the verdict is the same to the last bit.
func TestRecount_sameCounts(t *testing.T) {
	_, d, in := rolledBack(t)
	for _, late := range []bool{false, true} {
		got, err := Recount(in, in.Evidence, late)
		if err != nil || !got.Same || !got.SameVerdict || got.Late != late || len(got.Differences) != 0 || !equal(got.Verdict, d.Verdict) {
			t.Errorf("late %t: %+v, %v", late, got, err)
		}
	}
}

// TestThen is the rollout as the controller had it: with the effects of what was
// decided before, and nothing of later.
func TestThen(t *testing.T) {
	h, d, in := rolledBack(t)
	was := h.rollout().Then(in, d.ID)
	if n := len(h.rollout().Decisions); len(was.Decisions) != n-1 || was.Status != Running || was.Stage != in.State.Stage || was.Entered() == 0 {
		t.Errorf("got %+v", was.Standing)
	}
}

// TestRecount_late: what came late stands in the difference by number, and says
// what the verdict would have been.
func TestRecount_late(t *testing.T) {
	_, _, in := rolledBack(t)
	late := in.Evidence
	late.Exposures += 10_000
	late.Units = slices.Clone(late.Units)
	late.Units[0].N += 3
	late.Metrics = slices.Clone(late.Metrics)
	i := slices.IndexFunc(late.Metrics, func(m Measured) bool { return m.Metric == "day_7_retention" })
	strata := slices.Clone(late.Metrics[i].Strata)
	for j := range strata { // the treated units did come back, and their events were on the way
		strata[j].Treatment = stats.Proportion(strata[j].Treatment.N, strata[j].Control.X)
	}
	late.Metrics[i].Strata = strata
	got, err := Recount(in, late, true)
	if err != nil {
		t.Fatal(err)
	}
	if got.Same || got.SameVerdict || got.Verdict.Action == Rollback {
		t.Errorf("got %+v", got)
	}
	var of []string
	for _, d := range got.Differences {
		of = append(of, d.Of)
		if d.Recorded == d.Now {
			t.Errorf("a difference that cannot be seen: %+v", d)
		}
	}
	want := []string{"units in " + late.Units[0].Stage + ", " + late.Units[0].Arm, "day_7_retention, level of treatment", "day_7_retention, lift", "day_7_retention, lift at least", "day_7_retention, lift at most"}
	if diff := cmp.Diff(want, of); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if got.Differences[0].Change != "+3" || !strings.HasPrefix(got.Differences[1].Change, "+") {
		t.Errorf("changes: %+v", got.Differences)
	}
	if today, _ := Recount(in, late, false); len(today.Differences) != len(got.Differences)+1 || today.Differences[0].Of != "exposures" {
		t.Errorf("at the same watermark the exposures count too: %+v", today.Differences)
	}
}

// TestRecount_leftOut: as many units saw two arms as before, and others: what
// says whether leaving them out tilts the arms differs, and so does the record.
func TestRecount_leftOut(t *testing.T) {
	_, _, in := rolledBack(t)
	one := func(n int64) []Count {
		c := in.Evidence.Units[0]
		c.N = n
		return []Count{c}
	}
	in.Evidence.Quarantined = one(4)
	today := in.Evidence
	today.Quarantined = one(3)
	got, err := Recount(in, today, false)
	if err != nil || got.Same || len(got.Differences) != 1 || got.Differences[0].Change != minus("-1") {
		t.Errorf("%+v, %v", got, err)
	}
	in.Evidence.Quarantined = nil // a record of before
	if got, err := Recount(in, today, false); err != nil || !got.Same {
		t.Errorf("a record of before: %+v, %v", got, err)
	}
}

// TestRecount_strays: exposures that count nowhere are part of the record, and of
// what came late they say as little as all exposures.
func TestRecount_strays(t *testing.T) {
	_, _, in := rolledBack(t)
	in.Evidence.Strays = []Stray{{Kind: "account", Exposures: 12}, {Kind: "device", Exposures: 3}}
	today := in.Evidence
	today.Strays = []Stray{{Kind: "account", Exposures: 11}, {Kind: "plan", Exposures: 1}}
	got, err := Recount(in, today, false)
	want := []Difference{
		{Of: "exposures of units of the kind account", Recorded: "12", Now: "11", Change: "−1"},
		{Of: "exposures of units of the kind device", Recorded: "3", Now: "0", Change: "−3"},
		{Of: "exposures of units of the kind plan", Recorded: "0", Now: "1", Change: "+1"},
	}
	if diff := cmp.Diff(want, got.Differences); err != nil || diff != "" || got.Same || !got.SameVerdict {
		t.Errorf("%v, -want +got:\n%s", err, diff)
	}
	if got, err := Recount(in, today, true); err != nil || !got.Same {
		t.Errorf("of what came late: %+v, %v", got, err)
	}
	in.Evidence.Strays = nil // a record of before, or one without any
	if got, err := Recount(in, today, false); err != nil || !got.Same {
		t.Errorf("a record of before: %+v, %v", got, err)
	}
}

// TestDifferences_ofWhatIsGone names an arm, a metric and a sum that are not what
// they were, also where nothing that is shown differs.
func TestDifferences_ofWhatIsGone(t *testing.T) {
	was := Evidence{
		Units:   []Count{{Epoch: 1, Stage: "a", Arm: "on", N: 1200}},
		Metrics: []Measured{{Metric: "m", Strata: []stats.Stratum{{Control: stats.Mean(stats.Moments{N: 2, Mean: 1, M2: 1})}}}},
	}
	is := Evidence{TwoArms: 2, Metrics: []Measured{
		{Metric: "m", Strata: []stats.Stratum{{Control: stats.Mean(stats.Moments{N: 2, Mean: 1, M2: 2})}}}, {Metric: "n"},
	}}
	got := differences(was, is, nil, false)
	want := []Difference{
		{Of: "units in a, on", Recorded: "1,200", Now: "0", Change: "−1,200"},
		{Of: "units that saw two arms", Recorded: "0", Now: "2", Change: "+2"},
		{Of: "m, what was added up", Recorded: "recorded", Now: "another sum"},
		{Of: "n", Recorded: "not counted", Now: "counted"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	served := func(n int64) Measured {
		strata := []stats.Stratum{{Stage: "staff", Treatment: stats.Proportion(n, 1)}}
		return Measured{Metric: "m", Served: strata, Parts: []Part{{Value: "eu", Strata: strata}}}
	}
	got = differences(Evidence{Metrics: []Measured{served(1)}}, Evidence{Metrics: []Measured{served(3)}}, nil, true)
	want = []Difference{{Of: "m, units of the audience", Recorded: "1", Now: "3", Change: "+2"}, {Of: `m, units with "eu"`, Recorded: "1", Now: "3", Change: "+2"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("of an audience and of parts, -want +got:\n%s", diff)
	}
	var d diff
	d.number("x", 0.1, 0.1+1e-12, percent)
	if d.all[0].Recorded != "0.1" || d.all[0].Now != "0.100000000001" {
		t.Errorf("two numbers that look alike: %+v", d.all)
	}
}
