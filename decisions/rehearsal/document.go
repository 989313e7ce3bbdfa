package rehearsal

import (
	"maps"

	"github.com/sluice-hq/sluice/stats"
)

// Document is what somebody writes of a rehearsal beside the plan (kind:
// Rehearsal). What it does not say is taken from the past of the server that is
// asked.
type Document struct {
	Units     float64          `json:"units,omitempty" yaml:"units,omitempty"`     // new units a day, of those who are eligible
	Metrics   map[string]Model `json:"metrics,omitempty" yaml:"metrics,omitempty"` // by key
	Scenarios []Scenario       `json:"scenarios,omitempty" yaml:"scenarios,omitempty"`
	Expect    []Expectation    `json:"expected,omitempty" yaml:"expected,omitempty"`
	Settings  Settings         `json:"settings,omitzero" yaml:"settings,omitempty"`
}

// Over returns the document with what another says in the place of its own.
func (d Document) Over(o Document) Document {
	out := Document{
		Units: or(d.Units, o.Units), Metrics: maps.Clone(o.Metrics), Scenarios: o.Scenarios, Expect: o.Expect,
		Settings: Settings{Every: or(d.Settings.Every, o.Settings.Every), Patience: or(d.Settings.Patience, o.Settings.Patience),
			Answer: or(d.Settings.Answer, o.Settings.Answer), Horizon: or(d.Settings.Horizon, o.Settings.Horizon)},
	}
	if out.Metrics == nil {
		out.Metrics = map[string]Model{}
	}
	maps.Copy(out.Metrics, d.Metrics)
	if len(d.Scenarios) > 0 {
		out.Scenarios = d.Scenarios
	}
	if len(d.Expect) > 0 {
		out.Expect = d.Expect
	}
	return out
}

// On returns the rehearsal with what the document says.
func (d Document) On(r Rehearsal) Rehearsal {
	if d.Units > 0 {
		r.Truth.Traffic = stats.Daily(d.Units)
	}
	r.Truth.Metrics = maps.Clone(r.Truth.Metrics)
	if r.Truth.Metrics == nil {
		r.Truth.Metrics = map[string]Model{}
	}
	maps.Copy(r.Truth.Metrics, d.Metrics)
	r.Settings = d.Settings
	return r
}
