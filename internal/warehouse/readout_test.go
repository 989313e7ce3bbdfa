package warehouse

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/ingest"
	"github.com/sluice-hq/sluice/stats"
)

const rollout = "production/checkout/1"

var (
	purchase = stats.Metric{Key: "purchase", Event: "purchase", Aggregate: stats.Conversion, Window: time.Hour, GateWindow: 10 * time.Minute}
	orders   = stats.Metric{Key: "orders", Event: "purchase", Aggregate: stats.Count, Window: time.Hour}
	revenue  = stats.Metric{Key: "revenue", Event: "purchase", Aggregate: stats.Sum, Window: time.Hour}
	basket   = stats.Metric{Key: "basket", Event: "purchase", Aggregate: stats.Average, Window: time.Hour}
)

func question(metrics ...stats.Metric) Question {
	return Question{Environment: "production", Flag: "checkout", Rollout: rollout, UnitKind: "user", Control: "off", Treatments: []string{"on"},
		Metrics: metrics, Until: noon.Add(24 * time.Hour), Watermark: map[string]uint64{"facts-0": math.MaxUint64}}
}

// story makes rows event by event, as a test tells them.
type story struct {
	rows ingest.Rows
	n    uint64
}

func (s *story) place() (ingest.Place, uint64) {
	s.n++
	return ingest.Place{Shard: "facts-0", Seq: 1 + s.n/1000, Idx: uint32(s.n % 1000)}, s.n
}

func (s *story) expose(unit uint64, arm string, at time.Time, change ...func(*ingest.ExposureRow)) {
	p, n := s.place()
	r := ingest.ExposureRow{Place: p, ID: idAt(at, n), Day: ingest.DayOf(idAt(at, n)), Environment: "production", Flag: "checkout", Variant: arm,
		UnitKind: "user", Unit: unit, Revision: 1, Rollout: rollout, Stage: "canary", Epoch: 1, Arm: arm, Enrolled: true, At: at, Received: at}
	for _, f := range change {
		f(&r)
	}
	s.rows.Exposures = append(s.rows.Exposures, r)
}

func (s *story) buy(unit uint64, value float64, at time.Time, change ...func(*ingest.MetricRow)) {
	p, n := s.place()
	r := ingest.MetricRow{Place: p, ID: idAt(at, n), Day: ingest.DayOf(idAt(at, n)), Environment: "production", Name: "purchase",
		UnitKind: "user", Unit: unit, Value: int64(math.Round(value * 1e6)), At: at, Received: at}
	for _, f := range change {
		f(&r)
	}
	s.rows.Metrics = append(s.rows.Metrics, r)
}

// tell stores the story and asks.
func (s *story) tell(t *testing.T, q Question) Answer {
	t.Helper()
	w, _ := start(t)
	if err := w.Insert(t.Context(), block("story", 1, s.n, s.rows)); err != nil {
		t.Fatal(err)
	}
	a, err := w.Readout(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestReadout_aggregates(t *testing.T) {
	var s story
	s.expose(1, "on", noon)
	s.expose(1, "on", noon.Add(time.Minute)) // seen again
	s.expose(2, "on", noon)
	s.expose(3, "off", noon)
	s.buy(1, 2.5, noon)                                  // with the exposure: counts
	s.buy(1, -0.5, noon.Add(time.Hour-time.Millisecond)) // last moment of the window
	s.buy(1, 100, noon.Add(time.Hour))                   // too late
	s.buy(1, 100, noon.Add(-time.Millisecond))           // before
	s.buy(3, 7, noon.Add(time.Minute))
	s.buy(4, 9, noon.Add(time.Minute)) // never exposed
	a := s.tell(t, question(purchase, orders, revenue, basket))
	want := Answer{
		Strata: map[string][]stats.Stratum{
			"purchase": {{Epoch: 1, Stage: "canary", Control: stats.Proportion(1, 1), Treatment: stats.Proportion(2, 1)}},
			"orders":   {{Epoch: 1, Stage: "canary", Control: stats.Mean(stats.Moments{N: 1, Mean: 1}), Treatment: stats.Mean(stats.Moments{N: 2, Mean: 1, M2: 2})}},
			"revenue":  {{Epoch: 1, Stage: "canary", Control: stats.Mean(stats.Moments{N: 1, Mean: 7}), Treatment: stats.Mean(stats.Moments{N: 2, Mean: 1, M2: 2})}},
			"basket":   {{Epoch: 1, Stage: "canary", Control: stats.Mean(stats.Moments{N: 1, Mean: 7}), Treatment: stats.Mean(stats.Moments{N: 1, Mean: 1})}},
		},
		Units:     []Count{{1, "canary", "off", 1}, {1, "canary", "on", 2}},
		Exposures: 4, NewestExposure: noon.Add(time.Minute),
	}
	close := cmp.Comparer(func(x, y float64) bool { return math.Abs(x-y) <= 1e-9*math.Max(1, math.Abs(x)) })
	got := Answer{Strata: a.Strata, Units: a.Units, Exposures: a.Exposures, NewestExposure: a.NewestExposure, TwoArms: a.TwoArms}
	if diff := cmp.Diff(want, got, close); diff != "" {
		t.Errorf("answer (-want +got):\n%s", diff)
	}
	if got := a.NewestEvent["purchase"]; !got.Equal(noon.Add(time.Hour)) {
		t.Errorf("newest event %v", got)
	}
	if len(a.Queries) != 5 || a.Queries[0].Hash == a.Queries[1].Hash || !strings.Contains(a.Queries[1].SQL, "FROM metrics FINAL") {
		t.Errorf("queries: %+v", a.Queries)
	}
}

func TestReadout_unitsOfTwoArmsAreQuarantined(t *testing.T) {
	var s story
	s.expose(1, "on", noon)
	s.expose(2, "on", noon)
	s.expose(2, "off", noon.Add(time.Minute))
	s.expose(3, "off", noon)
	// Another arm in another epoch is no contradiction: arms are drawn anew.
	s.expose(3, "on", noon.Add(time.Hour), func(r *ingest.ExposureRow) { r.Epoch, r.Stage = 2, "ramp" })
	s.buy(2, 1, noon.Add(time.Second))
	a := s.tell(t, question(purchase))
	if a.TwoArms != 1 || a.Exposures != 5 || !slices.Equal(a.Quarantined, []Count{{1, "canary", "on", 1}}) {
		t.Errorf("two arms %d, first in %v, exposures %d", a.TwoArms, a.Quarantined, a.Exposures)
	}
	if diff := cmp.Diff([]Count{{1, "canary", "off", 1}, {1, "canary", "on", 1}, {2, "ramp", "on", 1}}, a.Units); diff != "" {
		t.Errorf("units (-want +got):\n%s", diff)
	}
	want := []stats.Stratum{
		{Epoch: 1, Stage: "canary", Control: stats.Proportion(1, 0), Treatment: stats.Proportion(1, 0)},
		{Epoch: 2, Stage: "ramp", Control: stats.Proportion(0, 0), Treatment: stats.Proportion(1, 0)},
	}
	if diff := cmp.Diff(want, a.Strata["purchase"]); diff != "" {
		t.Errorf("strata (-want +got):\n%s", diff)
	}
}

func TestReadout_leavesOut(t *testing.T) {
	var s story
	s.expose(1, "on", noon)
	s.expose(2, "on", noon, func(r *ingest.ExposureRow) { r.Synthetic = true })
	s.expose(3, "on", noon, func(r *ingest.ExposureRow) { r.Enrolled = false })
	s.expose(4, "on", noon, func(r *ingest.ExposureRow) { r.Environment = "staging" })
	s.expose(5, "on", noon, func(r *ingest.ExposureRow) { r.Rollout = "production/checkout/2" })
	s.expose(6, "on", noon, func(r *ingest.ExposureRow) { r.Flag = "other" })
	s.expose(7, "on", noon.Add(25*time.Hour)) // after Until: seen, and not yet a unit
	s.buy(1, 1, noon, func(r *ingest.MetricRow) { r.Synthetic = true })
	s.buy(1, 1, noon, func(r *ingest.MetricRow) { r.Environment = "staging" })
	s.buy(1, 1, noon, func(r *ingest.MetricRow) { r.Name = "other" })
	s.buy(7, 1, noon.Add(25*time.Hour))
	whileEnrolled := purchase
	whileEnrolled.Window = 0
	a := s.tell(t, question(whileEnrolled))
	want := []stats.Stratum{{Epoch: 1, Stage: "canary", Control: stats.Proportion(0, 0), Treatment: stats.Proportion(1, 0)}}
	if diff := cmp.Diff(want, a.Strata["purchase"]); diff != "" {
		t.Errorf("strata (-want +got):\n%s", diff)
	}
	if _, ok := a.NewestEvent["purchase"]; ok || a.Exposures != 2 || len(a.Units) != 1 {
		t.Errorf("newest %v, exposures %d", a.NewestEvent, a.Exposures)
	}
}

func TestReadout_gateTakesGrownUnitsAlone(t *testing.T) {
	var s story
	q := question(purchase)
	q.Gate, q.Until = true, noon.Add(30*time.Minute)
	s.expose(1, "on", noon)
	s.expose(2, "on", noon.Add(20*time.Minute))                  // exactly old enough
	s.expose(3, "on", noon.Add(20*time.Minute+time.Millisecond)) // not yet
	s.buy(1, 1, noon.Add(10*time.Minute))                        // after the gate's window
	s.buy(2, 1, noon.Add(25*time.Minute))
	s.buy(3, 1, noon.Add(25*time.Minute))
	a := s.tell(t, q)
	want := []stats.Stratum{{Epoch: 1, Stage: "canary", Control: stats.Proportion(0, 0), Treatment: stats.Proportion(2, 1)}}
	if diff := cmp.Diff(want, a.Strata["purchase"]); diff != "" {
		t.Errorf("strata (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]Count{{1, "canary", "on", 3}}, a.Units); diff != "" {
		t.Errorf("units (-want +got):\n%s", diff)
	}
}

func TestReadout_stageIsThatOfTheFirstExposure(t *testing.T) {
	var s story
	ramp := func(r *ingest.ExposureRow) { r.Stage = "a ramp" } // sorts before "canary", began later
	s.expose(1, "on", noon)
	s.expose(1, "on", noon.Add(time.Hour), ramp)
	s.expose(2, "on", noon.Add(time.Hour), ramp)
	a := s.tell(t, question(purchase))
	if diff := cmp.Diff([]Place{{1, "canary"}, {1, "a ramp"}}, a.Places()); diff != "" {
		t.Errorf("places (-want +got):\n%s", diff)
	}
}

func TestReadout_senderWhoseClockIsAheadMakesNothingFresh(t *testing.T) {
	var s story
	s.expose(1, "on", noon, func(r *ingest.ExposureRow) { r.Received = noon.Add(-time.Minute) })
	s.buy(1, 1, noon.Add(time.Minute), func(r *ingest.MetricRow) { r.Received = noon.Add(2 * time.Second) })
	a := s.tell(t, question(purchase))
	if !a.NewestExposure.Equal(noon.Add(-time.Minute)) || !a.NewestEvent["purchase"].Equal(noon.Add(2*time.Second)) {
		t.Errorf("newest: %v, %v", a.NewestExposure, a.NewestEvent)
	}
}

func TestReadout_injectionsAreValues(t *testing.T) {
	var s story
	s.expose(1, "on", noon)
	w, _ := start(t)
	if err := w.Insert(t.Context(), block("story", 1, 1, s.rows)); err != nil {
		t.Fatal(err)
	}
	for _, evil := range []string{"' OR 1=1 --", `\`, "{until:Int64}", "production\x00", "x') UNION ALL SELECT 1 --"} {
		for _, set := range []func(*Question){
			func(q *Question) { q.Environment = evil }, func(q *Question) { q.Flag = evil }, func(q *Question) { q.Rollout = evil },
		} {
			q := question(purchase)
			set(&q)
			if a, err := w.Readout(t.Context(), q); err != nil || a.Exposures != 0 {
				t.Errorf("%q: %d exposures, %v", evil, a.Exposures, err)
			}
		}
		m := purchase
		m.Event = evil
		if a, err := w.Readout(t.Context(), question(m)); err != nil || a.Strata["purchase"][0].Treatment.X != 0 {
			t.Errorf("event %q: %v, %v", evil, a.Strata, err)
		}
	}
}

func TestReadout_refuses(t *testing.T) {
	w, _ := start(t)
	m := purchase
	m.Aggregate = "nonsense"
	if _, err := w.Readout(t.Context(), question(m)); err == nil || !strings.Contains(err.Error(), "nonsense") {
		t.Errorf("an aggregate that is none: %v", err)
	}
	q := question(purchase)
	q.UnitKind = ""
	if _, err := w.Readout(t.Context(), q); err == nil || !strings.Contains(err.Error(), "kind of unit") {
		t.Errorf("units of no kind: %v", err)
	}
}

// crowd is a story of many units whose values are large and unequal, so that
// floating-point sums would depend on their order.
func crowd(r *rand.Rand, units int) *story {
	s := &story{}
	for u := range uint64(units) {
		arm := []string{"on", "off"}[r.IntN(2)]
		at := noon.Add(time.Duration(r.IntN(3600)) * time.Second)
		s.expose(u, arm, at)
		if r.IntN(20) == 0 {
			s.expose(u, "on", at.Add(time.Minute))
		}
		for range r.IntN(4) {
			s.buy(u, 1e9*r.Float64()+r.Float64(), at.Add(time.Duration(r.IntN(5400))*time.Second))
		}
	}
	return s
}

// TestReadout_orderAndCopiesChangeNothing stores the same events in one block,
// and shuffled, cut up, repeated and merged: the statistics are equal bit for
// bit.
func TestReadout_orderAndCopiesChangeNothing(t *testing.T) {
	r := seeded(t, 20261121)
	s := crowd(r, 3000)
	q := question(purchase, orders, revenue, basket)
	want := s.tell(t, q)

	w, _ := start(t)
	rows := s.rows
	r.Shuffle(len(rows.Exposures), func(i, j int) { rows.Exposures[i], rows.Exposures[j] = rows.Exposures[j], rows.Exposures[i] })
	r.Shuffle(len(rows.Metrics), func(i, j int) { rows.Metrics[i], rows.Metrics[j] = rows.Metrics[j], rows.Metrics[i] })
	for part := range 10 {
		cut := func(n int) (int, int) { return n * part / 10, n * (part + 1) / 10 }
		e0, e1 := cut(len(rows.Exposures))
		m0, m1 := cut(len(rows.Metrics))
		b := ingest.Rows{Exposures: rows.Exposures[e0:e1], Metrics: rows.Metrics[m0:m1]}
		for again := range 1 + part%3 {
			if err := w.Insert(t.Context(), block(fmt.Sprint(part, again), 1, 1, b)); err != nil {
				t.Fatal(err)
			}
		}
	}
	check := func(when string) {
		t.Helper()
		got, err := w.Readout(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", when, diff)
		}
	}
	check("before merging")
	if err := w.writer.Exec(t.Context(), "OPTIMIZE TABLE metrics FINAL"); err != nil {
		t.Fatal(err)
	}
	check("after merging")
	if want.TwoArms == 0 || want.Strata["revenue"][0].Treatment.N < 1000 {
		t.Errorf("the story tells too little: %+v", want)
	}
}

// TestReadout_equalsACountByHand compares the statistics with those of a plain
// loop over the same events.
func TestReadout_equalsACountByHand(t *testing.T) {
	s := crowd(seeded(t, 7), 500)
	a := s.tell(t, question(revenue, purchase))
	type unit struct {
		first time.Time
		arm   string
		arms  map[string]bool
		sum   float64
		n     int64
	}
	units := map[uint64]*unit{}
	for _, e := range s.rows.Exposures {
		u := units[e.Unit]
		if u == nil {
			u = &unit{first: e.At, arm: e.Arm, arms: map[string]bool{}}
			units[e.Unit] = u
		}
		u.arms[e.Arm] = true
	}
	for _, m := range s.rows.Metrics {
		if u := units[m.Unit]; !m.At.Before(u.first) && m.At.Before(u.first.Add(time.Hour)) {
			u.sum += float64(m.Value) * 1e-6
			u.n++
		}
	}
	var two, n, having int64
	var sum, squares float64
	for _, u := range units {
		if len(u.arms) > 1 {
			two++
			continue
		}
		if u.arm != "on" {
			continue
		}
		n, sum, squares = n+1, sum+u.sum, squares+u.sum*u.sum
		if u.n > 0 {
			having++
		}
	}
	got := a.Strata["revenue"][0].Treatment.Moments
	mean := sum / float64(n)
	if a.TwoArms != two || got.N != n || math.Abs(got.Mean/mean-1) > 1e-12 || math.Abs(got.M2/(squares-sum*mean)-1) > 1e-9 {
		t.Errorf("got %+v and %d of two arms; by hand n %d mean %g m2 %g, %d", got, a.TwoArms, n, mean, squares-sum*mean, two)
	}
	if p := a.Strata["purchase"][0].Treatment; p.N != n || p.X != having {
		t.Errorf("got %+v; by hand %d of %d", p, having, n)
	}
}

// TestReadout_leavesOutWhatIsBehindTheWatermark guards against half a block: a
// unit whose exposure is stored and whose purchase is not yet.
func TestReadout_leavesOutWhatIsBehindTheWatermark(t *testing.T) {
	w, _ := start(t)
	var s story
	s.expose(1, "on", noon)
	s.buy(1, 5, noon.Add(time.Minute))
	s.n += 1000 // the next message
	s.expose(2, "on", noon)
	if err := w.Insert(t.Context(), block("story", 1, 2, s.rows)); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		watermark map[string]uint64
		units     int64
	}{{nil, 0}, {map[string]uint64{"facts-1": 99}, 0}, {map[string]uint64{"facts-0": 1}, 1}, {map[string]uint64{"facts-0": 2}, 2}} {
		q := question(purchase)
		q.Watermark = c.watermark
		a, err := w.Readout(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		var units int64
		for _, n := range a.Units {
			units += n.N
		}
		if units != c.units {
			t.Errorf("up to %v: got %d units, want %d", c.watermark, units, c.units)
		}
	}
}

// TestDoubled gives one event two days, which the door never does: only so can
// a resend miss its twin.
func TestDoubled(t *testing.T) {
	w, _ := start(t)
	var s story
	s.expose(1, "on", noon)
	s.buy(1, 5, noon.Add(time.Minute))
	for i, want := range []uint64{0, 0, 1} {
		if i == 2 {
			s.rows.Metrics[0].Day++
		}
		if err := w.Insert(t.Context(), block(fmt.Sprint(i), 1, 1, s.rows)); err != nil {
			t.Fatal(err)
		}
		if got, err := w.Doubled(t.Context()); err != nil || got != want {
			t.Errorf("after insert %d: got %d, %v, want %d", i, got, err, want)
		}
	}
}

// TestReadout_capsThatAreKept: an outlier that comes later is cut to the cap of
// the first look, and moves a cap that is not kept.
func TestReadout_capsThatAreKept(t *testing.T) {
	w, _ := start(t)
	var s story
	for unit := uint64(1); unit <= 20; unit++ {
		s.expose(unit, "on", noon)
		s.buy(unit, float64(unit), noon.Add(time.Minute))
	}
	s.n += 1000 // the next message
	s.expose(21, "on", noon)
	s.buy(21, 1_000_000, noon.Add(time.Minute))
	if err := w.Insert(t.Context(), block("story", 1, 2, s.rows)); err != nil {
		t.Fatal(err)
	}
	m := revenue
	m.Cap = 0.95
	ask := func(upTo uint64, caps map[string]Caps) (float64, *big.Int) {
		t.Helper()
		q := question(m)
		q.Watermark, q.Caps = map[string]uint64{"facts-0": upTo}, caps
		a, err := w.Readout(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		return a.Strata[m.Key][0].Treatment.Moments.Mean, a.Caps[m.Key].Value
	}
	_, first := ask(1, nil)
	kept, still := ask(2, map[string]Caps{m.Key: {Value: first}})
	moved, later := ask(2, nil)
	if first.Cmp(still) != 0 || later.Cmp(first) <= 0 || moved <= kept {
		t.Errorf("caps %v, kept %v, taken anew %v; means %g and %g", first, still, later, kept, moved)
	}
	sum := 0.0
	for unit := 1; unit <= 21; unit++ {
		sum += min(float64(unit), float64(first.Int64())*CapScale(m))
	}
	if want := sum / 21; math.Abs(kept/want-1) > 1e-12 {
		t.Errorf("mean %g with the kept cap, want %g", kept, want)
	}
}
