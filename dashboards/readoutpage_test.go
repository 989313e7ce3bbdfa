package dashboards

import (
	"fmt"
	"math"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/dashboards/chart"
	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/ingest"
	"github.com/sluice-hq/sluice/stats"
)

// glance is the rollout of the cats with a hundred looks, half of them under an
// earlier version of its plan.
func glance() Glance {
	g := Glance{Seen: ended(), JSON: "/api/v1/readouts/production/game.gate/1", Taken: 100}
	g.Rollout.Started = at.Add(-100 * time.Hour)
	g.Rollout.Decisions[0].At, g.Rollout.Decisions[1].At = at.Add(-100*time.Hour), at.Add(-60*time.Hour)
	g.Rollout.Versions = []decisions.VersionNote{{Revision: decisions.Revision{Version: 2, Afresh: true}, At: at.Add(-80 * time.Hour), By: "person:ana"}}
	day1, day7 := cats()
	for i := range 100 {
		look := decisions.Look{Rollout: g.Rollout.ID, At: at.Add(time.Duration(i-99) * time.Hour), Stage: "experiment", Verdict: decisions.Verdict{Action: decisions.Hold}}
		part := float64(i+1) / 100
		look.Evidence = decisions.Evidence{At: look.At, Metrics: []decisions.Measured{judged(g.Rollout, "day_1", day1, part), judged(g.Rollout, "day_7", day7, part)},
			Units: []decisions.Count{{Epoch: 1, Stage: "experiment", Arm: "gate_30", N: int64(44700 * part)}, {Epoch: 1, Stage: "experiment", Arm: "gate_40", N: int64(45489 * part)}}}
		g.Found.Trail = append(g.Found.Trail, look)
		look.Evidence = decisions.Evidence{}
		g.Looks = append(g.Looks, look)
	}
	g.Looks[99].Decision = "d3"
	g.Looks[99].Verdict.Action = decisions.Rollback
	return g
}

// judged is a metric when a part of its units had come.
func judged(r decisions.Rollout, key string, whole []stats.Stratum, share float64) decisions.Measured {
	of := func(s stats.Sample) stats.Sample {
		n := float64(s.N) * share
		return stats.Proportion(int64(n), int64(n*s.Center()))
	}
	s := []stats.Stratum{{Epoch: 1, Stage: "experiment", Control: of(whole[0].Control), Treatment: of(whole[0].Treatment)}}
	m := decisions.Measured{Metric: key, Strata: s}
	if key == "day_1" {
		o := stats.Success{MDE: 0.02}.Judge(s, r.Frozen[key])
		m.Outcome = &o
		return m
	}
	j := stats.Guardrail{Detect: 0.04}.Judge(s, r.Frozen[key])
	m.Judgement = &j
	return m
}

// found is what can be read beside, with something to say of everything.
func found() Found {
	win := []stats.Stratum{{Control: stats.Proportion(20_000, 4000), Treatment: stats.Proportion(20_000, 6000)}}
	none := []stats.Stratum{{Control: stats.Proportion(20_000, 4000), Treatment: stats.Proportion(20_000, 4010)}}
	few := []stats.Stratum{{Control: stats.Proportion(1, 0), Treatment: stats.Proportion(0, 0)}}
	f := Found{By: "country", Queries: []decisions.Query{{SQL: "SELECT unit_part\nFROM exposures", Of: []string{"day_7", "by country"}, Hash: event.Sum([]byte("q"))}}, Warnings: []string{"openfeature-go 1.4.2 gave 2 units gate_40 where evaluations failed"}, More: true}
	f.Segmented = stats.Breakdown([]stats.Split{
		{Metric: "day_1", Segments: []stats.Segment{{Value: "de", Strata: none}, {Value: "fr", Strata: none}}},
		{Metric: "day_7", Segments: []stats.Segment{{Value: "de", Strata: win}, {Value: "fr", Strata: none}, {Strata: few}, {Rest: true, Strata: none}}},
	}, stats.Options{Relative: true, Inference: stats.AlwaysValid})
	f.Ratios = []Ratios{{Parts: []RatioPart{{Value: "2026-11-19", Control: 1020, Treatment: 998, Expected: 0.5, P: 1}, {Value: "2026-11-20", Control: 9020, Treatment: 12_998, Expected: 0.5, P: 1e-40, StandsOut: true}}},
		{By: "country", Parts: []RatioPart{{Value: "de", Control: 10, Treatment: 12, Expected: 0.5, P: 1}, {Rest: true, Expected: 0.5, P: 1}}}}
	f.Balance = []Balanced{{"day_7", stats.Balance{P: 0.4, Difference: 0.003}}, {"day_1", stats.Balance{Alarm: true, P: 1e-9, Difference: 0.12}}, {"rounds", stats.Balance{Doubt: stats.Doubt{Refused: &stats.Refusal{Message: "the metric is not counted before first exposure"}}}}}
	f.Influence = []Influenced{{"rounds", stats.Influence{Largest: stats.Largest{Unit: "hash:8f3a", Treatment: true, Value: 1e6}, Share: 0.31, With: stats.Comparison{Estimate: 0.2}, Without: stats.Comparison{Estimate: 0.001}, Turns: true}},
		{"day_1", stats.Influence{Largest: stats.Largest{Unit: "hash:11", Value: 1}, Share: 1e-5}}, {"day_7", stats.Influence{Doubt: stats.Doubt{Refused: &stats.Refusal{Message: "there are no data"}}}}}
	f.TwoArms = []ingest.TwoArms{{Epoch: 1, Kind: "player", Unit: "hash:00c0ffee00c0ffee", Exposures: 4, Cause: ingest.UnstableID, Why: "the arm changed 3 times"},
		{Epoch: 1, Kind: "player", Unit: "hash:00c0ffee00c0ffef", Exposures: 2, Cause: ingest.OtherCause, Why: "too few exposures to tell"}}
	days := func(treatment ...float64) []stats.Days {
		return []stats.Days{{Control: stats.Joint{N: 9000, Means: []float64{1, 1, 1}, M: []float64{9000, 0, 0, 9000, 0, 9000}},
			Treatment: stats.Joint{N: 9000, Means: treatment, M: []float64{9000, 0, 0, 9000, 0, 9000}}}}
	}
	for metric, d := range map[string][]stats.Days{"day_1": days(2, 1.5, 1), "day_7": days(1, 1, 1)} {
		f.Novelty = append(f.Novelty, Novel{metric, stats.JudgeNovelty(d, stats.Options{Inference: stats.AlwaysValid})})
	}
	f.Novelty = append(f.Novelty, Novel{"rounds", stats.JudgeNovelty(nil, stats.Options{})})
	if f.Novelty[0].Metric != "day_1" {
		f.Novelty[0], f.Novelty[1] = f.Novelty[1], f.Novelty[0]
	}
	return f
}

func readoutFrame(path string) Frame {
	return Frame{Path: path, Person: "person:ana", Section: InRollouts, Refresh: 30 * time.Second, Changes: "/changes?of=production/game.gate/1"}
}

// readoutOf is a page of what an address asks for.
func readoutOf(g Glance, query string) ReadoutPage {
	q, err := url.ParseQuery(query)
	if err != nil {
		panic(err) // the samples are written here
	}
	a := ParseAsked(q)
	if !a.Read {
		g.Found = Found{}
	}
	return NewReadoutPage(readoutFrame(ReadoutLink(g.Rollout)+"?"+query), g, a, at)
}

// manyRows are sixty metrics with twelve arms each, of every size.
func manyRows() Readout {
	out := Readout{Level: 0.95}
	marks := []Mark{Better, Worse, Within, Inconclusive, NoData}
	for m := range 60 {
		for arm := range 12 {
			v := 0.02 * math.Sin(float64(m*12+arm))
			w := 0.002 * float64(1+m%10)
			row := Row{Metric: fmt.Sprintf("metric_%02d_of_a_rather_long_name", m), Role: []Role{Success, Guardrail, Diagnostic}[m%3], Arm: fmt.Sprintf("variant-%d", arm+1), Lower: m%2 == 0,
				Control: Level{1e6, math.Pow(10, float64(m%18-9))}, Treatment: Level{12, math.Pow(10, float64(m%18-9)) * (1 + v)}, Verdict: marks[(m+arm)%5],
				Lift: &Lift{Relative: v, Absolute: math.Pow(10, float64(m%18-9)) * v, Always: Interval{v - 2*w, v + 2*w}, Fixed: Interval{v - w, v + w}}}
			if row.Verdict == NoData {
				row.Lift = nil
			}
			out.Rows = append(out.Rows, row)
		}
	}
	return out
}

func readoutSamples() map[string]Page {
	g := glance()
	g.Found = merged(found(), g.Found.Trail)
	then := glance()
	then.Evidence, then.Verdict, then.Found.Trail = &then.Found.Trail[40].Evidence, &then.Looks[40].Verdict, then.Found.Trail[:41]
	then.Evidence.Watermark = map[string]decisions.Place{"1": {Seq: 212, Newest: then.Evidence.At.Add(-2 * time.Second)}}
	then.Rollout.Version, then.Rollout.Versions = 3, append(then.Rollout.Versions, decisions.VersionNote{Revision: decisions.Revision{Version: 3}, At: at.Add(-time.Hour), By: "person:ana"})
	failed := readoutOf(glance(), "tab=segments&segment=country&read=now")
	failed.Part.Fault, failed.Part.Fix, failed.Segments.Table = "The warehouse did not answer within 20 s.", "Ask for fewer attributes, or try again when the loaders have caught up.", Readout{}
	young := glance()
	young.Rollout.Started, young.Rollout.Plan.Stages[0].MinWindow = at.Add(-time.Hour), decisions.Window(24*time.Hour)
	young.Verdict = &decisions.Verdict{Action: decisions.Hold}
	return map[string]Page{
		"readout": readoutOf(g, "read=now"), "readout-first": readoutOf(g, ""), "readout-then": readoutOf(then, "at="+then.Evidence.At.Format(time.RFC3339)+"&read=now"),
		"readout-young": readoutOf(young, ""), "readout-segments": readoutOf(g, "tab=segments&segment=country&read=now"), "readout-failed": failed,
		"readout-days": readoutOf(g, "tab=days&read=now"), "readout-health": readoutOf(g, "tab=health&segment=country&read=now"), "readout-query": readoutOf(g, "tab=query"),
		"readout-empty": readoutOf(Glance{Seen: plannedSeen()}, ""),
	}
}

// readoutMany has sixty metrics with twelve arms each. It is too large a file to
// be golden.
func readoutMany() ReadoutPage {
	p := readoutOf(glance(), "")
	p.Readout = manyRows()
	return p
}

func merged(f Found, trail []decisions.Look) Found { f.Trail = trail; return f }

// TestReadoutPage_overTime: a hundred looks are a line that is dotted before the
// plan changed, with both intervals and what happened.
func TestReadoutPage_overTime(t *testing.T) {
	p := readoutOf(glance(), "metric=day_7&read=now")
	if p.Time == nil || p.Time.Lift == nil || !p.Time.Versioned {
		t.Fatalf("there is no chart of both versions: %+v", p.Time)
	}
	classes := map[string]bool{}
	for _, s := range p.Time.Lift.Shapes {
		if len(s.D) > 0 {
			classes[s.Class] = true
		}
	}
	for _, want := range []string{"band always", "band fixed", "line treatment", "line planned", "level zero", "level margin"} {
		if !classes[want] {
			t.Errorf("the chart has no %s: %v", want, classes)
		}
	}
	if got := p.Time.Lift.Desc; !strings.Contains(got, "lowers day_7 by 4.31") || !strings.Contains(got, "excludes zero since 2026-11-") {
		t.Errorf("it concludes %q", got)
	}
	var said []string
	for _, e := range p.Time.Events {
		said = append(said, string(e.Mark)+" "+e.Text)
	}
	want := []string{"v2 version 2 starts its tests afresh on units first exposed after it", "2 expanded: canary → experiment", "3 rolled back: experiment → safe variant"}
	if diff := cmp.Diff(want, said); diff != "" {
		t.Errorf("what happened (-want +got):\n%s", diff)
	}
	if got := p.Time.Units.Desc; got != "gate_40 has 45,489 of 90,189 units, 50.4\u00a0%; 50.0\u00a0% were expected." {
		t.Errorf("the units: %q", got)
	}
}

// TestReadoutPage_asItWas says so, and stands still.
func TestReadoutPage_asItWas(t *testing.T) {
	g := glance()
	g.Evidence, g.Verdict = &g.Found.Trail[99].Evidence, &g.Looks[99].Verdict
	p := readoutOf(g, "tab=health&at="+url.QueryEscape(at.Format(time.RFC3339)))
	if p.Then == nil || p.Then.Record != "/decisions/d3" || p.Then.Now != "/readouts/production/game.gate/1?tab=health" || p.Refresh != 0 {
		t.Errorf("then is %+v, renewed every %s", p.Then, p.Refresh)
	}
	if p.Part.Fault == "" || p.Looks.Next != "" || !strings.Contains(p.Looks.Previous, "at=2026-11-21T13") || p.Looks.Chosen != "2026-11-21T14:00:02Z" {
		t.Errorf("part %+v, looks %+v", p.Part, p.Looks.Previous)
	}
	g.Evidence = &g.Found.Trail[50].Evidence
	between := readoutOf(g, "at="+url.QueryEscape(g.Evidence.At.Format(time.RFC3339)))
	if before, after := between.Looks.Previous, between.Looks.Next; !strings.Contains(before, "at=2026-11-19T12") || !strings.Contains(after, "at=2026-11-19T14") {
		t.Errorf("beside %s are %s and %s", g.Evidence.At, before, after)
	}
}

// TestReadoutPage_firstWindow shows values without intervals, and harm all the
// same.
func TestReadoutPage_firstWindow(t *testing.T) {
	p := readoutSamples()["readout-young"].(ReadoutPage)
	if !p.Bare || p.Rows[0].Lift.Always.Known() || p.Rows[0].Verdict != Inconclusive || p.Forecast != nil {
		t.Errorf("the first row is %+v", p.Rows[0])
	}
	if p.Rows[1].Verdict != Worse || !p.Rows[1].Lift.Always.Known() {
		t.Errorf("harm is hidden: %+v", p.Rows[1])
	}
	if late := readoutOf(glance(), ""); late.Bare {
		t.Error("after the first window values are still bare")
	}
}

// TestReadoutPage_segments puts the metric whose effect differs first, says that
// it decides nothing, and shows more on demand.
func TestReadoutPage_segments(t *testing.T) {
	g := glance()
	g.Found = found()
	p := readoutOf(g, "tab=segments&segment=country&read=now")
	if r := p.Segments.Table.Rows; len(r) != 6 || r[0].Metric != "day_7" || r[0].Arm != "de" || r[0].Verdict != Better || r[2].Arm != "without the attribute" || r[2].Lift != nil || r[3].Arm != "all others" {
		t.Errorf("the rows are %+v", r)
	}
	if !strings.Contains(html(t, p), "Exploratory: does not decide") {
		t.Error("it does not say that it decides nothing")
	}
	one := g.Found.Segmented[0]
	for i := range 10 {
		one.Metric = fmt.Sprint("m", i)
		g.Found.Segmented = append(g.Found.Segmented, one)
	}
	if p := readoutOf(g, "tab=segments&segment=country&read=now"); p.Segments.Hidden != 4 || !strings.Contains(p.Segments.All, "all=true") {
		t.Errorf("%d are hidden, all are at %q", p.Segments.Hidden, p.Segments.All)
	}
	g.Found.Segmented = []stats.Segmented{{Metric: "day_1"}}
	if p := readoutOf(g, "tab=segments&segment=nothing&read=now"); p.Segments.None == "" {
		t.Error("an attribute that nobody has is not told")
	}
}

// TestReadoutPage_part: what takes a while is a link for whoever has no script.
func TestReadoutPage_part(t *testing.T) {
	got := html(t, readoutOf(glance(), "tab=health"))
	if want := `hx-get="/readouts/production/game.gate/1?read=now&amp;tab=health"`; !strings.Contains(got, want) || strings.Count(got, "read=now&amp;tab=health") != 2 {
		t.Errorf("the page does not hold %s, or no link to it", want)
	}
	if got := html(t, readoutOf(glance(), "tab=segments")); strings.Contains(got, "hx-trigger=\"load") {
		t.Error("without an attribute there is nothing to split by")
	}
}

// TestReadoutPage_oneLoudBanner: of a breach and missing telemetry the latter.
func TestReadoutPage_oneLoudBanner(t *testing.T) {
	g := glance()
	v := *g.Verdict
	v.Checks = append(v.Checks, decisions.Check{Name: decisions.CheckTelemetry, State: decisions.Fail, Text: "no exposure for 12 m"})
	g.Verdict = &v
	got := html(t, readoutOf(g, ""))
	if strings.Count(got, `class="banner loud"`) != 1 || !strings.Contains(got, "Telemetry is missing") {
		t.Error("there is not one banner, about telemetry")
	}
}

// TestParseAsked: the address holds the whole state of the page.
func TestParseAsked(t *testing.T) {
	for _, query := range []string{"", "days=14&read=now&tab=days", "at=2026-11-21T14%3A00%3A02Z&metric=day_7", "all=true&read=now&segment=country&tab=segments"} {
		q, err := url.ParseQuery(query)
		if err != nil {
			t.Fatal(err)
		}
		if got := ParseAsked(q).values().Encode(); got != query {
			t.Errorf("%s became %s", query, got)
		}
	}
	if a := ParseAsked(url.Values{"tab": {"dance"}, "at": {"yesterday"}, "days": {"-3"}}); a.View != OfMetrics || !a.At.IsZero() || a.PeriodAsked() != 7 {
		t.Errorf("nonsense became %+v", a)
	}
}

// TestLift_withoutNumbers: a metric that cannot be compared has no chart.
func TestLift_withoutNumbers(t *testing.T) {
	if p := readoutOf(glance(), "metric=rounds&read=now"); p.Time.Lift != nil || p.Time.Units == nil {
		t.Errorf("rounds, which nobody measured, has %+v", p.Time.Lift)
	}
	if drawn(chart.Plot{}) != nil {
		t.Error("nothing is drawn")
	}
	g := glance()
	g.Found.Trail = nil
	if p := readoutOf(g, "read=now"); p.Time == nil || p.Time.Lift != nil || p.Time.Units != nil {
		t.Errorf("without looks there is %+v", p.Time)
	}
}

// TestReadoutPage_renewsItsPart: charts over time are read again with every look;
// the page around them does not read them a second time, and a look of the past
// stands still.
func TestReadoutPage_renewsItsPart(t *testing.T) {
	p := readoutOf(glance(), "metric=day_7&read=now")
	if got := p.Asks(); got != "changed from:#live, every 120000ms" {
		t.Errorf("it is asked for %q", got)
	}
	if strings.Contains(p.Path, "read=") || !strings.Contains(p.Path, "metric=day_7") {
		t.Errorf("the page asks for %s", p.Path)
	}
	for query, want := range map[string]string{"": "load, visibilitychange from:document", "tab=health&read=now": "", "tab=segments": "", "tab=query": "", "read=now&at=2026-11-21T14:00:00Z": ""} {
		if got := readoutOf(glance(), query).Asks(); got != want {
			t.Errorf("%s is asked for %q, want %q", query, got, want)
		}
	}
}

// TestThinned keeps the last look, and says what it leaves out.
func TestThinned(t *testing.T) {
	table := chart.Table{Head: []string{"Look"}}
	for i := range 200 {
		table.Rows = append(table.Rows, []string{fmt.Sprint(i)})
	}
	got := thinned(table)
	if len(got.Rows) != mostTold || got.Rows[mostTold-1][0] != "199" || got.Rows[0][0] != "3" || got.Note != "one look in 4" {
		t.Errorf("%d rows from %v to %v, %q", len(got.Rows), got.Rows[0], got.Rows[len(got.Rows)-1], got.Note)
	}
	table.Rows = table.Rows[:mostTold]
	if got := thinned(table); len(got.Rows) != mostTold || got.Note != "" {
		t.Errorf("%d rows, %q", len(got.Rows), got.Note)
	}
}
