package calculator

import (
	"encoding/json"

	"github.com/sluice-hq/sluice/stats"
)

// compareJSON is the question of compare.
type compareJSON struct {
	pairs
	Relative  bool            `json:"relative"`
	Alpha     *float64        `json:"alpha"`
	Side      stats.Side      `json:"side"`
	Inference string          `json:"inference"`
	NStar     *float64        `json:"n_star"`
	Margin    *float64        `json:"margin"`
	Power     *float64        `json:"power"`
	Prior     json.RawMessage `json:"prior"`
	Covariate string          `json:"covariate"`
	Compat    string          `json:"compat"`
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
	doubtful
}

func compare(in []byte) (any, *stats.Refusal) {
	var q compareJSON
	if r := decode(in, &q); r != nil {
		return nil, r
	}
	if r := q.uncarried(); r != nil {
		return nil, r
	}
	strata, r := q.samples()
	if r != nil {
		return nil, r
	}
	c := stats.Compare(strata, stats.Options{Alpha: given(q.Alpha), Side: q.Side, Relative: q.Relative,
		Margin: given(q.Margin), Power: given(q.Power), Units: given(q.NStar)})
	if c.Refused != nil {
		return nil, c.Refused
	}
	if q.Inference == "always-valid" {
		return alwaysAnswer(c), nil
	}
	return fixedAnswer(c), nil
}

func (q compareJSON) uncarried() *stats.Refusal {
	prior := string(q.Prior)
	return first(uncarried("inference", q.Inference, "fixed", "always-valid"),
		uncarried("covariate", q.Covariate, "none"), uncarried("compat", q.Compat), uncarried("prior", prior, "null"))
}

func fixedAnswer(c stats.Comparison) compareAnswer {
	a := answered(c, c.Fixed)
	a.P = c.P
	if c.DF > 0 {
		a.DF = &c.DF
	}
	return a
}

func alwaysAnswer(c stats.Comparison) compareAnswer {
	a := answered(c, c.Band)
	a.P, a.LogE = c.BandP, &c.LogE
	a.Method = "mixture confidence sequence in information time; " + c.Method
	return a
}

func answered(c stats.Comparison, i stats.Interval) compareAnswer {
	return compareAnswer{Estimate: c.Estimate, SE: c.SE, Low: bounded(i.Low), High: bounded(i.High), Statistic: c.Statistic,
		ControlMean: c.Control.Mean, TreatmentMean: c.Treatment.Mean, doubtful: worded(c.Doubt)}
}
