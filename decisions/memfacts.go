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
	signs       map[string]time.Time // metric of failures -> newest sign of life
	deployments []Deployment
	changes     int   // of signs and deployments
	Unaccounted int64 // reported as it is
}

type memRollout struct {
	order     []*memUnit // by first exposure
	units     map[cohort]*memUnit
	batches   memBatches
	exposures int64
	newest    time.Time
	metrics   map[string]time.Time // newest event
	changes   int                  // that were noted
}

// cohort is one unit in one epoch.
type cohort struct {
	epoch int
	unit  string
}

type memUnit struct {
	id         string
	epoch      int
	stage, arm string
	first      time.Time
	twoArms    bool
	values     map[string]float64 // metric -> sum of its values
	attributes map[string]string  // of the first exposure
}

var _ Facts = (*MemFacts)(nil)

// Expose notes that a unit was exposed to an arm of a rollout.
func (f *MemFacts) Expose(rollout, stage string, epoch int, arm, unit string, at time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	r := f.rollout(rollout)
	r.exposures++
	r.changes++
	r.newest = later(r.newest, at)
	key := cohort{epoch, unit}
	if u := r.units[key]; u != nil {
		u.twoArms = u.twoArms || u.arm != arm
		return
	}
	u := &memUnit{id: unit, epoch: epoch, stage: stage, arm: arm, first: at, values: map[string]float64{}}
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
	r.changes++
	r.units[cohort{epoch, unit}].values[metric] += value
	r.metrics[metric] = later(r.metrics[metric], at)
	f.sign(metric, at)
}

// Describe notes an attribute of a unit that was exposed in the epoch.
func (f *MemFacts) Describe(rollout string, epoch int, unit, attribute, value string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	r := f.rollouts[rollout]
	if r == nil || r.units[cohort{epoch, unit}] == nil {
		return
	}
	u := r.units[cohort{epoch, unit}]
	r.changes++
	u.attributes = keeping(u.attributes, attribute, value)
}

// Live notes a sign of life of whoever reports the failures of a metric.
func (f *MemFacts) Live(metric string, at time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sign(metric, at)
}

func (f *MemFacts) sign(metric string, at time.Time) {
	if f.signs == nil {
		f.signs = map[string]time.Time{}
	}
	f.changes++
	f.signs[metric] = later(f.signs[metric], at)
}

// Deploy notes that a version of a service went live.
func (f *MemFacts) Deploy(d Deployment) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.changes++
	f.deployments = append([]Deployment{d}, f.deployments...)
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
	left := m.left(r)
	for _, u := range m.order {
		if left[u] {
			continue
		}
		switch stage, _ := r.Plan.stage(u.stage); {
		case stage.Kind() == Serve: // outside the analysis
		case u.twoArms:
			e.TwoArms++
			e.Quarantined = u.count(e.Quarantined)
		default:
			e.Units = u.count(e.Units)
		}
	}
	for _, d := range f.deployments {
		if !d.At.Before(r.Since) && !d.At.After(now) {
			e.Deployments = append(e.Deployments, d)
		}
	}
	for _, metric := range r.Plan.Measured() {
		e.Metrics = append(e.Metrics, f.measured(m, r, metric, now))
	}
	return e, nil
}

// measured returns what the units add up to: those that are compared, those of
// the audience that is served, and each value's of an attribute.
func (f *MemFacts) measured(m *memRollout, r Rollout, metric string, now time.Time) Measured {
	def := r.Metrics[metric]
	out := Measured{Metric: metric, Newest: m.metrics[metric]}
	compared := func(u *memUnit) bool { stage, _ := r.Plan.stage(u.stage); return stage.Kind() != Serve }
	out.Strata = m.strata(r, metric, now, compared)
	if stage, _ := r.Now(); stage.Kind() == Serve {
		out.Served = m.strata(r, metric, now, func(u *memUnit) bool { return u.stage == stage.Name && u.arm == r.Arms().Treatment })
	}
	if g, ok := r.Plan.within(metric); ok {
		out.Parts = m.parts(g.Within, func(value string) []stats.Stratum {
			return m.strata(r, metric, now, func(u *memUnit) bool { return compared(u) && u.attributes[g.Within] == value })
		})
	}
	if def.Aggregate == stats.Failures && now.Sub(f.signs[metric]) <= AliveWithin {
		out.Alive = f.signs[metric]
	}
	return out
}

// parts returns the strata of every value of an attribute, in the order in which
// the values came.
func (m *memRollout) parts(attribute string, of func(string) []stats.Stratum) (out []Part) {
	for _, u := range m.order {
		value := u.attributes[attribute]
		if !slices.ContainsFunc(out, func(p Part) bool { return p.Value == value }) {
			out = append(out, Part{Value: value, Strata: of(value)})
		}
	}
	return out
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

// strata returns what a gate may use of a metric: of those that are chosen the
// units whose events have had time to come.
func (m *memRollout) strata(r Rollout, metric string, now time.Time, chosen func(*memUnit) bool) []stats.Stratum {
	def, arms := r.Metrics[metric], r.Arms()
	out, left := m.batches.strata(metric, arms, now.Add(-def.Age(true))), m.left(r)
	for _, u := range m.order {
		if u.twoArms || !chosen(u) || left[u] || u.first.Add(def.Age(true)).After(now) {
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

// left returns the units that do not count: the present version of the plan knows
// them already, since they were split before it, in this epoch or another, or they
// count in an earlier lap.
func (m *memRollout) left(r Rollout) map[*memUnit]bool {
	known, dark := map[string]bool{}, r.Plan.Dark()
	first, left := map[cohort]int{}, map[*memUnit]bool{} // the earliest epoch of a unit, by place in the circuit
	for _, u := range m.order {
		stage, _ := r.Plan.stage(u.stage)
		if stage.Kind() == Serve {
			continue
		}
		if u.first.Before(r.Fresh) && !slices.Contains(dark, u.stage) {
			known[u.id] = true
		}
		if place, ok := r.Circuit().of(u.epoch); ok { // units stand in the order in which they came
			at := cohort{place, u.id}
			first[at] = or(first[at], u.epoch)
			left[u] = u.epoch > first[at]
		}
	}
	for _, u := range m.order {
		left[u] = left[u] || known[u.id] || u.first.Before(r.Fresh)
	}
	return left
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
