package warehouse

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/sluice-hq/sluice/stats"
)

// Question asks for the sufficient statistics of one rollout as they were at
// a time. All fields but Gate are required; Treatments and Metrics name at
// least what the answer shall hold.
type Question struct {
	Environment string
	Flag        string
	Rollout     string         // "<env>/<flag>/<n>"
	Control     string         // variant of the control arm
	Treatments  []string       // variants of the treatment arms
	Metrics     []stats.Metric // declared metrics
	Gate        bool           // use each metric's gate window, and only units that are that old at Until
	Until       time.Time      // events after it do not count; to the millisecond

	// Watermark names, by shard, the last message that the loader has read
	// back. Events of later messages, and of other shards, do not count.
	Watermark map[string]uint64
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
	Queries        []Query                    // in the order they were asked
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
	if proportion(m.Aggregate) {
		return stats.Proportion(0, 0)
	}
	return stats.Mean(stats.Moments{})
}

// readUnits asks for the units of every arm and puts them into the answer. It
// returns the strata in order.
func (w *Warehouse) readUnits(ctx context.Context, q Question, a *Answer) ([]Place, error) {
	asked := newQuery(unitsSQL, q.params())
	a.Queries = append(a.Queries, asked)
	rows, err := query(ctx, w.reader, asked.SQL, asked.Params)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	type unitRow struct {
		Count
		since int64
	}
	var units []unitRow
	for rows.Next() {
		var epoch int32
		var stage, arm string
		var two uint8
		var n, exposures uint64
		var first, newest int64
		if err := rows.Scan(&epoch, &stage, &arm, &two, &n, &exposures, &first, &newest); err != nil {
			return nil, err
		}
		a.Exposures += int64(exposures)
		a.NewestExposure = later(a.NewestExposure, newest)
		if two != 0 {
			a.TwoArms += int64(n)
			continue
		}
		units = append(units, unitRow{Count{int(epoch), stage, arm, int64(n)}, first})
	}
	since := map[Place]int64{} // first exposure of each stratum
	for _, u := range units {
		p := Place{u.Epoch, u.Stage}
		if at, ok := since[p]; !ok || u.since < at {
			since[p] = u.since
		}
	}
	slices.SortFunc(units, func(x, y unitRow) int {
		return cmp.Or(cmp.Compare(x.Epoch, y.Epoch), cmp.Compare(since[Place{x.Epoch, x.Stage}], since[Place{y.Epoch, y.Stage}]),
			cmp.Compare(x.Stage, y.Stage), cmp.Compare(x.Arm, y.Arm))
	})
	for _, u := range units {
		a.Units = append(a.Units, u.Count)
	}
	return a.Places(), rows.Err()
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
