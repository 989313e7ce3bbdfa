package calculator

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"

	"github.com/sluice-hq/sluice/stats"
)

// unordered refuses what assignments one by one do not have.
func (q srmJSON) unordered() *stats.Refusal {
	switch {
	case q.Observed != nil || q.Epochs != nil:
		return bad("data", "stands alone: it is counted here, beside counts it would be counted twice")
	case q.Method == "chi-square":
		return bad("method", "assignments one by one are judged by sequential: chi-square is of one look")
	case len(q.Data) == 0:
		return &stats.Refusal{Code: stats.TooFewUnits, Field: "data", Message: "there are no assignments"}
	case q.K != nil && q.DirichletAlpha != nil:
		return bad("k", "the prior units are k, divided as the weights are, or dirichlet_alpha, not both")
	case q.Compat != "":
		return bad("compat", "no other program is asked with assignments one by one")
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
		CI: ends(seq.Shares(0)), doubtful: worded(seq.Doubt())}, nil
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
