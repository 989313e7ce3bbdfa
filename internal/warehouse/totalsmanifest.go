package warehouse

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"github.com/sluice-hq/sluice/ingest"
)

// manifest is what a shard's keeper writes down beside the data. It alone says
// which rows count: those of the leaves that it names. A leaf is written once,
// under a number that was never used, and is named when it is whole; what was
// begun and not finished, by whomever, is never named. So no repeat, zombie or
// crash can count anything twice.
type manifest struct {
	ingest.Progress                   // up to where the totals are
	Next            uint64            `json:"next"`               // place of the next leaf
	Writing         uint64            `json:"writing,omitempty"`  // leaf that was begun
	Purpose         purpose           `json:"purpose,omitempty"`  // of that leaf
	Leaves          []leaf            `json:"leaves,omitempty"`   // that count, oldest first
	Retired         []uint64          `json:"retired,omitempty"`  // that a reader may still read, and what was given up
	Dropping        []uint64          `json:"dropping,omitempty"` // that no reader relies on any more: what is left of them is dropped
	Measures        map[string]uint64 `json:"measures,omitempty"` // by definition, the number in the rows
	Rebuilt         uint64            `json:"rebuilt,omitempty"`  // the newest order to rebuild that was carried out
}

// purpose is what a leaf is written for.
type purpose string

const (
	toFold    purpose = "fold"    // new events
	toMerge   purpose = "merge"   // the leaves that were there
	toCompute purpose = "compute" // measures that were not kept before, from all events
)

type leaf struct {
	ID   uint64 `json:"id"`
	Rows uint64 `json:"rows"`
}

func manifestKey(generation, shard string) string { return "totals." + generation + "." + shard }

func readManifest(ctx context.Context, kv ingest.KV, generation, shard string) (manifest, uint64, error) {
	m := manifest{Progress: ingest.Progress{Shard: shard}, Measures: map[string]uint64{}}
	value, rev, err := kv.Load(ctx, manifestKey(generation, shard))
	if err != nil {
		return manifest{}, 0, fmt.Errorf("reading the manifest of %s: %w", shard, err)
	}
	if rev == 0 {
		return m, 0, nil
	}
	if err := json.Unmarshal(value, &m); err != nil {
		return manifest{}, 0, fmt.Errorf("reading the manifest of %s: %w", shard, err)
	}
	return m, rev, nil
}

// rebuildKey is the key of the number of orders to make all totals anew.
func rebuildKey(generation string) string { return "totals." + generation + ".rebuild" }

// readOrder returns the number of the newest order to rebuild.
func readOrder(ctx context.Context, kv ingest.KV, generation string) (order, rev uint64, err error) {
	value, rev, err := kv.Load(ctx, rebuildKey(generation))
	if err == nil && rev > 0 {
		order, err = strconv.ParseUint(string(value), 10, 64)
	}
	if err != nil {
		return 0, 0, fmt.Errorf("reading the order to rebuild the totals: %w", err)
	}
	return order, rev, nil
}

// ids returns the leaves that count, never none: an empty list has no type.
func (m manifest) ids() []uint64 {
	out := []uint64{0}
	for _, l := range m.Leaves {
		out = append(out, l.ID)
	}
	return out
}

// numbers returns the measures that are kept, never none.
func (m manifest) numbers() []uint64 {
	out := []uint64{0}
	for _, n := range m.Measures {
		out = append(out, n)
	}
	slices.Sort(out)
	return out
}

// Leaves are folded into one when there are too many of them behind the last that
// is growth times as large as what follows it.
const (
	growth  = 3
	tooMany = 8
)

// mergeFrom returns the first of the leaves that are to be folded into one. So
// there are as many leaves as the logarithm of their rows, and every row is
// rewritten as often. ok is false when nothing is to be folded.
func (m manifest) mergeFrom() (first int, ok bool) {
	var later uint64
	first = len(m.Leaves)
	for i := len(m.Leaves) - 1; i >= 0; i-- {
		if m.Leaves[i].Rows < growth*later {
			first = i
		}
		later += m.Leaves[i].Rows
	}
	return first, len(m.Leaves)-first >= tooMany
}
