package decisions

import (
	"maps"
	"time"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/stats"
)

// alphaHarm is the error that all guardrails of a rollout share, alphaSuccess
// the one that its success metrics share.
const (
	alphaHarm    = 0.05
	alphaSuccess = 0.05
)

// Baselines returns what the tests freeze at this look: the variance and the
// control mean of every metric that has enough units now and is not frozen yet.
func Baselines(r Rollout, e Evidence) map[string]stats.Frozen {
	e = r.relevant(e)
	out := map[string]stats.Frozen{}
	for _, m := range e.Metrics {
		if _, ok := r.Frozen[m.Metric]; ok {
			continue
		}
		if f, ok := stats.Freeze(m.Strata); ok {
			out[m.Metric] = f
		}
	}
	maps.Copy(out, servedBaselines(r, e))
	maps.Copy(out, partBaselines(r, e, Values(r, e)))
	return out
}

// Read returns the evidence with the statistics that the plan asks for. What
// it computes is recorded with the rest, and Evaluate only compares it.
func Read(r Rollout, e Evidence) Evidence {
	e = r.relevant(e)
	metrics := make([]Measured, 0, len(e.Metrics))
	for _, m := range e.Metrics {
		def := r.Metrics[m.Metric]
		m.Direction, m.Unit, m.Quiet = or(def.Direction, stats.Increase), def.UnitOfMeasure, event.Duration(def.Age(true))
		if def.Aggregate == stats.Failures {
			m.Sign = def.SignOfLife
		}
		m = r.read(m)
		r.expect(m.Exclusion, e.At)
		r.expect(m.AtMargin, e.At)
		metrics = append(metrics, m)
	}
	e.Metrics = metrics
	e.SampleRatio = r.SampleRatio(e.Units)
	e.Quarantine = r.quarantine(e)
	return e
}

// read judges one metric by the role it has in the plan.
func (r Rollout) read(m Measured) Measured {
	f := r.Frozen[m.Metric]
	for _, s := range r.Plan.Metrics.Success {
		if s.Metric == m.Metric {
			o := stats.Success{Direction: m.Direction, MDE: s.MDE.Fraction(),
				Alpha: alphaSuccess / float64(len(r.Plan.Metrics.Success))}.Judge(m.Strata, f)
			m.Outcome = &o
		}
	}
	for _, g := range r.Plan.Metrics.Guardrails {
		if g.Metric == m.Metric {
			m = r.guard(m, g, f)
		}
	}
	c := stats.Compare(m.Strata, stats.Options{Relative: true})
	m.Comparison = &c
	return m
}

// guard judges a guardrail against its limit, or against its margin and the
// sizes that the present stage wants excluded.
func (r Rollout) guard(m Measured, g Guardrail, f stats.Frozen) Measured {
	tests := r.stops()
	if g.Margin == nil {
		return r.limited(m, g, f)
	}
	if g.Within != "" {
		m.Parts = r.parts(m, g)
	}
	if r.Metrics[m.Metric].Aggregate == stats.Failures {
		return r.guardFailures(m, g)
	}
	test := stats.Guardrail{Margin: g.Margin.Fraction(), Detect: g.Detect.Relative(), Direction: m.Direction, Alpha: alphaHarm, Tests: tests}
	j := test.Judge(m.Strata, f)
	m.Judgement = &j
	stage, _ := r.Now()
	if size, ok := stage.Exclude[m.Metric]; ok {
		m.Exclusion = r.exclude(test, size.Relative(), exclusionKey(stage.Name, m.Metric), m.Strata, f)
	}
	if stage.Kind() == Decide && *g.Margin > 0 {
		m.AtMargin = r.exclude(test, g.Margin.Fraction(), marginKey(m.Metric), m.Strata, f)
	}
	return m
}

// exclude asks one exclusion test, with the looks that it has taken so far.
func (r Rollout) exclude(g stats.Guardrail, size float64, key string, strata []stats.Stratum, f stats.Frozen) *stats.Exclusion {
	e := g.Exclude(size, r.Plan.tests()).Look(strata, f, r.Looks[key])
	return &e
}

// expect fills in when a test that has not ended will have its information, if
// it goes on coming as it has since the start.
func (r Rollout) expect(e *stats.Exclusion, at time.Time) {
	if e == nil || e.Refused != nil || e.Ended {
		return
	}
	pace := stats.Pace{Information: e.Information, Over: at.Sub(r.Started)}
	if left, known := pace.Left(e.Reading); known {
		there := at.Add(left).Truncate(time.Minute)
		e.Expected = &there
	}
}

// exclusionKey and marginKey name the tests whose looks a rollout remembers.
// No stage can be called as marginKey begins: a stage's name has no slash.
func exclusionKey(stage, metric string) string { return "exclude/" + stage + "/" + metric }
func marginKey(metric string) string           { return "margin/" + metric }

// tests counts the exclusion tests of the plan: a harmless change has to pass
// them all.
func (p Plan) tests() int {
	n := 0
	for _, s := range p.Stages {
		n += len(s.Exclude)
		if s.Kind() != Decide {
			continue
		}
		for _, g := range p.Metrics.Guardrails {
			if g.Margin != nil && *g.Margin > 0 {
				n++
			}
		}
	}
	return n
}

// SampleRatio compares the units of every epoch with the shares of its arms;
// nil when no epoch has two arms and units.
func (r Rollout) SampleRatio(units []Count) *stats.SRM {
	epochs := r.byEpoch(units)
	if len(epochs) == 0 {
		return nil
	}
	m := stats.SampleRatio(epochs, r.Plan.Health.SRM.Alpha, 0)
	return &m
}

// Promised returns the share of the treatment among units that the stages they
// are of promised them: all of it in a full stage without a holdback. It is a half
// when no stage allocates any.
func (r Rollout) Promised(units []Count) float64 {
	var all, treated float64
	for _, u := range units {
		weights, splits := r.weights(u.Stage)
		if s, ok := r.Plan.stage(u.Stage); splits || ok && s.Kind() == Full {
			all, treated = all+float64(u.N), treated+float64(u.N)*weights[1]/(weights[0]+weights[1])
		}
	}
	if all == 0 {
		return 0.5
	}
	return treated / all
}

// quarantine says whether the units that are left out come from the arms as
// units do; nil when there are none.
func (r Rollout) quarantine(e Evidence) *stats.Quarantine {
	epochs := r.byEpoch(e.Quarantined)
	if len(epochs) == 0 {
		return nil
	}
	var kept int64
	for _, c := range e.Units {
		kept += c.N
	}
	q := stats.Quarantined(epochs, kept, r.Plan.Health.MultiExposure.Max.Fraction(), r.Plan.Health.SRM.Alpha)
	return &q
}

// byEpoch returns the units of every epoch beside the shares of its arms. An
// epoch that serves one arm has no ratio.
func (r Rollout) byEpoch(units []Count) []stats.Counts {
	var epochs []stats.Counts
	at, arms := map[int]int{}, r.Arms()
	for _, u := range units {
		weights, ok := r.weights(u.Stage)
		if !ok {
			continue
		}
		i, seen := at[u.Epoch]
		if !seen {
			i = len(epochs)
			at[u.Epoch] = i
			epochs = append(epochs, stats.Counts{Epoch: u.Epoch, Observed: make([]int64, 2), Weights: weights})
		}
		switch u.Arm {
		case arms.Control:
			epochs[i].Observed[0] += u.N
		case arms.Treatment:
			epochs[i].Observed[1] += u.N
		}
	}
	return epochs
}

// weights returns the shares of control and treatment in a stage.
func (r Rollout) weights(stage string) ([]float64, bool) {
	for _, s := range r.Plan.Stages {
		if s.Name != stage {
			continue
		}
		t, c := s.shares()
		return []float64{c.Fraction(), t.Fraction()}, c > 0 && s.Kind() != Serve
	}
	return nil, false
}
