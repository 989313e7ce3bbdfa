package server

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
)

type scheduleIn struct {
	Precondition
	Key  string `path:"key" example:"checkout.payments.express-pay"`
	Body struct {
		Wanted
		At time.Time `json:"at" doc:"when the changes are made"`
	}
}

type schedulesOut struct {
	Status int
	Body   struct {
		Schedules []flags.Schedule `json:"schedules" doc:"the newest that ended, then those that wait, in the order of their time"`
	}
}

// scheduleChange keeps changes of a flag until their time comes. Whoever
// schedules them needs what it takes to make them.
func (s *server) scheduleChange(ctx context.Context, in *scheduleIn) (*schedulesOut, error) {
	if err := s.mayChange(ctx, in.Body.Changes); err != nil {
		return nil, err
	}
	err := s.record(ctx, func() (event.Event, event.Expect, error) {
		c, err := s.asked(ctx, in.Key, in.Precondition, in.Body.Wanted)
		if err != nil {
			return event.Event{}, 0, err
		}
		return s.Flags.Schedule(c, in.Body.At)
	})
	if err != nil {
		return nil, err
	}
	out, err := s.listSchedules(ctx, &flagKey{Key: in.Key})
	if err == nil {
		out.Status = http.StatusCreated
	}
	return out, err
}

func (s *server) listSchedules(ctx context.Context, in *flagKey) (*schedulesOut, error) {
	if err := s.knownFlag(in.Key); err != nil {
		return nil, err
	}
	out := &schedulesOut{Status: http.StatusOK}
	s.Projection.View(func(uint64) { out.Body.Schedules = s.schedules(ctx, in.Key) })
	return out, nil
}

// schedules returns what whoever asks may see of a flag's schedules. Call it in
// a View.
func (s *server) schedules(ctx context.Context, key string) []flags.Schedule {
	return slices.DeleteFunc(append([]flags.Schedule{}, s.Flags.Schedules(key)...), func(p flags.Schedule) bool {
		return !seesChanges(ctx, key, p.Changes)
	})
}

// seesChanges reports whether whoever asks may see changes: those of
// environments that he may read, and of no environment when he may read all.
func seesChanges(ctx context.Context, key string, changes []flags.Change) bool {
	return !slices.ContainsFunc(changes, func(c flags.Change) bool { return !sees(ctx, c.Reaches(), key) })
}

// WaitingPath is the path of a schedule or of a change request. It is exported
// because the API layer fills exported fields alone, also those that are
// embedded.
type WaitingPath struct {
	Key string `path:"key" example:"checkout.payments.express-pay"`
	ID  string `path:"id" doc:"as lists show it"`
}

func (w WaitingPath) parse() (event.ID, error) {
	id, err := event.ParseID(w.ID)
	if err != nil {
		return id, fmt.Errorf("%w: %s", errNoSuch, w.ID)
	}
	return id, nil
}

type cancelIn struct {
	WaitingPath
	Comment string `query:"comment" doc:"why, for the history"`
}

// cancelSchedule takes back what waits for its time. It takes what it took to
// schedule it.
func (s *server) cancelSchedule(ctx context.Context, in *cancelIn) (*schedulesOut, error) {
	id, err := in.parse()
	if err != nil {
		return nil, err
	}
	var p flags.Schedule
	s.Projection.View(func(uint64) {
		for _, known := range s.Flags.Schedules(in.Key) {
			if known.ID == id {
				p = known
			}
		}
	})
	if err := s.mayChange(ctx, p.Changes); err != nil {
		return nil, err
	}
	err = s.record(ctx, func() (event.Event, event.Expect, error) {
		return s.Flags.Cancel(s.answering(ctx, in.Key, in.Comment), id)
	})
	if err != nil {
		return nil, err
	}
	return s.listSchedules(ctx, &flagKey{Key: in.Key})
}

// answering returns the command with which something is done about what waits.
func (s *server) answering(ctx context.Context, key, comment string) flags.Command {
	return flags.Command{ID: event.New(), Key: key, Expect: event.Any, At: s.Now(), Actor: who(ctx).Name, Comment: comment}
}
