package server

import (
	"context"
	"fmt"
	"slices"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
)

type historyIn struct {
	Page
	Key string `path:"key" example:"checkout.payments.express-pay"`
}

type historyOut struct {
	Link string `header:"Link" doc:"the next page"`
	Body struct {
		History []flags.Entry `json:"history" doc:"newest first"`
		Next    string        `json:"next,omitempty" doc:"cursor of the next page"`
	}
}

// flagHistory tells who changed a flag, when, why, and what that made
// different. It reads the log: state keeps no history.
func (s *server) flagHistory(ctx context.Context, in *historyIn) (*historyOut, error) {
	if err := s.knownFlag(in.Key); err != nil {
		return nil, err
	}
	var events []event.Recorded
	for r, err := range s.Log.Read(ctx, event.Filter{Subjects: []string{flags.SubjectPrefix + in.Key}}, 0) {
		if err != nil {
			return nil, fmt.Errorf("reading the history of %s: %w", in.Key, err)
		}
		events = append(events, r)
	}
	all, err := flags.History(events, asking(ctx).Within(in.Key))
	if err != nil {
		return nil, err
	}
	slices.Reverse(all)
	out := &historyOut{}
	page, next, err := cut(in.Page, newest("history", func(e flags.Entry) uint64 { return e.Revision }), all)
	out.Body.History, out.Body.Next, out.Link = page, next.cursor, next.link
	return out, err
}

func (s *server) knownFlag(key string) (err error) {
	s.Projection.View(func(uint64) {
		if _, ok := s.Flags.Flag(key); !ok {
			err = fmt.Errorf("flag %s: %w", key, errNoSuch)
		}
	})
	return err
}

// moment reads what a request calls the past.
func (s *server) moment(ctx context.Context, at string) (flags.Moment, error) {
	last, err := s.Log.Last(ctx)
	if err != nil {
		return flags.Moment{}, fmt.Errorf("asking for the end of the log: %w", err)
	}
	return flags.ParseMoment(at, last, s.Now())
}

// past folds what a flag's answer depended on at a moment: its own events,
// those of the flags it needs, and theirs. Segments and environments are few,
// and are folded whole.
func (s *server) past(ctx context.Context, key, at string) (*flags.State, flags.Recorded, error) {
	if err := s.knownFlag(key); err != nil {
		return nil, flags.Recorded{}, err
	}
	m, err := s.moment(ctx, at)
	if err != nil {
		return nil, flags.Recorded{}, err
	}
	subjects := []string{flags.SubjectPrefix + key, "segment.>", "environment.>"}
	for {
		state, err := flags.Past(m, s.Log.Read(ctx, event.Filter{Subjects: subjects}, 0))
		if err != nil {
			return nil, flags.Recorded{}, fmt.Errorf("reading the past of %s: %w", key, err)
		}
		more := needed(state, subjects)
		if len(more) == 0 {
			f, ok := state.Flag(key)
			if !ok {
				err = notYet(key, at)
			}
			return state, f, err
		}
		subjects = append(subjects, more...)
	}
}

// needed returns the subjects of prerequisites that were not read yet.
func needed(state *flags.State, subjects []string) []string {
	var more []string
	for _, key := range state.Keys() {
		f, _ := state.Flag(key)
		for _, need := range f.Needs() {
			if subject := flags.SubjectPrefix + need; !slices.Contains(subjects, subject) && !slices.Contains(more, subject) {
				more = append(more, subject)
			}
		}
	}
	return more
}

// notYet says that a flag did not exist at a moment.
func notYet(key, at string) error {
	var faults event.Invalids
	faults.Add("at", at, "is before flag "+key+" was created", "its history says when that was")
	return faults
}
