package dashboards

import (
	"math"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/stats"
)

// confidence is the level of every interval that pages show.
const confidence = 0.95

// measure makes the readout of a rollout: every metric of the plan in its
// order, whether or not anything was measured.
func measure(s Seen) Readout {
	out := Readout{Level: confidence}
	for _, of := range plays(s.Rollout.Plan.Metrics) {
		out.Rows = append(out.Rows, of.row(s))
	}
	return out
}

// part is a metric and what the plan asks it for.
type part struct {
	role   Role
	metric string
}

// plays lists the metrics of a plan in its order, each once.
func plays(m decisions.Metrics) []part {
	var all []part
	for _, v := range m.Success {
		all = append(all, part{Success, v.Metric})
	}
	for _, key := range guardrails(m) {
		all = append(all, part{Guardrail, key})
	}
	for _, v := range m.Diagnostics {
		all = append(all, part{Diagnostic, v.Metric})
	}
	return all
}

// row says what the evidence says of a metric.
func (p part) row(s Seen) Row {
	var e decisions.Evidence
	if s.Evidence != nil {
		e = *s.Evidence
	}
	w := newRow(s.Rollout, p.role, p.metric, e)
	switch p.role {
	case Success:
		return w.success()
	case Guardrail:
		return w.guardrail(s.Rollout.Plan.Metrics)
	}
	return w.diagnostic()
}

// guardrails returns the keys of the guarded metrics, each once: a metric may
// have a margin and a limit.
func guardrails(m decisions.Metrics) []string {
	var keys []string
	seen := map[string]bool{}
	for _, g := range m.Guardrails {
		if !seen[g.Metric] {
			keys, seen[g.Metric] = append(keys, g.Metric), true
		}
	}
	return keys
}

// row is a Row while it is made, with what it is made of.
type row struct {
	Row
	data  decisions.Measured
	scale float64 // what a relative lift of 1 is in the metric's unit; 0: unknown
}

func newRow(r decisions.Rollout, role Role, key string, e decisions.Evidence) row {
	def := r.Metrics[key]
	data, _ := e.Metric(key)
	w := row{data: data, scale: math.Abs(r.Frozen[key].ControlMean), Row: Row{
		Metric: key, Role: role, Share: def.Aggregate.Proportion(), Measure: def.UnitOfMeasure,
		Lower: def.Direction == stats.Decrease, Verdict: NoData,
	}}
	if data.Cap != nil {
		_, kept := r.Caps[key]
		w.Cap = &Cap{At: data.Cap.Value.At, Kept: kept}
	}
	w.Control, w.Treatment = levels(data.Strata)
	if w.scale == 0 {
		w.scale = math.Abs(w.Control.Value)
	}
	if w.Control.Units > 0 && w.Treatment.Units > 0 {
		w.Verdict = Inconclusive
	}
	return w
}

// levels returns the means of both arms, each stratum weighted by its overlap,
// as the lift weighs them: pooled means of unequal mixtures could show the
// opposite of the lift.
func levels(strata []stats.Stratum) (control, treatment Level) {
	var weight float64
	for _, s := range strata {
		c, t := float64(s.Control.N), float64(s.Treatment.N)
		control.Units, treatment.Units = control.Units+s.Control.N, treatment.Units+s.Treatment.N
		if c == 0 || t == 0 {
			continue
		}
		w := c * t / (c + t)
		weight += w
		control.Value += w * s.Control.Center()
		treatment.Value += w * s.Treatment.Center()
	}
	if weight == 0 {
		return Level{}, Level{}
	}
	control.Value, treatment.Value = control.Value/weight, treatment.Value/weight
	return control, treatment
}

// success fills in what a success metric says.
func (w row) success() Row {
	if o := w.data.Outcome; o != nil && w.read(o.Reading) {
		switch o.Verdict {
		case stats.Superior:
			w.Verdict = Better
		case stats.Inferior:
			w.Verdict = Worse
		case stats.Inconclusive:
			w.Note = collected(o.Reading)
		}
	}
	return w.Row
}

// guardrail fills in what a guardrail says, margin before limit.
func (w row) guardrail(m decisions.Metrics) Row {
	for _, g := range m.Guardrails {
		if g.Metric == w.Metric && g.Margin != nil {
			size := g.Margin.Fraction()
			w.Margin = &size
		}
	}
	if j := w.data.Judgement; j != nil && w.read(j.Reading) {
		w.Verdict, w.Note = guarded(j.State), w.claim(*j)
	}
	if j := w.data.Failures; j != nil && j.Refused == nil {
		w.Counted, w.Verdict, w.Note = true, guarded(j.State), failed(*j)
	}
	if j := w.data.FailureRate; j != nil && j.Refused == nil && j.State == stats.Breached {
		w.Verdict, w.Note = Worse, "more units fail than was declared"
	}
	if j := w.data.Limit; j != nil && j.Refused == nil && j.State == stats.Breached {
		w.Verdict, w.Note = Worse, "the level is beyond its limit"
	}
	return w.Row
}

func guarded(s stats.State) Mark {
	switch s {
	case stats.Breached, stats.Harmed:
		return Worse
	case stats.Safe:
		return Within
	}
	return Inconclusive
}

// claim says what the test of a guardrail has established, with the bound that
// it rests on.
func (w row) claim(j stats.Judgement) string {
	worst, least := w.harm(j.Bounds)
	switch j.State {
	case stats.Breached:
		return "breached: at least " + w.size(least, j.Relative) + " worse"
	case stats.Harmed:
		return "harmed: at least " + w.size(least, j.Relative) + " worse, the margin is not excluded"
	case stats.Safe:
		if j.Harmed {
			return "worse, yet by at most " + w.size(worst, j.Relative)
		}
		return "at most " + w.size(worst, j.Relative) + " worse"
	}
	return collected(j.Reading)
}

// failed says how failures divide between the arms: what is rare has no lift
// that could be shown.
func failed(j stats.EventJudgement) string {
	switch text := decisions.FailureText(j); j.State {
	case stats.Breached:
		return "breached: " + text
	case stats.Harmed:
		return "harmed: " + text + ", the margin is not excluded"
	default:
		return text
	}
}

// harm turns the bounds of an effect into the largest and the smallest harm.
func (w row) harm(i stats.Interval) (worst, least float64) {
	if w.Lower {
		return i.High, i.Low
	}
	return -i.Low, -i.High
}

func (w row) size(v float64, relative bool) string {
	v = max(v, 0)
	if relative {
		return percent(v)
	}
	return w.value(v)
}

// collected says how far a test is.
func collected(r stats.Reading) string {
	switch share := r.Information / r.Needed; {
	case r.Needed <= 0:
		return ""
	case share >= 1:
		return "the planned information is reached"
	default:
		return short(math.Floor(share*100)/100) + " of the planned information"
	}
}

// read takes over the estimate of a gate's test. It reports false, and says
// why, when there is none.
func (w *row) read(r stats.Reading) bool {
	if r.Refused != nil {
		w.Note = r.Refused.Message
		return false
	}
	if !r.Relative {
		w.Lift = &Lift{Relative: math.NaN(), Absolute: r.Estimate, Always: unknown(), Fixed: unknown(), Bounds: unknown()}
		return true
	}
	w.Lift = &Lift{Relative: r.Estimate, Absolute: r.Estimate * w.scale,
		Always: ends(r.Band), Fixed: ends(r.Fixed), Bounds: ends(r.Bounds)}
	return true
}

// diagnostic compares a metric that no gate asks for.
func (w row) diagnostic() Row {
	if len(w.data.Strata) == 0 {
		return w.Row
	}
	c := stats.Compare(w.data.Strata, stats.Options{Relative: true})
	if c.Refused != nil {
		w.Note = c.Refused.Message
		return w.Row
	}
	w.Lift = &Lift{Relative: c.Estimate, Absolute: c.Treatment.Mean - c.Control.Mean, Always: ends(c.Band), Fixed: ends(c.Fixed)}
	if !c.Band.Contains(0) {
		w.Verdict = Better
		if (c.Estimate > 0) == w.Lower {
			w.Verdict = Worse
		}
	}
	return w.Row
}

func ends(i stats.Interval) Interval { return Interval{Lo: i.Low, Hi: i.High} }

func unknown() Interval { return Interval{Lo: math.NaN(), Hi: math.NaN()} }
