package ingesttest

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/sluice-hq/sluice/ingest"
)

// Store checks a version of ingest.Store. fresh returns an empty store.
func Store(t *testing.T, fresh func(*testing.T) ingest.Store) {
	for _, c := range []struct {
		name string
		test func(*testing.T, ingest.Store)
	}{
		{"empty", storeEmpty}, {"counts", storeCounts}, {"repeat", storeRepeat}, {"resend", storeResend},
		{"part", storePart}, {"keys", storeKeys}, {"control", storeControl},
	} {
		t.Run("Store_"+c.name, func(t *testing.T) { c.test(t, fresh(t)) })
	}
}

func block(token string, from, to uint64, rows ingest.Rows) ingest.Block {
	return ingest.Block{Shard: "facts-0", From: from, To: to, Token: token, Rows: rows}
}

func insert(t *testing.T, s ingest.Store, b ingest.Block) {
	t.Helper()
	if err := s.Insert(t.Context(), b); err != nil {
		t.Fatalf("Insert(%s): %v", b.Token, err)
	}
}

func counts(t *testing.T, s ingest.Store, shard string, from, to, rows, events uint64) {
	t.Helper()
	if n, err := s.Count(t.Context(), shard, from, to); err != nil || n != rows {
		t.Errorf("Count(%s, %d, %d) = %d, %v; want %d rows", shard, from, to, n, err, rows)
	}
	if n, err := s.Events(t.Context(), shard, from, to); err != nil || n != events {
		t.Errorf("Events(%s, %d, %d) = %d, %v; want %d events", shard, from, to, n, err, events)
	}
}

func missing(t *testing.T, s ingest.Store, b ingest.Block, want ingest.Rows) {
	t.Helper()
	got, err := s.Missing(t.Context(), b)
	if err != nil {
		t.Fatalf("Missing(%s): %v", b.Token, err)
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("Missing(%s) (-want +got):\n%s", b.Token, diff)
	}
}

func storeEmpty(t *testing.T, s ingest.Store) {
	counts(t, s, "facts-0", 0, 100, 0, 0)
	rows := Rows("facts-0", 1, 0, 8)
	missing(t, s, block("a", 1, 1, rows), rows)
	insert(t, s, block("nothing", 1, 1, ingest.Rows{}))
	counts(t, s, "facts-0", 0, 100, 0, 0)
}

func storeCounts(t *testing.T, s ingest.Store) {
	rows := Rows("facts-0", 1, 0, 40)
	rows.Append(Rows("facts-0", 2, 40, 40))
	insert(t, s, block("a", 1, 2, rows))
	other := Rows("facts-1", 1, 100, 4)
	insert(t, s, ingest.Block{Shard: "facts-1", From: 1, To: 1, Token: "b", Rows: other})
	counts(t, s, "facts-0", 1, 2, 100, 80) // ten of forty events have a second row
	counts(t, s, "facts-0", 2, 2, 50, 40)
	counts(t, s, "facts-0", 3, 9, 0, 0)
	counts(t, s, "facts-1", 1, 1, 5, 4)
	missing(t, s, block("a", 1, 2, rows), ingest.Rows{})
}

// storeRepeat inserts under the same token, and the same rows under another
// one: rows count once.
func storeRepeat(t *testing.T, s ingest.Store) {
	rows := Rows("facts-0", 1, 0, 12)
	for _, token := range []string{"a", "a", "b", "a"} {
		insert(t, s, block(token, 1, 1, rows))
		counts(t, s, "facts-0", 1, 1, 15, 12)
	}
}

// storeResend inserts events that came again in a later message. Whether their
// places count is the store's affair; that they are there is not.
func storeResend(t *testing.T, s ingest.Store) {
	first, again := Rows("facts-0", 1, 0, 12), Rows("facts-0", 5, 0, 12)
	insert(t, s, block("first", 1, 1, first))
	missing(t, s, block("again", 5, 5, again), ingest.Rows{})
	insert(t, s, block("again", 5, 5, again))
	missing(t, s, block("again", 5, 5, again), ingest.Rows{})
	missing(t, s, block("first", 1, 1, first), ingest.Rows{})
	counts(t, s, "facts-0", 1, 1, 15, 12)
}

// storePart completes a block of which only a part is stored.
func storePart(t *testing.T, s ingest.Store) {
	rows := Rows("facts-0", 1, 0, 12)
	early := func(_ ingest.Key, p ingest.Place) bool { return p.Idx < 5 }
	insert(t, s, block("part", 1, 1, rows.Keep(early)))
	missing(t, s, block("whole", 1, 1, rows), rows.Keep(func(k ingest.Key, p ingest.Place) bool { return !early(k, p) }))
	insert(t, s, block("whole", 1, 1, rows))
	counts(t, s, "facts-0", 1, 1, 15, 12)
	missing(t, s, block("whole", 1, 1, rows), ingest.Rows{})
}

// storeKeys checks that each part of the key tells rows apart.
func storeKeys(t *testing.T, s ingest.Store) {
	row := Metric(ingest.Place{Shard: "facts-0", Seq: 1}, 5)[0]
	insert(t, s, block("a", 1, 1, ingest.Rows{Metrics: []ingest.MetricRow{row}}))
	for i, change := range []func(*ingest.MetricRow){
		func(r *ingest.MetricRow) { r.Environment = "staging" },
		func(r *ingest.MetricRow) { r.Name = "refund" },
		func(r *ingest.MetricRow) { r.UnitKind = "account" },
		func(r *ingest.MetricRow) { r.Unit++ },
		func(r *ingest.MetricRow) { r.ID = ID(Noon, 6) },
	} {
		other := row
		other.Idx = uint32(i) + 1
		change(&other)
		rows := ingest.Rows{Metrics: []ingest.MetricRow{other}}
		missing(t, s, block("other", 1, 1, rows), rows)
	}
	row.Value, row.Seq = 1, 2
	missing(t, s, block("same", 2, 2, ingest.Rows{Metrics: []ingest.MetricRow{row}}), ingest.Rows{})
}

func storeControl(t *testing.T, s ingest.Store) {
	var rows ingest.Rows
	for seq := range uint64(9) {
		rows.Control = append(rows.Control, Control(seq+1))
	}
	b := ingest.Block{Shard: ingest.ControlShard, From: 1, To: 9, Token: "a", Rows: rows}
	missing(t, s, b, rows)
	insert(t, s, b)
	insert(t, s, b)
	missing(t, s, b, ingest.Rows{})
	counts(t, s, ingest.ControlShard, 1, 9, 9, 9)
	counts(t, s, "facts-0", 1, 9, 0, 0)
}
