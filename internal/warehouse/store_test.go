package warehouse

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/ingest"
)

// metricRows returns n purchases of as many units, in one message.
func metricRows(seq uint64, n int) ingest.Rows {
	var rows ingest.Rows
	for i := range n {
		at := noon.Add(time.Duration(i) * time.Millisecond)
		rows.Metrics = append(rows.Metrics, ingest.MetricRow{
			Place: ingest.Place{Shard: "facts-0", Seq: seq, Idx: uint32(i)},
			ID:    idAt(at, seq<<32|uint64(i)), Day: ingest.DayOf(idAt(at, 0)), Environment: "production", Name: "purchase",
			UnitKind: "user", Unit: uint64(i), Value: 1_500_000, At: at, Received: at, Attributes: map[string]string{"country": "DE"},
		})
	}
	return rows
}

func block(token string, from, to uint64, rows ingest.Rows) ingest.Block {
	return ingest.Block{Shard: "facts-0", From: from, To: to, Token: token, Rows: rows}
}

func TestInsert_everyTable(t *testing.T) {
	w, _ := start(t)
	p := ingest.Place{Shard: "facts-0", Seq: 7, Idx: 3}
	day := ingest.DayOf(idAt(noon, 1))
	rows := ingest.Rows{
		Exposures: []ingest.ExposureRow{{Place: p, ID: idAt(noon, 1), Day: day, Environment: "production", Flag: "checkout", Variant: "on",
			UnitKind: "user", Unit: 1 << 63, Revision: 4, Rollout: "production/checkout/1", Stage: "canary", Epoch: 2, Arm: "on",
			Enrolled: true, Differs: true, Reason: "SPLIT", At: noon, Received: noon, Attributes: map[string]string{"a": "b'\t"}}},
		Metrics:     metricRows(7, 1).Metrics,
		Deployments: []ingest.DeploymentRow{{Place: p, ID: idAt(noon, 2), Day: day, Environment: "production", Service: "shop", Version: "1.2", At: noon, Received: noon}},
		Readings:    []ingest.ReadingRow{{Place: p, ID: idAt(noon, 3), Day: day, Environment: "production", Name: "cpu", Value: -5, At: noon, Received: noon}},
		Control: []ingest.ControlRow{{Place: p, ID: idAt(noon, 4), Day: day, Type: "flag.changed", Subject: "flag.checkout", Source: "sluice/flags",
			Actor: "person:ana", At: noon, Data: `{"a":1}`, Prev: event.Sum(nil), Hash: event.Sum([]byte("x"))}},
	}
	if err := w.Insert(t.Context(), block("a", 7, 7, rows)); err != nil {
		t.Fatal(err)
	}
	if n, err := w.Count(t.Context(), "facts-0", 7, 7); err != nil || n != 5 {
		t.Errorf("count: %d, %v", n, err)
	}
	if n, err := w.Events(t.Context(), "facts-0", 7, 7); err != nil || n != 2 {
		t.Errorf("events: %d, %v; want places (7, 3) and (7, 0)", n, err)
	}
	if missing, err := w.Missing(t.Context(), block("a", 7, 7, rows)); err != nil || missing.Len() != 0 {
		t.Errorf("missing: %+v, %v", missing, err)
	}
	var flag, arm string
	var unit uint64
	var id event.ID
	var attributes map[string]string
	err := one(t.Context(), w.reader, "SELECT id, flag, arm, unit, attributes FROM exposures", nil, &id, &flag, &arm, &unit, &attributes)
	if err != nil || id != idAt(noon, 1) || flag != "checkout" || arm != "on" || unit != 1<<63 || attributes["a"] != "b'\t" {
		t.Errorf("exposure: %v %s %s %d %v, %v", id, flag, arm, unit, attributes, err)
	}
	if rows, last, err := w.ControlCount(t.Context()); err != nil || rows != 1 || last != 7 {
		t.Errorf("control: %d rows, last %d, %v", rows, last, err)
	}
	if n, _, err := w.Counted(t.Context()); err != nil || n != 4 {
		t.Errorf("counted: %d, %v", n, err)
	}
	stranger := idAt(noon, 99)
	if got, err := w.Unstored(t.Context(), []event.ID{idAt(noon, 1), stranger}); err != nil || !cmp.Equal(got, []event.ID{stranger}) {
		t.Errorf("unstored: %v, %v", got, err)
	}
}

// TestInsert_copiesInOneBlock inserts every row twice in one block: both places
// are stored until the engine merges them, and one of them counts.
func TestInsert_copiesInOneBlock(t *testing.T) {
	w, _ := start(t)
	rows := metricRows(1, 500)
	again := metricRows(1, 500)
	for i := range again.Metrics {
		again.Metrics[i].Seq = 2
	}
	rows.Append(again)
	if err := w.Insert(t.Context(), block("twice", 1, 2, rows)); err != nil {
		t.Fatal(err)
	}
	if n, err := w.Count(t.Context(), "facts-0", 1, 2); err != nil || n != 1000 && n != 500 {
		t.Errorf("%d places, %v", n, err)
	}
	if n, _, err := w.Counted(t.Context()); err != nil || n != 500 {
		t.Errorf("%d events, %v", n, err)
	}
	if n, err := w.Doubled(t.Context()); err != nil || n != 0 {
		t.Errorf("%d rows count twice, %v", n, err)
	}
	var kept uint64
	if err := one(t.Context(), w.reader, "SELECT countIf(_seq = 1) FROM metrics FINAL", nil, &kept); err != nil || kept != 500 {
		t.Errorf("%d rows are of the first arrival, %v", kept, err)
	}
}

func TestInsert_sameTokenIsTheSameInsert(t *testing.T) {
	w, _ := start(t)
	b := block("facts|1-1|h|0", 1, 1, metricRows(1, 1000))
	for range 3 {
		if err := w.Insert(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
	if n := physical(t, w); n != 1000 {
		t.Errorf("%d rows are stored", n)
	}
	// Seen in ClickHouse: another block under a known token is dropped without
	// a word. The count is what finds out.
	if err := w.Insert(t.Context(), block(b.Token, 2, 2, metricRows(2, 10))); err != nil {
		t.Fatal(err)
	}
	if n, err := w.Count(t.Context(), "facts-0", 2, 2); err != nil || n != 0 {
		t.Errorf("count of a dropped block: %d, %v", n, err)
	}
	if missing, err := w.Missing(t.Context(), block("", 2, 2, metricRows(2, 10))); err != nil || len(missing.Metrics) != 10 {
		t.Errorf("missing of a dropped block: %d, %v", len(missing.Metrics), err)
	}
}

func physical(t testing.TB, w *Warehouse) (n uint64) {
	t.Helper()
	if err := one(t.Context(), w.reader, "SELECT count() FROM metrics", nil, &n); err != nil {
		t.Fatal(err)
	}
	return n
}

// TestInsert_resendIsCountedOnce stores events, and later the same events
// again under another token, as after a window that forgot them.
func TestInsert_resendIsCountedOnce(t *testing.T) {
	w, _ := start(t)
	first := metricRows(1, 500)
	again := metricRows(1, 500)
	for i := range again.Metrics {
		again.Metrics[i].Seq = 9
		again.Metrics[i].Value = 7 // a resend that lies: the first arrival stands
	}
	// The later message comes first: arrival is by sequence, not by insert.
	for _, b := range []ingest.Block{block("late", 9, 9, again), block("early", 1, 1, first)} {
		if err := w.Insert(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
	check := func(when string) {
		t.Helper()
		var n uint64
		var sum int64
		err := one(t.Context(), w.reader, "SELECT count(), sum(value) FROM metrics FINAL", nil, &n, &sum)
		if err != nil || n != 500 || sum != 500*1_500_000 {
			t.Errorf("%s: %d rows, sum %d, %v", when, n, sum, err)
		}
	}
	check("before merging")
	if err := w.writer.Exec(t.Context(), "OPTIMIZE TABLE metrics FINAL"); err != nil {
		t.Fatal(err)
	}
	check("after merging")
	if n, err := w.Count(t.Context(), "facts-0", 9, 9); err != nil || n != 0 {
		t.Errorf("count of merged rows: %d, %v", n, err)
	}
	if missing, err := w.Missing(t.Context(), block("late", 9, 9, again)); err != nil || missing.Len() != 0 {
		t.Errorf("merged rows are said to be missing: %d, %v", missing.Len(), err)
	}
}

func TestMissing_manyRowsOfManyDays(t *testing.T) {
	w, _ := start(t)
	rows := metricRows(1, 10_000)
	for i := range rows.Metrics {
		r := &rows.Metrics[i]
		r.At = noon.AddDate(0, 0, i%120)
		r.ID = idAt(r.At, uint64(i))
		r.Day = ingest.DayOf(r.ID)
	}
	stored := ingest.Rows{Metrics: rows.Metrics[:9_000]}
	if err := w.Insert(t.Context(), block("a", 1, 1, stored)); err != nil {
		t.Fatal(err)
	}
	missing, err := w.Missing(t.Context(), block("a", 1, 1, rows))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(rows.Metrics[9_000:], missing.Metrics); diff != "" {
		t.Errorf("missing rows (-want +got):\n%s", diff)
	}
}

func TestInsert_rejectsWhatNoColumnTakes(t *testing.T) {
	w, _ := start(t)
	rows := metricRows(1, 2)
	rows.Metrics[1].At = time.Date(12026, 1, 1, 0, 0, 0, 0, time.UTC)
	if err := w.Insert(t.Context(), block("a", 1, 1, rows)); !errors.Is(err, ingest.ErrRejected) {
		t.Errorf("got %v", err)
	}
	if n := physical(t, w); n != 0 {
		t.Errorf("%d rows of a rejected block are stored", n)
	}
}

func TestLooks(t *testing.T) {
	w, _ := start(t)
	var want []Look
	for i := range 3 {
		l := Look{Rollout: "production/checkout/1", At: noon.Add(time.Duration(i) * time.Minute), Stage: "canary", Action: "hold",
			Reason: fmt.Sprintf("it's look %d", i), Data: []byte(`{"n":1}`),
			Decision: "d", Watermark: map[string]uint64{"facts-0": uint64(i)}, Hash: event.Sum([]byte{byte(i)}), Record: []byte(`{"verdict":{}}`)}
		for range 2 { // the second is a repeat
			if err := w.InsertLook(t.Context(), l); err != nil {
				t.Fatal(err)
			}
		}
		want = append(want, l)
	}
	got, err := w.Looks(t.Context(), "production/checkout/1", noon.Add(time.Hour), 2)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]Look{want[2], want[1]}, got); diff != "" {
		t.Errorf("looks (-want +got):\n%s", diff)
	}
	before, err := w.Looks(t.Context(), "production/checkout/1", noon.Add(2*time.Minute-time.Millisecond), 1)
	if err != nil || len(before) != 1 || !before[0].At.Equal(want[1].At) {
		t.Errorf("the look a moment before the last: %v, %v", before, err)
	}
	if got, err := w.Looks(t.Context(), "' OR 1=1 --", noon.Add(time.Hour), 2); err != nil || len(got) != 0 {
		t.Errorf("another rollout: %v, %v", got, err)
	}
}

// seeded returns a source of chance that a failing test can name.
func seeded(t testing.TB, seed uint64) *rand.Rand {
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, seed))
}
