package server

import (
	"context"
	"fmt"
	"strings"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/event"
)

// startRollout starts a planned rollout.
func (s *server) startRollout(ctx context.Context, in *commandIn) error {
	v, err := s.view(in.String())
	if err != nil {
		return err
	}
	_, err = s.begin(ctx, v.Rollout, strings.TrimSpace(in.Body.Comment), in.Body.Anyway)
	return err
}

// begin starts a rollout that lacks nothing, or that a person starts although it
// does, and says why.
func (s *server) begin(ctx context.Context, r decisions.Rollout, comment string, anyway bool) (uint64, error) {
	var doubts []string
	if r.Status == decisions.Planned {
		var err error
		if doubts, err = s.doubtsOf(ctx, r, comment, anyway); err != nil {
			return 0, err
		}
	}
	return s.recorded(ctx, func() (event.Event, event.Expect, error) {
		if newest, _ := s.Rollouts.Newest(r.Plan.Environment, r.Plan.Flag); newest.ID != r.ID {
			return event.Event{}, 0, fmt.Errorf("rollout %s: %w", r.ID, errNoSuch)
		}
		return s.Rollouts.Handle(decisions.Command{
			ID: event.New(), Op: decisions.OpStart, Environment: r.Plan.Environment, Flag: r.Plan.Flag, Expect: event.Any,
			At: s.Now(), Actor: who(ctx).Name, Comment: comment, Doubts: doubts,
		})
	})
}

// doubtsOf looks at the past before a start. A past that cannot be read is a
// doubt and no refusal: the gates of the rollout will not read more than it.
func (s *server) doubtsOf(ctx context.Context, r decisions.Rollout, comment string, anyway bool) ([]string, error) {
	if s.Pasts == nil {
		return []string{"this replica knows no past to compare the plan with"}, nil
	}
	until := s.Now()
	p, err := s.Pasts.Past(ctx, r, "", until.AddDate(0, 0, -decisions.PastDays), until)
	if err != nil {
		s.reportOperation("start", err)
		return []string{"the past could not be read: " + err.Error()}, nil
	}
	found := r.Preflight(p)
	switch faults := found.Faults(); {
	case len(faults) == 0:
	case !anyway:
		return nil, faults
	case comment == "":
		return nil, event.Invalids{{Path: "comment", Why: "is missing", Fix: "say why the rollout starts although something is lacking; it stays on record"}}
	}
	return found.Doubts(), nil
}
