package peers

import (
	"math"

	"github.com/sluice-hq/sluice/stats"
)

const (
	spotifyMethod = "Spotify confidence: z-test of the difference, a relative one divided by the control mean"

	warnSpotifyShare = "the control mean that a relative difference is a share of is taken for known: its doubt is left out"
)

// spotify answers as spotify_confidence/analysis/frequentist does: ZTest, and
// ZTestLinreg where there is a past (confidence_computers/z_test_computer.py and
// z_test_linreg_computer.py).
func spotify(q question) stats.Comparison {
	control, treatment, warnings := q.pooled()
	if r := q.spotifyFault(control); r != nil {
		return refused(r, q.Options)
	}
	c, t := plainly(control), plainly(treatment)
	var cuped *stats.CUPED
	if covariate(control, treatment) {
		raw, theta := [2]arm{c, t}, slope(control, treatment)
		c, t = linreg(control, treatment, theta)
		cuped = absolute(c, t).explained(stats.Pooled, theta, 0, raw)
	}
	d := absolute(c, t)
	d.cuped = cuped
	switch {
	case !(d.se > 0):
		return refused(constant("sum", "neither arm has a variance"), q.Options)
	case q.Relative && c.mean == 0:
		return refused(boundless("control", "a difference relative to a control mean of 0 does not exist"), q.Options)
	case q.Relative:
		warnings = append(warnings, warnSpotifyShare)
		d.estimate, d.se = d.estimate/c.mean, d.se/math.Abs(c.mean)
	}
	answer := d.comparison(q, spotifyMethod)
	answer.Warnings = warnings
	return answer
}

func (q question) spotifyFault(control stats.Sample) *stats.Refusal {
	switch {
	case two(control.Kind):
		return bad("control.type", "Spotify confidence compares proportions and means")
	case control.Kind == stats.KindQuantile:
		return bad("control.type", "Spotify confidence has no quantiles")
	}
	return nil
}

// linreg returns the arms at the mean past of all units, with one slope for
// both; co-moments of the past are divided by n.
func linreg(control, treatment stats.Sample, theta float64) (c, t arm) {
	past := pastOf(control, treatment)
	at := func(s stats.Sample) arm {
		a, n := plainly(s), float64(s.N)
		a.mean -= theta * (s.Joint.Means[1] - past)
		a.variance += theta*theta*s.Joint.Of(1, 1)/n - 2*theta*s.Joint.Of(0, 1)/n
		a.plain = a.mean
		return a
	}
	return at(control), at(treatment)
}
