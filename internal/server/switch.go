package server

import (
	"context"
	"fmt"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
	"github.com/sluice-hq/sluice/internal/access"
)

type switchIn struct {
	Precondition
	Key  string `path:"key"`
	Op   string `path:"op" enum:"enable,disable,force,unforce,archive,restore" doc:"force gives everybody the safe variant, targets and rules included; unforce ends that"`
	Body switchBody
}

type switchBody struct {
	Environment string `json:"environment,omitempty" doc:"required but to archive and restore"`
	Comment     string `json:"comment" minLength:"1" doc:"why; it stays on record"`
	Variant     string `json:"variant,omitempty" doc:"what an archived flag answers; default: by its end state"`
	Reason      string `json:"reason,omitempty" doc:"why a flag is archived although it is needed, asked for or undecided"`
}

// switchFlag carries out what a person wants of one flag beside its
// definition.
func (s *server) switchFlag(ctx context.Context, in *switchIn) (*flagOut, error) {
	if err := may(ctx, access.Decide, in.touches()); err != nil {
		return nil, err
	}
	out, err := s.changed(ctx, in.Key, func() (event.Event, event.Expect, error) {
		changes, err := s.switching(in)
		if err != nil {
			return event.Event{}, 0, err
		}
		c, err := s.commanded(ctx, in.Key, in.Precondition, Wanted{changes, in.Body.Comment})
		if err != nil {
			return event.Event{}, 0, err
		}
		return s.handled(c)
	})
	return s.noting(out, []flags.Change{{Op: flags.Op(in.Op), Reason: in.Body.Reason}}), err
}

// touches returns the environment that the operation changes: to archive or
// restore a flag changes all of them, whatever the request names.
func (in *switchIn) touches() string {
	switch flags.Op(in.Op) {
	case flags.Archive, flags.Restore:
		return access.AnyEnvironment
	}
	return in.Body.Environment
}

// switching returns the changes of an operation. Ending a rollback takes two
// things: that somebody has explained it, and that what the rollout that is over
// gave units goes too, or it would expose units that nobody watches.
func (s *server) switching(in *switchIn) ([]flags.Change, error) {
	c := flags.Change{
		Op: flags.Op(in.Op), Environment: in.Body.Environment, Reason: in.Body.Comment, Variant: in.Body.Variant,
	}
	if c.Op == flags.Archive {
		c.Reason = in.Body.Reason
		return []flags.Change{c}, nil
	}
	if c.Op != flags.Unforce {
		return []flags.Change{c}, nil
	}
	r, ok := s.Rollouts.Newest(in.Body.Environment, in.Key)
	if ok && r.Locked {
		return nil, fmt.Errorf("%w: %s was rolled back, and nobody has explained why; run: sluice decide explain %s -m 'why'", decisions.ErrRefused, r.ID, r.ID)
	}
	changes := []flags.Change{c}
	if ok && r.Open() {
		return changes, nil
	}
	f, _ := s.Flags.Flag(in.Key)
	e := f.Environments[in.Body.Environment]
	if e.Allocation != nil {
		changes = append(changes, flags.Change{Op: flags.Deallocate, Environment: in.Body.Environment})
	}
	for _, audience := range e.Served {
		changes = append(changes, flags.Change{Op: flags.Unserve, Environment: in.Body.Environment, Name: audience.Name})
	}
	return changes, nil
}
