package warehouse

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"strconv"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/ingest"
	"github.com/sluice-hq/sluice/stats"
)

// Tables of the totals.
const (
	tableAssignments = "assignments"
	tableTotals      = "unit_totals"
)

// Measure is what is added up for every unit of a rollout. Metrics that differ
// only in what is made of the totals share one: the count, the sum and the mean
// of the same events, whatever their caps.
type Measure struct {
	Environment string
	Rollout     string // "<env>/<flag>/<n>"
	UnitKind    string // what the rollout assigns
	Metric      stats.Metric
	Gate        bool // events count within the metric's gate window
}

// Measures returns what a question wants of the totals.
func (q Question) Measures() []Measure {
	var out []Measure
	for _, m := range q.Metrics {
		out = append(out, q.measure(m))
	}
	return out
}

func (q Question) measure(m stats.Metric) Measure {
	return Measure{Environment: q.Environment, Rollout: q.Rollout, UnitKind: q.UnitKind, Metric: m, Gate: q.Gate}
}

// kept reports whether totals can be kept: those of a quantile are not numbers
// that add up, its readout is made from raw events.
func (m Measure) kept() bool { return m.Metric.Aggregate != stats.Quantile }

// definition is the name of what is added up: equal for measures whose totals
// are equal.
func (m Measure) definition() string {
	p := Params{}
	m.put(p)
	text, err := json.Marshal(p) // map keys are sorted
	if err != nil {
		panic(fmt.Sprintf("unreachable unless a measure has a parameter of another type: %v", err))
	}
	return event.Sum(text).String()
}

// put adds the parameters that say what a measure is.
func (m Measure) put(p Params) {
	r := reading{Question: Question{Gate: m.Gate}}
	r.spans(m.Metric, p)
	delete(p, "mature")
	p["own_sql"] = meets("own", m.Metric.Source(), p)
	if m.Metric.Denominator != nil {
		p["under_sql"] = meets("under", *m.Metric.Denominator, p)
	}
	p["environment"], p["rollout"], p["kind"] = m.Environment, m.Rollout, m.UnitKind
}

// leafID is the name of the n-th leaf of a shard. Of one shard, later leaves have
// greater names: the newest row of a unit that was not taken back stands.
func leafID(generation, shard string, n uint64) uint64 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(generation + "|" + shard)) // a hash never fails
	return uint64(h.Sum32())<<32 | n
}

// measureNumber is the name of a measure in the rows of the leaves from one on.
func measureNumber(definition string, leaf uint64) uint64 {
	h := fnv.New64a()
	_, _ = fmt.Fprintf(h, "%s|%d", definition, leaf)
	return h.Sum64() | 1 // 0 is none
}

// Kept is what the totals of all shards hold at one time. It answers questions
// about just the events up to its Watermark.
type Kept struct {
	Watermark map[string]uint64 // by shard, the last message whose events are in the totals
	Progress  map[string]ingest.Progress
	Rebuilt   map[string]uint64 // by shard, the newest order to make them anew that was carried out

	leaves   []uint64
	measures map[string][]uint64 // by definition, one number for each shard that has it
	shards   int
}

// Leaves is how many leaves the totals are read from.
func (k Kept) Leaves() int { return len(k.leaves) - 1 } // 0 is none

// ReadKept returns what the keepers of the shards have written down last.
func ReadKept(ctx context.Context, kv ingest.KV, generation string, shards []string) (Kept, error) {
	k := Kept{Watermark: map[string]uint64{}, Progress: map[string]ingest.Progress{}, Rebuilt: map[string]uint64{}, measures: map[string][]uint64{}, shards: len(shards),
		leaves: []uint64{0}} // never empty: a list without elements has no type
	for _, shard := range shards {
		m, _, err := readManifest(ctx, kv, generation, shard)
		if err != nil {
			return Kept{}, err
		}
		k.Watermark[shard], k.Progress[shard], k.Rebuilt[shard] = m.Done, m.Progress, m.Rebuilt
		for _, l := range m.Leaves {
			k.leaves = append(k.leaves, l.ID)
		}
		for definition, number := range m.Measures {
			k.measures[definition] = append(k.measures[definition], number)
		}
	}
	return k, nil
}

// numbers returns the numbers of a measure, or says that a shard lacks it.
func (k *Kept) numbers(m Measure) ([]uint64, bool) {
	if k == nil || !m.kept() {
		return nil, false
	}
	numbers := k.measures[m.definition()]
	return numbers, len(numbers) == k.shards
}

// errGone says that leaves were given up while they were read.
var errGone = errors.New("the totals were folded together while they were read")

// Totals answers questions from the kept totals. What they do not hold is read
// from the raw events at the same watermark: the answer is the same, the cost
// is not.
type Totals struct {
	Warehouse  *Warehouse
	KV         ingest.KV
	Generation string   // of the store's tables, as in ingest.Loader
	Shards     []string // all that hold facts
}

// Kept returns what the totals hold now.
func (t *Totals) Kept(ctx context.Context) (Kept, error) {
	return ReadKept(ctx, t.KV, t.Generation, t.Shards)
}

// Readout answers a question as of the watermark of k, which is that of the
// question.
func (t *Totals) Readout(ctx context.Context, q Question, k Kept) (Answer, error) {
	a, err := t.fromKept(ctx, q, k)
	if errors.Is(err, errGone) {
		q.Watermark = k.Watermark
		return t.Warehouse.Readout(ctx, q)
	}
	return a, err
}

// fromKept answers a question from the totals, or reports errGone.
func (t *Totals) fromKept(ctx context.Context, q Question, k Kept) (Answer, error) {
	q.Watermark = k.Watermark
	a := newAnswer()
	r := &reading{Question: q, kept: &k, answers: map[uint64]*Answer{0: a}}
	err := t.Warehouse.read(ctx, r)
	if there := t.there(ctx, k); there != nil { // also what failed may have failed because of that
		return Answer{}, there
	}
	if err != nil {
		return Answer{}, err
	}
	return *a, nil
}

// there reports errGone unless all leaves of k are still in their place. A leaf
// leaves the manifest before its rows are dropped, so that one that is still
// named was whole while it was read.
func (t *Totals) there(ctx context.Context, k Kept) error {
	named := map[uint64]bool{}
	for _, shard := range t.Shards {
		m, _, err := readManifest(ctx, t.KV, t.Generation, shard)
		if err != nil {
			return err
		}
		for _, l := range m.Leaves {
			named[l.ID] = true
		}
		for _, id := range m.Retired {
			named[id] = true
		}
	}
	for _, id := range k.leaves {
		if id != 0 && !named[id] {
			return errGone
		}
	}
	return nil
}

// Rebuild orders that all totals are made anew from the raw events, and returns
// the number of the order. Keepers carry it out; what is asked meanwhile is
// answered from the totals as they are.
func (t *Totals) Rebuild(ctx context.Context) (order uint64, err error) {
	order, rev, err := readOrder(ctx, t.KV, t.Generation)
	if err != nil {
		return 0, err
	}
	order++
	if _, err := t.KV.Save(ctx, rebuildKey(t.Generation), []byte(strconv.FormatUint(order, 10)), rev); err != nil {
		return 0, fmt.Errorf("ordering to rebuild the totals: %w", err)
	}
	return order, nil
}

// Rebuilt reports whether every shard has carried out an order.
func (t *Totals) Rebuilt(ctx context.Context, order uint64) (bool, error) {
	for _, shard := range t.Shards {
		m, _, err := readManifest(ctx, t.KV, t.Generation, shard)
		if err != nil || m.Rebuilt < order {
			return false, err
		}
	}
	return true, nil
}
