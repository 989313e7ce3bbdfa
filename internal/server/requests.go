package server

import (
	"context"
	"fmt"
	"net/http"
	"slices"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
	"github.com/sluice-hq/sluice/internal/access"
)

// RequestView is a change request with what it would make different.
type RequestView struct {
	flags.Request
	Differences []flags.Difference `json:"differences,omitempty" doc:"of one that waits, in sentences"`
}

type requestsOut struct {
	Body struct {
		Requests []RequestView `json:"requests" doc:"oldest first: those that wait, and the newest that ended"`
	}
}

type requestOut struct {
	Status   int
	Location string `header:"Location"`
	Body     RequestView
}

type proposeIn struct {
	Precondition
	Key  string `path:"key" example:"checkout.payments.express-pay"`
	Body struct {
		Wanted
		Flag *flags.Flag `json:"flag,omitempty" doc:"the whole definition, instead of changes"`
	}
}

// proposeChange asks others to agree to changes of a flag.
func (s *server) proposeChange(ctx context.Context, in *proposeIn) (*requestOut, error) {
	w := in.Body.Wanted
	if in.Body.Flag != nil {
		w.Changes = append([]flags.Change{{Op: flags.Define, Flag: in.Body.Flag}}, w.Changes...)
	}
	if err := s.mayPropose(ctx, w.Changes); err != nil {
		return nil, err
	}
	seq, err := s.recorded(ctx, func() (event.Event, event.Expect, error) {
		c, err := s.asked(ctx, in.Key, in.Precondition, w)
		if err != nil {
			return event.Event{}, 0, err
		}
		e, expect, err := s.Flags.Propose(c)
		return e, expect, together(s.Decided(c.Key, c.Changes), err)
	})
	if err != nil {
		return nil, err
	}
	return s.proposedAt(ctx, in.Key, seq)
}

// proposedAt answers with the request that an event proposed.
func (s *server) proposedAt(ctx context.Context, key string, seq uint64) (*requestOut, error) {
	var out *requestOut
	var err error
	s.Projection.View(func(uint64) {
		for _, q := range s.Flags.Requests(key) {
			if q.Seq == seq {
				out, err = s.requestView(ctx, key, q.ID)
			}
		}
	})
	if out == nil && err == nil {
		err = errNoSuch // it was proposed long ago, and has ended
	}
	if err != nil {
		return nil, err
	}
	out.Status, out.Location = http.StatusCreated, "/api/v1/flags/"+key+"/requests/"+out.Body.ID.String()
	return out, nil
}

// requestView returns one request as whoever asks may see it. Call it in a View.
func (s *server) requestView(ctx context.Context, key string, id event.ID) (*requestOut, error) {
	q, err := s.Flags.Request(key, id)
	if err == nil && !seesChanges(ctx, key, q.Changes) {
		err = errForbidden
	}
	if err != nil {
		return nil, err
	}
	return &requestOut{Status: http.StatusOK, Body: s.told(q, key)}, nil
}

func (s *server) told(q flags.Request, key string) RequestView {
	v := RequestView{Request: q}
	if q.Standing != flags.Pending {
		return v
	}
	was, _ := s.Flags.Flag(key)
	if is, err := s.Flags.Preview(flags.Command{Key: key, At: s.Now(), Actor: q.Author, Comment: q.Comment, Changes: q.Changes}); err == nil {
		v.Differences = flags.Diff(was.Flag, is.Flag)
	}
	return v
}

func (s *server) listRequests(ctx context.Context, in *flagKey) (*requestsOut, error) {
	if err := s.knownFlag(in.Key); err != nil {
		return nil, err
	}
	out := &requestsOut{}
	out.Body.Requests = []RequestView{}
	s.Projection.View(func(uint64) {
		for _, q := range s.Flags.Requests(in.Key) {
			if seesChanges(ctx, in.Key, q.Changes) {
				out.Body.Requests = append(out.Body.Requests, s.told(q, in.Key))
			}
		}
	})
	return out, nil
}

func (s *server) getRequest(ctx context.Context, in *WaitingPath) (out *requestOut, err error) {
	id, err := in.parse()
	if err != nil {
		return nil, err
	}
	s.Projection.View(func(uint64) { out, err = s.requestView(ctx, in.Key, id) })
	return out, err
}

type answerIn struct {
	WaitingPath
	Op   string `path:"op" enum:"approve,reject,withdraw,apply" doc:"withdraw is for the author alone; approve never is"`
	Body struct {
		Comment string `json:"comment,omitempty" doc:"why; it stays on record"`
	}
}

// answerRequest does something about a change request.
func (s *server) answerRequest(ctx context.Context, in *answerIn) (*requestOut, error) {
	id, err := in.parse()
	if err != nil {
		return nil, err
	}
	var q flags.Request
	s.Projection.View(func(uint64) { q, err = s.Flags.Request(in.Key, id) })
	if err == nil {
		err = s.mayAnswer(ctx, in, q)
	}
	if err != nil {
		return nil, err
	}
	err = s.record(ctx, func() (event.Event, event.Expect, error) {
		c := s.answering(ctx, in.Key, in.Body.Comment)
		switch in.Op {
		case "approve":
			return s.Flags.Approve(c, id, roles(ctx, in.Key, q.Needs))
		case "reject":
			return s.Flags.Reject(c, id)
		case "withdraw":
			return s.Flags.Withdraw(c, id)
		}
		e, expect, err := s.Flags.Enact(c, id)
		return e, expect, together(s.Decided(c.Key, q.Changes), err)
	})
	if err != nil {
		return nil, err
	}
	return s.getRequest(ctx, &in.WaitingPath)
}

// mayAnswer asks for what it takes: to approve and to reject is a decision, in
// every environment whose policy asks. Only people approve: one person could hold
// the tokens of several teams and programs.
func (s *server) mayAnswer(ctx context.Context, in *answerIn, q flags.Request) error {
	if in.Op != "approve" && in.Op != "reject" {
		return s.mayPropose(ctx, q.Changes)
	}
	if p := who(ctx); in.Op == "approve" && !p.Person() {
		return fmt.Errorf("%w: only people approve, and this is the token of %s", flags.ErrRefused, p.Name)
	}
	for _, n := range q.Needs {
		if err := may(ctx, access.Decide, n.Environment); err != nil {
			return err
		}
	}
	return nil
}

// roles returns the roles that whoever asks has in every environment whose
// policy asks for agreement.
func roles(ctx context.Context, key string, needs []flags.Need) []string {
	p := who(ctx)
	var out []string
	for _, r := range []struct {
		role access.Role
		may  access.Permission // what nobody below may
	}{{access.Viewer, access.Read}, {access.Editor, access.Write}, {access.Approver, access.Decide}, {access.Admin, access.Manage}} {
		if !slices.ContainsFunc(needs, func(n flags.Need) bool { return !p.May(r.may, n.Environment, key) }) {
			out = append(out, string(r.role))
		}
	}
	return out
}
