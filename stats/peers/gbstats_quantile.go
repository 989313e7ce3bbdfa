package peers

import (
	"math"

	"github.com/sluice-hq/sluice/stats"
)

const (
	gbZ          = 1.959963984540054 // the quantiles of the quantile are always taken at 95 %
	gbLeastStar  = 100
	gbMostStar   = 52_428_800
	gbFloorUnits = 100 // from which a variance is at least gbFloor
	gbFloor      = 1e-5

	warnGBQuantile = "the formula takes the quantiles for exact; gbstats reads them from a sketch of 8,192 events where ClickHouse is the warehouse, and is then wrong beyond that many"
	warnGBExtreme  = "which quantile it is is not known here: whether there are enough events beyond it is not looked at"
	gbExtreme      = "gbstats answers ZERO_NEGATIVE_VARIANCE: too few events lie beyond the quantile"
)

// gbQuantile returns the difference of two quantiles of events: gbstats counts
// events as units.
func (q question) gbQuantile(control, treatment stats.Sample) (difference, []string, *stats.Refusal) {
	c, r := gbQuantileArm("control", control)
	if r != nil {
		return difference{}, nil, r
	}
	t, r := gbQuantileArm("treatment", treatment)
	if r != nil {
		return difference{}, nil, r
	}
	warnings := []string{warnGBQuantile}
	if control.Distribution == nil || treatment.Distribution == nil {
		warnings = []string{warnGBExtreme}
	}
	d, r := q.gbArms(c, t)
	return d, warnings, r
}

// gbQuantileArm is QuantileStatistic of models/statistics.py, and
// QuantileClusteredStatistic where the events are known by unit. A quantile that
// comes without its events brings its standard error instead.
func gbQuantileArm(field string, s stats.Sample) (arm, *stats.Refusal) {
	a := arm{n: float64(s.N), mean: s.Center(), plain: s.Center()}
	if s.Distribution == nil {
		a.variance = s.Variance() * (a.n - 1) / a.n
		return a.floored(), nil
	}
	d := *s.Distribution
	a.n = float64(d.Events)
	if least := gbZ * gbZ; a.n <= least*d.Nu/(1-d.Nu) || a.n <= least*(1-d.Nu)/d.Nu {
		return arm{}, constant(field, gbExtreme)
	}
	star, sd := spread(d)
	a.variance = star / a.n * (a.n - 1) * sd * sd
	if s.Joint != nil {
		clustered := a
		_, v := ratio(*s.Joint, [2]int{0, 1})
		clustered.variance *= v / float64(s.N) / (d.Nu * (1 - d.Nu) / a.n)
		a = clustered
	}
	return a.floored(), nil
}

// floored is the arm with the variance that gbstats takes at the least; one of 0
// stays, for it is refused.
func (a arm) floored() arm {
	if a.n >= gbFloorUnits && a.variance > 0 {
		a.variance = math.Max(a.variance, gbFloor)
	}
	return a
}

// spread returns how many events n* the quantile's own quantiles are taken for,
// and its standard deviation among as many: the largest 100·2^k below the
// events whose bounds differ (quantile-bounds-from-query-response.ts).
func spread(d stats.Distribution) (star, sd float64) {
	star = gbLeastStar
	for star < gbMostStar && 2*star < float64(d.Events) {
		star *= 2
	}
	for ; star >= gbLeastStar; star /= 2 {
		half := gbZ * math.Sqrt(d.Nu*(1-d.Nu)/star)
		low, high := valueAt(d, math.Max(d.Nu-half, 1e-8)), valueAt(d, math.Min(d.Nu+half, 1-1e-8))
		if high > low {
			return star, (high - low) / (2 * gbZ)
		}
	}
	return gbLeastStar, 0
}

// valueAt returns the value that a share of the events do not exceed.
func valueAt(d stats.Distribution, share float64) float64 {
	d.Nu = share
	bucket, _ := d.At()
	return stats.Middle(bucket) * d.Scale
}
