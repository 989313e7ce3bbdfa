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
	c, deviates, err := s.endingCommand(ctx, id, w, comment)
	if err != nil {
		return e, 0, err
	}
	if deviates {
		if _, _, err := s.Flags.Handle(c.Command); err != nil && !errors.Is(err, flags.ErrUnchanged) {
			return e, 0, err
		}
	}
	c.Command.Cause = c.cause
	return s.Flags.Handle(c.Command)
}

// endCommand is the command that ends a flag, with the decision that is its
// cause.
type endCommand struct {
	flags.Command
	cause string
}

// endingCommand makes it, and says whether the ending is another than the plan's.
// Call it in a View.
func (s *server) endingCommand(ctx context.Context, id RolloutPath, w decisions.Ending, comment string) (c endCommand, deviates bool, err error) {
	r, ok := s.Rollouts.Rollout(id.String())
	if !ok {
		return c, false, errNoSuch
	}
	f, _ := s.Flags.Flag(r.Plan.Flag)
	changes, cause, err := r.End(w, f, s.readiness(r, f))
	for _, change := range changes {
		if err == nil {
			err = may(ctx, access.Decide, change.Reaches())
		}
	}
	if err != nil {
		return c, false, err
	}
	c.cause = cause
	c.Command, err = s.commanded(ctx, f.Key, Precondition{}, Wanted{changes, endingComment(w, comment)})
	return c, w.Deviates(r), err
}

type endPreviewIn struct {
	RolloutPath
	EndState string `query:"endState" doc:"promote, remove, keep or convert; the plan's when absent"`
	Purpose  string `query:"purpose" doc:"of convert: operational, permission or kill-switch"`
	Why      string `query:"why" doc:"of keep and convert: why the flag stays"`
	Review   string `query:"review" doc:"of keep and convert: when that is asked again" example:"2027-06-30"`
	Reason   string `query:"reason" doc:"why it is done although the readiness is blocked"`
}

func (in *endPreviewIn) ending() decisions.Ending {
	return decisions.Ending{EndState: flags.EndState(in.EndState), Purpose: flags.Purpose(in.Purpose), Why: in.Why, Review: flags.Date(in.Review), Reason: in.Reason}
}

type endPreviewOut struct{ Body ChangePreview }

// previewEnding says what carrying an end state out would come to, and changes
// nothing. What would be refused is refused.
func (s *server) previewEnding(ctx context.Context, in *endPreviewIn) (*endPreviewOut, error) {
	out := &endPreviewOut{}
	var seen flags.Foreseen
	var deviates bool
	var err error
	s.Projection.View(func(uint64) {
		var c endCommand
		if c, deviates, err = s.endingCommand(ctx, in.RolloutPath, in.ending(), "to be written"); err != nil {
			return
		}
		f, _ := s.Flags.Flag(c.Key)
		out.Body.Revision = f.Revision
		c.Command.Cause = c.cause
		if seen, err = s.Flags.Foresee(c.Command); errors.Is(err, flags.ErrUnchanged) {
			out.Body.Unchanged, err = true, nil
			seen = flags.Foreseen{Was: f, Is: f}
		}
	})
	if err != nil {
		return nil, err
	}
	out.Body.Differences = append([]flags.Difference{}, flags.Diff(shown(ctx, seen.Was).Flag, shown(ctx, seen.Is).Flag)...)
	if deviates && len(seen.Needs) > 0 {
		out.Body.Asks = seen.Asks()
	}
	out.Body.Samples, err = s.sampled(ctx, seen)
	return out, err
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
