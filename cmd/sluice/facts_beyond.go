package main

import (
	"context"
	"slices"
	"time"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/internal/warehouse"
	"github.com/sluice-hq/sluice/stats"
)

// beyondFacts adds what gates ask beside the units that are compared: the audience
// that a stage serves, the values of attributes, signs of life of whoever reports
// failures, and what else went live. Each is asked only where a plan needs it.
func beyondFacts(ctx context.Context, w *warehouse.Warehouse, live *wentLive, signs *signs, r decisions.Rollout, q warehouse.Question, e decisions.Evidence) (decisions.Evidence, error) {
	stage, _ := r.Now()
	b := beyond{warehouse: w, live: live, signs: signs, rollout: r, question: q, evidence: e}
	b.recent = warehouse.Recent{Environment: q.Environment, Since: r.Since, Until: e.At, Watermark: q.Watermark}
	steps := []func(context.Context) error{b.lives, b.deployments}
	switch {
	case stage.Kind() == decisions.Serve:
		steps = append(steps, b.audience)
	case stage.Compares():
		steps = append(steps, b.parts)
	}
	for _, step := range steps {
		if err := step(ctx); err != nil {
			return b.evidence, err
		}
	}
	return b.evidence, nil
}

// beyond is evidence that is being completed.
type beyond struct {
	warehouse *warehouse.Warehouse
	live      *wentLive
	signs     *signs
	rollout   decisions.Rollout
	question  warehouse.Question
	recent    warehouse.Recent
	evidence  decisions.Evidence
}

// asked notes queries in the evidence.
func (b *beyond) asked(queries []warehouse.Query, of ...string) {
	b.evidence.Queries = append(b.evidence.Queries, queriesOf(queries, of...)...)
}

// audience counts those whom the stage serves, for the metrics that gate it.
func (b *beyond) audience(ctx context.Context) error {
	q, stage := b.question, b.stage()
	q.Metrics = slices.DeleteFunc(slices.Clone(q.Metrics), func(m stats.Metric) bool { return !b.gates(m) })
	if len(q.Metrics) == 0 || b.rollout.Entered() == 0 {
		return nil
	}
	a, err := b.warehouse.Served(ctx, q, warehouse.Audience{Stage: stage.Name, Since: b.rollout.Entered()})
	if err != nil {
		return err
	}
	b.evidence.Exposures, b.evidence.Newest = a.Exposures, a.NewestExposure
	for i := range b.evidence.Metrics {
		m := &b.evidence.Metrics[i]
		m.Served, m.Newest = a.Strata[m.Metric], a.NewestEvent[m.Metric]
	}
	b.asked(a.Queries, "audience")
	return nil
}

func (b *beyond) stage() decisions.Stage {
	stage, _ := b.rollout.Now()
	return stage
}

// gates reports whether a metric can be judged without a control: it has a
// limit, or failures at a declared rate.
func (b *beyond) gates(m stats.Metric) bool {
	return slices.ContainsFunc(b.rollout.Plan.Metrics.Guardrails, func(g decisions.Guardrail) bool {
		return g.Metric == m.Key && (g.Margin == nil || m.Aggregate == stats.Failures && m.Rate > 0)
	})
}

// parts counts the units of every value of the attributes that guardrails are
// asked within.
func (b *beyond) parts(ctx context.Context) error {
	for _, g := range b.rollout.Plan.Metrics.Guardrails {
		if g.Within == "" || g.Margin == nil {
			continue
		}
		q := b.question
		q.Metrics = []stats.Metric{b.rollout.Metrics[g.Metric]}
		parts, err := b.warehouse.Breakdown(ctx, q, g.Within)
		if err != nil {
			return err
		}
		b.split(g.Metric, parts)
		if len(parts) > 0 {
			b.asked(parts[0].Queries, "within "+g.Within)
		}
	}
	return nil
}

// split puts the parts of a metric into its evidence. Values beyond those with
// the most units are in the whole alone.
func (b *beyond) split(metric string, parts []warehouse.Part) {
	i := slices.IndexFunc(b.evidence.Metrics, func(m decisions.Measured) bool { return m.Metric == metric })
	if i < 0 {
		return
	}
	for _, p := range parts {
		if !p.Rest {
			b.evidence.Metrics[i].Parts = append(b.evidence.Metrics[i].Parts, decisions.Part{Value: p.Value, Strata: p.Strata[metric]})
		}
	}
}

// lives looks for signs of life of whoever reports the failures of the plan.
func (b *beyond) lives(ctx context.Context) error {
	for i := range b.evidence.Metrics {
		m := &b.evidence.Metrics[i]
		def := b.rollout.Metrics[m.Metric]
		if def.Aggregate != stats.Failures {
			continue
		}
		of, recent := def.Source(), b.recent
		recent.Since = b.evidence.At.Add(-decisions.AliveWithin)
		if def.SignOfLife != "" { // it comes all the time: a day of it is enough to look through
			of, recent.Since = stats.Source{Event: def.SignOfLife}, b.evidence.At.Add(-24*time.Hour)
		}
		at, asked, err := b.signs.newest(ctx, b.warehouse, recent, of)
		if err != nil {
			return err
		}
		m.Alive = at
		b.asked([]warehouse.Query{asked}, m.Metric, "sign of life")
	}
	return nil
}

// deployments notes what went live in the environment since the stage began.
func (b *beyond) deployments(ctx context.Context) error {
	all, asked, err := b.live.since(ctx, b.warehouse, b.recent)
	if err != nil {
		return err
	}
	if len(all) > 0 {
		b.evidence.Deployments = all
	}
	b.asked([]warehouse.Query{asked})
	return nil
}
