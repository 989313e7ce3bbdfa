package server

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/internal/access"
)

// What became of an alert.
const (
	hookOpened    = "opened"
	hookResolved  = "resolved"
	hookUnchanged = "unchanged"
	hookRefused   = "refused"
)

// HookAnswer says what became of each alert of a request.
type HookAnswer struct {
	Opened    int           `json:"opened"`
	Resolved  int           `json:"resolved"`
	Unchanged int           `json:"unchanged" doc:"repeats, and ends of what nobody told of"`
	Refused   int           `json:"refused"`
	Alerts    []HookedAlert `json:"alerts" doc:"in the order of the request"`
	Truncated uint64        `json:"truncated,omitempty" doc:"alerts that the sender left out of the request by its own limit"`
}

// HookedAlert is what became of one alert.
type HookedAlert struct {
	Outcome     string             `json:"outcome" enum:"opened,resolved,unchanged,refused"`
	Alert       string             `json:"alert,omitempty" doc:"its name"`
	Environment string             `json:"environment,omitempty"`
	Flag        string             `json:"flag,omitempty"`
	Incident    string             `json:"incident,omitempty" doc:"what it is resolved by: environment, flag and this name"`
	Severity    decisions.Severity `json:"severity,omitempty"`
	Note        string             `json:"note,omitempty" doc:"what was made of a word, or why nothing changed"`
	Errors      []event.Invalid    `json:"errors,omitempty" doc:"why it was refused"`
}

type hookOut struct{ Body HookAnswer }

// hook carries out the alerts of a request one by one. What is wrong with one
// keeps no other from being taken. A failure of the house ends it: the sender comes
// again, and what was taken changes nothing then.
func (s *server) hook(ctx context.Context, environment string, alerts []decisions.Alert) (*hookOut, error) {
	ctx = unkeyed(ctx) // alerts have names of their own
	if environment == access.AnyEnvironment {
		environment = who(ctx).Environment
	}
	out := &hookOut{}
	for _, a := range alerts {
		done, err := s.hookOne(ctx, decisions.AlertCommand{Alert: a, Environment: environment, At: s.Now(), Actor: who(ctx).Name})
		if err != nil {
			return nil, err
		}
		out.Body.note(done)
	}
	return out, nil
}

// refusal is an error where nothing of a request could be taken, so that its
// sender counts it as failed.
func (a *HookAnswer) refusal() error {
	if a.Refused < len(a.Alerts) {
		return nil
	}
	var faults event.Invalids
	for i, h := range a.Alerts {
		faults.Under(fmt.Sprintf("alerts[%d]", i), h.Errors)
	}
	return faults.Err()
}

func (a *HookAnswer) note(h HookedAlert) {
	a.Alerts = append(a.Alerts, h)
	switch h.Outcome {
	case hookOpened:
		a.Opened++
	case hookResolved:
		a.Resolved++
	case hookUnchanged:
		a.Unchanged++
	case hookRefused:
		a.Refused++
	}
}

// hookOne carries out one alert. The error is the house's.
func (s *server) hookOne(ctx context.Context, c decisions.AlertCommand) (HookedAlert, error) {
	h, err := s.reported(ctx, c)
	if err == nil && c.Resolved {
		err = s.resolveOlder(ctx, c)
	}
	var faults event.Invalids
	switch {
	case errors.As(err, &faults):
		h.Outcome, h.Errors = hookRefused, faults
		s.log.Warn("alert refused", "source", c.Source, "alert", h.Alert, "actor", c.Actor, "why", strings.ReplaceAll(faults.Error(), "\n", "; "))
	case nothingNew(err):
		h.Outcome, h.Note = hookUnchanged, err.Error()
	case err != nil:
		return h, err
	case c.Resolved:
		h.Outcome = hookResolved
	default:
		h.Outcome = hookOpened
	}
	return h, nil
}

// resolveOlder resolves what is still open of an alert that has ended: the end
// of an earlier incident may never have come.
func (s *server) resolveOlder(ctx context.Context, c decisions.AlertCommand) error {
	for {
		if _, err := s.reported(ctx, c); nothingNew(err) {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// nothingNew reports whether an alert has nothing to change.
func nothingNew(err error) bool {
	return errors.Is(err, decisions.ErrIncidentKnown) || errors.Is(err, decisions.ErrIncidentOver) || errors.Is(err, decisions.ErrNoIncident)
}

// reported records the one incident that an alert opens or resolves now.
func (s *server) reported(ctx context.Context, c decisions.AlertCommand) (HookedAlert, error) {
	h := HookedAlert{Alert: c.Labels["alertname"]}
	err := s.record(ctx, func() (event.Event, event.Expect, error) {
		k, err := s.Rollouts.FromAlert(c)
		h.Environment, h.Flag, h.Incident, h.Severity = k.Environment, k.Flag, k.Incident, k.Severity
		if err != nil {
			return event.Event{}, 0, err
		}
		if err := mayTouch(ctx, access.Report, k.Environment, k.Flag); err != nil {
			return event.Event{}, 0, event.Invalids{{Path: "labels.flag", Value: k.Flag, Why: "is not this token's to report in " + k.Environment + ": " + err.Error()}}
		}
		e, expect, err := s.Rollouts.HandleIncident(k)
		return e, expect, ofLabels(err)
	})
	h.Note = severityNote(c)
	return h, err
}

// ofLabels names what is wrong with an incident by what of the alert it was made
// of.
func ofLabels(err error) error {
	var faults event.Invalids
	if !errors.As(err, &faults) {
		return err
	}
	named := slices.Clone(faults)
	for i, f := range faults {
		named[i].Path = "labels." + f.Path
		if f.Path == "incident" {
			named[i].Path = "fingerprint"
		}
	}
	return named
}

// severityNote tells whoever sends alerts that a word of his was not understood.
func severityNote(c decisions.AlertCommand) string {
	word := c.Labels["severity"]
	if _, known := decisions.SeverityOf(word); known || c.Resolved {
		return ""
	}
	if word == "" {
		return "it has no severity, and is taken as blocking"
	}
	return fmt.Sprintf("the severity %q is not known, and is taken as blocking", word)
}
