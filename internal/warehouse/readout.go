package warehouse

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/sluice-hq/sluice/stats"
)

// Question asks for the sufficient statistics of one rollout as they were at
// a time. All fields but Gate and Caps are required; Treatments and Metrics
// name at least what the answer shall hold.
type Question struct {
	Environment string
	Flag        string
	Rollout     string         // "<env>/<flag>/<n>"
	UnitKind    string         // what the rollout assigns; events of units of other kinds do not count
	Control     string         // variant of the control arm
	Treatments  []string       // variants of the treatment arms
	Metrics     []stats.Metric // declared metrics
	Gate        bool           // use each metric's gate window, and only units that are that old at Until
	Until       time.Time      // units first exposed after it do not count; to the millisecond

	// Watermark names, by shard, the last message that the loader has read
	// back. Events of later messages, and of other shards, do not count.
	Watermark map[string]uint64

	// Caps are the caps of some metrics, by key, as an earlier answer had them:
	// a test that looks often must not meet another cap at every look. The cap
	// of any other metric that has one is taken from the units at hand.
	Caps map[string]Caps
}

// Caps are what the value of a unit is cut to, from below and from above, in
// the parts that the values of the metric are counted in: whole numbers of a
// count, the fixed point of a sum or a ratio, a thousandth of it of a mean. Nil
// means that nothing is cut.
type Caps struct {
	Value       *big.Int `json:"value,omitempty"`
	Denominator *big.Int `json:"denominator,omitempty"` // of a ratio
}

// Answer is what the raw events of a rollout add up to. It does not depend on
// the order in which they came, nor on how often.
type Answer struct {
	Strata         map[string][]stats.Stratum // by metric: the first treatment against control, in the order of the strata
	Samples        []Sample                   // every arm of every stratum, also of further treatments
	Units          []Count                    // units by first exposure, the quarantined left out
	TwoArms        int64                      // units that saw two arms in one epoch: in no other number
	Exposures      int64                      // different exposures of enrolled units
	NewestExposure time.Time                  // zero when there is none
	NewestEvent    map[string]time.Time       // by metric: newest event of any unit of the rollout; absent when there is none
	Caps           map[string]Caps            // by metric: those that the values were cut to
	Queries        []Query                    // in the order they were asked
}

// Part is the answer of the units whose first exposure in an epoch had one
// value of an attribute.
type Part struct {
	Value string // empty: those without the attribute
	Rest  bool   // the units of all values that have no part of their own
	Answer
}

// Count is a number of units of one arm of one stratum.
type Count struct {
	Epoch int
	Stage string
	Arm   string
	N     int64
}

// Sample is what one arm of one stratum gives for one metric.
type Sample struct {
	Metric string
	Epoch  int
	Stage  string
	Arm    string
	stats.Sample
}

// Readout answers a question from the raw events, with a read-only
// connection. A unit belongs to the stage of its first exposure in an epoch.
// Its events count from that exposure on, for as long as the metric's window.
// Synthetic events and units that saw two arms count nowhere.
func (w *Warehouse) Readout(ctx context.Context, q Question) (Answer, error) {
	a := Answer{Strata: map[string][]stats.Stratum{}, NewestEvent: map[string]time.Time{}}
	order, err := w.readUnits(ctx, q, &a)
	if err != nil {
		return Answer{}, fmt.Errorf("counting the units of %s: %w", q.Rollout, err)
	}
	for _, m := range q.Metrics {
		if err := w.readMetric(ctx, q, m, &a); err != nil {
			return Answer{}, fmt.Errorf("reading %s of %s: %w", m.Key, q.Rollout, err)
		}
		if len(q.Treatments) > 0 {
			a.Strata[m.Key] = a.Against(m, q.Control, q.Treatments[0], order)
		}
	}
	return a, nil
}

// Place names a stratum.
type Place struct {
	Epoch int
	Stage string
}

// Places returns the strata of the answer, in order of epoch and of first
// exposure.
func (a Answer) Places() []Place {
	var out []Place
	for _, c := range a.Units {
		if p := (Place{c.Epoch, c.Stage}); !slices.Contains(out, p) {
			out = append(out, p)
		}
	}
	return out
}

// Against pairs the samples of a treatment with those of control, stratum by
// stratum. An arm without units is an empty sample.
func (a Answer) Against(m stats.Metric, control, treatment string, places []Place) []stats.Stratum {
	out := make([]stats.Stratum, 0, len(places))
	for _, p := range places {
		s := stats.Stratum{Epoch: p.Epoch, Stage: p.Stage, Control: a.sample(m, p, control), Treatment: a.sample(m, p, treatment)}
		if s.Control.N > 0 || s.Treatment.N > 0 {
			out = append(out, s)
		}
	}
	return out
}

func (a Answer) sample(m stats.Metric, p Place, arm string) stats.Sample {
	for _, s := range a.Samples {
		if s.Metric == m.Key && s.Epoch == p.Epoch && s.Stage == p.Stage && s.Arm == arm {
			return s.Sample
		}
	}
	return stats.Sample{Kind: m.Aggregate.Kind()}
}

// units are those of one arm of one stratum, as the server counts them.
type units struct {
	Count
	two           bool // they saw two arms
	exposures     uint64
	first, newest int64 // ms
}

// readUnits asks for the units of every arm and puts them into the answer. It
// returns the strata in order.
func (w *Warehouse) readUnits(ctx context.Context, q Question, a *Answer) ([]Place, error) {
	asked := newQuery(unitsSQL, q.params(), OfUnits)
	a.Queries = append(a.Queries, asked)
	rows, err := query(ctx, w.reader, asked.SQL, asked.Params)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []units
	for rows.Next() {
		var u units
		if err := u.scan(rows); err != nil {
			return nil, err
		}
		a.Exposures += int64(u.exposures)
		a.NewestExposure = later(a.NewestExposure, u.newest)
		switch {
		case u.two:
			a.TwoArms += u.N
		case u.N > 0:
			all = append(all, u)
		}
	}
	for _, u := range inOrder(all) {
		a.Units = append(a.Units, u.Count)
	}
	return a.Places(), rows.Err()
}

func (u *units) scan(rows driver.Rows) error {
	var epoch int32
	var two uint8
	var n uint64
	err := rows.Scan(&epoch, &u.Stage, &u.Arm, &two, &n, &u.exposures, &u.first, &u.newest)
	u.Epoch, u.two, u.N = int(epoch), two != 0, int64(n)
	return err
}

// inOrder sorts by epoch, then by the first exposure of the stage, so that
// stages stand as they happened whatever they are called.
func inOrder(all []units) []units {
	since := map[Place]int64{}
	for _, u := range all {
		p := Place{u.Epoch, u.Stage}
		if at, ok := since[p]; !ok || u.first < at {
			since[p] = u.first
		}
	}
	slices.SortFunc(all, func(x, y units) int {
		return cmp.Or(cmp.Compare(x.Epoch, y.Epoch), cmp.Compare(since[Place{x.Epoch, x.Stage}], since[Place{y.Epoch, y.Stage}]),
			cmp.Compare(x.Stage, y.Stage), cmp.Compare(x.Arm, y.Arm))
	})
	return all
}

// later returns the later of a time and one in milliseconds, 0 being none.
func later(t time.Time, ms int64) time.Time {
	if at := time.UnixMilli(ms).UTC(); ms > 0 && at.After(t) {
		return at
	}
	return t
}

func (q Question) params() Params {
	shards := slices.Sorted(maps.Keys(q.Watermark))
	seqs := make([]uint64, len(shards))
	for i, s := range shards {
		seqs[i] = q.Watermark[s]
	}
	return Params{
		"environment": q.Environment, "flag": q.Flag, "rollout": q.Rollout, "until": q.Until.UnixMilli(),
		"shards": append(shards, ""), "seqs": append(seqs, 0), // never empty: a list without elements has no type
	}
}
