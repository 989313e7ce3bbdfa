package server

import (
	"context"
	"errors"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
	"github.com/sluice-hq/sluice/internal/access"
)

type endIn struct {
	RolloutPath
	Body struct {
		EndState string `json:"endState,omitempty" doc:"promote, remove, keep or convert; the plan's when absent"`
		Purpose  string `json:"purpose,omitempty" doc:"of convert: operational, permission or kill-switch"`
		Why      string `json:"why,omitempty" doc:"of keep and convert: why the flag stays"`
		Review   string `json:"review,omitempty" doc:"of keep and convert: when that is asked again" example:"2027-06-30"`
		Reason   string `json:"reason,omitempty" doc:"why it is done although the readiness is blocked"`
		Comment  string `json:"comment,omitempty" doc:"why; it stays on record"`
	}
}

// endFlag carries out what becomes of a flag: one command, whose cause is the
// decision that the rollout was over with.
func (s *server) endFlag(ctx context.Context, in *endIn) (*cleanupOut, error) {
	b := in.Body
	w := decisions.Ending{EndState: flags.EndState(b.EndState), Purpose: flags.Purpose(b.Purpose), Why: b.Why, Review: flags.Date(b.Review), Reason: b.Reason}
	err := s.record(ctx, func() (event.Event, event.Expect, error) { return s.ending(ctx, in.RolloutPath, w, b.Comment) })
	if err != nil {
		return nil, err
	}
	return s.getCleanup(ctx, &in.RolloutPath)
}

// ending is the flag command of an ending. People agreed to the plan's with the
// plan; another one asks for as much agreement as any change does.
func (s *server) ending(ctx context.Context, id RolloutPath, w decisions.Ending, comment string) (e event.Event, expect event.Expect, err error) {
	r, ok := s.Rollouts.Rollout(id.String())
	if !ok {
		return e, 0, errNoSuch
	}
	f, _ := s.Flags.Flag(r.Plan.Flag)
	changes, cause, err := r.End(w, f, s.readiness(r, f))
	for _, c := range changes {
		if err == nil {
			err = may(ctx, access.Decide, c.Reaches())
		}
	}
	if err != nil {
		return e, 0, err
	}
	c, err := s.commanded(ctx, f.Key, Precondition{}, Wanted{changes, endingComment(w, comment)})
	if err != nil {
		return e, 0, err
	}
	if w.Deviates(r) {
		if _, _, err := s.Flags.Handle(c); err != nil && !errors.Is(err, flags.ErrUnchanged) {
			return e, 0, err
		}
	}
	c.Cause = cause
	return s.Flags.Handle(c)
}

func endingComment(w decisions.Ending, comment string) string {
	if w.Reason == "" {
		return comment
	}
	return comment + " (although it was blocked: " + w.Reason + ")"
}

type closeIn struct {
	RolloutPath
	Body struct {
		Comment string `json:"comment" doc:"why nothing is left to do; it stays on record"`
	}
}

// closeCleanup closes a cleanup by hand.
func (s *server) closeCleanup(ctx context.Context, in *closeIn) (*cleanupOut, error) {
	err := s.record(ctx, func() (event.Event, event.Expect, error) {
		return s.Rollouts.HandleClose(decisions.CloseCommand{
			ID: event.New(), Rollout: in.String(), Comment: in.Body.Comment, At: s.Now(), Actor: who(ctx).Name,
		})
	})
	if err != nil {
		return nil, err
	}
	return s.getCleanup(ctx, &in.RolloutPath)
}
