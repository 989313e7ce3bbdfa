package decisions

import (
	"maps"
	"slices"
	"time"

	"github.com/sluice-hq/sluice/stats"
)

// Batch is units of one arm that were first exposed together, as what gates
// make of them: sufficient statistics, not events. A rehearsal of many thousand
// looks adds up batches, where counting every unit anew would take for ever.
type Batch struct {
	ID    string    // a batch that comes again under its ID takes the place of the first, so that a repeat counts nothing
	Epoch int       //
	Stage string    //
	Arm   string    // variant
	At    time.Time // of the last of the first exposures: no unit is taken for older than it is
	Units int64     //

	Samples map[string]stats.Sample // by metric: of all the units, counted when they are old enough for it
	Newest  map[string]time.Time    // by metric: its newest event
}

// memBatches are the batches of one rollout, in the order of their time.
type memBatches struct {
	list  []Batch
	at    map[string]int // ID -> place in list; nil: there are none
	units []Count
	sums  map[string]*memSums // by metric
}

// memSums is the sum of the batches of one metric up to one of them. Time goes
// on and batches come in its order, so that each is added once.
type memSums struct {
	until  time.Time // that the units' first exposures are summed up to
	next   int       // of the list
	strata []stats.Stratum
}

// Add notes a batch of units of a rollout.
func (f *MemFacts) Add(rollout string, b Batch) {
	f.mu.Lock()
	defer f.mu.Unlock()
	r := f.rollout(rollout)
	r.changes++
	if i, had := r.batches.find(b.ID); had {
		r.batches.replace(i, b)
		return
	}
	r.exposures += b.Units
	r.newest = later(r.newest, b.At)
	r.batches.add(b)
	for metric, at := range b.Newest {
		r.metrics[metric] = later(r.metrics[metric], at)
	}
}

// rollout returns what is kept of a rollout, made when it is first named.
func (f *MemFacts) rollout(id string) *memRollout {
	if f.rollouts == nil {
		f.rollouts = map[string]*memRollout{}
	}
	r := f.rollouts[id]
	if r == nil {
		r = &memRollout{units: map[cohort]*memUnit{}, metrics: map[string]time.Time{}}
		f.rollouts[id] = r
	}
	return r
}

func (m *memBatches) find(id string) (int, bool) {
	i, had := m.at[id]
	return i, had
}

// add puts a batch where its time belongs. One that comes late moves others, and
// what was summed behind its time is summed anew.
func (m *memBatches) add(b Batch) {
	m.count(b, b.Units)
	i := len(m.list)
	for i > 0 && m.list[i-1].At.After(b.At) {
		i--
	}
	m.list = slices.Insert(m.list, i, b)
	if m.at == nil {
		m.at = map[string]int{}
	}
	for j := i; j < len(m.list); j++ {
		m.at[m.list[j].ID] = j
	}
	for metric, s := range m.sums {
		if s.next > i {
			delete(m.sums, metric)
		}
	}
}

// replace takes a batch as it is known now. What was summed of it is summed
// anew; the others stay where they are, and so does its time.
func (m *memBatches) replace(i int, b Batch) {
	old := m.list[i]
	if old.same(b) {
		return
	}
	b.At = old.At
	m.count(old, -old.Units)
	m.count(b, b.Units)
	m.list[i] = b
	for metric := range b.Samples {
		if s := m.sums[metric]; s != nil && s.next > i {
			delete(m.sums, metric)
		}
	}
}

// same reports whether a batch that comes again says nothing new. Samples that
// are kept elsewhere count as new.
func (b Batch) same(again Batch) bool {
	return b.Epoch == again.Epoch && b.Stage == again.Stage && b.Arm == again.Arm && b.Units == again.Units && maps.Equal(b.Samples, again.Samples)
}

func (m *memBatches) count(b Batch, n int64) {
	at := func(c Count) bool { return c.Epoch == b.Epoch && c.Stage == b.Stage && c.Arm == b.Arm }
	if i := slices.IndexFunc(m.units, at); i >= 0 {
		m.units[i].N += n
	} else if n > 0 {
		m.units = append(m.units, Count{Epoch: b.Epoch, Stage: b.Stage, Arm: b.Arm, N: n})
	}
}

// strata returns the sums over the batches whose units are that old.
func (m *memBatches) strata(metric string, arms Arms, until time.Time) []stats.Stratum {
	if m.sums == nil {
		m.sums = map[string]*memSums{}
	}
	s := m.sums[metric]
	if s == nil || until.Before(s.until) { // a clock that was set back
		s = &memSums{}
		m.sums[metric] = s
	}
	s.until = until
	for ; s.next < len(m.list) && !m.list[s.next].At.After(until); s.next++ {
		s.add(m.list[s.next], metric, arms)
	}
	return slices.Clone(s.strata)
}

func (s *memSums) add(b Batch, metric string, arms Arms) {
	sample, ok := b.Samples[metric]
	if !ok || b.Units == 0 {
		return
	}
	i := slices.IndexFunc(s.strata, func(t stats.Stratum) bool { return t.Epoch == b.Epoch && t.Stage == b.Stage })
	if i < 0 {
		none := stats.Sample{Kind: sample.Kind}
		s.strata = append(s.strata, stats.Stratum{Epoch: b.Epoch, Stage: b.Stage, Control: none, Treatment: none})
		i = len(s.strata) - 1
	}
	switch b.Arm {
	case arms.Control:
		s.strata[i].Control = s.strata[i].Control.Merge(sample)
	case arms.Treatment:
		s.strata[i].Treatment = s.strata[i].Treatment.Merge(sample)
	}
}
