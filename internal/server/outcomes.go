package server

import (
	"context"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/event"
)

type outcomeIn struct {
	RolloutPath
	Body struct {
		Changed   string `json:"changed,omitempty" doc:"what was released, to whom; what the plan says when absent"`
		Happened  string `json:"happened" doc:"what the metrics and the customers did"`
		Confirmed string `json:"confirmed" doc:"the plan's hypothesis: yes, no or unclear" example:"yes"`
		Why       string `json:"why" doc:"it came out so, as far as is known"`
		Next      string `json:"next,omitempty" doc:"the next hypothesis"`
	}
}

// recordOutcome records what was learnt from a rollout that is over.
func (s *server) recordOutcome(ctx context.Context, in *outcomeIn) (*rolloutOut, error) {
	err := s.record(ctx, func() (event.Event, event.Expect, error) {
		return s.Rollouts.HandleOutcome(decisions.OutcomeCommand{
			ID: event.New(), Rollout: in.String(), At: s.Now(), Actor: who(ctx).Name,
			Outcome: decisions.Outcome{
				Changed: in.Body.Changed, Happened: in.Body.Happened, Confirmed: decisions.Confirmed(in.Body.Confirmed),
				Why: in.Body.Why, Next: in.Body.Next,
			},
		})
	})
	if err != nil {
		return nil, err
	}
	return s.getRollout(ctx, &in.RolloutPath)
}

// OutcomeView is what was learnt from a rollout, or what the record has to say
// for whoever writes it down.
type OutcomeView struct {
	Rollout    string              `json:"rollout"`
	Hypothesis string              `json:"hypothesis,omitempty"`
	Outcome    *decisions.Outcome  `json:"outcome,omitempty" doc:"absent: nobody has recorded one"`
	Followed   *decisions.FollowUp `json:"followed,omitempty" doc:"the later look whether the effect held"`
	Numbers    string              `json:"numbers,omitempty" doc:"what the last decision and its numbers say, for whoever records the outcome"`
}

type learntOut struct{ Body OutcomeView }

func (s *server) getOutcome(ctx context.Context, in *RolloutPath) (*learntOut, error) {
	v, err := s.view(in.String())
	if err != nil {
		return nil, err
	}
	r := v.Rollout
	out := &learntOut{OutcomeView{Rollout: r.ID, Hypothesis: r.Plan.Hypothesis, Outcome: r.Outcome, Followed: r.Followed}}
	last, ok := r.Last()
	if !ok {
		return out, nil
	}
	record, err := s.fullRecord(ctx, last.ID)
	if err != nil {
		return nil, err
	}
	input, err := record.Input()
	if err != nil {
		return nil, err
	}
	var e decisions.Evidence
	if input != nil {
		e = input.Evidence
	}
	out.Body.Numbers = r.Happened(e)
	return out, nil
}
