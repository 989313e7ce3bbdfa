package peers

import (
	"cmp"
	"math"
	"slices"

	"github.com/sluice-hq/sluice/stats"
)

const warnGBHomoskedastic = "within a stratum, values adjusted by the past are taken to vary alike in both arms: where a small arm varies more, its standard error is far too small"

// gbStratified is EffectMomentsPostStratification of models/tests.py: each
// stratum counts by its share of all units, and shares vary too. Where that is
// refused, gbstats compares the sums of the strata.
func (q question) gbStratified() (difference, []string, *stats.Refusal) {
	control, treatment := q.gbSum()
	plain, warnings, r := q.gbPlain(control, treatment)
	if r != nil {
		return plain, warnings, r
	}
	cells := viable(q.withoutIdleCovariate(control, treatment))
	if len(cells) < 2 {
		return q.gbAlone(cells[0], plain)
	}
	e, ok := weighted(cells)
	if !ok {
		return plain, append(warnings, warnPooled), nil
	}
	point, variance := e.contrast(q.Relative)
	if !(variance > 0) || e.control() == 0 {
		return plain, append(warnings, warnPooled), nil
	}
	d := plain
	d.estimate, d.se = point, math.Sqrt(variance)
	if covariate(cells[0].Control, cells[0].Treatment) {
		warnings = []string{warnGBHomoskedastic}
	}
	return d, warnings, nil
}

// gbAlone is the difference when one stratum holds all that can be compared.
func (q question) gbAlone(cell stats.Stratum, plain difference) (difference, []string, *stats.Refusal) {
	d, warnings, r := q.gbPlain(cell.Control, cell.Treatment)
	d.df = plain.df
	return d, append(warnings, warnPooled), r
}

// gbSum returns the samples of all strata. gbstats sums proportions to means.
func (q question) gbSum() (control, treatment stats.Sample) {
	all := q.strata[0]
	for _, s := range q.strata[1:] {
		all = addUp(all, s)
	}
	return all.Control, all.Treatment
}

func addUp(a, b stats.Stratum) stats.Stratum {
	a.Control = asMean(a.Control).Merge(asMean(b.Control))
	a.Treatment = asMean(a.Treatment).Merge(asMean(b.Treatment))
	return a
}

// asMean returns a proportion as the mean of its zeros and ones.
func asMean(s stats.Sample) stats.Sample {
	if s.Kind != stats.KindProportion {
		return s
	}
	p := s.Center()
	m := stats.Mean(stats.Moments{N: s.N, Mean: p, M2: float64(s.X) * (1 - p)})
	m.Joint = s.Joint
	return m
}

// withoutIdleCovariate returns the strata, without their pasts where those of an
// arm do not vary at all.
func (q question) withoutIdleCovariate(control, treatment stats.Sample) []stats.Stratum {
	if !covariate(control, treatment) || !idle(control) && !idle(treatment) {
		return slices.Clone(q.strata)
	}
	bare := make([]stats.Stratum, len(q.strata))
	for i, s := range q.strata {
		bare[i] = withoutPast(s)
	}
	return bare
}

// idle reports whether what is known of before does not vary.
func idle(s stats.Sample) bool {
	for i := width(s.Kind) / 2; i < width(s.Kind); i++ {
		if s.Joint.Of(i, i) <= 0 {
			return true
		}
	}
	return false
}

// viable returns the strata from large to small, those that cannot be compared
// added to the largest.
func viable(strata []stats.Stratum) []stats.Stratum {
	slices.SortStableFunc(strata, func(a, b stats.Stratum) int {
		return cmp.Compare(b.Control.N+b.Treatment.N, a.Control.N+a.Treatment.N)
	})
	cells := strata[:1]
	for _, s := range strata[1:] {
		if sound(s) {
			cells = append(cells, s)
		} else {
			cells[0] = addUp(cells[0], s)
		}
	}
	return cells
}

// sound reports whether a stratum can be compared alone.
func sound(s stats.Stratum) bool {
	for _, arm := range []stats.Sample{s.Control, s.Treatment} {
		if arm.N < 2 || !(plainly(arm).variance > 0) {
			return false
		}
	}
	return !two(s.Control.Kind) || !covariate(s.Control, s.Treatment) || s.Control.N+s.Treatment.N > 6
}
