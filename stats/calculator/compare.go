package calculator

import (
	"github.com/sluice-hq/sluice/stats"
	"github.com/sluice-hq/sluice/stats/peers"
)

// compareJSON is the question of compare.
type compareJSON struct {
	pairs
	sequenceJSON
	Relative  bool            `json:"relative"`
	Alpha     *float64        `json:"alpha"`
	Side      stats.Side      `json:"side"`
	Inference stats.Inference `json:"inference"`
	NStar     *float64        `json:"n_star"`
	Margin    *float64        `json:"margin"`
	Power     *float64        `json:"power"`
	Prior     *stats.Prior    `json:"prior"`
	Covariate stats.Covariate `json:"covariate"`
	Compat    peers.Name      `json:"compat"`
}

type compareAnswer struct {
	Estimate      float64  `json:"estimate"`
	SE            float64  `json:"se"`
	Low           *float64 `json:"ci_low"`
	High          *float64 `json:"ci_high"`
	P             float64  `json:"p_value"`
	Statistic     float64  `json:"statistic"`
	DF            *float64 `json:"df,omitempty"`
	LogE          *float64 `json:"log_e,omitempty"`
	ControlMean   float64  `json:"control_mean"`
	TreatmentMean float64  `json:"treatment_mean"`
	*adjusted
	*posterior
	*looked
	doubtful
}

// adjusted is what an answer has beside the others that uses what was known
// before.
type adjusted struct {
	Theta     float64 `json:"theta"`
	Control   float64 `json:"control_adjusted"`
	Treatment float64 `json:"treatment_adjusted"`
	Reduction float64 `json:"variance_reduction"`
}

// posterior is what a Bayesian answer has beside the others.
type posterior struct {
	Expected      float64 `json:"expected"`
	SD            float64 `json:"sd"`
	ChanceToWin   float64 `json:"chance_to_win"`
	RiskControl   float64 `json:"risk_control"`
	RiskTreatment float64 `json:"risk_treatment"`
}

func compare(in []byte) (any, *stats.Refusal) {
	var q compareJSON
	if r := decode(in, &q); r != nil {
		return nil, r
	}
	d, r := q.data()
	switch r := first(r, q.fault()); {
	case r != nil:
		return nil, r
	case d.counts != nil:
		return q.compareCounts(d.counts)
	}
	if r := q.untuned(); r != nil {
		return nil, r
	}
	o := q.options()
	if o.Sequence, r = q.sequence(q.Inference); r != nil {
		return nil, r
	}
	c := q.compare(d.strata, o)
	if c.Refused != nil {
		return nil, c.Refused
	}
	a := compared(c)
	if c.Inference == stats.LinearModel {
		a.LogE = &c.LogE
	}
	if c.Inference == stats.AlwaysValid && q.Compat == "" {
		a.LogE = &c.LogE
		a.Method = "mixture confidence sequence in information time; " + c.Method
	}
	return a, nil
}

// compare compares by the formulae of the house, or by those of another program.
func (q compareJSON) compare(strata []stats.Stratum, o stats.Options) stats.Comparison {
	if q.Compat != "" {
		return peers.Compare(q.Compat, strata, o)
	}
	return stats.Compare(strata, o)
}

func (q compareJSON) options() stats.Options {
	return stats.Options{Alpha: given(q.Alpha), Side: q.Side, Relative: q.Relative, Inference: q.Inference, Prior: q.Prior,
		Margin: given(q.Margin), Power: given(q.Power), Units: given(q.NStar), Covariate: q.Covariate}
}

// fault refuses settings that would be ignored.
func (q compareJSON) fault() *stats.Refusal {
	switch {
	case q.Prior != nil && q.Inference != stats.Bayes:
		return bad("prior", "is of the inference bayes")
	case q.NStar != nil && q.Margin != nil:
		return bad("n_star", "the band is sharpest at n_star units or for the margin, not both")
	}
	return nil
}

// untuned refuses sizes to be sharpest for where nothing is tuned: a band that
// holds at every look is, an answer of one look is not.
func (q compareJSON) untuned() *stats.Refusal {
	every := q.Inference == stats.AlwaysValid || q.Inference == stats.LinearModel
	if field := q.tuned(); field != "" && !every {
		return bad(field, "tunes what holds at every look: the inferences always-valid and linear-model")
	}
	if q.Power != nil && q.Margin == nil {
		return bad("power", "is that of finding the margin, which is missing")
	}
	return nil
}

// tuned names a setting that tunes a band, "" where there is none.
func (q compareJSON) tuned() string {
	switch {
	case q.NStar != nil:
		return "n_star"
	case q.Margin != nil:
		return "margin"
	case q.Power != nil:
		return "power"
	}
	return ""
}

// compared writes the answer that was asked for.
func compared(c stats.Comparison) compareAnswer {
	i, p := c.Answer()
	a := compareAnswer{Estimate: c.Estimate, SE: c.SE, Low: bounded(i.Low), High: bounded(i.High), P: p, Statistic: c.Statistic,
		ControlMean: c.Control.Mean, TreatmentMean: c.Treatment.Mean, doubtful: worded(c.Doubt)}
	if c.DF > 0 {
		a.DF = &c.DF
	}
	if u := c.CUPED; u != nil {
		a.adjusted = &adjusted{u.Theta, u.Control, u.Treatment, u.Reduction}
	}
	if l := c.Looked; l != nil {
		a.looked = &looked{l.Critical, l.Spent, l.Crossed}
	}
	if b := c.Posterior; b != nil {
		a.posterior = &posterior{b.Expected, b.SD, b.ChanceToWin, b.RiskControl, b.RiskTreatment}
	}
	return a
}
