package server

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
)

// Seen is the rollout as whoever commands it saw it. It is exported because the
// API layer fills exported fields alone, also those that are embedded.
type Seen struct {
	IfMatch string `header:"If-Match" doc:"the rollout's ETag, as it was when the decision was taken; * for any" example:"\"12\""`
}

// expect returns what the log must expect of a command by somebody who saw the
// rollout so.
func (p Seen) expect(seq uint64) (event.Expect, error) {
	tags, err := Precondition(p).tags()
	switch {
	case p.IfMatch == "" || slices.Contains(tags, "*"):
		return event.Any, nil
	case err != nil:
		return 0, err
	case slices.Contains(tags, strconv.FormatUint(seq, 10)):
		return event.Expect(seq), nil
	}
	seen, _ := strconv.ParseUint(tags[0], 10, 64)
	return event.Expect(seen), nil // the room says who was faster
}

// want carries out a command. What a start lacks is looked at now, also when it
// is to come.
func (s *server) want(ctx context.Context, in *commandIn, c decisions.Command) error {
	switch c.Op {
	case decisions.OpStart:
		return s.startRollout(ctx, in)
	case decisions.OpSchedule:
		v, err := s.view(in.String())
		if err == nil && v.Rollout.Status == decisions.Planned {
			c.Anyway = in.Body.Anyway
			c.Doubts, err = s.doubtsOf(ctx, v.Rollout, c.Comment, in.Body.Anyway)
		}
		if err != nil {
			return err
		}
	}
	return s.command(ctx, in, c)
}

// command lets a person do something about a rollout. What moves it on is
// refused when somebody else was faster, even within this request: two who want
// the next stage at once want one stage, not two.
func (s *server) command(ctx context.Context, in *commandIn, c decisions.Command) error {
	if err := onlyPeople(ctx, c.Op); err != nil {
		return err
	}
	id, first := in.RolloutPath, event.Any
	return s.record(ctx, func() (event.Event, event.Expect, error) {
		newest, _ := s.Rollouts.Newest(id.Environment, id.Flag)
		if newest.ID != id.String() {
			return event.Event{}, 0, fmt.Errorf("rollout %s: %w", id, errNoSuch)
		}
		expect, err := in.Seen.expect(newest.Seq)
		if err != nil {
			return event.Event{}, 0, err
		}
		if expect == event.Any && moves(c.Op) {
			if first == event.Any {
				first = event.Expect(newest.Seq)
			}
			expect = first
		}
		c.ID, c.Environment, c.Flag, c.Expect, c.At, c.Actor = event.New(), id.Environment, id.Flag, expect, s.Now(), who(ctx).Name
		c.Roles = s.rolesOf(ctx, id.Environment, id.Flag)
		return s.Rollouts.Handle(c)
	})
}

// moves reports whether a command takes a rollout to another stage, so that
// doing it to another rollout than was seen does something else.
func moves(op decisions.Op) bool {
	return slices.Contains([]decisions.Op{decisions.OpAdvance, decisions.OpShip, decisions.OpOverride, decisions.OpReject, decisions.OpReduce, decisions.OpForward}, op)
}

// onlyPeople refuses programs and teams what one person answers for: several
// could hold the token of either.
func onlyPeople(ctx context.Context, op decisions.Op) error {
	p := who(ctx)
	if p.Person() || op != decisions.OpApprove && op != decisions.OpOverride {
		return nil
	}
	return fmt.Errorf("%w: only people %s, and this is the token of %s", decisions.ErrRefused, op, p.Name)
}

// rolesOf returns what whoever asks is, to approvals: the roles that he has for
// a flag in an environment, and his teams. Call it in a View.
func (s *server) rolesOf(ctx context.Context, environment, flag string) []string {
	all := roles(ctx, flag, []flags.Need{{Environment: environment}})
	for _, team := range s.Access.TeamsOf(who(ctx).Name) {
		all = append(all, decisions.TeamRole(team))
	}
	return all
}
