package stats

import (
	"encoding/json"
	"fmt"
	"math"
)

// eventsJSON is the question of events.
type eventsJSON struct {
	Counts  []number  `json:"counts"`
	Traffic []float64 `json:"traffic"`
	Margin  *float64  `json:"margin"`
	K       *float64  `json:"k"`
	Alpha   *float64  `json:"alpha"`
}

type eventsAnswer struct {
	State  State    `json:"state"`
	LogE   float64  `json:"log_e"`
	P      float64  `json:"p_value"`
	Low    *float64 `json:"ci_low"`
	High   *float64 `json:"ci_high"`
	LogTwo float64  `json:"log_e_two_sided"`
	doubtful
}

func calculateEvents(in []byte) (any, *Refusal) {
	var q eventsJSON
	if r := decode(in, &q); r != nil {
		return nil, r
	}
	if len(q.Traffic) == 0 {
		q.Traffic = []float64{0.5, 0.5}
	}
	if len(q.Counts) != 2 || len(q.Traffic) != 2 {
		return nil, refuse(BadInput, "counts", "failures of control and treatment, and the traffic of both")
	}
	control, r := q.Counts[0].count("counts[0]")
	if r != nil {
		return nil, r
	}
	treatment, r := q.Counts[1].count("counts[1]")
	if r != nil {
		return nil, r
	}
	e := Events{Margin: given(q.Margin), Alpha: given(q.Alpha), K: given(q.K)}
	j := e.Judge([]EventCounts{{Control: control, Treatment: treatment, Traffic: [2]float64(q.Traffic)}})
	if j.Refused != nil {
		return nil, j.Refused
	}
	return eventsAnswer{State: j.State, LogE: j.LogE, P: j.P, LogTwo: j.LogTwo,
		Low: bounded(j.LogRatio.Low), High: bounded(j.LogRatio.High), doubtful: worded(j.Doubt)}, nil
}

// srmJSON is the question of srm: counts, counts by epoch, or the assignments
// themselves.
type srmJSON struct {
	Observed       []number          `json:"observed"`
	Weights        []float64         `json:"weights"`
	Method         string            `json:"method"`
	K              *float64          `json:"k"`
	Alpha          *float64          `json:"alpha"`
	Epochs         []epochJSON       `json:"epochs"`
	Data           []json.RawMessage `json:"data"`
	DirichletAlpha json.RawMessage   `json:"dirichlet_alpha"`
}

type epochJSON struct {
	Observed []number  `json:"observed"`
	Weights  []float64 `json:"weights"`
}

type srmAnswer struct {
	Statistic *float64     `json:"statistic,omitempty"`
	DF        *int         `json:"df,omitempty"`
	LogE      any          `json:"log_e,omitempty"`
	P         float64      `json:"p_value"`
	CI        [][2]float64 `json:"ci,omitempty"`
	Leaked    int64        `json:"leaked"`
	Alarm     bool         `json:"alarm"`
	doubtful
}

func calculateSRM(in []byte) (any, *Refusal) {
	var q srmJSON
	if r := decode(in, &q); r != nil {
		return nil, r
	}
	if r := uncarried("method", q.Method, "chi-square", "sequential"); r != nil {
		return nil, r
	}
	if q.Data != nil {
		return q.sequence()
	}
	epochs, r := q.epochs()
	if r != nil {
		return nil, r
	}
	m := SampleRatio(epochs, given(q.Alpha), given(q.K))
	if m.Refused != nil {
		return nil, m.Refused
	}
	a := srmAnswer{P: m.FixedP, Statistic: &m.Statistic, DF: &m.DF, Leaked: m.Leaked, Alarm: m.Alarm, doubtful: worded(m.Doubt)}
	if q.Method == "sequential" {
		a.Statistic, a.DF, a.LogE, a.P = nil, nil, m.LogE, m.P
		if len(epochs) == 1 {
			a.CI = bounds(epochs[0].Shares(0, given(q.K)))
		}
		return a, nil
	}
	a.Method, a.Alarm = "chi-square of one look", m.Leaked > 0 || m.FixedP < or(given(q.Alpha), RatioAlpha)
	return a, nil
}

func bounds(shares []Interval) [][2]float64 {
	ends := make([][2]float64, len(shares))
	for i, s := range shares {
		ends[i] = [2]float64{s.Low, s.High}
	}
	return ends
}

func (q srmJSON) epochs() ([]Counts, *Refusal) {
	given := q.Epochs
	if q.Observed != nil {
		given = append([]epochJSON{{q.Observed, q.Weights}}, given...)
	}
	epochs := make([]Counts, len(given))
	for i, e := range given {
		epochs[i] = Counts{Epoch: i + 1, Weights: e.Weights, Observed: make([]int64, len(e.Observed))}
		for j, n := range e.Observed {
			x, r := n.count(fmt.Sprintf("observed[%d]", j))
			if r != nil {
				return nil, r
			}
			epochs[i].Observed[j] = x
		}
	}
	return epochs, nil
}

// sequence answers a list of assignments with the e-value after each.
func (q srmJSON) sequence() (any, *Refusal) {
	seq, r := q.start()
	if r != nil {
		return nil, r
	}
	path, most := make([]float64, 0, len(q.Data)), 0.0
	for i, row := range q.Data {
		if r := seq.read(row, fmt.Sprintf("data[%d]", i)); r != nil {
			return nil, r
		}
		most = math.Max(most, seq.logE)
		path = append(path, seq.logE)
	}
	alpha := or(given(q.Alpha), RatioAlpha)
	return srmAnswer{LogE: path, P: math.Exp(-most), Leaked: seq.leaked, Alarm: seq.leaked > 0 || most >= -math.Log(alpha),
		doubtful: worded(Doubt{Method: methodRatio, Assumptions: []string{assumeAssignment}})}, nil
}
