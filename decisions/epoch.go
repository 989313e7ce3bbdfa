package decisions

import (
	"slices"

	"github.com/sluice-hq/sluice/stats"
)

// allocates reports whether the stage splits units, or watches them in the dark.
func (s Stage) allocates() bool { return s.Compares() || s.Kind() == Full || s.Kind() == Dark }

// epochs returns the epoch of every stage of the plan, from 1. A stage begins
// one when it allocates otherwise than the one before that allocated: other
// arms, another audience, other weights. A stage that serves an audience leaves
// the allocation as it is, and has the epoch of the one before it, or 0.
func (p Plan) epochs() []int {
	out := make([]int, len(p.Stages))
	epoch, last := 0, -1
	for i, s := range p.Stages {
		if s.allocates() {
			if last < 0 || !p.alike(p.Stages[last], s) {
				epoch++
			}
			last = i
		}
		out[i] = epoch
	}
	return out
}

// alike reports whether two stages allocate but for their coverage the same.
func (p Plan) alike(a, b Stage) bool {
	return a.Compares() && b.Compares() && p.arms(a) == p.arms(b) && equal(p.audience(a), p.audience(b))
}

// Dark returns the names of the stages that split nobody. Who was in one of them
// before tests started afresh is in no arm that they could know of.
func (p Plan) Dark() (names []string) {
	for _, s := range p.Stages {
		if s.Kind() == Dark {
			names = append(names, s.Name)
		}
	}
	return names
}

// lap is how many epochs the plan has: whoever returns to one that is over begins
// another lap of them.
func (p Plan) lap() int { return slices.Max(append(p.epochs(), 0)) }

// epoch returns the epoch of a stage in the present lap, behind those that
// earlier versions of the plan have used up.
func (r Rollout) epoch(s Stage) int {
	return r.Epochs + r.Laps*r.Plan.lap() + r.Plan.epochOf(s)
}

// Circuit says how the epochs of a rollout come again: whoever was there counts
// in the first lap alone.
type Circuit struct {
	Behind int // the epoch behind which the present version of the plan has its own
	Epochs int // how many it has, before the first comes again; 0: none has come again
}

// Circuit is that of the present version of the plan.
func (r Rollout) Circuit() Circuit {
	if r.Laps == 0 {
		return Circuit{}
	}
	return Circuit{Behind: r.Epochs, Epochs: r.Plan.lap()}
}

// of names an epoch, the same for those that are the same in another lap; ok is
// false of those that were before.
func (c Circuit) of(epoch int) (place int, ok bool) {
	if c.Epochs == 0 || epoch <= c.Behind {
		return 0, false
	}
	return (epoch - c.Behind - 1) % c.Epochs, true
}

// epochOf returns the epoch of a stage in the plan, 0 for one that it has not.
func (p Plan) epochOf(s Stage) int {
	i := slices.IndexFunc(p.Stages, func(o Stage) bool { return o.Name == s.Name })
	if i < 0 {
		return 0
	}
	return p.epochs()[i]
}

// counts reports whether units of an epoch say anything about the present stage.
// Those of other arms or another audience do not; in the full stage those count
// on that were compared before it. Laps are the same arms for the same audience.
func (r Rollout) counts(epoch int) bool {
	s, ok := r.Now()
	if !ok || !s.allocates() {
		return true
	}
	if epoch <= r.Epochs {
		return false
	}
	of, present := (epoch-r.Epochs-1)%r.Plan.lap()+1, r.Plan.epochOf(s)
	if of == present || s.Kind() != Full {
		return of == present
	}
	return slices.ContainsFunc(r.Plan.Stages, func(b Stage) bool { return b.Kind() == Decide && r.Plan.epochOf(b) == of })
}

// relevant leaves out of the evidence what was counted of other epochs. Strata
// are many and epochs few: each is asked for once.
func (r Rollout) relevant(e Evidence) Evidence {
	known := map[int]bool{}
	counts := func(epoch int) bool {
		if _, asked := known[epoch]; !asked {
			known[epoch] = r.counts(epoch)
		}
		return known[epoch]
	}
	other := func(c Count) bool { return !counts(c.Epoch) }
	e.Units = slices.DeleteFunc(slices.Clone(e.Units), other)
	e.Quarantined = slices.DeleteFunc(slices.Clone(e.Quarantined), other)
	e.Metrics = slices.Clone(e.Metrics)
	for i := range e.Metrics {
		e.Metrics[i].Strata = slices.DeleteFunc(slices.Clone(e.Metrics[i].Strata), func(s stats.Stratum) bool { return !counts(s.Epoch) })
	}
	return e
}
