package rehearsal

import (
	"math/rand/v2"
	"slices"
	"time"

	"github.com/sluice-hq/sluice/stats"
)

// Recorded is units that were there, as a recording of events has them.
type Recorded struct {
	Metrics []string       // keys, in the order of the units' values
	Units   []RecordedUnit // in the order in which they came
}

// RecordedUnit is one unit: when it came, which variant it met, and what it
// did.
type RecordedUnit struct {
	After  time.Duration   // since the first unit of the recording
	Arm    string          // variant; empty: it stands for units of either arm
	Values []RecordedValue // by metric
}

// RecordedValue is what a unit's events make of a metric.
type RecordedValue struct {
	Value float64 // of a proportion 0 or 1; of a ratio its numerator
	Size  float64 // of a ratio: its denominator
	None  bool    // it has no events and does not count: the metric is a mean of events
}

// pool is recorded units in the order in which a run meets them. Whoever is
// enrolled becomes the next unit of the arm that he gets: the hash would have
// given him another arm than the recording has.
type pool struct {
	Recorded
	defs    map[string]stats.Metric
	came    int // of Units, by their time
	begins  time.Time
	queues  map[string]*queue // by arm; both are one where no unit has an arm
	control string
}

// queue is units that nobody has become yet.
type queue struct {
	units []int // of Recorded.Units
	next  int
}

// pooled shuffles the recording for one seed. The times at which units come
// stay as they were.
func (r Rehearsal) pooled(rng *rand.Rand, begins time.Time) *pool {
	if r.Record == nil {
		return nil
	}
	p := &pool{Recorded: *r.Record, defs: r.Metrics, begins: begins, control: r.Plan.Arms.Control, queues: map[string]*queue{}}
	for _, i := range rng.Perm(len(p.Units)) {
		arm := p.Units[i].Arm
		if p.queues[arm] == nil {
			p.queues[arm] = &queue{}
		}
		p.queues[arm].units = append(p.queues[arm].units, i)
	}
	return p
}

// of returns the queue of an arm: its own, or that of units of no arm, or
// control's, where the recording is of a time before the change.
func (p *pool) of(arm string) *queue {
	for _, name := range []string{arm, "", p.control} {
		if q := p.queues[name]; q != nil {
			return q
		}
	}
	return &queue{}
}

func (p *pool) left(arm string) int64 {
	q := p.of(arm)
	return int64(len(q.units) - q.next)
}

// coming returns how many units came until a time.
func (p *pool) coming(until time.Time) int64 {
	before := p.came
	for p.came < len(p.Units) && !p.begins.Add(p.Units[p.came].After).After(until) {
		p.came++
	}
	return int64(p.came - before)
}

// over reports whether the recording has ended.
func (p *pool) over() bool { return p != nil && p.came == len(p.Units) }

// draws takes the next units of an arm, and returns what makes samples of them:
// of the first n, then of those behind them.
func (p *pool) draws(r *rand.Rand, arm string, units int64) func(key string, n int64, level float64) stats.Sample {
	q := p.of(arm)
	taken := q.units[q.next : q.next+int(units)]
	q.next += int(units)
	used := map[string]int{}
	return func(key string, n int64, level float64) stats.Sample {
		from := used[key]
		used[key] = from + int(n)
		return p.sample(r, key, taken[from:from+int(n)], level)
	}
}

// sample is the sample of some units, changed to a level.
func (p *pool) sample(r *rand.Rand, key string, units []int, level float64) stats.Sample {
	at := slices.Index(p.Metrics, key)
	var values running
	var both pairs
	var had int64
	for _, i := range units {
		v := p.Units[i].Values[at]
		if v.None {
			continue
		}
		had += int64(v.Value)
		values.add(v.Value * level)
		both.add(v.Value*level, v.Size)
	}
	switch p.defs[key].Aggregate.Kind() {
	case stats.KindProportion:
		return moved(r, int64(len(units)), had, level)
	case stats.KindRatio:
		if both.x.n == 0 {
			return stats.Sample{Kind: stats.KindRatio}
		}
		return stats.RatioSample(both.joint())
	}
	return stats.Mean(values.moments())
}

// moved changes a proportion: of those who had the outcome some do not, or of
// those who had it not some do.
func moved(r *rand.Rand, n, had int64, level float64) stats.Sample {
	switch {
	case level < 1:
		return stats.Proportion(n, binomial(r, had, level))
	case level > 1 && had > 0 && had < n:
		rate := float64(had) / float64(n)
		return stats.Proportion(n, had+binomial(r, n-had, (level-1)*rate/(1-rate)))
	}
	return stats.Proportion(n, had)
}
