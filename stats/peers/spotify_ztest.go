package peers

import (
	"math"

	"github.com/sluice-hq/sluice/stats"
	"github.com/sluice-hq/sluice/stats/groupseq"
)

// ZTest is a test of Spotify's confidence with what a comparison has no option
// for: a margin, the looks of a plan, and other tests beside it.
type ZTest struct {
	Alpha     float64         // zero means 0.05
	Direction stats.Direction // which way is better; empty: both ways count
	Margin    float64         // non-inferiority: tolerated harm as a share of the control mean; zero: superiority
	Planned   float64         // units of both arms at the end of the plan; of Looks alone
}

const (
	spotifyRho  = 2 // its error is spent as alpha t²
	spotifyMost = 8 // its bounds go no further

	warnSpotifyMargin = "the control mean that the margin is a share of is taken for known: the test errs by its doubt"
	warnSpotifyOver   = "more units than planned: the program scales the plan to them, and with it the bounds of looks that were taken; the error is spent twice"
)

// Compare tests the difference at one look. P is that of the margin, the
// statistic and interval those of the difference in the metric's unit.
func (z ZTest) Compare(strata []stats.Stratum) stats.Comparison {
	q, r := z.asked(strata)
	if r != nil {
		return refused(r, q.Options)
	}
	c := told(spotify(q), q.Options)
	if c.Refused != nil {
		return c
	}
	c.Statistic = (c.Estimate - z.null(q)) / c.SE
	c.P = tail{}.p(c.Statistic, q.Side)
	if z.Margin > 0 {
		c.Warnings = append(c.Warnings, warnSpotifyMargin)
	}
	return c
}

func (z ZTest) asked(strata []stats.Stratum) (question, *stats.Refusal) {
	side := map[stats.Direction]stats.Side{stats.Increase: stats.Greater, stats.Decrease: stats.Less}[z.Direction]
	q, r := asked(Spotify, strata, stats.Options{Alpha: z.Alpha, Side: side})
	switch {
	case r != nil:
		return q, r
	case !(z.Margin >= 0) || !finite(z.Margin):
		return q, bad("margin", "tolerated harm is a number, at least 0")
	case z.Margin > 0 && z.Direction == "":
		return q, bad("direction", "a margin needs the direction that is better")
	}
	return q, nil
}

// null returns the difference that is tested against: the margin as a share of
// the control mean as it was seen.
func (z ZTest) null(q question) float64 {
	control, _, _ := q.pooled()
	harm := z.Margin * plainly(control).plain
	if z.Direction == stats.Increase {
		return -harm
	}
	return harm
}

// Looks tests at each look of a plan, the data of a look being all until then.
// Band is the interval at the bound of the look (sequential_bound_solver.py);
// Spotify has no p-value there, so that BandP is 1.
func (z ZTest) Looks(looks [][]stats.Stratum) []stats.Comparison {
	out := make([]stats.Comparison, len(looks))
	var units []float64
	for i, data := range looks {
		if out[i] = z.Compare(data); out[i].Refused != nil {
			return out[:i+1]
		}
		units = append(units, float64(out[i].Control.N+out[i].Treatment.N))
	}
	bounds, err := z.bounds(units)
	for i := range out {
		if err != nil {
			out[i] = refused(bad("information", err.Error()), stats.Options{})
			continue
		}
		q, _ := z.asked(looks[i])
		out[i].Band = around(out[i].Estimate, bounds[i]*out[i].SE, q.Side)
		if units[i] > z.Planned {
			out[i].Warnings = append(out[i].Warnings, warnSpotifyOver)
		}
	}
	return out
}

// bounds returns the bounds of looks with so many units. Where there are more
// than planned, their number is the plan.
func (z ZTest) bounds(units []float64) ([]float64, error) {
	end := z.Planned
	for _, n := range units {
		end = math.Max(end, n)
	}
	d := groupseq.Design{Alpha: z.Alpha, Sides: 1, Spending: groupseq.Spending{Family: groupseq.Power, Rho: spotifyRho}}
	if z.Direction == "" {
		d.Sides = 2
	}
	if z.Alpha == 0 {
		d.Alpha = 0.05
	}
	for _, n := range units {
		d.Information = append(d.Information, n/end)
	}
	b, err := d.Boundary()
	for i := range b.Z {
		b.Z[i] = math.Min(b.Z[i], spotifyMost)
	}
	return b.Z, err
}

// Together tests several differences at once by Holm's procedure, whose
// intervals hold together. P stays that of each test alone; Band is what the
// intervals together leave (ci_for_multiple_comparison_methods, w = 1), and
// BandP is adjusted. It needs a direction.
func (z ZTest) Together(tests [][]stats.Stratum) []stats.Comparison {
	out := make([]stats.Comparison, len(tests))
	p := make([]float64, len(tests))
	for i, data := range tests {
		out[i] = z.Compare(data)
		if z.Direction == "" && out[i].Refused == nil {
			out[i] = refused(bad("direction", "Spotify's intervals of Holm's procedure are one-sided"), stats.Options{})
		}
		if out[i].Refused != nil {
			return out[i : i+1]
		}
		p[i] = out[i].P
	}
	all := stats.Adjust(p, stats.Holm, z.Alpha)
	bounds := all.HolmBounds(z.Alpha, func(i int, alpha float64) float64 {
		return out[i].SE * (z.gain(out[i]) - tail{}.upper(alpha))
	})
	for i := range out {
		q, _ := z.asked(tests[i])
		out[i].BandP = all.P[i]
		out[i].Band = z.beyond(z.null(q), bounds[i])
	}
	return out
}

// gain returns how many standard errors better than the margin treatment is.
func (z ZTest) gain(c stats.Comparison) float64 {
	if z.Direction == stats.Decrease {
		return -c.Statistic
	}
	return c.Statistic
}

// beyond returns the differences that are better than the margin by a bound.
func (z ZTest) beyond(null, by float64) stats.Interval {
	if z.Direction == stats.Decrease {
		return stats.Interval{Low: math.Inf(-1), High: null - by}
	}
	return stats.Interval{Low: null + by, High: math.Inf(1)}
}
