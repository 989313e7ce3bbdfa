package calculator

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/sluice-hq/sluice/stats"
	"github.com/sluice-hq/sluice/stats/peers"
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
	Compat         peers.Name        `json:"compat"`
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
	if q.Data != nil {
		return q.sequence()
	}
	if r := q.uncounted(); r != nil {
		return nil, r
	}
	epochs, r := q.epochs()
	if r != nil {
		return nil, r
	}
	if q.Compat != "" {
		return q.compatible(epochs)
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

// compatible answers as another program does, which knows one epoch and one test.
func (q srmJSON) compatible(epochs []stats.Counts) (any, *stats.Refusal) {
	switch {
	case len(epochs) != 1:
		return nil, bad("compat", "another program is asked with the counts of one epoch")
	case q.Method == "sequential":
		return nil, bad("method", string(q.Compat)+" has no sequential test of sample ratios")
	case q.K != nil:
		return nil, bad("k", string(q.Compat)+" has no prior of sample ratios")
	case q.Alpha != nil:
		return nil, bad("alpha", string(q.Compat)+" warns at an error of its own")
	}
	m := peers.SampleRatio(q.Compat, epochs[0])
	if m.Refused != nil {
		return nil, m.Refused
	}
	return srmAnswer{P: m.P, Statistic: &m.Statistic, DF: &m.DF, Leaked: m.Leaked, Alarm: m.Alarm, doubtful: worded(m.Doubt)}, nil
}

// uncounted refuses what counts do not have.
func (q srmJSON) uncounted() *stats.Refusal {
	switch {
	case q.DirichletAlpha != nil:
		return bad("dirichlet_alpha", "is of assignments one by one; counts take k")
	case q.K != nil && q.Method != "sequential":
		return bad("k", "is of the method sequential")
	case q.Observed != nil && q.Epochs != nil:
		return bad("epochs", "the counts are those of one epoch, or of several, not both")
	case q.Epochs != nil && q.Weights != nil:
		return bad("weights", "every epoch has its own")
	}
	return nil
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
		given = []epochJSON{{q.Observed, q.Weights}}
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
	if q.Epochs == nil || r.Field != "weights" && !strings.HasPrefix(r.Field, "observed") {
		return r
	}
	return bad(fmt.Sprintf("epochs[%d].%s", epoch, r.Field), r.Message)
}
