package server

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
	"github.com/sluice-hq/sluice/internal/access"
)

// Wanted is what somebody wants of a flag, now, at a time, or when others have
// agreed. It is exported because the API layer fills exported fields alone.
type Wanted struct {
	Changes []flags.Change `json:"changes,omitempty" maxItems:"100" doc:"carried out in order, all or none"`
	Comment string         `json:"comment,omitempty" doc:"why; it stays on record"`
}

type patchIn struct {
	Precondition
	Key  string `path:"key" example:"checkout.payments.express-pay"`
	Body Wanted
}

// patchFlag makes semantic changes of one flag: one request is one command and
// one event, and what the changes leave is checked as a whole definition is.
func (s *server) patchFlag(ctx context.Context, in *patchIn) (*flagOut, error) {
	if err := s.mayChange(ctx, in.Body.Changes); err != nil {
		return nil, err
	}
	out, err := s.changed(ctx, in.Key, func() (event.Event, event.Expect, error) {
		c, err := s.asked(ctx, in.Key, in.Precondition, in.Body)
		if err != nil {
			return event.Event{}, 0, err
		}
		return s.handled(c)
	})
	return s.noting(out, in.Body.Changes), err
}

// changed carries out a command of a flag and answers with the flag: as the
// command left it, also when the request is sent again later. What would change
// nothing is answered with the flag as it is.
func (s *server) changed(ctx context.Context, key string, do handle) (*flagOut, error) {
	if err := s.record(ctx, do); err != nil && !errors.Is(err, flags.ErrUnchanged) {
		return nil, err
	}
	if seq := again(ctx); seq > 0 {
		return s.readFlag(ctx, &flagIn{Key: key, At: strconv.FormatUint(seq, 10)})
	}
	return s.getFlag(ctx, &flagKey{Key: key})
}

// noting adds to the answer to a command what could not be checked, if there
// is an answer.
func (s *server) noting(out *flagOut, changes []flags.Change) *flagOut {
	if out != nil {
		s.Projection.View(func(uint64) { out.Body.Notes = s.doubts(out.Body.Key, changes) })
	}
	return out
}

// asked returns the command that a request asks for, of changes that people may
// ask for. Call it in a View.
func (s *server) asked(ctx context.Context, key string, p Precondition, w Wanted) (flags.Command, error) {
	c, err := s.commanded(ctx, key, p, w)
	if err == nil {
		err = flags.CheckAsked(w.Changes).Err()
	}
	if err == nil {
		err = s.ownedAfter(w.Changes)
	}
	return c, err
}

// commanded returns the command of whoever asks. Call it in a View.
func (s *server) commanded(ctx context.Context, key string, p Precondition, w Wanted) (flags.Command, error) {
	f, _ := s.Flags.Flag(key)
	expect, err := p.expect(key, f.Revision)
	if err != nil {
		return flags.Command{}, err
	}
	return flags.Command{
		ID: event.New(), Key: key, Expect: expect, At: s.Now(), Actor: who(ctx).Name, Comment: w.Comment, Changes: w.Changes,
	}, nil
}

// mayChange asks for what each change takes: a switch is a decision, the rest
// is writing, in the environment that it reaches or in all of them.
func (s *server) mayChange(ctx context.Context, changes []flags.Change) error {
	for _, c := range changes {
		what := access.Write
		switch c.Op {
		case flags.Enable, flags.Disable, flags.Archive, flags.Restore:
			what = access.Decide
		}
		if err := may(ctx, what, c.Reaches()); err != nil {
			return err
		}
	}
	return s.mayPropose(ctx, changes)
}

// mayPropose asks for what it takes to ask others for changes: writing. What a
// change reads, and environments that do not exist, are looked at too.
func (s *server) mayPropose(ctx context.Context, changes []flags.Change) error {
	var faults event.Invalids
	for i, c := range changes {
		at := fmt.Sprintf("changes[%d].", i)
		if err := may(ctx, access.Write, c.Reaches()); err != nil {
			return err
		}
		if c.Op == flags.Copy {
			if err := may(ctx, access.Read, c.From); err != nil {
				return err
			}
		}
		if c.Environment != "" {
			s.check(at+"environment", c.Environment, &faults)
		}
		if c.Flag != nil {
			for _, e := range slices.Sorted(maps.Keys(c.Flag.Environments)) {
				s.check(at+"flag.environments."+e, e, &faults)
			}
		}
	}
	return faults.Err()
}

type copyIn struct {
	Precondition
	Key  string `path:"key" example:"checkout.payments.express-pay"`
	Body struct {
		From    string `json:"from" doc:"environment that is copied: whether it is enabled, targets, rules and prerequisites"`
		To      string `json:"to" doc:"environment that becomes so; what rollouts left on it stays"`
		Comment string `json:"comment,omitempty" doc:"why; it stays on record"`
	}
}

// copyEnvironment gives one environment what the definition says of another.
func (s *server) copyEnvironment(ctx context.Context, in *copyIn) (*flagOut, error) {
	return s.patchFlag(ctx, &patchIn{Precondition: in.Precondition, Key: in.Key, Body: Wanted{
		Changes: []flags.Change{{Op: flags.Copy, From: in.Body.From, Environment: in.Body.To}}, Comment: in.Body.Comment,
	}})
}

type createIn struct {
	Comment string `query:"comment" doc:"why, for the history"`
	Body    flags.Flag
}

type createdOut struct {
	Status   int
	Location string `header:"Location"`
	ETag     string `header:"ETag" doc:"the flag's revision"`
	Body     FlagDetail
}

// createFlag defines a flag that does not exist yet.
func (s *server) createFlag(ctx context.Context, in *createIn) (*createdOut, error) {
	if err := s.mayDefine(ctx, "Flag", in.Body.Key, slices.Collect(maps.Keys(in.Body.Environments))); err != nil {
		return nil, err
	}
	seq, err := s.recorded(ctx, func() (event.Event, event.Expect, error) {
		var faults event.Invalids
		if s.checkOwner("owner", in.Body.Owner, &faults); len(faults) > 0 {
			return event.Event{}, 0, faults
		}
		return s.Flags.Handle(flags.Command{
			ID: event.New(), Key: in.Body.Key, Expect: 0, At: s.Now(), Actor: who(ctx).Name, Comment: in.Comment,
			Changes: []flags.Change{{Op: flags.Define, Flag: &in.Body}},
		})
	})
	if err != nil {
		return nil, err
	}
	f, err := s.readFlag(ctx, &flagIn{Key: in.Body.Key, At: strconv.FormatUint(seq, 10)})
	if err != nil {
		return nil, err
	}
	return &createdOut{Status: http.StatusCreated, Location: "/api/v1/flags/" + in.Body.Key, ETag: f.ETag, Body: f.Body}, nil
}
