package ingesttest

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/sluice-hq/sluice/ingest"
)

// Erasing is a store that removes rows.
type Erasing interface {
	ingest.Store
	ingest.Eraser
}

// Eraser checks a version of ingest.Eraser: of one unit's rows exactly those
// go that a deletion covers, each counted once, and again changes nothing.
func Eraser(t *testing.T, fresh func(*testing.T) Erasing) {
	s := fresh(t)
	const unit, other = 0xfeed_0000_0000_0001, 7
	var rows, gone ingest.Rows
	n := uint64(0)
	add := func(covered bool, k string, u, seq uint64, minutes int) {
		place := ingest.Place{Shard: "facts-0", Seq: seq, Idx: uint32(n)}
		n++
		e, m := Exposure(place, n), Metric(place, n)[0]
		at := Noon.Add(time.Duration(minutes) * time.Minute)
		e.ID, m.ID = ID(at, n), ID(at, n)
		e.Day, m.Day, e.At, m.At = ingest.DayOf(e.ID), ingest.DayOf(m.ID), at, at
		e.UnitKind, m.UnitKind, e.Unit, m.Unit = k, k, u, u
		rows.Exposures, rows.Metrics = append(rows.Exposures, e), append(rows.Metrics, m)
		if covered {
			gone.Exposures, gone.Metrics = append(gone.Exposures, e), append(gone.Metrics, m)
		}
	}
	add(true, "user", unit, 1, -5)
	add(true, "user", unit, 1, 0)
	add(true, "user", unit, 2, 30)  // a fast clock, and it had come
	add(true, "user", unit, 9, -30) // it came later, and is from before
	add(false, "user", unit, 9, 30)
	add(false, "user", other, 1, -5)
	add(false, "device", unit, 1, -5) // another kind has another hash; this one never happens
	whole := block("a", 1, 9, rows)
	insert(t, s, whole)
	insert(t, s, block("again", 1, 9, rows))
	f := ingest.Forgotten{Kind: "user", Unit: ingest.UnitText(unit), Before: Noon, Fence: map[string]uint64{"facts-0": 2}}
	erased, err := s.Erase(t.Context(), f)
	if err != nil || erased < uint64(gone.Len()) || erased > 2*uint64(gone.Len()) { // a copy may have been merged away
		t.Errorf("erased %d rows, %v; want %d, or twice as many", erased, err, gone.Len())
	}
	got, err := s.Missing(t.Context(), whole)
	if diff := cmp.Diff(gone, got, cmpopts.EquateEmpty()); err != nil || diff != "" {
		t.Errorf("%v, rows that are gone (-want +got):\n%s", err, diff)
	}
	if again, err := s.Erase(t.Context(), f); again != 0 || err != nil {
		t.Errorf("the second time: %d rows, %v", again, err)
	}
	f.Fence = nil
	f.Kind = "' OR 1=1 --"
	if none, err := s.Erase(t.Context(), f); none != 0 || err != nil {
		t.Errorf("of another kind: %d rows, %v", none, err)
	}
}
