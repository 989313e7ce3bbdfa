package decisions

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/sluice-hq/sluice/stats"
)

// MemFacts is a Facts in memory: it keeps every unit and counts anew at every
// look, or adds up what batches of units come to. The zero value is ready.
type MemFacts struct {
	mu          sync.Mutex
	rollouts    map[string]*memRollout
	Unaccounted int64 // reported as it is
}

type memRollout struct {
	order     []*memUnit // by first exposure
	units     map[cohort]*memUnit
	batches   memBatches
	exposures int64
	newest    time.Time
	metrics   map[string]time.Time // newest event
}

// cohort is one unit in one epoch.
type cohort struct {
	epoch int
	unit  string
}

type memUnit struct {
	epoch      int
	stage, arm string
	first      time.Time
	twoArms    bool
	values     map[string]float64 // metric -> sum of its values
}

var _ Facts = (*MemFacts)(nil)

// Expose notes that a unit was exposed to an arm of a rollout.
func (f *MemFacts) Expose(rollout, stage string, epoch int, arm, unit string, at time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	r := f.rollout(rollout)
	r.exposures++
	r.newest = later(r.newest, at)
	key := cohort{epoch, unit}
	if u := r.units[key]; u != nil {
		u.twoArms = u.twoArms || u.arm != arm
		return
	}
	u := &memUnit{epoch: epoch, stage: stage, arm: arm, first: at, values: map[string]float64{}}
	r.units[key], r.order = u, append(r.order, u)
}

// Record notes a metric event of a unit that was exposed in the epoch.
func (f *MemFacts) Record(rollout, metric string, epoch int, unit string, value float64, at time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	r := f.rollouts[rollout]
	if r == nil || r.units[cohort{epoch, unit}] == nil {
		return // an event of a unit that no exposure names counts nowhere
	}
	r.units[cohort{epoch, unit}].values[metric] += value
	r.metrics[metric] = later(r.metrics[metric], at)
}

// Evidence implements Facts.
func (f *MemFacts) Evidence(_ context.Context, r Rollout, now time.Time) (Evidence, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	e := Evidence{At: now, Units: []Count{}, Metrics: []Measured{}, Unaccounted: f.Unaccounted}
	m := f.rollouts[r.ID]
	if m == nil {
		m = &memRollout{}
	}
	e.Exposures, e.Newest, e.Units = m.exposures, m.newest, append(e.Units, m.batches.units...)
	for _, u := range m.order {
		if u.first.Before(r.Fresh) {
			continue
		}
		if u.twoArms {
			e.TwoArms++
			e.Quarantined = u.count(e.Quarantined)
			continue
		}
		e.Units = u.count(e.Units)
	}
	for _, metric := range r.Plan.Measured() {
		e.Metrics = append(e.Metrics, Measured{Metric: metric, Strata: m.strata(r, metric, now), Newest: m.metrics[metric]})
	}
	return e, nil
}

// count adds the unit to the counts.
func (u *memUnit) count(all []Count) []Count {
	i := slices.IndexFunc(all, func(c Count) bool { return c.Epoch == u.epoch && c.Stage == u.stage && c.Arm == u.arm })
	if i < 0 {
		return append(all, Count{Epoch: u.epoch, Stage: u.stage, Arm: u.arm, N: 1})
	}
	all[i].N++
	return all
}

// strata returns what a gate may use of a metric: the units whose events have
// had time to come.
func (m *memRollout) strata(r Rollout, metric string, now time.Time) []stats.Stratum {
	def, arms := r.Metrics[metric], r.Arms()
	out := m.batches.strata(metric, arms, now.Add(-def.Age(true)))
	for _, u := range m.order {
		if u.twoArms || u.first.Before(r.Fresh) || u.first.Add(def.Age(true)).After(now) {
			continue
		}
		i := slices.IndexFunc(out, func(s stats.Stratum) bool { return s.Epoch == u.epoch && s.Stage == u.stage })
		if i < 0 {
			empty := stats.Mean(stats.Moments{})
			if def.Aggregate.Proportion() {
				empty = stats.Proportion(0, 0)
			}
			out = append(out, stats.Stratum{Epoch: u.epoch, Stage: u.stage, Control: empty, Treatment: empty})
			i = len(out) - 1
		}
		switch u.arm {
		case arms.Control:
			out[i].Control = out[i].Control.Merge(u.sample(def, metric))
		case arms.Treatment:
			out[i].Treatment = out[i].Treatment.Merge(u.sample(def, metric))
		}
	}
	return out
}

// sample is the sample of one unit.
func (u *memUnit) sample(def stats.Metric, metric string) stats.Sample {
	v := u.values[metric]
	if !def.Aggregate.Proportion() {
		return stats.Mean(stats.Moments{N: 1, Mean: v})
	}
	if v != 0 {
		return stats.Proportion(1, 1)
	}
	return stats.Proportion(1, 0)
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
