package calculator

import (
	"fmt"
	"math"

	"github.com/sluice-hq/sluice/stats"
)

// adjustJSON is the question of adjust: p-values, or e-values.
type adjustJSON struct {
	P      []number `json:"p"`
	E      []number `json:"e"`
	Method string   `json:"method"`
	Alpha  *float64 `json:"alpha"`
}

type adjustAnswer struct {
	P        []float64 `json:"p_adjusted"`
	Rejected []bool    `json:"rejected"`
	Level    float64   `json:"level"` // error of each interval that agrees with this adjustment
	doubtful
}

// adjust takes p-values unless e-values are given: the method of p-values is
// Holm's then, which needs no assumption, and e-BH that of e-values.
func adjust(in []byte) (any, *stats.Refusal) {
	var q adjustJSON
	if r := decode(in, &q); r != nil {
		return nil, r
	}
	a, r := q.adjusted()
	if r := first(r, a.Refused); r != nil {
		return nil, r
	}
	return adjustAnswer{P: a.P, Rejected: a.Rejected, Level: a.Level, doubtful: worded(a.Doubt)}, nil
}

func (q adjustJSON) adjusted() (stats.Adjusted, *stats.Refusal) {
	values, field := q.P, "p"
	switch {
	case q.P != nil && q.E != nil:
		return stats.Adjusted{}, bad("e", "the tests are p-values or e-values, not both")
	case q.E != nil:
		values, field = q.E, "e"
		if q.Method != "" && q.Method != string(stats.EBH) {
			return stats.Adjusted{}, bad("method", "e-values are adjusted by ebh")
		}
	case q.Method == string(stats.EBH):
		return stats.Adjusted{}, bad("e", "ebh adjusts e-values")
	}
	if len(values) == 0 {
		return stats.Adjusted{}, bad(field, "there are no tests")
	}
	x := make([]float64, len(values))
	for i, v := range values {
		var r *stats.Refusal
		if x[i], r = v.float(fmt.Sprintf("%s[%d]", field, i)); r != nil {
			return stats.Adjusted{}, r
		}
	}
	if q.E != nil {
		return byE(x, given(q.Alpha))
	}
	if q.Method == "" {
		q.Method = string(stats.Holm)
	}
	return stats.Adjust(x, stats.Adjustment(q.Method), given(q.Alpha)), nil
}

func byE(e []float64, alpha float64) (stats.Adjusted, *stats.Refusal) {
	logs := make([]float64, len(e))
	for i, v := range e {
		if v < 0 {
			return stats.Adjusted{}, bad(fmt.Sprintf("e[%d]", i), "an e-value is 0 or more")
		}
		logs[i] = math.Log(v)
	}
	return stats.AdjustE(logs, alpha), nil
}
