package main

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/ingest"
	"github.com/sluice-hq/sluice/internal/engine/enginetest"
	"github.com/sluice-hq/sluice/internal/warehouse"
)

// TestAftermath_isThatInMemory tells the warehouse and decisions.MemWitness the
// same exposures: what they say was unsafe after a change is the same.
func TestAftermath_isThatInMemory(t *testing.T) {
	w, err := warehouse.Open(t.Context(), warehouse.Config{Dial: enginetest.StartSupervisor(t).Dial})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	const seed = 20270131
	v, memory := &visits{r: rand.New(rand.NewPCG(7, seed))}, &decisions.MemWitness{}
	for unit := range uint64(2000) {
		at := judgedAt.Add(time.Duration(v.r.IntN(60_000)-10_000) * time.Millisecond)
		variant, revision := []string{"off", "on", "new"}[v.r.IntN(3)], []uint64{0, 6, 7, 8}[v.r.IntN(4)]
		v.see(unit, variant)
		row := &v.rows.Exposures[len(v.rows.Exposures)-1]
		row.At, row.Received, row.Revision = at, at, revision
		memory.Expose("checkout", variant, revision, at)
	}
	if err := w.Insert(t.Context(), ingest.Block{Shard: "facts-0", From: 1, To: 9, Token: "all", Rows: v.rows}); err != nil {
		t.Fatal(err)
	}
	q := decisions.Exposing{Environment: "production", Flag: "checkout", Safe: "off", Revision: 7, Since: judgedAt, Until: judgedAt.Add(40 * time.Second)}
	for _, q.Forced = range []bool{false, true} {
		for _, q.Step = range []time.Duration{time.Second, 7 * time.Second} {
			want, err := memory.Exposed(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			found, err := w.Aftermath(t.Context(), warehouse.AftermathQuestion(q))
			if err != nil {
				t.Fatal(err)
			}
			var got []decisions.Bin
			for _, b := range found.Bins {
				got = append(got, decisions.Bin(b))
			}
			if diff := cmp.Diff(want.Bins, got); diff != "" || len(got) < 5 {
				t.Errorf("seed %d, forced %t, by %s: %d bins, -memory +warehouse:\n%s", seed, q.Forced, q.Step, len(got), diff)
			}
		}
	}
}
