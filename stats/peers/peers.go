// Package peers computes what other programs would say of the same data, so
// that who moves here sees equal numbers first and ours beside them. It holds
// formulae alone, by the name of the program: GrowthBook's gbstats, PostHog,
// Statsig, Eppo and Spotify's confidence.
//
// It never improves them. What is known to be wrong with a formula is computed
// as it is and named in a warning, and what a program refuses is refused with
// its reason. No gate and no decision asks this room.
//
//	c := peers.Compare(peers.GBStats, strata, stats.Options{Relative: true})
//	fmt.Println(c.Estimate, c.Fixed, c.P, c.Warnings)
//
// The sources are the programs themselves: gbstats in growthbook/growthbook
// (packages/stats), products/experiments/stats in PostHog/posthog,
// statsig-io/docs, Eppo-exp/eppo-docs and spotify/confidence. Papers are cited
// as in room stats.
package peers

import (
	"math"
	"slices"

	"github.com/sluice-hq/sluice/stats"
)

// Name is the name of a program.
type Name string

// The programs.
const (
	GBStats Name = "gbstats"
	PostHog Name = "posthog"
	Statsig Name = "statsig"
	Eppo    Name = "eppo"
	Spotify Name = "spotify"
)

// Names are the programs that Compare knows.
func Names() []Name { return []Name{GBStats, PostHog, Statsig, Eppo, Spotify} }

// Compare compares treatment with control as the program of that name does.
// Options mean what they mean to stats.Compare, and those that the program does
// not have are refused; Units is its tuning parameter, zero its default. Fixed and P are always there, Band and BandP
// where the program has an always-valid answer, Posterior where it was asked
// for. What the program has no answer to is refused.
func Compare(name Name, strata []stats.Stratum, o stats.Options) stats.Comparison {
	q, r := asked(name, strata, o)
	if r != nil {
		return refused(r, o)
	}
	return told(answer(name, q), o)
}

func answer(name Name, q question) stats.Comparison {
	switch name {
	case GBStats:
		return gbstats(q)
	case PostHog:
		return posthog(q)
	case Statsig:
		return statsig(q)
	case Eppo:
		return eppo(q)
	case Spotify:
		return spotify(q)
	}
	panic("unreachable unless asked lets an unknown name pass: " + string(name))
}

// told returns the comparison unless the numbers of the data left the range of
// floats on their way through a formula.
func told(c stats.Comparison, o stats.Options) stats.Comparison {
	numbers := []float64{c.Estimate, c.SE, c.Statistic, c.DF, c.P, c.BandP, c.LogE, c.Control.Mean, c.Treatment.Mean}
	if c.Posterior != nil {
		numbers = append(numbers, c.Posterior.Expected, c.Posterior.SD, c.Posterior.ChanceToWin)
	}
	held := c.Fixed.Contains(c.Estimate) && c.Band.Contains(c.Estimate)
	if c.Refused != nil || c.SE > 0 && held && !slices.ContainsFunc(numbers, unbounded) {
		return c
	}
	return refused(boundless("control", "the formula leaves the range of numbers: a mean is as good as 0, or a variance without bounds"), o)
}

func finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }

func unbounded(x float64) bool { return !finite(x) }

// question is what a program is asked, with the defaults that all share.
type question struct {
	strata []stats.Stratum
	stats.Options
}

// asked returns the question, or why there is none.
func asked(name Name, strata []stats.Stratum, o stats.Options) (question, *stats.Refusal) {
	if !slices.Contains(Names(), name) {
		return question{}, bad("compat", "the programs are gbstats, posthog, statsig, eppo and spotify")
	}
	if r := first(offered(name, o.Inference), stats.Check(strata, o)); r != nil {
		return question{}, r
	}
	if o.Alpha == 0 {
		o.Alpha = 0.05
	}
	if o.Side == "" {
		o.Side = stats.TwoSided
	}
	q := question{strata: uniform(strata, o.Covariate), Options: o}
	return q, first(q.ignored(name), q.slopes(name), q.thin())
}

// ignored refuses settings that the program does not have.
func (q question) ignored(name Name) *stats.Refusal {
	switch {
	case q.Margin != 0:
		return bad("margin", string(name)+" tunes its band to a number of units, not to a margin")
	case q.Power != 0:
		return bad("power", string(name)+" tunes its band to a number of units, not to a power")
	case q.Sequence != nil:
		return bad("information", string(name)+" takes no plan of looks here")
	case q.Units != 0 && (name == Statsig || name == Spotify):
		return bad("n_star", string(name)+" has nothing to tune")
	}
	return nil
}

// slopes refuses an adjustment that is not the program's own.
func (q question) slopes(name Name) *stats.Refusal {
	own := stats.Pooled
	if name == Eppo {
		own = stats.ArmSpecific
	}
	if c := q.Covariate; c != "" && c != stats.Unadjusted && c != own {
		return bad("covariate", string(name)+" adjusts by slopes that are "+string(own)+", or not at all")
	}
	return nil
}

func first(refusals ...*stats.Refusal) *stats.Refusal {
	for _, r := range refusals {
		if r != nil {
			return r
		}
	}
	return nil
}

// uniform returns the strata with as much of the past as the programs know, or
// without any unless all of it is there and wanted.
func uniform(strata []stats.Stratum, c stats.Covariate) []stats.Stratum {
	values := width(strata[0].Control.Kind)
	if c == stats.Unadjusted || slices.ContainsFunc(strata, func(s stats.Stratum) bool { return !covariate(s.Control, s.Treatment) }) {
		values /= 2
	}
	alike := make([]stats.Stratum, len(strata))
	for i, s := range strata {
		alike[i] = keeping(s, values)
	}
	return alike
}

// thin refuses an arm that has no variance yet, whoever is asked.
func (q question) thin() *stats.Refusal {
	var control, treatment int64
	for _, s := range q.strata {
		control, treatment = control+s.Control.N, treatment+s.Treatment.N
	}
	switch {
	case control < 2:
		return few("control.n", "an arm needs two units or more")
	case treatment < 2:
		return few("treatment.n", "an arm needs two units or more")
	}
	return nil
}

// offered refuses the inferences that a program does not have. The looks of
// Spotify's confidence are those of a ZTest.
func offered(name Name, i stats.Inference) *stats.Refusal {
	switch i {
	case stats.LinearModel, stats.GroupSequential:
		return bad("inference", string(name)+" has no answer by "+string(i))
	case stats.AlwaysValid, stats.Bayes:
		if name == Spotify {
			return bad("inference", string(name)+" has no answer by "+string(i))
		}
	}
	return nil
}

// tuning returns the number of units that a band is tuned to.
func (q question) tuning(otherwise float64) float64 {
	if q.Units > 0 {
		return q.Units
	}
	return otherwise
}

// refused is the comparison without a result: nothing is excluded.
func refused(r *stats.Refusal, o stats.Options) stats.Comparison {
	return stats.Comparison{Relative: o.Relative, Inference: o.Inference, P: 1, BandP: 1,
		Fixed: stats.Open(), Band: stats.Open(), Doubt: stats.Doubt{Refused: r}}
}

func bad(field, message string) *stats.Refusal {
	return &stats.Refusal{Code: stats.BadInput, Field: field, Message: message}
}

func constant(field, message string) *stats.Refusal {
	return &stats.Refusal{Code: stats.ZeroVariance, Field: field, Message: message}
}

func few(field, message string) *stats.Refusal {
	return &stats.Refusal{Code: stats.TooFewUnits, Field: field, Message: message}
}

func boundless(field, message string) *stats.Refusal {
	return &stats.Refusal{Code: stats.Unbounded, Field: field, Message: message}
}
