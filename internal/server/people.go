package server

import (
	"context"
	"errors"
	"fmt"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
	"github.com/sluice-hq/sluice/internal/access"
	"github.com/sluice-hq/sluice/internal/manifest"
)

// applyPeople declares a person or a team, which takes whoever may issue their
// tokens.
func (s *server) applyPeople(ctx context.Context, d manifest.Document) (Applied, error) {
	if err := mayTouch(ctx, access.Manage, access.AnyEnvironment, access.AnyKey); err != nil {
		return Applied{}, fmt.Errorf("%w, and a %s is declared by admins", err, d.Kind)
	}
	c, key, err := declaration(d)
	if err != nil {
		return Applied{}, err
	}
	var before uint64
	seq, err := s.recorded(ctx, func() (event.Event, event.Expect, error) {
		before = s.Access.Revision(d.Kind, key)
		if err := expects(d, key, before); err != nil {
			return event.Event{}, 0, err
		}
		c.ID, c.At, c.Actor = event.New(), s.Now(), who(ctx).Name
		return s.Access.Declare(c)
	})
	if errors.Is(err, access.ErrUnchanged) {
		return Applied{Kind: d.Kind, Key: key, Change: unchanged, Revision: before}, nil
	}
	if err != nil {
		return Applied{}, err
	}
	done, err := s.done(ctx, before, seq)
	return Applied{Kind: d.Kind, Key: key, Change: done, Revision: seq}, err
}

func declaration(d manifest.Document) (c access.Declare, key string, err error) {
	if d.Kind == "Team" {
		c.Team = &access.Team{}
		err = d.Decode(c.Team)
		return c, c.Team.Key, err
	}
	c.Person = &access.Person{}
	err = d.Decode(c.Person)
	return c, c.Person.Key, err
}

// owned refuses a document of any kind whose owner nobody has declared. Before
// the first person or team, an owner is free text.
func (s *server) owned(d manifest.Document) error {
	var faults event.Invalids
	s.Projection.View(func(uint64) {
		s.checkOwner("owner", d.Text("owner"), &faults)
		for i := 0; ; i++ {
			path := fmt.Sprintf("rollback.owners[%d]", i)
			owner := d.Text(path)
			if owner == "" {
				return
			}
			s.checkOwner(path, owner, &faults)
		}
	})
	return faults.Err()
}

// ownedAfter refuses changes that give a flag an owner whom nobody has declared.
// Call it in a View.
func (s *server) ownedAfter(changes []flags.Change) error {
	var faults event.Invalids
	for i, c := range changes {
		switch {
		case c.Op == flags.SetOwner:
			s.checkOwner(fmt.Sprintf("changes[%d].owner", i), c.Owner, &faults)
		case c.Op == flags.Define && c.Flag != nil:
			s.checkOwner(fmt.Sprintf("changes[%d].flag.owner", i), c.Flag.Owner, &faults)
		}
	}
	return faults.Err()
}

// checkOwner notes an owner who is nobody. It is asked inside a view.
func (s *server) checkOwner(path, owner string, faults *event.Invalids) {
	if owner == "" {
		return // the rooms say whether one is required
	}
	if why := s.Access.Owner(owner); why != "" {
		faults.Add(path, owner, why, "declare it with a document of kind Team or Person: sluice apply team.yaml")
	}
}

type listIn struct{ Page }

type peopleOut struct {
	Link string `header:"Link" doc:"the next page"`
	Body struct {
		People []access.Person `json:"people" doc:"by key"`
		Next   string          `json:"next,omitempty" doc:"cursor of the next page"`
	}
}

func (s *server) listPeople(_ context.Context, in *listIn) (*peopleOut, error) {
	var all []access.Person
	s.Projection.View(func(uint64) { all = s.Access.People() })
	page, next, err := cut(in.Page, rising("people", func(p access.Person) string { return p.Key }), all)
	out := &peopleOut{Link: next.link}
	out.Body.People, out.Body.Next = page, next.cursor
	return out, err
}

type teamsOut struct {
	Link string `header:"Link" doc:"the next page"`
	Body struct {
		Teams []access.Team `json:"teams" doc:"by key, with all members"`
		Next  string        `json:"next,omitempty" doc:"cursor of the next page"`
	}
}

func (s *server) listTeams(_ context.Context, in *listIn) (*teamsOut, error) {
	var all []access.Team
	s.Projection.View(func(uint64) { all = s.Access.Teams() })
	page, next, err := cut(in.Page, rising("teams", func(t access.Team) string { return t.Key }), all)
	out := &teamsOut{Link: next.link}
	out.Body.Teams, out.Body.Next = page, next.cursor
	return out, err
}

type personPath struct {
	Person string `path:"person" doc:"key"`
}

type teamPath struct {
	Team string `path:"team" doc:"key"`
}

// removePerson ends a person and every token that belongs to it.
func (s *server) removePerson(ctx context.Context, in *personPath) (*struct{}, error) {
	return nil, s.remove(ctx, access.OfPerson, in.Person)
}

func (s *server) removeTeam(ctx context.Context, in *teamPath) (*struct{}, error) {
	return nil, s.remove(ctx, access.OfTeam, in.Team)
}

func (s *server) remove(ctx context.Context, kind access.Kind, key string) error {
	return s.record(ctx, func() (event.Event, event.Expect, error) {
		return s.Access.Remove(access.Remove{ID: event.New(), At: s.Now(), Actor: who(ctx).Name, Kind: kind, Key: key})
	})
}
