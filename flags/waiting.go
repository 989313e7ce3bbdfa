package flags

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/sluice-hq/sluice/event"
)

// applyWaiting folds the events of schedules and change requests, which leave
// the flag itself as it is.
func (s *State) applyWaiting(r event.Recorded) error {
	key := strings.TrimPrefix(r.Subject, SubjectPrefix)
	if _, ok := s.flags[key]; !ok {
		return fmt.Errorf("flag %s was not defined before a %s event", key, r.Type)
	}
	next := s.next(key, r.Time)
	next.Last = r.Seq
	if err := next.wait(r); err != nil {
		return fmt.Errorf("reading a %s event: %w", r.Type, err)
	}
	s.flags[key] = next
	return nil
}

func (r *record) wait(e event.Recorded) error {
	switch e.Type {
	case TypeScheduled, TypeProposed:
		var d waitingData
		if err := json.Unmarshal(e.Data, &d); err != nil {
			return err
		}
		return r.begin(e, d)
	}
	var d endData
	if err := json.Unmarshal(e.Data, &d); err != nil {
		return err
	}
	r.end(e, d)
	return nil
}

func (r *record) begin(e event.Recorded, d waitingData) error {
	switch {
	case e.Type == TypeProposed:
		r.Requests = append(slices.Clip(r.Requests), Request{
			ID: e.ID, Seq: e.Seq, Author: e.Actor, Made: e.Time, Base: d.Base, Comment: d.Comment, Changes: changesOf(d.Changes), Needs: d.Needs, Standing: Pending,
		})
	case d.At == nil:
		return fmt.Errorf("it has no time")
	default:
		r.schedule(Schedule{ID: e.ID, At: *d.At, Actor: e.Actor, Made: e.Time, Comment: d.Comment, Changes: changesOf(d.Changes), Standing: Pending})
	}
	return nil
}

func (r *record) end(e event.Recorded, d endData) {
	of := d.Of.String()
	switch e.Type {
	case TypeCancelled:
		r.endSchedule(of, Cancelled, d.Comment, e.Seq)
	case TypeLapsed:
		r.endSchedule(of, Lapsed, d.Why, e.Seq)
	case TypeApproved:
		r.approve(of, Approval{Actor: e.Actor, Roles: d.Roles, At: e.Time, Comment: d.Comment})
	case TypeRejected:
		r.endRequest(of, Rejected, said(e.Actor, d.Comment), e.Seq)
	case TypeWithdrawn:
		r.endRequest(of, Withdrawn, said(e.Actor, d.Comment), e.Seq)
	}
}

func said(actor, comment string) string {
	if comment == "" {
		return actor
	}
	return actor + ": " + comment
}

// approve notes an agreement. It writes to nothing that was handed out.
func (r *record) approve(request string, a Approval) {
	r.Requests = slices.Clone(r.Requests)
	for i, q := range r.Requests {
		if q.ID.String() == request {
			r.Requests[i].Approvals = append(slices.Clip(q.Approvals), a)
		}
	}
}

// carried ends what a change was waiting as, and every request that was about
// the flag as it was.
func (r *record) carried(by event.Recorded) {
	r.endSchedule(by.Cause, Done, "", by.Seq)
	r.endRequest(by.Cause, Done, said(by.Actor, ""), by.Seq)
	r.void(by)
}
