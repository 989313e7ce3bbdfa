package calculator

import (
	"math"

	"github.com/sluice-hq/sluice/stats"
)

// deviations is how many standard errors of the share the bounds of a quantile
// lie from it, in the interchange form.
const deviations = 1.959963984540054

// bounds is a quantile that is known by its estimate and the values between
// which that lies: the sample quantiles at ν ± z √(ν(1−ν)/n*). n* is n unless
// the bounds were taken where fewer values would put them.
type bounds struct {
	n                             int64
	star, nu, estimate, low, high float64
}

func (a *arm) quantile() (stats.Sample, *stats.Refusal) {
	b, r := a.bounds()
	if r := first(r, b.fault(a)); r != nil {
		return stats.Sample{}, r
	}
	a.nu = b.nu
	se := math.Sqrt(b.star/float64(b.n)) * (b.high - b.low) / (2 * deviations)
	return stats.QuantileEstimate(b.n, b.estimate, se), nil
}

func (a *arm) bounds() (b bounds, refused *stats.Refusal) {
	b.n, refused = a.count("n")
	b.star = float64(b.n)
	read := []string{"nu", "quantile_hat", "lower", "upper"}
	into := []*float64{&b.nu, &b.estimate, &b.low, &b.high}
	if _, given := a.have["n_star"]; given {
		read, into = append(read, "n_star"), append(into, &b.star)
	}
	for i, name := range read {
		var r *stats.Refusal
		*into[i], r = a.float(name)
		refused = first(refused, r)
	}
	return b, refused
}

// fault says why no values have such a quantile, or too few to tell.
func (b bounds) fault(a *arm) *stats.Refusal {
	switch {
	case !(b.nu > 0 && b.nu < 1):
		return bad(a.field("nu"), "a quantile is above 0 and below 1")
	case !(b.star >= 1):
		return bad(a.field("n_star"), "is one or more")
	case b.low > b.estimate:
		return bad(a.field("lower"), "is above the estimate")
	case b.high < b.estimate:
		return bad(a.field("upper"), "is below the estimate")
	case float64(b.n) <= deviations*deviations*max(b.nu/(1-b.nu), (1-b.nu)/b.nu):
		return &stats.Refusal{Code: stats.TooFewUnits, Field: a.field("n"), Message: "too few values lie beyond the quantile to tell how well it is known"}
	case b.low == b.high:
		return &stats.Refusal{Code: stats.ZeroVariance, Field: a.field("lower"), Message: "both bounds are one value, so that nothing says how well the quantile is known"}
	}
	return nil
}
