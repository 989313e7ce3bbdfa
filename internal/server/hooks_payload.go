package server

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/event"
)

// AlertGroup is what Alertmanager posts to a webhook (version 4 of its payload,
// https://prometheus.io/docs/alerting/latest/configuration/#webhook_config),
// and Grafana (version 1 of its own, which has the same fields and more,
// https://grafana.com/docs/grafana/latest/alerting/configure-notifications/manage-contact-points/integrations/webhook-notifier/).
// What is not read here is left alone.
type AlertGroup struct {
	_         struct{}       `additionalProperties:"true"`
	Version   string         `json:"version" doc:"4 of Alertmanager, 1 of Grafana"`
	Status    string         `json:"status,omitempty" doc:"of an alert that has none of its own"`
	OrgID     *int64         `json:"orgId,omitempty" doc:"Grafana has it"`
	Truncated uint64         `json:"truncatedAlerts,omitempty"`
	Alerts    []GroupedAlert `json:"alerts" nullable:"false" maxItems:"1000"`
}

// GroupedAlert is one alert of a group. A group that fires may hold alerts that
// are resolved.
type GroupedAlert struct {
	_            struct{}          `additionalProperties:"true"`
	Status       string            `json:"status,omitempty" doc:"firing or resolved"`
	Labels       map[string]string `json:"labels,omitempty" doc:"flag or flag_key, environment, severity, segment"`
	Annotations  map[string]string `json:"annotations,omitempty" doc:"summary, or description"`
	StartsAt     time.Time         `json:"startsAt,omitzero" required:"false"`
	GeneratorURL string            `json:"generatorURL,omitempty"`
	Fingerprint  string            `json:"fingerprint,omitempty" doc:"of the labels; computed when absent"`
}

// The versions of the payloads that are read.
const (
	versionAlertmanager = "4"
	versionGrafana      = "1"
)

// The states of an alert, as they send them.
const (
	firing   = "firing"
	resolved = "resolved"
)

// Read returns the alerts of a group, or event.Invalids.
func (g AlertGroup) Read() ([]decisions.Alert, error) {
	var faults event.Invalids
	source := "alertmanager"
	switch {
	case g.OrgID != nil || g.Version == versionGrafana:
		source = "grafana"
	case g.Version != versionAlertmanager:
		faults.Add("version", g.Version, "is not a version of the payload that is read here", "send version 4 of Alertmanager, or version 1 of Grafana")
	}
	if len(g.Alerts) == 0 {
		faults.Add("alerts", nil, "are missing", "send at least one")
	}
	alerts := make([]decisions.Alert, len(g.Alerts))
	for i, a := range g.Alerts {
		status := a.Status
		if status == "" {
			status = g.Status
		}
		alerts[i] = decisions.Alert{
			Source: source, Resolved: status == resolved, Labels: a.Labels, Annotations: a.Annotations,
			Fingerprint: a.Fingerprint, Began: a.StartsAt, Link: a.GeneratorURL,
		}
		if status != firing && status != resolved {
			alerts[i].Odd = cmp.Or(status, "none")
		}
	}
	return alerts, faults.Err()
}

type groupIn struct {
	Environment string `query:"environment" doc:"where alerts belong that have no such label; the token's own when absent"`
	Body        AlertGroup
}

// takeAlerts takes a group of alerts from Alertmanager or Grafana.
func (s *server) takeAlerts(ctx context.Context, in *groupIn) (*hookOut, error) {
	alerts, err := in.Body.Read()
	if err != nil {
		return nil, err
	}
	out, err := s.hook(ctx, in.Environment, alerts)
	if err != nil {
		return nil, err
	}
	out.Body.Truncated = in.Body.Truncated
	return out, out.Body.refusal()
}

// SLOAlert is an alert on a service level objective, from whatever watches it.
type SLOAlert struct {
	_        struct{}          `additionalProperties:"true"`
	Labels   map[string]string `json:"labels" doc:"flag or flag_key, environment, severity, segment"`
	Metric   string            `json:"metric" minLength:"1" doc:"what is past its objective" example:"checkout_error_ratio"`
	Value    *float64          `json:"value,omitempty" doc:"that it has"`
	Status   string            `json:"status,omitempty" enum:"firing,resolved" default:"firing"`
	StartsAt time.Time         `json:"startsAt,omitzero" required:"false" doc:"absent: a repeat is what comes while the first is open"`
	Text     string            `json:"text,omitempty" doc:"for people; metric and value when absent"`
	Link     string            `json:"link,omitempty"`
}

// Read returns the alert. Its labels and its metric name it, as a series is
// named.
func (a SLOAlert) Read() decisions.Alert {
	labels := map[string]string{"__name__": a.Metric}
	for name, value := range a.Labels {
		labels[name] = value
	}
	text := a.Text
	if text == "" {
		text = a.Metric + " is past its objective"
		if a.Value != nil {
			text = fmt.Sprintf("%s is %g, past its objective", a.Metric, *a.Value)
		}
	}
	return decisions.Alert{
		Source: "slo-alert", Resolved: a.Status == resolved, Labels: labels, Began: a.StartsAt, Link: a.Link,
		Annotations: map[string]string{"summary": text},
	}
}

type sloIn struct {
	Environment string `query:"environment" doc:"where the alert belongs if it has no such label; the token's own when absent"`
	Body        SLOAlert
}

// takeSLOAlert takes one alert.
func (s *server) takeSLOAlert(ctx context.Context, in *sloIn) (*hookOut, error) {
	out, err := s.hook(ctx, in.Environment, []decisions.Alert{in.Body.Read()})
	if err != nil {
		return nil, err
	}
	return out, event.Invalids(out.Body.Alerts[0].Errors).Err()
}
