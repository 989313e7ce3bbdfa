package calculator

import (
	"math"

	"github.com/sluice-hq/sluice/stats"
)

// guardrailJSON is the question of guardrail.
type guardrailJSON struct {
	pairs
	Margin    *float64 `json:"margin"`
	Detect    *float64 `json:"detect"`
	Absolute  bool     `json:"absolute"`
	Direction string   `json:"direction"`
	Alpha     *float64 `json:"alpha"`
	Power     *float64 `json:"power"`
	Inference string   `json:"inference"`
}

type guardrailAnswer struct {
	State     stats.State `json:"state"`
	Harmed    bool        `json:"harmed"`
	Estimate  *float64    `json:"estimate"`
	Relative  bool        `json:"relative"`
	SE        *float64    `json:"se"`
	Low       *float64    `json:"ci_low"`
	High      *float64    `json:"ci_high"`
	Collected float64     `json:"information"`
	Needed    *float64    `json:"information_needed"` // null: unknown
	E         float64     `json:"e_value"`
	LogE      float64     `json:"log_e"`
	LogHarm   float64     `json:"log_e_harm"`
	LogSafe   float64     `json:"log_e_safe"`
	doubtful
}

// guardrail freezes what it needs from the data themselves: there is
// no earlier look to take it from.
func guardrail(in []byte) (any, *stats.Refusal) {
	var q guardrailJSON
	if r := decode(in, &q); r != nil {
		return nil, r
	}
	if r := uncarried("inference", q.Inference, "always-valid"); r != nil {
		return nil, r
	}
	if q.Margin == nil {
		return nil, bad("margin", "is missing")
	}
	d, r := q.data()
	switch {
	case r != nil:
		return nil, r
	case d.counts != nil:
		return q.judgeCounts(d.counts)
	}
	f, r := stats.FreezeNow(d.strata)
	if r != nil {
		return nil, r
	}
	g := stats.Guardrail{Margin: *q.Margin, Absolute: q.Absolute, Direction: stats.Direction(q.Direction),
		Alpha: given(q.Alpha), Power: given(q.Power), Detect: given(q.Detect)}
	return guardrailed(g.Judge(d.strata, f))
}

func guardrailed(j stats.Judgement) (any, *stats.Refusal) {
	if j.Refused != nil {
		return nil, j.Refused
	}
	return guardrailAnswer{State: j.State, Harmed: j.Harmed, Estimate: &j.Estimate, Relative: j.Relative, SE: &j.SE,
		Low: bounded(j.Bounds.Low), High: bounded(j.Bounds.High), Collected: j.Information, Needed: needed(j),
		E: eValue(j.LogBreach), LogE: j.LogBreach, LogHarm: j.LogHarm, LogSafe: j.LogSafe, doubtful: worded(j.Doubt)}, nil
}

// needed is the information that the margin, or the harm to detect, needs.
func needed(j stats.Judgement) *float64 {
	if j.Needed == 0 {
		return nil
	}
	return &j.Needed
}

// eValue returns the e-value of its logarithm, the largest float for one that is
// larger.
func eValue(log float64) float64 { return math.Min(math.Exp(log), math.MaxFloat64) }
