package warehouse

import (
	"fmt"
	"math/big"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/ingest"
	"github.com/sluice-hq/sluice/stats"
)

func named(name string) func(*ingest.MetricRow) {
	return func(r *ingest.MetricRow) { r.Name = name }
}

func from(country string) func(*ingest.MetricRow) {
	return func(r *ingest.MetricRow) { r.Attributes = map[string]string{"country": country} }
}

// roughly compares floats that were not computed by the same steps.
var roughly = cmp.Comparer(func(x, y float64) bool { return x-y < 1e-9 && y-x < 1e-9 })

// shopping is three units of the treatment: the first buys for 2 and 4 in two
// visits, the second for 90 in one, the third only looks.
func shopping() *story {
	var s story
	for unit := range uint64(3) {
		s.expose(unit, "on", noon)
	}
	s.buy(0, 2, noon.Add(time.Minute), from("DE"))
	s.buy(0, 4, noon.Add(2*time.Minute), from("FR"))
	s.buy(1, 90, noon.Add(time.Minute))
	for _, unit := range []uint64{0, 0, 1, 2} {
		s.buy(unit, 1, noon.Add(time.Minute), named("visit"))
	}
	s.buy(0, 3, noon.Add(-time.Hour))                 // before, within the lookback
	s.buy(2, 7, noon.Add(-48*time.Hour))              // before it
	s.buy(1, 1, noon.Add(-time.Hour), named("visit")) // another event
	return &s
}

func joined(n int64, means []float64, m ...float64) *stats.Joint {
	return &stats.Joint{N: n, Means: means, M: m}
}

// TestReadout_shapes has every number worked out by hand.
func TestReadout_shapes(t *testing.T) {
	s, hour := shopping(), time.Hour
	metric := func(key string, a stats.Aggregate, change func(*stats.Metric)) stats.Metric {
		m := stats.Metric{Key: key, Event: "purchase", Aggregate: a, Scale: 1e-6, Window: hour}
		change(&m)
		return m
	}
	cases := []struct {
		metric stats.Metric
		want   stats.Sample
		caps   Caps
	}{
		{metric("per visit", stats.Ratio, func(m *stats.Metric) { m.Denominator = &stats.Source{Event: "visit"} }),
			// (6, 2), (90, 1), (0, 1) around 32 and 4/3
			stats.Sample{Kind: stats.KindRatio, N: 3, Joint: joined(3, []float64{32, 4. / 3}, 26*26+58*58+32*32, -26, 2./3)}, Caps{}},
		{metric("half", stats.Quantile, func(m *stats.Metric) { m.Nu = 0.5 }),
			// 2, 4 and 90: the second is 4, in the bucket of 3.997696 to 4.005887
			stats.Sample{Kind: stats.KindQuantile, N: 3, Joint: joined(3, []float64{2. / 3, 1}, 8./3, 2, 2),
				Distribution: &stats.Distribution{Nu: 0.5, Estimate: 4.0017915, Events: 3, Units: 2, Scale: 1e-6,
					Buckets: []stats.Bucket{{I: 3560, N: 1}, {I: 3816, N: 1}, {I: 4951, N: 1}}}}, Caps{}},
		{metric("back", stats.Retention, func(m *stats.Metric) { m.Return = &stats.Return{From: 2 * time.Minute, To: 3 * time.Minute} }),
			stats.Proportion(3, 1), Caps{}},
		{metric("from Germany", stats.Sum, func(m *stats.Metric) {
			m.Where = []stats.Condition{{Attribute: "country", Values: []string{"DE"}}}
		}), stats.Mean(stats.Moments{N: 3, Mean: 2. / 3, M2: 8. / 3}), Caps{}},
		{metric("not from France", stats.Count, func(m *stats.Metric) {
			m.Where = []stats.Condition{{Attribute: "country", Not: true, Values: []string{"FR"}}}
		}), stats.Mean(stats.Moments{N: 3, Mean: 2. / 3, M2: 2. / 3}), Caps{}},
		{metric("capped", stats.Sum, func(m *stats.Metric) { m.Cap = 0.5 }),
			// of 6 and 90 half do not exceed 6; who bought nothing is not asked
			stats.Mean(stats.Moments{N: 3, Mean: 4, M2: 24}), Caps{Value: big.NewInt(6e6)}},
		{metric("with a past", stats.Sum, func(m *stats.Metric) { m.Lookback = 24 * hour }),
			// (6, 3, 0), (90, 0, 1), (0, 0, 1) around 32, 1 and 2/3
			stats.Mean(stats.Moments{N: 3, Mean: 32, M2: 26*26 + 58*58 + 32*32}).With(
				*joined(3, []float64{32, 1, 2. / 3}, 26*26+58*58+32*32, -78, 26, 6, -2, 2./3)), Caps{}},
		{metric("bought before", stats.Conversion, func(m *stats.Metric) { m.Lookback = 24 * hour }),
			stats.Proportion(3, 2).With(*joined(3, []float64{2. / 3, 1. / 3, 2. / 3}, 2./3, 1./3, -1./3, 2./3, -2./3, 2./3)), Caps{}},
	}
	q := question()
	for _, c := range cases {
		q.Metrics = append(q.Metrics, c.metric)
	}
	a := s.tell(t, q)
	for _, c := range cases {
		if diff := cmp.Diff(c.want, a.Strata[c.metric.Key][0].Treatment, roughly); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.metric.Key, diff)
		}
		if got := a.Caps[c.metric.Key]; fmt.Sprint(got) != fmt.Sprint(c.caps) {
			t.Errorf("%s: capped at %v, want %v", c.metric.Key, got, c.caps)
		}
		if none := a.Strata[c.metric.Key][0].Control; none.N != 0 || none.Kind != c.want.Kind {
			t.Errorf("%s: control has %+v", c.metric.Key, none)
		}
	}
}

// TestReadout_retentionWaits leaves out a unit that still has time to come back.
func TestReadout_retentionWaits(t *testing.T) {
	var s story
	s.expose(1, "on", noon)
	s.expose(2, "on", noon.Add(time.Minute))
	s.buy(2, 1, noon.Add(time.Hour))
	q := question(stats.Metric{Key: "back", Event: "purchase", Aggregate: stats.Retention, Return: &stats.Return{From: time.Minute, To: 2 * time.Hour}})
	q.Until = noon.Add(2 * time.Hour)
	if got := s.tell(t, q).Strata["back"][0].Treatment; got.N != 1 || got.X != 0 {
		t.Errorf("got %+v", got)
	}
}

// TestReadout_frozenCaps cuts to the caps of an earlier answer, and below them
// as well.
func TestReadout_frozenCaps(t *testing.T) {
	s := shopping()
	s.buy(2, -50, noon.Add(time.Minute))
	m := stats.Metric{Key: "revenue", Event: "purchase", Aggregate: stats.Sum, Scale: 1e-6, Window: time.Hour, Cap: 0.999}
	q := question(m)
	q.Caps = map[string]Caps{"revenue": {Value: big.NewInt(10e6)}}
	a := s.tell(t, q)
	// 6, 10 and -10
	if diff := cmp.Diff(stats.Mean(stats.Moments{N: 3, Mean: 2, M2: 16 + 64 + 144}), a.Strata["revenue"][0].Treatment, roughly); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if a.Caps["revenue"].Value.Int64() != 10e6 || len(a.Queries) != 2 {
		t.Errorf("caps %v, %d queries", a.Caps, len(a.Queries))
	}
}

// TestReadout_unitsOfOneKind gives two kinds the same hash, which no key does.
func TestReadout_unitsOfOneKind(t *testing.T) {
	var s story
	workspace := func(r *ingest.ExposureRow) { r.UnitKind = "workspace" }
	s.expose(1, "on", noon)
	s.expose(1, "off", noon, workspace)
	s.expose(2, "off", noon, workspace)
	s.buy(1, 5, noon.Add(time.Minute), func(r *ingest.MetricRow) { r.UnitKind = "workspace" })
	q := question(orders)
	users := s.tell(t, q)
	q.UnitKind = "workspace"
	workspaces := s.tell(t, q)
	if users.TwoArms+workspaces.TwoArms != 0 || users.Exposures != 1 || workspaces.Exposures != 2 {
		t.Errorf("users %+v, workspaces %+v", users, workspaces)
	}
	if got := users.Strata["orders"][0].Treatment.Moments; got != (stats.Moments{N: 1}) {
		t.Errorf("users: %+v", got)
	}
	if got := workspaces.Strata["orders"][0].Control.Moments; got != (stats.Moments{N: 2, Mean: 0.5, M2: 0.5}) {
		t.Errorf("workspaces: %+v", got)
	}
}

// TestBreakdown gives the values with the most units a part each, and one to
// all others.
func TestBreakdown(t *testing.T) {
	var s story
	in := func(plan string) func(*ingest.ExposureRow) {
		return func(r *ingest.ExposureRow) { r.Attributes = map[string]string{"plan": plan} }
	}
	for unit := range uint64(mostParts + 5) {
		s.expose(unit, "on", noon, in(fmt.Sprintf("plan-%02d", unit)))
		s.buy(unit, 1, noon.Add(time.Minute))
	}
	s.expose(100, "on", noon, in("plan-24"))
	s.expose(100, "on", noon.Add(time.Minute), in("plan-00")) // moves nobody
	s.expose(101, "off", noon)
	w, _ := start(t)
	if err := w.Insert(t.Context(), block("story", 1, s.n, s.rows)); err != nil {
		t.Fatal(err)
	}
	parts, err := w.Breakdown(t.Context(), question(purchase), "plan")
	if err != nil || len(parts) != mostParts+1 {
		t.Fatalf("%d parts, %v", len(parts), err)
	}
	type part struct {
		value              string
		rest               bool
		treatment, control stats.Sample
	}
	var got []part
	for _, i := range []int{0, 1, 2, mostParts} {
		p := parts[i]
		got = append(got, part{p.Value, p.Rest, p.Strata["purchase"][0].Treatment, p.Strata["purchase"][0].Control})
	}
	want := []part{
		{"plan-24", false, stats.Proportion(2, 1), stats.Proportion(0, 0)}, {"", false, stats.Proportion(0, 0), stats.Proportion(1, 0)},
		{"plan-00", false, stats.Proportion(1, 1), stats.Proportion(0, 0)}, {"", true, stats.Proportion(6, 6), stats.Proportion(0, 0)},
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(part{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if _, err := w.Breakdown(t.Context(), question(purchase), ""); err == nil {
		t.Error("broken down by nothing")
	}
	q := question(purchase)
	q.Flag = "another"
	if parts, err := w.Breakdown(t.Context(), q, "plan"); err != nil || len(parts) != 0 {
		t.Errorf("of no units: %v, %v", parts, err)
	}
}
