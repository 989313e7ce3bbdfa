package warehouse

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/sluice-hq/sluice/ingest"
)

// Keeper keeps the totals of one shard: whatever the loader has advanced over,
// it folds into a leaf, and now and then some leaves into one. All rows of a
// unit are of one shard, so that the totals of a shard are a function of how far
// it is folded, and equal to those made of the raw events up to there.
//
// Warehouse, KV, Shard, Loaded and Wanted are required. Step and Run are for
// one goroutine. Two keepers of one shard are safe, if wasteful: every write of
// the manifest compares its revision.
type Keeper struct {
	Warehouse  *Warehouse
	KV         ingest.KV
	Shard      string
	Generation string                                         // of the store's tables, as in ingest.Loader
	Loaded     func(context.Context) (ingest.Progress, error) // how far the shard is loaded
	Wanted     func() []Measure                               // what is to be kept now
	Active     func() bool                                    // whether Run is to do anything; nil: always
	Logger     *slog.Logger                                   // nil is silent
	Every      time.Duration                                  // Run's pause when there is nothing to do, and its shortest; zero: 250 ms
	Now        func() time.Time                               // for Run's pauses; required by it

	loaded   bool // manifest is what the KV has at rev
	rev      uint64
	manifest manifest
	span     uint64 // messages that are folded at once; 0: mostMessages
}

// mostMessages bounds how much is folded at once.
const mostMessages = 4096

// Run steps until ctx is done and returns its error. Faults are logged and
// tried again. It pauses as long as the step before took: what is folded at
// once costs less than what is folded in bits, and half of the time the engine
// is the loader's.
func (k *Keeper) Run(ctx context.Context) error {
	for {
		began := k.Now()
		if err := k.act(ctx); err != nil && ctx.Err() == nil && k.Logger != nil {
			k.Logger.Error("keeping the totals", "shard", k.Shard, "err", err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(max(cmp.Or(k.Every, 250*time.Millisecond), k.Now().Sub(began))):
		}
	}
}

// act steps, unless it is another's turn: then what is written down changes
// without us.
func (k *Keeper) act(ctx context.Context) error {
	if k.Active != nil && !k.Active() {
		k.loaded = false
		return nil
	}
	_, err := k.Step(ctx)
	return err
}

// Step makes everything anew if that was ordered, computes the totals of
// measures that are new, folds what was loaded, and
// folds leaves together when they have become many. Leaves that nobody reads
// any more are dropped last: what keeps them there holds up no numbers. moved is false when there
// was nothing to do. After an error the next Step begins again from what is
// written down.
func (k *Keeper) Step(ctx context.Context) (moved bool, err error) {
	defer func() {
		if err != nil { // also a lost answer may have been a success: believe only what is written
			k.loaded = false
		}
	}()
	if err := k.load(ctx); err != nil {
		return false, err
	}
	if err := k.release(ctx); err != nil {
		return false, err
	}
	before, wanted := k.manifest.Next, k.wanted()
	for _, part := range []func(context.Context, map[string]Measure) error{k.rebuild, k.adopt, k.fold, k.merge} {
		if err := part(ctx, wanted); err != nil {
			return false, err
		}
	}
	return k.manifest.Next > before, k.drop(ctx)
}

// load reads the manifest, unless it is known. A leaf that was begun and never
// named is given up: whoever still writes it writes what nobody reads.
func (k *Keeper) load(ctx context.Context) (err error) {
	if k.loaded {
		return nil
	}
	if k.manifest, k.rev, err = readManifest(ctx, k.KV, k.Generation, k.Shard); err != nil {
		return err
	}
	k.loaded = true
	if k.manifest.Writing != 0 {
		k.manifest.Retired = append(k.manifest.Retired, k.manifest.Writing)
		k.manifest.Writing, k.manifest.Purpose = 0, ""
		return k.save(ctx)
	}
	return nil
}

func (k *Keeper) save(ctx context.Context) error {
	value, err := json.Marshal(k.manifest)
	if err != nil {
		return fmt.Errorf("encoding the manifest of %s: %w", k.Shard, err)
	}
	rev, err := k.KV.Save(ctx, manifestKey(k.Generation, k.Shard), value, k.rev)
	if err != nil {
		return fmt.Errorf("writing the manifest of %s: %w", k.Shard, err)
	}
	k.rev = rev
	return nil
}

// release writes down that the leaves that were retired before are to be
// dropped. Readers look for theirs among the others: one that still finds them
// has read them whole.
func (k *Keeper) release(ctx context.Context) error {
	if len(k.manifest.Retired) == 0 {
		return nil
	}
	k.manifest.Dropping = append(k.manifest.Dropping, k.manifest.Retired...)
	k.manifest.Retired = nil
	return k.save(ctx)
}

// drop removes what was released. The next write of the manifest notes that it
// is done; until then it is done again, which changes nothing.
func (k *Keeper) drop(ctx context.Context) error {
	var errs []error
	k.manifest.Dropping = slices.DeleteFunc(k.manifest.Dropping, func(id uint64) bool {
		err := k.dropLeaf(ctx, id)
		if err != nil {
			errs = append(errs, err)
		}
		return err == nil
	})
	if len(errs) > 0 { // the next Step begins from what is written down
		errs = append(errs, k.save(ctx))
	}
	return errors.Join(errs...)
}

func (k *Keeper) dropLeaf(ctx context.Context, id uint64) error {
	for _, table := range []string{tableAssignments, tableTotals} {
		if err := k.Warehouse.writer.Exec(ctx, fmt.Sprintf("ALTER TABLE %s DROP PARTITION %d", k.Warehouse.schema.Table(table), id)); err != nil {
			return fmt.Errorf("dropping a leaf of %s: %w", table, err)
		}
	}
	return nil
}

// wanted returns the measures that are to be kept, by definition.
func (k *Keeper) wanted() map[string]Measure {
	out := map[string]Measure{}
	for _, m := range k.Wanted() {
		if m.kept() {
			out[m.definition()] = m
		}
	}
	return out
}

// changed reports whether other measures are wanted than are kept.
func (k *Keeper) changed(wanted map[string]Measure) bool {
	for definition := range wanted {
		if _, ok := k.manifest.Measures[definition]; !ok {
			return true
		}
	}
	return len(wanted) != len(k.manifest.Measures)
}

// begin reserves a leaf.
func (k *Keeper) begin(ctx context.Context, why purpose) (*writing, error) {
	k.manifest.Next++
	k.manifest.Purpose = why
	k.manifest.Writing = leafID(k.Generation, k.Shard, k.manifest.Next)
	if err := k.save(ctx); err != nil {
		return nil, err
	}
	return &writing{w: k.Warehouse, p: Params{
		"shard": k.Shard, "leaf": k.manifest.Writing, "leaves": k.manifest.ids(), "to_seq": k.manifest.Done,
	}}, nil
}

// commit names the leaf that was written, when it is there.
func (k *Keeper) commit(ctx context.Context, w *writing) error {
	rows, err := w.readBack(ctx)
	if err != nil {
		return err
	}
	k.manifest.Leaves = append(k.manifest.Leaves, leaf{ID: k.manifest.Writing, Rows: rows})
	k.manifest.Writing, k.manifest.Purpose = 0, ""
	return k.save(ctx)
}

// rebuild makes one leaf of the raw events alone, when that was ordered.
func (k *Keeper) rebuild(ctx context.Context, wanted map[string]Measure) error {
	order, _, err := readOrder(ctx, k.KV, k.Generation)
	if err != nil || order == k.manifest.Rebuilt {
		return err
	}
	w, err := k.begin(ctx, toCompute)
	if err != nil {
		return err
	}
	w.p["leaves"] = []uint64{k.manifest.Writing} // its own assignments, which come first
	if err := w.mark(ctx, assignAllSQL, w.p); err != nil {
		return fmt.Errorf("making the assignments anew: %w", err)
	}
	for _, l := range k.manifest.Leaves {
		k.manifest.Retired = append(k.manifest.Retired, l.ID)
	}
	k.manifest.Leaves, k.manifest.Measures, k.manifest.Rebuilt = nil, map[string]uint64{}, order
	return k.compute(ctx, w, wanted)
}

// adopt computes the totals of the measures that are new, and forgets those
// that nobody wants any more. A measure that comes back gets another number.
func (k *Keeper) adopt(ctx context.Context, wanted map[string]Measure) error {
	if !k.changed(wanted) {
		return nil
	}
	w, err := k.begin(ctx, toCompute)
	if err != nil {
		return err
	}
	return k.compute(ctx, w, wanted)
}

// compute writes the totals of the measures that are not kept yet, and names
// the leaf.
func (k *Keeper) compute(ctx context.Context, w *writing, wanted map[string]Measure) error {
	kept := map[string]uint64{}
	for _, definition := range sorted(wanted) {
		if n, ok := k.manifest.Measures[definition]; ok {
			kept[definition] = n
			continue
		}
		kept[definition] = measureNumber(definition, k.manifest.Writing)
		m := numbered{wanted[definition], kept[definition]}
		if err := w.whole(ctx, m); err != nil {
			return fmt.Errorf("computing the totals of %s for %s: %w", m.Metric.Key, m.Rollout, err)
		}
	}
	k.manifest.Measures = kept
	return k.commit(ctx, w)
}

// fold adds what was loaded since the last fold. What was too much at once, for
// an engine that has other work, is halved until it is not: tried again as it
// was, it would fail for ever.
func (k *Keeper) fold(ctx context.Context, wanted map[string]Measure) error {
	loaded, err := k.Loaded(ctx)
	if err != nil || loaded.Done <= k.manifest.Done {
		return err
	}
	w, err := k.begin(ctx, toFold)
	if err != nil {
		return err
	}
	span := cmp.Or(k.span, mostMessages)
	from, to := k.manifest.Done+1, min(loaded.Done, k.manifest.Done+span)
	w.p["from_seq"], w.p["to_seq"] = from, to
	if err := w.fold(ctx, wanted, k.manifest.Measures); err != nil {
		k.span = max(1, (to-k.manifest.Done)/2)
		return fmt.Errorf("folding messages %d to %d of %s: %w", from, to, k.Shard, err)
	}
	k.manifest.Done, k.span = to, min(mostMessages, 2*span)
	if to == loaded.Done {
		k.manifest.Progress = loaded
	}
	return k.commit(ctx, w)
}

// merge folds the later leaves into one, when they have become as large as what
// is before them.
func (k *Keeper) merge(ctx context.Context, _ map[string]Measure) error {
	first, due := k.manifest.mergeFrom()
	if !due {
		return nil
	}
	w, err := k.begin(ctx, toMerge)
	if err != nil {
		return err
	}
	var old []uint64
	for _, l := range k.manifest.Leaves[first:] {
		old = append(old, l.ID)
	}
	w.p["leaves"], w.p["measures"] = old, k.manifest.numbers()
	for _, sql := range []string{mergeAssignmentsSQL, mergeTotalsSQL} {
		if err := w.mark(ctx, sql, w.p); err != nil {
			return fmt.Errorf("folding leaves together: %w", err)
		}
	}
	k.manifest.Leaves = slices.Clone(k.manifest.Leaves[:first])
	k.manifest.Retired = append(k.manifest.Retired, old...)
	return k.commit(ctx, w)
}
