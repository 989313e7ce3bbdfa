package warehouse

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// liar is a server that acknowledges some statements and does not carry them
// out, or carries some out and answers with a fault.
type liar struct {
	driver.Conn
	loses func(sql string) bool
	fails func(sql string) bool
	lost  int
}

func (l *liar) Exec(ctx context.Context, sql string, args ...any) error {
	switch {
	case l.loses != nil && l.loses(sql):
		l.lost++
		return nil
	case l.fails != nil && l.fails(sql):
		return errCrash
	}
	return l.Conn.Exec(ctx, sql, args...)
}

// endure steps a keeper until nothing is left to do, whatever fails on the way.
func endure(t testing.TB, k *Keeper) (faults int) {
	t.Helper()
	for range 500 {
		switch moved, err := k.Step(t.Context()); {
		case err != nil:
			faults++
		case !moved:
			return faults
		}
	}
	t.Fatal("the keeper never ends")
	return faults
}

// TestTotals_insertsThatWereNone folds, rebuilds and merges while every other
// insert is acknowledged and not stored, into assignments as into totals.
func TestTotals_insertsThatWereNone(t *testing.T) {
	t.Parallel()
	r := seeded(t, 20261123)
	p, d := startPlant(t, 1), unordered(r, 30, 1)
	q := gateAndFull(shapes()[:3], noon.Add(24*time.Hour))[1]
	p.wanted = q.Measures()
	forgets := &liar{Conn: p.patient, loses: func(sql string) bool {
		return (strings.HasPrefix(sql, "INSERT INTO "+tableAssignments) || strings.HasPrefix(sql, "INSERT INTO "+tableTotals)) && r.IntN(2) == 0
	}}
	p.patient = forgets
	faults := 0
	for round := 0; len(d.rows) > 0; round++ {
		p.load(t, d, 20)
		if round == 3 {
			if _, err := p.totals().Rebuild(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		faults += endure(t, p.keeper("facts-0"))
		p.compare(t, "after lost inserts", q)
	}
	if forgets.lost < 10 || faults == 0 {
		t.Errorf("%d inserts were lost and %d steps failed: the story tells too little", forgets.lost, faults)
	}
}

// TestKeeper_dropsLeavesThoughItFailedTo retires leaves while every second
// statement that drops one fails: none stays on the disk for ever.
func TestKeeper_dropsLeavesThoughItFailedTo(t *testing.T) {
	t.Parallel()
	r := seeded(t, 20261124)
	p, d := startPlant(t, 1), unordered(r, 24, 1)
	p.wanted = gateAndFull(shapes()[:3], noon.Add(24*time.Hour))[1].Measures()
	n := 0
	p.writer = &liar{Conn: p.writer, fails: func(sql string) bool {
		if strings.Contains(sql, "DROP PARTITION") {
			n++
		}
		return strings.Contains(sql, "DROP PARTITION") && r.IntN(2) == 0
	}}
	for len(d.rows) > 0 {
		p.load(t, d, 10)
		endure(t, p.keeper("facts-0"))
	}
	k := p.keeper("facts-0")
	endure(t, k)
	named := append(k.manifest.ids(), k.manifest.Retired...)
	var left []uint64
	if err := one(t.Context(), p.reader, `SELECT arraySort(groupUniqArray(leaf)) FROM (SELECT leaf FROM assignments UNION ALL SELECT leaf FROM unit_totals) WHERE leaf NOT IN {leaves:Array(UInt64)}`,
		Params{"leaves": named}, &left); err != nil || len(left) > 0 {
		t.Errorf("leaves that nobody names: %v, %v", left, err)
	}
	if n == 0 {
		t.Error("no leaf was dropped")
	}
}

// TestKeeper_foldsLessAfterAFault fails twice at what is loaded, and folds it in
// smaller pieces, which grow again.
func TestKeeper_foldsLessAfterAFault(t *testing.T) {
	t.Parallel()
	p, d := startPlant(t, 1), unordered(seeded(t, 20261126), 40, 1)
	q := gateAndFull(shapes()[:3], noon.Add(24*time.Hour))[1]
	p.wanted = q.Measures()
	k := p.keeper("facts-0")
	settle(t, k) // which knows the measures
	for len(d.rows) > 0 {
		p.load(t, d, 5)
	}
	all, busy := p.loaded["facts-0"], 2
	p.patient = &liar{Conn: p.patient, fails: func(sql string) bool {
		if !strings.HasPrefix(sql, "INSERT INTO "+tableTotals) {
			return false
		}
		busy--
		return busy >= 0
	}}
	var done []uint64
	for range 5 {
		if _, err := k.Step(t.Context()); err != nil && !errors.Is(err, errCrash) {
			t.Fatal(err)
		}
		done = append(done, k.manifest.Done)
	}
	quarter := all / 2 / 2
	if want := []uint64{0, 0, quarter, 3 * quarter, min(all, 7*quarter)}; all < 8 || !slices.Equal(done, want) {
		t.Errorf("of %d messages were folded %v, want %v", all, done, want)
	}
	settle(t, k)
	p.compare(t, "after the engine was busy", q)
}

// TestTotals_Check finds no difference, then the one that is made, until the totals
// are made anew.
func TestTotals_Check(t *testing.T) {
	t.Parallel()
	p, d := startPlant(t, 2), unordered(seeded(t, 20261125), 40, 2)
	q := gateAndFull(shapes(), noon)[0]
	p.wanted = q.Measures()
	p.load(t, d, len(d.rows))
	for _, shard := range p.shards {
		settle(t, p.keeper(shard))
	}
	c, err := p.totals().Check(t.Context(), q)
	if err != nil || len(c.Differs) > 0 || len(c.Kept) != len(q.Metrics)-1 || !slices.Equal(c.Raw, []string{"slow"}) || c.Rebuilding {
		t.Fatalf("before: %+v, %v", c, err)
	}

	k, err := p.totals().Kept(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	numbers, _ := k.numbers(q.measure(revenue))
	if err := p.writer.Exec(t.Context(), fmt.Sprintf("INSERT INTO unit_totals SELECT * REPLACE (s + 1 AS s) FROM unit_totals WHERE measure = %d AND n > 0 LIMIT 1", numbers[0])); err != nil {
		t.Fatal(err)
	}
	if c, err = p.totals().Check(t.Context(), q); err != nil || len(c.Differs) == 0 {
		t.Fatalf("after a row too many: %+v, %v", c, err)
	}
	for _, d := range c.Differs { // those of one measure
		if d.Of == "visit" || d.Of == OfUnits || string(d.Totals) == string(d.Raw) {
			t.Errorf("%s: %s, %s", d.Of, d.Totals, d.Raw)
		}
	}

	if _, err := p.totals().Rebuild(t.Context()); err != nil {
		t.Fatal(err)
	}
	if c, err = p.totals().Check(t.Context(), q); err != nil || !c.Rebuilding {
		t.Errorf("before it is rebuilt: %+v, %v", c, err)
	}
	for _, shard := range p.shards {
		settle(t, p.keeper(shard))
	}
	if c, err = p.totals().Check(t.Context(), q); err != nil || len(c.Differs) > 0 || c.Rebuilding {
		t.Errorf("rebuilt: %+v, %v", c, err)
	}
	s, err := p.totals().State(t.Context())
	if err != nil || s.Order != 1 || len(s.Shards) != 2 || s.Shards[0].Rebuilt != 1 || s.Shards[0].Done != p.loaded["facts-0"] || s.Shards[0].Rows == 0 {
		t.Errorf("state: %+v, %v", s, err)
	}
}
