package main

import (
	"math/rand/v2"

	"github.com/sluice-hq/sluice/stats"
)

// stage is a part of a rollout with one mixture of arms.
type stage struct {
	treated float64 // share of the units
	units   int64   // of both arms
}

// rollout is units that arrive, and what the treatment does to them.
type rollout struct {
	from   population
	stages []stage
	every  int64   // units of both arms between two looks
	effect float64 // on the treated, as a share of control's mean
	drift  float64 // by how much of itself the mean of all has grown when the last unit comes
}

// even is a rollout of one stage in which half of the units are treated.
func even(from population, units int64, effect float64) rollout {
	return rollout{from: from, stages: []stage{{0.5, units}}, every: 100, effect: effect}
}

// ramp is a rollout of five stages of equal length, while the mean drifts.
func ramp(from population, units int64, drift float64) rollout {
	w := rollout{from: from, every: 100, drift: drift}
	for _, treated := range []float64{0.01, 0.05, 0.10, 0.25, 0.50} {
		w.stages = append(w.stages, stage{treated, units / 5})
	}
	return w
}

func (w rollout) units() (n int64) {
	for _, s := range w.stages {
		n += s.units
	}
	return n
}

// walk calls look after every so many units with the strata so far, until all
// have come or it returns false.
func (w rollout) walk(r *rand.Rand, look func(units int64, strata []stats.Stratum) bool) {
	var strata []stats.Stratum
	units, all := int64(0), w.units()
	for epoch, s := range w.stages {
		strata = append(strata, stats.Stratum{Epoch: epoch, Control: w.from.more(nil, 0, 1), Treatment: w.from.more(nil, 0, 1)})
		for n := int64(0); n < s.units; n += w.every {
			level := 1 + w.drift*float64(units)/float64(all)
			treated := binomial(r, w.every, s.treated)
			now := &strata[epoch]
			now.Control = now.Control.Merge(w.from.more(r, w.every-treated, level))
			now.Treatment = now.Treatment.Merge(w.from.more(r, treated, level*(1+w.effect)))
			if units += w.every; !look(units, strata) {
				return
			}
		}
	}
}

// pooled returns the strata as if they were one: what nobody should do.
func pooled(strata []stats.Stratum) []stats.Stratum {
	all := strata[0]
	for _, s := range strata[1:] {
		all.Control, all.Treatment = all.Control.Merge(s.Control), all.Treatment.Merge(s.Treatment)
	}
	return []stats.Stratum{all}
}

// first freezes at the first look that allows it.
type first struct {
	frozen stats.Frozen
	ready  bool
}

func (f *first) look(strata []stats.Stratum) bool {
	if !f.ready {
		f.frozen, f.ready = stats.Freeze(strata)
	}
	return f.ready
}
