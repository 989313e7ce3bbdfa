package calculator

import "github.com/sluice-hq/sluice/stats"

// eventsJSON is the question of events: the failures of two arms, or those of
// treatment alone against a rate that was declared.
type eventsJSON struct {
	Counts  []number  `json:"counts"`
	Traffic []float64 `json:"traffic"`
	Margin  *float64  `json:"margin"`
	K       *float64  `json:"k"`
	Alpha   *float64  `json:"alpha"`
	Rate    *float64  `json:"rate"`
	Units   *number   `json:"units"`
}

type eventsAnswer struct {
	State    stats.State `json:"state"`
	LogE     float64     `json:"log_e"`
	P        float64     `json:"p_value"`
	Estimate *float64    `json:"estimate,omitempty"` // share of the units that failed, without control
	Low      *float64    `json:"ci_low"`
	High     *float64    `json:"ci_high"`
	LogTwo   *float64    `json:"log_e_two_sided,omitempty"` // of two arms
	doubtful
}

func events(in []byte) (any, *stats.Refusal) {
	var q eventsJSON
	if r := decode(in, &q); r != nil {
		return nil, r
	}
	if q.Rate != nil {
		return q.withoutControl()
	}
	if q.Units != nil {
		return nil, bad("units", "are those of treatment alone, held against a rate")
	}
	if len(q.Traffic) == 0 {
		q.Traffic = []float64{0.5, 0.5}
	}
	switch {
	case len(q.Counts) != 2:
		return nil, bad("counts", "are the failing units of control and of treatment")
	case len(q.Traffic) != 2:
		return nil, bad("traffic", "is that of control and of treatment")
	}
	control, r := q.Counts[0].count("counts[0]")
	if r != nil {
		return nil, r
	}
	treatment, r := q.Counts[1].count("counts[1]")
	if r != nil {
		return nil, r
	}
	e := stats.Events{Margin: given(q.Margin), Alpha: given(q.Alpha), K: given(q.K)}
	j := e.Judge([]stats.EventCounts{{Control: control, Treatment: treatment, Traffic: [2]float64(q.Traffic)}})
	if j.Refused != nil {
		return nil, j.Refused
	}
	return judged(j), nil
}

func judged(j stats.EventJudgement) eventsAnswer {
	return eventsAnswer{State: j.State, LogE: j.LogE, P: j.P, LogTwo: &j.LogTwo,
		Low: bounded(j.LogRatio.Low), High: bounded(j.LogRatio.High), doubtful: worded(j.Doubt)}
}
