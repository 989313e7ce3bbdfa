package warehouse

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/ingest"
	"github.com/sluice-hq/sluice/stats"
)

// plant keeps the totals of some shards in a warehouse, as cmd does.
type plant struct {
	*Warehouse
	kv     *ingest.MemKV
	shards []string
	loaded map[string]uint64
	wanted []Measure
}

func startPlant(t testing.TB, shards int) *plant {
	w, _ := start(t)
	p := &plant{Warehouse: w, kv: &ingest.MemKV{}, loaded: map[string]uint64{}}
	for i := range shards {
		p.shards = append(p.shards, fmt.Sprintf("facts-%d", i))
	}
	return p
}

func (p *plant) keeper(shard string) *Keeper {
	return &Keeper{Warehouse: p.Warehouse, KV: p.kv, Shard: shard, Wanted: func() []Measure { return p.wanted },
		Loaded: func(context.Context) (ingest.Progress, error) {
			return ingest.Progress{Shard: shard, Done: p.loaded[shard]}, nil
		}}
}

func (p *plant) totals() *Totals { return &Totals{Warehouse: p.Warehouse, KV: p.kv, Shards: p.shards} }

// settle steps a keeper until nothing is left to do.
func settle(t testing.TB, k *Keeper) {
	t.Helper()
	for range 100 {
		moved, err := k.Step(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if !moved {
			return
		}
	}
	t.Fatal("the keeper never ends")
}

var exactly = cmp.Options{
	cmpopts.IgnoreFields(Answer{}, "Queries"), // that is what differs
	cmp.Comparer(func(x, y *big.Int) bool { return x == y || x != nil && y != nil && x.Cmp(y) == 0 }),
}

// compare asks the totals and the raw events the same.
func (p *plant) compare(t testing.TB, when string, q Question) Answer {
	t.Helper()
	k, err := p.totals().Kept(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got, err := p.totals().Readout(t.Context(), q, k)
	if err != nil {
		t.Fatal(when, err)
	}
	q.Watermark = k.Watermark
	want, err := p.Readout(t.Context(), q)
	if err != nil {
		t.Fatal(when, err)
	}
	if diff := cmp.Diff(want, got, exactly); diff != "" {
		t.Fatalf("%s, up to %v (-raw +totals):\n%s", when, k.Watermark, diff)
	}
	return got
}

// stream are the messages of one shard that are yet to be loaded.
type disorder struct {
	r      *rand.Rand
	n      uint64
	shards int
	rows   []ingest.Rows // one event each
}

func (d *disorder) id(at time.Time) (id [16]byte) { d.n++; return idAt(at, d.n) }

func (d *disorder) expose(unit uint64, arm, stage string, epoch int32, at time.Time) {
	id := d.id(at)
	d.rows = append(d.rows, ingest.Rows{Exposures: []ingest.ExposureRow{{ID: id, Day: ingest.DayOf(id), Environment: "production", Flag: "checkout",
		Variant: arm, UnitKind: "user", Unit: unit, Revision: 1, Rollout: rollout, Stage: stage, Epoch: epoch, Arm: arm, Enrolled: true, At: at,
		Received: at.Add(time.Duration(d.r.IntN(3)-1) * time.Minute)}}})
}

func (d *disorder) happen(unit uint64, name string, value int64, at time.Time) {
	id := d.id(at)
	d.rows = append(d.rows, ingest.Rows{Metrics: []ingest.MetricRow{{ID: id, Day: ingest.DayOf(id), Environment: "production", Name: name, UnitKind: "user",
		Unit: unit, Value: value, At: at, Received: at.Add(time.Duration(d.r.IntN(3)-1) * time.Minute), Synthetic: d.r.IntN(50) == 0,
		Attributes: map[string]string{"country": []string{"DE", "FR", "PL"}[d.r.IntN(3)]}}}})
}

// unordered is a story of some units whose events come late, twice, before
// their exposures, with another content the second time, and to units of two
// arms.
func unordered(r *rand.Rand, units, shards int) *disorder {
	d := &disorder{r: r, shards: shards}
	for u := range uint64(units) {
		arm := []string{"on", "off"}[r.IntN(2)]
		at := noon.Add(time.Duration(r.IntN(7200)) * time.Second)
		for range 1 + r.IntN(3) {
			seen, stage, with := at.Add(time.Duration(r.IntN(5400)-1800)*time.Second), []string{"canary", "a ramp"}[r.IntN(2)], arm
			if r.IntN(25) == 0 {
				with = "on"
			}
			d.expose(u, with, stage, 1+int32(r.IntN(8)/7), seen)
		}
		for range r.IntN(6) {
			d.happen(u, []string{"purchase", "visit", "other"}[r.IntN(3)], r.Int64N(2e15)-1e14, at.Add(time.Duration(r.IntN(9000)-2400)*time.Second))
		}
	}
	for u := range units / 8 { // of another kind
		d.expose(uint64(u), "on", "canary", 1, noon)
		d.rows[len(d.rows)-1].Exposures[0].UnitKind = "account"
	}
	for _, rows := range d.rows[:len(d.rows)/12] { // copies, some of which say something else
		for i := range rows.Metrics {
			rows.Metrics = append([]ingest.MetricRow(nil), rows.Metrics...)
			rows.Metrics[i].Value += int64(r.IntN(2))
		}
		d.rows = append(d.rows, rows)
	}
	r.Shuffle(len(d.rows), func(i, j int) { d.rows[i], d.rows[j] = d.rows[j], d.rows[i] })
	return d
}

// load stores the next n events, each shard's in one block of small messages.
func (p *plant) load(t testing.TB, d *disorder, n int) {
	t.Helper()
	blocks := map[string]*ingest.Rows{}
	from := map[string]uint64{}
	for _, rows := range d.rows[:min(n, len(d.rows))] {
		unit := uint64(0)
		rows.Each(func(k ingest.Key, _ ingest.Place) { unit = k.Unit })
		shard := p.shards[unit%uint64(len(p.shards))]
		if blocks[shard] == nil {
			blocks[shard], from[shard] = &ingest.Rows{}, p.loaded[shard]+1
		}
		place := ingest.Place{Shard: shard, Seq: p.loaded[shard] + 1, Idx: uint32(d.r.IntN(1 << 15))}
		if d.r.IntN(3) > 0 {
			p.loaded[shard]++
		}
		place.Seq = max(p.loaded[shard], from[shard])
		p.loaded[shard] = place.Seq
		for _, r := range rows.Exposures {
			r.Place = place
			blocks[shard].Exposures = append(blocks[shard].Exposures, r)
		}
		for _, r := range rows.Metrics {
			r.Place = place
			blocks[shard].Metrics = append(blocks[shard].Metrics, r)
		}
	}
	d.rows = d.rows[min(n, len(d.rows)):]
	for shard, rows := range blocks {
		if err := p.Insert(t.Context(), block(fmt.Sprint(shard, from[shard]), from[shard], p.loaded[shard], *rows)); err != nil {
			t.Fatal(err)
		}
	}
}

// shapes are metrics of every shape that is kept.
func shapes() []stats.Metric {
	where := []stats.Condition{{Attribute: "country", Values: []string{"DE", "FR"}}}
	return []stats.Metric{
		purchase, orders, revenue, basket,
		{Key: "german", Event: "purchase", Aggregate: stats.Sum, Where: where},
		{Key: "capped", Event: "purchase", Aggregate: stats.Sum, Window: time.Hour, Cap: 0.9},
		{Key: "cuped", Event: "visit", Aggregate: stats.Count, Window: time.Hour, Lookback: 20 * time.Minute},
		{Key: "perVisit", Event: "purchase", Aggregate: stats.Ratio, Window: time.Hour, Denominator: &stats.Source{Event: "visit"}},
		{Key: "back", Event: "visit", Aggregate: stats.Retention, Return: &stats.Return{From: 30 * time.Minute, To: time.Hour}},
		{Key: "slow", Event: "purchase", Aggregate: stats.Quantile, Nu: 0.9, Window: time.Hour},
	}
}

func gateAndFull(metrics []stats.Metric, until time.Time) []Question {
	full := question(metrics...)
	full.Until = until
	gate := full
	gate.Gate = true
	return []Question{gate, full}
}

// TestTotals_equalTheRawEvents loads a disorderly story bit by bit, folds and
// fails at random points, and asks both ways after each: the answers are equal
// bit for bit.
func TestTotals_equalTheRawEvents(t *testing.T) {
	t.Parallel()
	r := seeded(t, 20261122)
	for _, shards := range []int{1, 3} {
		p, d := startPlant(t, shards), unordered(r, 50*shards, shards)
		all, crashes := shapes(), 0
		for _, q := range gateAndFull(all[:4], noon) {
			p.wanted = append(p.wanted, q.Measures()...)
		}
		for round := 0; len(d.rows) > 0; round++ {
			p.load(t, d, 50+r.IntN(100*shards))
			if round == 2 { // metrics come and go while the rollout runs
				p.wanted = nil
				for _, q := range gateAndFull(all, noon) {
					p.wanted = append(p.wanted, q.Measures()...)
				}
			}
			if round%3 == 2 {
				if _, err := p.totals().Rebuild(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			for _, shard := range p.shards {
				if r.IntN(3) > 0 {
					crashes += p.stumble(t, r, p.keeper(shard))
				}
			}
			for _, q := range gateAndFull(all, noon.Add(time.Duration(r.IntN(5*3600))*time.Second)) {
				a := p.compare(t, fmt.Sprintf("round %d, gate %v", round, q.Gate), q)
				q.Since, q.Dark = noon.Add(time.Duration(r.IntN(7200))*time.Second), []string{"a ramp"}
				p.compare(t, fmt.Sprintf("round %d, since %s", round, q.Since), q)
				q.Circuit = Circuit{Epochs: 1}
				p.compare(t, fmt.Sprintf("round %d, in two laps since %s", round, q.Since), q)
				if len(d.rows) == 0 && a.TwoArms == 0 {
					t.Errorf("the story tells too little")
				}
			}
		}
		for _, shard := range p.shards {
			settle(t, p.keeper(shard))
		}
		q := gateAndFull(all, noon.Add(24*time.Hour))[1]
		a := p.compare(t, "at the end", q)
		t.Logf("%d shards: %d crashes; %v", shards, crashes, a.Units)
		if crashes == 0 || a.TwoArms == 0 || len(a.Places()) < 3 {
			t.Errorf("the story tells too little: %d crashes, %d of two arms, %v", crashes, a.TwoArms, a.Places())
		}
	}
}

// failing is a KV whose next writes fail: before they are done, or after.
type failing struct {
	ingest.KV
	in    int // writes until the fault
	after bool
}

var errCrash = errors.New("crash")

func (f *failing) Save(ctx context.Context, key string, value []byte, rev uint64) (uint64, error) {
	f.in--
	if f.in == 0 && !f.after {
		return 0, errCrash
	}
	rev, err := f.KV.Save(ctx, key, value, rev)
	if f.in == 0 {
		return 0, errCrash
	}
	return rev, err
}

// stumble lets a keeper crash between two of its writes, twice, and lets
// another finish or not.
func (p *plant) stumble(t testing.TB, r *rand.Rand, k *Keeper) (crashes int) {
	t.Helper()
	for range 2 {
		k.KV = &failing{KV: p.kv, in: 1 + r.IntN(6), after: r.IntN(2) == 0}
		for moved, err := true, error(nil); moved; {
			if moved, err = k.Step(t.Context()); err != nil {
				if !errors.Is(err, errCrash) {
					t.Fatal(err)
				}
				crashes++
				break
			}
		}
		k = p.keeper(k.Shard) // as a new process
	}
	if r.IntN(2) == 0 {
		settle(t, k)
	}
	return crashes
}

// TestTotals_rebuildWithoutAUnit deletes a unit that was added up already: the totals
// follow, and its rows are in no leaf any more.
func TestTotals_rebuildWithoutAUnit(t *testing.T) {
	t.Parallel()
	p, d := startPlant(t, 1), unordered(seeded(t, 3), 40, 1)
	q := gateAndFull(shapes()[:3], noon.Add(24*time.Hour))[1]
	p.wanted = q.Measures()
	p.load(t, d, len(d.rows))
	k := p.keeper("facts-0")
	settle(t, k)
	before := p.compare(t, "before", q)

	if n, err := p.Erase(t.Context(), ingest.Forgotten{Kind: "user", Unit: ingest.UnitText(7), Before: noon.AddDate(1, 0, 0), Fence: p.loaded}); err != nil || n == 0 {
		t.Fatalf("%d rows erased, %v", n, err)
	}
	order, err := p.totals().Rebuild(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if done, err := p.totals().Rebuilt(t.Context(), order); done || err != nil {
		t.Errorf("before anybody did: %v, %v", done, err)
	}
	settle(t, k)
	if done, err := p.totals().Rebuilt(t.Context(), order); !done || err != nil {
		t.Errorf("after the keeper did: %v, %v", done, err)
	}
	if after := p.compare(t, "after", q); after.Exposures >= before.Exposures {
		t.Errorf("%d exposures, then %d", before.Exposures, after.Exposures)
	}
	var n uint64
	if err := one(t.Context(), p.reader, `SELECT (SELECT count() FROM assignments WHERE unit = 7) + (SELECT count() FROM unit_totals WHERE unit = 7 AND measure != 0)`, nil, &n); err != nil || n != 0 {
		t.Errorf("%d rows of the unit are left, %v", n, err)
	}
}

// TestKeeper_twoOfAShard lets one keeper fall asleep in the middle of a leaf,
// and finish it after another has folded the same messages: it counts nowhere.
func TestKeeper_twoOfAShard(t *testing.T) {
	p, d := startPlant(t, 1), unordered(seeded(t, 4), 30, 1)
	q := gateAndFull(shapes()[:3], noon.Add(24*time.Hour))[1]
	p.wanted = q.Measures()
	p.load(t, d, len(d.rows)/2)
	settle(t, p.keeper("facts-0"))
	p.load(t, d, len(d.rows))

	asleep := p.keeper("facts-0")
	if err := asleep.load(t.Context()); err != nil {
		t.Fatal(err)
	}
	w, err := asleep.begin(t.Context(), toFold)
	if err != nil {
		t.Fatal(err)
	}
	settle(t, p.keeper("facts-0"))
	w.p["from_seq"], w.p["to_seq"] = asleep.manifest.Done+1, p.loaded["facts-0"]
	if err := w.fold(t.Context(), asleep.wanted(), asleep.manifest.Measures); err != nil {
		t.Fatal(err)
	}
	if err := asleep.commit(t.Context(), w); !errors.Is(err, event.ErrConflict) {
		t.Errorf("the sleeper's leaf: %v", err)
	}
	p.compare(t, "after the sleeper", q)
}

// TestKeeper_noticesWhatWasNotStored: a statement that was acknowledged and
// left nothing keeps the leaf from counting.
func TestKeeper_noticesWhatWasNotStored(t *testing.T) {
	p := startPlant(t, 1)
	k := p.keeper("facts-0")
	if err := k.load(t.Context()); err != nil {
		t.Fatal(err)
	}
	w, err := k.begin(t.Context(), toFold)
	if err != nil {
		t.Fatal(err)
	}
	w.marks++
	if err := k.commit(t.Context(), w); err == nil || !strings.Contains(err.Error(), "the statements [1] were acknowledged, and [] are stored") {
		t.Errorf("got %v", err)
	}
}

// TestTotals_inTwoLaps asks the totals and the raw events of units that come again
// in another lap, some of them after two arms: the answers are equal, and not
// those of two units each.
func TestTotals_inTwoLaps(t *testing.T) {
	r := seeded(t, 20261122)
	p, d := startPlant(t, 1), unordered(r, 60, 1)
	q := gateAndFull(shapes()[:4], noon.Add(24*time.Hour))[1]
	p.wanted = q.Measures()
	p.load(t, d, len(d.rows))
	settle(t, p.keeper(p.shards[0]))
	twice := p.compare(t, "as if others", q)
	q.Circuit = Circuit{Epochs: 1}
	once := p.compare(t, "in the first lap", q)
	count := func(a Answer) (n int64) {
		for _, c := range a.Units {
			n += c.N
		}
		return n
	}
	if count(once) >= count(twice) || once.Exposures != twice.Exposures || once.TwoArms == 0 {
		t.Errorf("%d units once and %d twice; %d and %d exposures; %d of two arms", count(once), count(twice), once.Exposures, twice.Exposures, once.TwoArms)
	}
}
