package calculator

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/sluice-hq/sluice/stats"
)

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

func sampleRatio(in []byte) (any, *stats.Refusal) {
	var q srmJSON
	if r := decode(in, &q); r != nil {
		return nil, r
	}
	if r := uncarried("method", q.Method, "chi-square", "sequential"); r != nil {
		return nil, r
	}
	switch {
	case q.Data != nil:
		return q.sequence()
	case q.DirichletAlpha != nil:
		return nil, bad("dirichlet_alpha", "is of assignments one by one; counts take k")
	}
	epochs, r := q.epochs()
	if r != nil {
		return nil, r
	}
	m := stats.SampleRatio(epochs, given(q.Alpha), given(q.K))
	if m.Refused != nil {
		return nil, q.placed(epochs, m.Refused)
	}
	a := srmAnswer{P: m.FixedP, Statistic: &m.Statistic, DF: &m.DF, Leaked: m.Leaked, Alarm: m.Alarm, doubtful: worded(m.Doubt)}
	if q.Method == "sequential" {
		a.Statistic, a.DF, a.LogE, a.P = nil, nil, m.LogE, m.P
		if len(epochs) == 1 {
			a.CI = ends(epochs[0].Shares(0, given(q.K)))
		}
		return a, nil
	}
	a.Method, a.Alarm = "chi-square of one look", m.Leaked > 0 || m.FixedP < or(given(q.Alpha), stats.RatioAlpha)
	return a, nil
}

func ends(shares []stats.Interval) [][2]float64 {
	pairs := make([][2]float64, len(shares))
	for i, s := range shares {
		pairs[i] = [2]float64{s.Low, s.High}
	}
	return pairs
}

func (q srmJSON) epochs() ([]stats.Counts, *stats.Refusal) {
	given := q.Epochs
	if q.Observed != nil {
		given = append([]epochJSON{{q.Observed, q.Weights}}, given...)
	}
	epochs := make([]stats.Counts, len(given))
	for i, e := range given {
		epochs[i] = stats.Counts{Epoch: i + 1, Weights: e.Weights, Observed: make([]int64, len(e.Observed))}
		for j, n := range e.Observed {
			x, r := n.count(fmt.Sprintf("observed[%d]", j))
			if r != nil {
				return nil, q.in(i, r)
			}
			epochs[i].Observed[j] = x
		}
	}
	return epochs, nil
}

// placed says in which epoch the counts are that were refused.
func (q srmJSON) placed(epochs []stats.Counts, r *stats.Refusal) *stats.Refusal {
	for i, c := range epochs {
		if alone := stats.SampleRatio([]stats.Counts{c}, given(q.Alpha), given(q.K)); alone.Refused != nil && *alone.Refused == *r {
			return q.in(i, r)
		}
	}
	return r
}

// in names the epoch of a fault, where it is one of a list.
func (q srmJSON) in(epoch int, r *stats.Refusal) *stats.Refusal {
	if q.Observed != nil {
		epoch--
	}
	if epoch < 0 || r.Field != "weights" && !strings.HasPrefix(r.Field, "observed") {
		return r
	}
	return bad(fmt.Sprintf("epochs[%d].%s", epoch, r.Field), r.Message)
}

// unordered refuses what assignments one by one do not have.
func (q srmJSON) unordered() *stats.Refusal {
	switch {
	case q.Observed != nil || q.Epochs != nil:
		return bad("data", "stands alone: it is counted here, beside counts it would be counted twice")
	case q.Method == "chi-square":
		return bad("method", "assignments one by one are judged by sequential: chi-square is of one look")
	}
	return nil
}

// sequence answers a list of assignments with the e-value after each.
func (q srmJSON) sequence() (any, *stats.Refusal) {
	if r := q.unordered(); r != nil {
		return nil, r
	}
	prior, r := q.prior()
	if r != nil {
		return nil, r
	}
	seq, r := stats.NewAssignments(q.Weights, given(q.K), prior)
	if r != nil {
		return nil, r
	}
	alpha := or(given(q.Alpha), stats.RatioAlpha)
	if !(alpha > 0 && alpha < 1) {
		return nil, bad("alpha", "an error is above 0 and below 1")
	}
	path, most := make([]float64, 0, len(q.Data)), 0.0
	for i, row := range q.Data {
		if r := assign(seq, row, len(q.Weights), fmt.Sprintf("data[%d]", i)); r != nil {
			return nil, r
		}
		most = math.Max(most, seq.LogE)
		path = append(path, seq.LogE)
	}
	return srmAnswer{LogE: path, P: math.Exp(-most), Leaked: seq.Leaked, Alarm: seq.Leaked > 0 || most >= -math.Log(alpha),
		doubtful: worded(seq.Doubt())}, nil
}

// prior reads the prior units: one number for all arms, or one for each.
func (q srmJSON) prior() ([]float64, *stats.Refusal) {
	if q.DirichletAlpha == nil || string(q.DirichletAlpha) == "null" {
		return nil, nil
	}
	var each []float64
	if json.Unmarshal(q.DirichletAlpha, &each) == nil {
		return each, nil
	}
	var all float64
	if json.Unmarshal(q.DirichletAlpha, &all) != nil {
		return nil, bad("dirichlet_alpha", "is one number, or one for each arm")
	}
	return slices.Repeat([]float64{all}, len(q.Weights)), nil
}

// assign takes one row: the index of an arm, or the units of every arm.
func assign(seq *stats.Assignments, row json.RawMessage, arms int, field string) *stats.Refusal {
	var arm int
	if json.Unmarshal(row, &arm) == nil {
		if !seq.Add(arm, 1) {
			return bad(field, "there is no arm of that index")
		}
		return nil
	}
	var units []int64
	if json.Unmarshal(row, &units) != nil || len(units) != arms {
		return bad(field, "is the index of an arm, or the units of each arm")
	}
	for arm, n := range units {
		if !seq.Add(arm, n) {
			return bad(field, "units are counted from 0, and to 1e12")
		}
	}
	return nil
}
