package warehouse

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/ingest"
	"github.com/sluice-hq/sluice/stats"
)

func TestServed(t *testing.T) {
	var s story
	audience := func(r *ingest.ExposureRow) {
		r.Enrolled, r.Rollout, r.Arm, r.Stage, r.Epoch, r.Revision = false, "", "", "", 0, 12
	}
	s.expose(1, "on", noon, audience)
	s.expose(1, "on", noon.Add(time.Hour), audience)
	s.expose(2, "on", noon, audience)
	s.expose(3, "on", noon, audience, func(r *ingest.ExposureRow) { r.Revision = 11 }) // before the stage
	s.expose(4, "on", noon, audience, func(r *ingest.ExposureRow) { r.Revision = 0 })  // nobody knows when
	s.expose(5, "off", noon, audience)
	s.expose(6, "on", noon, audience, func(r *ingest.ExposureRow) { r.Synthetic = true })
	s.expose(7, "on", noon, audience, func(r *ingest.ExposureRow) { r.UnitKind = "device" })
	s.expose(8, "on", noon, func(r *ingest.ExposureRow) { r.Revision = 12 }) // enrolled
	s.buy(1, 5, noon.Add(5*time.Minute))
	s.buy(1, 5, noon.Add(-time.Minute)) // before he met it
	s.buy(3, 5, noon.Add(5*time.Minute))

	w, _ := start(t)
	if err := w.Insert(t.Context(), block("served", 1, s.n, s.rows)); err != nil {
		t.Fatal(err)
	}
	spent := revenue
	spent.GateWindow = 10 * time.Minute
	q := question(purchase, spent)
	q.Gate = true
	got, err := w.Served(t.Context(), q, Audience{Stage: "internal", Since: 12})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][]stats.Stratum{
		"purchase": {{Stage: "internal", Control: stats.Sample{Kind: stats.KindProportion}, Treatment: stats.Proportion(2, 1)}},
		"revenue":  {{Stage: "internal", Control: stats.Sample{Kind: stats.KindMean}, Treatment: stats.Mean(stats.Moments{N: 2, Mean: 2.5, M2: 12.5})}},
	}
	close := cmp.Comparer(func(x, y float64) bool { return math.Abs(x-y) <= 1e-9 })
	if diff := cmp.Diff(want, got.Strata, close); diff != "" {
		t.Errorf("strata (-want +got):\n%s", diff)
	}
	if got.Exposures != 3 || !got.NewestExposure.Equal(noon.Add(time.Hour)) || !got.NewestEvent["revenue"].Equal(noon.Add(5*time.Minute)) {
		t.Errorf("%d exposures up to %v, newest purchase %v", got.Exposures, got.NewestExposure, got.NewestEvent["revenue"])
	}
}

func TestArrival(t *testing.T) {
	var s story
	s.buy(1, 1, noon.Add(-40*24*time.Hour)) // long ago
	s.buy(2, 1, noon.Add(time.Minute), func(r *ingest.MetricRow) { r.Name = "other" })
	s.buy(3, 1, noon.Add(2*time.Minute), func(r *ingest.MetricRow) { r.Environment = "staging" })
	w, _ := start(t)
	if err := w.Insert(t.Context(), block("before", 1, s.n, s.rows)); err != nil {
		t.Fatal(err)
	}
	q := Recent{Environment: "production", Since: noon.Add(-30 * 24 * time.Hour), Until: noon.Add(time.Hour), Watermark: map[string]uint64{"facts-0": math.MaxUint64}}
	of := stats.Source{Event: "purchase", Where: []stats.Condition{{Attribute: "country", Values: []string{"DE"}}}}
	if at, _, err := w.Arrival(t.Context(), q, of); err != nil || !at.IsZero() {
		t.Errorf("came at %v, %v; want never", at, err)
	}
	first := s.n
	s.rows = ingest.Rows{}
	s.buy(4, 1, noon.Add(3*time.Minute), func(r *ingest.MetricRow) { r.Synthetic, r.Attributes = true, map[string]string{"country": "DE"} })
	s.buy(5, 1, noon.Add(4*time.Minute), func(r *ingest.MetricRow) { r.Attributes = map[string]string{"country": "FR"} })
	if err := w.Insert(t.Context(), block("after", first+1, s.n, s.rows)); err != nil {
		t.Fatal(err)
	}
	at, asked, err := w.Arrival(t.Context(), q, of)
	if err != nil || !at.Equal(noon.Add(3*time.Minute)) || asked.SQL == "" {
		t.Errorf("came at %v, %v; want that of the test event", at, err)
	}
}

func TestDeployments(t *testing.T) {
	var rows ingest.Rows
	add := func(n uint64, service string, at time.Time, change ...func(*ingest.DeploymentRow)) {
		r := ingest.DeploymentRow{Place: ingest.Place{Shard: "facts-0", Seq: 1, Idx: uint32(n)}, ID: idAt(at, n), Day: ingest.DayOf(idAt(at, n)),
			Environment: "production", Service: service, Version: "2", At: at, Received: at}
		for _, f := range change {
			f(&r)
		}
		rows.Deployments = append(rows.Deployments, r)
	}
	add(1, "old", noon.Add(-time.Minute))
	add(2, "cart", noon.Add(time.Minute))
	add(3, "search", noon.Add(2*time.Minute))
	add(4, "drill", noon.Add(3*time.Minute), func(r *ingest.DeploymentRow) { r.Synthetic = true })
	add(5, "cart", noon.Add(3*time.Minute), func(r *ingest.DeploymentRow) { r.Environment = "staging" })
	w, _ := start(t)
	if err := w.Insert(t.Context(), block("deployed", 1, 5, rows)); err != nil {
		t.Fatal(err)
	}
	got, _, err := w.Deployments(t.Context(), Recent{Environment: "production", Since: noon, Until: noon.Add(time.Hour), Watermark: map[string]uint64{"facts-0": math.MaxUint64}})
	want := []Deployment{{"search", "2", noon.Add(2 * time.Minute)}, {"cart", "2", noon.Add(time.Minute)}}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v, -want +got:\n%s", err, diff)
	}
}
