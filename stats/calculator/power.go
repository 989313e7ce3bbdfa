package calculator

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"

	"github.com/sluice-hq/sluice/stats"
)

// powerJSON is the question of power: two of effect, n and power, of which the
// third is the answer.
type powerJSON struct {
	Metric    metricJSON      `json:"metric"`
	Effect    float64         `json:"effect"`
	Absolute  bool            `json:"absolute"`
	Margin    *float64        `json:"margin"`
	Direction string          `json:"direction"`
	Alpha     *float64        `json:"alpha"`
	Side      stats.Side      `json:"side"`
	Arms      *int            `json:"arms"`
	Weights   []float64       `json:"weights"`
	N         json.RawMessage `json:"n"`
	Power     *float64        `json:"power"`
	Inference stats.Inference `json:"inference"`
	Looks     *int            `json:"looks"`
	PerDay    *float64        `json:"per_day"` // new units of all arms
}

// metricJSON is what a metric is like in control.
type metricJSON struct {
	Kind      stats.Kind     `json:"kind"`
	Mean      *float64       `json:"mean"`
	Rate      *float64       `json:"rate"`
	SD        *float64       `json:"sd"`
	Nu        float64        `json:"nu"`
	Density   float64        `json:"density"`
	Cluster   *stats.Cluster `json:"cluster"`
	Explained float64        `json:"explained"`
}

type powerAnswer struct {
	Power     float64  `json:"power"`
	N         []int64  `json:"n"`
	Total     int64    `json:"total"`
	Clusters  []int64  `json:"clusters,omitempty"`
	MDE       float64  `json:"mde"`
	Inflation float64  `json:"inflation"`
	Days      *float64 `json:"days,omitempty"`
	doubtful
}

func power(in []byte) (any, *stats.Refusal) {
	var q powerJSON
	if r := decode(in, &q); r != nil {
		return nil, r
	}
	solve := q.solve
	if q.Metric.Kind == kindEvents {
		solve = q.watch
	}
	p, r := solve()
	if r := first(r, p.Refused); r != nil {
		return nil, r
	}
	days, r := q.days(p.Total)
	if r != nil {
		return nil, r
	}
	return powerAnswer{Power: p.Power, N: p.Units, Total: p.Total, Clusters: p.Clusters, MDE: p.MDE, Inflation: p.Inflation, Days: days, doubtful: worded(p.Doubt)}, nil
}

// days returns how long so many units take to come, nil when nobody said how
// many come on a day.
func (q powerJSON) days(units int64) (*float64, *stats.Refusal) {
	if q.PerDay == nil {
		return nil, nil
	}
	if !(*q.PerDay > 0) {
		return nil, bad("per_day", "new units of a day are a number above 0")
	}
	days := stats.Daily(*q.PerDay).Days(float64(units))
	if math.IsInf(days, 1) {
		return nil, bad("per_day", "with so few units a day it takes a hundred years")
	}
	return &days, nil
}

func (q powerJSON) solve() (stats.Planned, *stats.Refusal) {
	d, r := q.design()
	if r != nil {
		return stats.Planned{}, r
	}
	return d.Solve(), nil
}

func (q powerJSON) design() (stats.Design, *stats.Refusal) {
	metric, r := q.Metric.expected()
	if q.Direction != "" && q.Margin == nil {
		r = first(r, bad("direction", "is that of a margin; an effect has a sign"))
	}
	d := stats.Design{Metric: metric, Effect: q.Effect, Absolute: q.Absolute, Margin: given(q.Margin), Direction: stats.Direction(q.Direction),
		Alpha: given(q.Alpha), Side: q.Side, Power: given(q.Power), Inference: q.Inference}
	if q.Looks != nil {
		if d.Looks = *q.Looks; d.Looks < 1 {
			r = first(r, bad("looks", "looks are counted from 1"))
		}
	}
	return d, first(r, q.arms(&d))
}

// planned are the kinds of metric that are no events.
var planned = []stats.Kind{stats.KindProportion, stats.KindMean, stats.KindRatio, stats.KindCluster, stats.KindQuantile}

// expected takes a share as rate, and any other level as mean.
func (m metricJSON) expected() (stats.Expected, *stats.Refusal) {
	level := m.Mean
	switch {
	case !slices.Contains(planned, m.Kind):
		return stats.Expected{}, bad("metric.kind", "a metric is a proportion, mean, ratio, cluster, quantile or events")
	case m.Mean != nil && m.Rate != nil:
		return stats.Expected{}, bad("metric.rate", "a level is a rate or a mean, not both")
	case m.Rate != nil:
		level = m.Rate
	case m.Mean == nil && m.Kind == stats.KindProportion:
		return stats.Expected{}, bad("metric.rate", "is missing")
	case m.Mean == nil:
		return stats.Expected{}, bad("metric.mean", "is missing")
	}
	return stats.Expected{Kind: m.Kind, Level: *level, SD: given(m.SD), Nu: m.Nu, Density: m.Density, Cluster: m.Cluster, Explained: m.Explained}, nil
}

// mostArms is how many arms are planned at most.
const mostArms = 1000

// arms reads how many arms there are, how units divide among them, and how many
// control has: n of control, or of every arm.
func (q powerJSON) arms(d *stats.Design) *stats.Refusal {
	d.Weights = q.Weights
	if q.Arms != nil {
		if r := q.counted(d); r != nil {
			return r
		}
	}
	if q.N == nil || string(q.N) == "null" {
		return nil
	}
	var each []float64
	if json.Unmarshal(q.N, &each) == nil {
		return q.divided(d, each)
	}
	if json.Unmarshal(q.N, &d.Units) != nil || !(d.Units > 0) {
		return bad("n", "is the units of control, or a list of those of every arm")
	}
	return nil
}

func (q powerJSON) counted(d *stats.Design) *stats.Refusal {
	switch {
	case *q.Arms < 2 || *q.Arms > mostArms:
		return bad("arms", fmt.Sprintf("there are two arms or more, and at most %d", mostArms))
	case q.Weights == nil:
		d.Weights = slices.Repeat([]float64{1}, *q.Arms)
	case len(q.Weights) != *q.Arms:
		return bad("weights", "there is one weight for each arm")
	}
	return nil
}

// divided takes the units of every arm for the weights.
func (q powerJSON) divided(d *stats.Design, each []float64) *stats.Refusal {
	switch {
	case q.Weights != nil:
		return bad("weights", "the units of every arm are their weights already")
	case len(each) < 2 || q.Arms != nil && len(each) != *q.Arms:
		return bad("n", "a list has the units of every arm")
	}
	d.Units, d.Weights = each[0], make([]float64, len(each))
	for i, n := range each {
		if !(n > 0) {
			return bad(fmt.Sprintf("n[%d]", i), "an arm has one unit or more")
		}
		d.Weights[i] = n / each[0]
	}
	return nil
}
