package server

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/internal/access"
)

type incidentsIn struct {
	Page
	Environment string             `query:"environment" doc:"of one environment alone"`
	Flag        string             `query:"flag" doc:"of one flag alone"`
	Severity    decisions.Severity `query:"severity" enum:"critical,blocking,minor"`
	Source      string             `query:"source" doc:"alertmanager, grafana, slo-alert or api"`
	Open        string             `query:"open" enum:"true,false" doc:"both when absent"`
}

type incidentsOut struct {
	Link string `header:"Link" doc:"the next page"`
	Body struct {
		Incidents []decisions.Reported `json:"incidents" doc:"newest first"`
		Next      string               `json:"next,omitempty" doc:"cursor of the next page"`
	}
}

func (s *server) listIncidents(ctx context.Context, in *incidentsIn) (*incidentsOut, error) {
	if err := s.mayList(ctx, in.Environment); err != nil {
		return nil, err
	}
	var all []decisions.Reported
	s.Projection.View(func(uint64) { all = s.Rollouts.AllIncidents() })
	all = slices.DeleteFunc(all, func(r decisions.Reported) bool { return !sees(ctx, r.Environment, r.Flag) || !in.selects(r) })
	out := &incidentsOut{}
	page, next, err := cut(in.Page, newest("incidents", func(r decisions.Reported) uint64 { return r.Seq }), all)
	out.Body.Incidents, out.Body.Next, out.Link = page, next.cursor, next.link
	return out, err
}

// selects reports whether the filters keep an incident.
func (in *incidentsIn) selects(r decisions.Reported) bool {
	return (in.Environment == "" || r.Environment == in.Environment) &&
		(in.Flag == "" || r.Flag == in.Flag) &&
		(in.Severity == "" || r.Severity == in.Severity) &&
		(in.Source == "" || r.Source == in.Source) &&
		(in.Open == "" || r.Open() == (in.Open == "true"))
}

type openIn struct {
	Body struct {
		Flag        string             `json:"flag" example:"checkout.payments.express-pay"`
		Environment string             `json:"environment,omitempty" doc:"the token's own when absent"`
		Severity    decisions.Severity `json:"severity" enum:"critical,blocking,minor" doc:"what each asks for, the plan says: by default critical rolls back, blocking pauses, minor holds"`
		Text        string             `json:"text" maxLength:"2000" doc:"what is wrong; decisions and pages show it"`
		Incident    string             `json:"incident,omitempty" doc:"its name, such as that of a ticket; one is made when absent"`
		Segment     string             `json:"segment,omitempty" maxLength:"128" doc:"units that it hits, for people to read"`
		Link        string             `json:"link,omitempty" maxLength:"1000"`
	}
}

// IncidentView is an incident and what still waits for a person.
type IncidentView struct {
	decisions.Reported
	Paused string `json:"paused,omitempty" doc:"the rollout of the flag, when it is paused: the end of an incident resumes none"`
}

type incidentOut struct {
	Status int
	Body   IncidentView
}

// openIncident takes what a person or a program says is wrong. The same name
// while it is open is the same incident, and 200.
func (s *server) openIncident(ctx context.Context, in *openIn) (*incidentOut, error) {
	b := in.Body
	k := decisions.IncidentCommand{
		Environment: b.Environment, Flag: b.Flag, Incident: b.Incident, Severity: b.Severity, Text: strings.TrimSpace(b.Text),
		Particulars: decisions.Particulars{Source: "api", Segment: b.Segment, Link: b.Link},
	}
	if k.Environment == access.AnyEnvironment {
		k.Environment = who(ctx).Environment
	}
	if k.Incident == "" {
		k.Incident = fresh(ctx).String()
	}
	if k.Text == "" {
		return nil, event.Invalids{{Path: "text", Why: "is missing", Fix: "say what is wrong; it stays on record"}}
	}
	return s.incident(ctx, k, http.StatusCreated)
}

// fresh returns a name for something new; the same one when the request is sent
// again under its key.
func fresh(ctx context.Context) event.ID {
	if q := asking(ctx).repeatable; q != nil {
		return q.Key
	}
	return event.New()
}

// IncidentPath is the path of one incident. It is exported because the API
// layer fills exported fields alone, also those that are embedded.
type IncidentPath struct {
	Environment string `path:"environment" example:"production"`
	Flag        string `path:"flag" example:"checkout.payments.express-pay"`
	Incident    string `path:"incident" doc:"its name, as the list shows it"`
}

type resolveIn struct {
	IncidentPath
	Body struct {
		Comment string `json:"comment,omitempty" maxLength:"2000" doc:"how it ended; it stays on record"`
	}
}

// resolveIncident ends one. A rollout that it had paused waits for a person.
func (s *server) resolveIncident(ctx context.Context, in *resolveIn) (*incidentOut, error) {
	k := decisions.IncidentCommand{
		Environment: in.Environment, Flag: in.Flag, Incident: in.Incident, Resolve: true, Comment: strings.TrimSpace(in.Body.Comment),
	}
	if k.Comment == "" {
		return nil, event.Invalids{{Path: "comment", Why: "is missing", Fix: "say how it ended; it stays on record"}}
	}
	return s.incident(ctx, k, http.StatusOK)
}

// incident records a command and answers with the incident as it is then.
func (s *server) incident(ctx context.Context, k decisions.IncidentCommand, status int) (*incidentOut, error) {
	if err := mayTouch(ctx, access.Report, k.Environment, k.Flag); err != nil {
		return nil, err
	}
	k.At, k.Actor = s.Now(), who(ctx).Name
	err := s.record(ctx, func() (event.Event, event.Expect, error) { return s.Rollouts.HandleIncident(k) })
	if errors.Is(err, decisions.ErrIncidentKnown) {
		status, err = http.StatusOK, nil
	}
	if err != nil {
		return nil, err
	}
	out := &incidentOut{Status: status}
	s.Projection.View(func(uint64) {
		out.Body.Reported, _ = s.Rollouts.Incident(k.Environment, k.Flag, k.Incident)
		if r, ok := s.Rollouts.Newest(k.Environment, k.Flag); ok && r.Status == decisions.Paused {
			out.Body.Paused = r.ID
		}
	})
	return out, escalated(k, out.Body.Reported)
}

// escalated refuses to take as known what is worse, or less bad, than what is
// open under its name.
func escalated(k decisions.IncidentCommand, r decisions.Reported) error {
	if k.Resolve || k.Severity == r.Severity {
		return nil
	}
	return event.Invalids{{
		Path: "severity", Value: string(k.Severity), Why: "is not that of " + r.ID + ", which is open and " + string(r.Severity),
		Fix: "open another incident, under a name of its own",
	}}
}
