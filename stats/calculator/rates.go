package calculator

import (
	"math"

	"github.com/sluice-hq/sluice/stats"
)

// counts are the failures, or other events, of one arm, and what they come
// from.
type counts struct {
	events   int64
	exposure float64
}

// counts reads an arm of events.
func (a *arm) counts() (c counts, refused *stats.Refusal) {
	c.events, refused = a.count("count")
	exposure, r := a.float("exposure")
	if c.exposure = exposure; r == nil && !(exposure > 0) {
		r = bad(a.field("exposure"), "is what the events come from, above 0: units, requests, hours")
	}
	return c, first(refused, r, a.whole())
}

// shares scales what events come from: the e-process sees the shares of the
// arms alone.
func shares(epochs []stats.EventCounts) []stats.EventCounts {
	scaled := make([]stats.EventCounts, len(epochs))
	for i, e := range epochs {
		all := e.Traffic[0] + e.Traffic[1]
		e.Traffic = [2]float64{e.Traffic[0] / all, e.Traffic[1] / all}
		scaled[i] = e
	}
	return scaled
}

const (
	warnEmpty   = "an arm has no events, so that their rates have no ratio: answered by events, whose bounds are of the log ratio"
	warnEvents  = "counts are compared at every look by events, whose bounds are of the log ratio of the rates"
	warnAddedUp = "strata of counts are added up by events, whose bounds are of the log ratio of the rates"
)

// compareCounts compares counts: at one look by their exact test, else, and
// where an arm has none, by events.
func (q compareJSON) compareCounts(epochs []stats.EventCounts) (any, *stats.Refusal) {
	switch field := q.tuned(); {
	case q.Compat != "":
		return nil, bad("compat", "the other programs do not compare counts of events")
	case field != "":
		return nil, bad(field, "counts of events need no size to be sharpest for")
	case q.Covariate != "" && q.Covariate != stats.Unadjusted:
		return nil, bad("covariate", "counts of events have none")
	case q.Inference == stats.AlwaysValid:
		return q.judgeCounts(epochs, warnEvents)
	case len(epochs) > 1:
		return q.judgeCounts(epochs, warnAddedUp)
	case epochs[0].Control == 0 || epochs[0].Treatment == 0:
		return q.judgeCounts(epochs, warnEmpty)
	}
	c := stats.CompareRates(epochs[0], q.options())
	if c.Refused != nil {
		return nil, c.Refused
	}
	return compared(c), nil
}

// judgeCounts answers by events, and says why.
func (q compareJSON) judgeCounts(epochs []stats.EventCounts, why string) (any, *stats.Refusal) {
	r := first(uncarried("inference", string(q.Inference), "fixed", "always-valid"), uncarried("side", string(q.Side), "two", "greater"))
	if r != nil {
		return nil, r
	}
	j := stats.Events{Alpha: given(q.Alpha)}.Judge(shares(epochs))
	if j.Refused != nil {
		return nil, j.Refused
	}
	a := judged(j)
	if q.Side == stats.Greater {
		a.Low, a.High = bounded(j.Bounds.Low), nil
	} else {
		a.LogE, a.P = j.LogTwo, math.Min(1, math.Exp(-j.LogTwo))
		if j.LogTwo < j.Threshold { // the state is that of one side, and the interval that is shown has two
			a.State = stats.Unknown
		}
	}
	a.Warnings = append(a.Warnings, why)
	return a, nil
}

// judgeCounts judges failures by a margin that is a share of control's rate.
func (q guardrailJSON) judgeCounts(epochs []stats.EventCounts) (any, *stats.Refusal) {
	switch {
	case q.Absolute:
		return nil, bad("absolute", "a margin of counts is a share of control's rate")
	case q.Direction != "" && q.Direction != string(stats.Decrease):
		return nil, bad("direction", "fewer failures are better: decrease")
	case q.Detect != nil || q.Power != nil:
		return nil, bad("detect", "counts of events need no size to be sharpest for")
	case !(*q.Margin >= 0):
		return nil, bad("margin", "a margin is a number from 0")
	}
	e := stats.Events{Margin: 1 + *q.Margin, Alpha: given(q.Alpha)}
	j := e.Judge(shares(epochs))
	if j.Refused != nil {
		return nil, j.Refused
	}
	a := guardrailAnswer{State: j.State, Harmed: j.State == stats.Harmed || j.State == stats.Breached, Relative: true,
		Low: change(j.Bounds.Low), High: change(j.Bounds.High), Collected: float64(j.Control + j.Treatment),
		E: eValue(j.LogE), LogE: j.LogE, LogHarm: j.LogHarm, doubtful: worded(j.Doubt)}
	if c := stats.CompareRates(epochs[0], stats.Options{Relative: true}); len(epochs) == 1 && c.Refused == nil {
		a.Estimate, a.SE = bounded(c.Estimate), bounded(c.SE)
	}
	safe, logE := e.Excludes(e.Margin, shares(epochs))
	if a.LogSafe = logE; safe && a.State != stats.Breached {
		a.State = stats.Safe
	}
	return a, nil
}

// change returns the relative change that a log ratio is, nil for an open side.
func change(logRatio float64) *float64 { return bounded(math.Expm1(logRatio)) }
