package decisions

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/sluice-hq/sluice/flags"
)

// WayBack is how a rollout goes back, exactly. It is made when the rollout is
// started, and when its plan gets another version, and kept as it was, so that
// whoever is called at night reads what was agreed upon by day.
type WayBack struct {
	Command string          `json:"command"`         // that a person gives: everybody gets the safe variant, at once
	Request string          `json:"request"`         // the same over HTTP
	Safe    string          `json:"safe"`            // variant that everybody gets then
	Was     string          `json:"was,omitempty"`   // safe variant when this was frozen, where the flag has another one or another value now
	Value   json.RawMessage `json:"value,omitempty"` // of that variant
	Changes []flags.Change  `json:"changes"`         // of the flag; the reason and the decision are those of the day
	Steps   []BackStep      `json:"steps,omitempty"` // what a breach does by itself, stage by stage; none: the same
}

// BackStep is what a breach in a stage does by itself.
type BackStep struct {
	Stage   string         `json:"stage"`
	To      string         `json:"to"` // an earlier stage, or safe
	Changes []flags.Change `json:"changes"`
}

// WayBack returns how a rollout goes back now: as it was agreed upon, with the
// safe variant that the flag has since. nil: it was not started.
func (s *State) WayBack(r Rollout) *WayBack {
	f, ok := s.known.flag(r.Plan.Flag)
	if r.WayBack == nil || !ok || r.WayBack.Safe == f.Safe && bytes.Equal(r.WayBack.Value, f.Variants[f.Safe]) {
		return r.WayBack
	}
	now := *r.WayBack
	now.Safe, now.Value, now.Was = f.Safe, f.Variants[f.Safe], r.WayBack.Safe
	return &now
}

// wayBack makes the way back of a rollout that is started or replanned now.
func (s *State) wayBack(r Rollout) *WayBack {
	p := r.Plan
	f, _ := s.known.flag(p.Flag)
	w := &WayBack{
		Command: fmt.Sprintf("sluice rollback %s -m WHY", r.ID),
		Request: fmt.Sprintf(`POST /api/v1/rollouts/%s/rollback {"comment": "WHY"}`, r.ID),
		Safe:    f.Safe, Value: f.Variants[f.Safe], Changes: r.backFrom(0, 0),
	}
	if p.Rollback.To != toPreviousStage {
		return w
	}
	for i, stage := range p.Stages {
		step := BackStep{Stage: stage.Name, To: toSafe, Changes: r.backFrom(i, i)}
		if i > 0 {
			step.To, step.Changes = p.Stages[i-1].Name, r.backFrom(i, i-1)
		}
		w.Steps = append(w.Steps, step)
	}
	return w
}

// backFrom returns what a rollback from one stage to another does to the flag;
// to the stage itself stands for the safe variant.
func (r Rollout) backFrom(stage, to int) []flags.Change {
	r.Stage = stage
	d := Decision{From: stage, Verdict: Verdict{Action: Rollback, Stage: to}}
	return d.changes(r, flags.Recorded{})
}
