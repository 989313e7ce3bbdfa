package server

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/event"
)

type reportIn struct {
	RolloutPath
	Body struct {
		Check string `json:"check" example:"smoke-test" doc:"as the plan names it"`
		State string `json:"state" enum:"pass,fail"`
		For   string `json:"for,omitempty" example:"6h" doc:"how long it is believed; 24h when absent, 30d at most. Behind it, it is as if nothing had been reported"`
		Text  string `json:"text,omitempty" maxLength:"2000" doc:"what was found"`
		Link  string `json:"link,omitempty" maxLength:"1000"`
	}
}

// ReportView is a report as it was taken. Who reports need not be one who may see
// the rollout.
type ReportView struct {
	Rollout string `json:"rollout"`
	Check   string `json:"check"`
	decisions.External
}

type reportOut struct{ Body ReportView }

// reportCheck takes how an external check of a rollout came out.
func (s *server) reportCheck(ctx context.Context, in *reportIn) (*reportOut, error) {
	valid, err := validity(in.Body.For)
	if err == nil {
		err = s.say(ctx, in.RolloutPath, decisions.Command{Op: decisions.OpReport, Report: &decisions.Reporting{
			Check: in.Body.Check, State: decisions.CheckState(in.Body.State), For: valid, Text: in.Body.Text, Link: in.Body.Link,
		}})
	}
	if err != nil {
		return nil, err
	}
	out := &reportOut{Body: ReportView{Rollout: in.String(), Check: in.Body.Check}}
	s.Projection.View(func(uint64) {
		r, _ := s.Rollouts.Rollout(in.String())
		out.Body.External = r.Reported[in.Body.Check]
	})
	return out, nil
}

// validity reads how long a report is believed; zero: as long as any.
func validity(text string) (time.Duration, error) {
	if text == "" {
		return 0, nil
	}
	d, err := event.ParseDuration(text)
	if err == nil && d == 0 {
		err = event.Invalid{Value: text, Why: "is no time at all", Fix: "write how long the report is believed, such as 6h"}
	}
	var fault event.Invalid
	if errors.As(err, &fault) {
		fault.Path = "for"
		return 0, event.Invalids{fault}
	}
	return time.Duration(d), err
}

type confirmIn struct {
	RolloutPath
	Body struct {
		Owner   string `json:"owner" example:"payments-team" doc:"as the plan names who has to confirm"`
		When    string `json:"when,omitempty" enum:"advanceWhen,pauseWhen,rollbackWhen" doc:"which list of the present stage; advanceWhen when absent"`
		Comment string `json:"comment" doc:"what was looked at; it stays on record"`
	}
}

// confirmCondition takes what the owner of a manual condition says.
func (s *server) confirmCondition(ctx context.Context, in *confirmIn) (*rolloutOut, error) {
	err := s.say(ctx, in.RolloutPath, decisions.Command{Op: decisions.OpConfirm, Comment: strings.TrimSpace(in.Body.Comment),
		Confirm: &decisions.Confirming{When: decisions.CheckName(in.Body.When), Owner: in.Body.Owner}})
	if err != nil {
		return nil, err
	}
	return s.getRollout(ctx, &in.RolloutPath)
}

// say gives a rollout what somebody says to its gate.
func (s *server) say(ctx context.Context, id RolloutPath, c decisions.Command) error {
	return s.record(ctx, func() (event.Event, event.Expect, error) {
		newest, _ := s.Rollouts.Newest(id.Environment, id.Flag)
		if newest.ID != id.String() {
			return event.Event{}, 0, fmt.Errorf("rollout %s: %w", id, errNoSuch)
		}
		c.ID, c.Environment, c.Flag, c.Expect, c.At, c.Actor = event.New(), id.Environment, id.Flag, event.Any, s.Now(), who(ctx).Name
		return s.Rollouts.Handle(c)
	})
}
