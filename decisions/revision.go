package decisions

import (
	"fmt"
	"slices"
	"time"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/stats"
)

// Revision is what a new version of a plan that is under way does.
type Revision struct {
	Version int      `json:"version"`
	Changes []string `json:"changes"`          // in words
	Afresh  bool     `json:"afresh,omitempty"` // tests start again, on units that are first exposed from then on
	Epoch   bool     `json:"epoch,omitempty"`  // units are split anew
}

// Text says what the revision means for the evidence.
func (v Revision) Text() string {
	switch {
	case v.Epoch:
		return fmt.Sprintf("version %d begins a new epoch, and its tests start afresh on units first exposed in it", v.Version)
	case v.Afresh:
		return fmt.Sprintf("version %d starts its tests afresh on units first exposed after it", v.Version)
	}
	return fmt.Sprintf("version %d goes on with the evidence there is", v.Version)
}

// VersionNote is one version of a plan, since it started.
type VersionNote struct {
	Revision
	By      string    `json:"by"`
	At      time.Time `json:"at"`
	Comment string    `json:"comment,omitempty"`
}

// Revision says what a plan would change about the rollout of its flag, if that
// is under way, or everything that speaks against it. The zero Revision says
// that none is.
func (s *State) Revision(p Plan) (Revision, error) {
	r, ok := s.Newest(p.Environment, p.Flag)
	if !ok || !r.Open() {
		return Revision{}, nil
	}
	v, _, err := s.revisionOf(r, p)
	return v, err
}

// revision records a new version of the plan of a rollout that is under way.
func (s *State) revision(r Rollout, c Command) (revised, error) {
	if c.Plan == nil {
		return revised{}, event.Invalids{{Path: "plan", Why: "is missing"}}
	}
	if r.pending() {
		return revised{}, fmt.Errorf("%w: a decision of %s is being carried out; try again when it is done", ErrRefused, r.ID)
	}
	v, drawn, err := s.revisionOf(r, *c.Plan)
	if err != nil {
		return revised{}, err
	}
	if len(v.Changes) == 0 {
		return revised{}, fmt.Errorf("%w: %s has this plan already", ErrRefused, r.ID)
	}
	if closed := s.unclosed(r, c.At); v.Epoch && closed != nil {
		return revised{}, closed // it would give the treatment to others
	}
	out := revised{
		Rollout: r.ID, Version: v.Version, Plan: drawn.Plan, Metrics: drawn.Metrics, Changes: v.Changes, Afresh: v.Afresh,
		Epochs: r.Epochs, Comment: c.Comment,
	}
	if v.Epoch {
		out.Epochs += (r.Laps + 1) * r.Plan.lap()
		r.Laps = 0
	}
	r.Plan, r.Epochs = out.Plan, out.Epochs
	out.WayBack = s.wayBack(r)
	return out, nil
}

func (s *State) revisionOf(r Rollout, p Plan) (Revision, Rollout, error) {
	if err := p.Validate(s.known); err != nil {
		return Revision{}, Rollout{}, err
	}
	drawn := s.drawn(p)
	_, places := p.filled(s.known)
	c := revising{Rollout: r, known: s.known, next: drawn.Plan, places: places}
	c.check()
	if err := c.faults.Err(); err != nil {
		return Revision{}, Rollout{}, err
	}
	v := Revision{Version: r.Version + 1, Changes: DiffPlans(r.Plan, drawn.Plan), Epoch: c.splits()}
	v.Afresh = v.Epoch || c.retests(drawn.Metrics)
	for _, key := range sorted(drawn.Metrics) {
		if old, had := r.Metrics[key]; had && !equal(old, drawn.Metrics[key]) {
			v.Changes = append(v.Changes, "metric "+key+" is defined anew")
		}
	}
	return v, drawn, nil
}

// splits reports whether the present stage splits its units anew.
func (c *revising) splits() bool {
	s, ok := c.Now()
	was, is := c.Plan, c.next
	return ok && s.Compares() && (was.Unit != is.Unit || was.Arms != is.Arms || was.Eligible != is.Eligible || !equal(was.Layer, is.Layer))
}

// retests reports whether the plan asks other questions of the data than before.
// The answers to those that it asked are of no use to them.
func (c *revising) retests(metrics map[string]stats.Metric) bool {
	was, is := c.Plan, c.next
	if !equal(was.questions(), is.questions()) || was.tests() != is.tests() || !equal(c.Metrics, metrics) {
		return true
	}
	s, ok := c.Now()
	return ok && !equal(s.Exclude, is.Stages[c.Stage].Exclude)
}

// questions are the success metrics and guardrails without what is done about
// their answers.
func (p Plan) questions() Metrics {
	var q Metrics
	for _, s := range p.Metrics.Success {
		q.Success = append(q.Success, Success{Metric: s.Metric, MDE: s.MDE})
	}
	for _, g := range p.Metrics.Guardrails {
		g.OnBreach = ""
		q.Guardrails = append(q.Guardrails, g)
	}
	return q
}

// revise folds a new version of the plan. Approvals were given to the old one.
func (r *Rollout) revise(e event.Recorded, v revised) {
	epoch := v.Epochs > r.Epochs
	r.WayBack = or(v.WayBack, r.WayBack)
	r.Version, r.Plan, r.Metrics, r.Approvals = v.Version, v.Plan, v.Metrics, nil
	if epoch {
		r.Epochs, r.Laps, r.Turn = v.Epochs, 0, true
	}
	if v.Afresh {
		r.Fresh, r.Acknowledged = e.Time, nil
		r.Frozen, r.Caps, r.Streaks, r.Looks, r.Values = nil, nil, nil, nil, nil
		if r.Stage >= 0 {
			r.Since = e.Time
		}
	}
	r.Versions = append(slices.Clip(r.Versions), VersionNote{
		Revision: Revision{Version: v.Version, Changes: v.Changes, Afresh: v.Afresh, Epoch: epoch}, By: e.Actor, At: e.Time, Comment: v.Comment,
	})
}

// wrote reports whether somebody wrote a version of the plan.
func (r Rollout) wrote(actor string) bool {
	return r.PlannedBy == actor || slices.ContainsFunc(r.Versions, func(v VersionNote) bool { return v.By == actor })
}

// otherUnits reports whether a stage asks its questions of other units than the
// present one: what was frozen for these says nothing of them.
func (r Rollout) otherUnits(stage int) bool {
	now, ok := r.Now()
	if !ok || stage >= len(r.Plan.Stages) {
		return false
	}
	next := r.Plan.Stages[stage]
	return now.allocates() && next.Compares() && r.epoch(now) != r.epoch(next)
}
