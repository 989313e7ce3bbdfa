package flags

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/sluice-hq/sluice/event"
)

// Releases are what policies ask of the rollouts of flags. The zero value of
// each asks nothing. A plan takes what is missing in it from here when it is
// written; hours and freezes hold while it runs.
type Releases struct {
	Guardrails []ReleaseGuardrail `json:"guardrails,omitempty" yaml:"guardrails,omitempty"` // for plans that do not name the metric
	Approvals  Approvals          `json:"approvals,omitzero" yaml:"approvals,omitempty"`    // before any stage is left; Count 0: the plan's own alone
	Windows    []Hours            `json:"windows,omitempty" yaml:"windows,omitempty"`       // when a stage may begin; none: at any time
	Freezes    []Freeze           `json:"freezes,omitempty" yaml:"freezes,omitempty"`       // when none may
	Requires   []string           `json:"requires,omitempty" yaml:"requires,omitempty"`     // external checks of every stage but the last
	MinWindow  event.Duration     `json:"minWindow,omitempty" yaml:"minWindow,omitempty"`   // of stages that compare
	Require    []Required         `json:"require,omitempty" yaml:"require,omitempty"`       // ticket, hypothesis
}

// What can be required of a plan.
const (
	RequireTicket     Required = "ticket"     // where its cleanup is followed
	RequireHypothesis Required = "hypothesis" // what it is meant to show
)

// ReleaseGuardrail is a guardrail that a plan gets when it does not name the
// metric itself.
type ReleaseGuardrail struct {
	Metric   string         `json:"metric" yaml:"metric"`
	Margin   *event.Percent `json:"margin,omitempty" yaml:"margin,omitempty"`     // tolerated relative harm against control
	Detect   event.Size     `json:"detect,omitzero" yaml:"detect,omitempty"`      // harm that its test is sharpest for
	Limit    string         `json:"limit,omitempty" yaml:"limit,omitempty"`       // level of the treated units: "200ms"
	Exclude  event.Size     `json:"exclude,omitzero" yaml:"exclude,omitempty"`    // harm to exclude before a ramp stage is left, where the stage names none
	OnBreach string         `json:"onBreach,omitempty" yaml:"onBreach,omitempty"` // pause or rollback; empty: rollback
}

// Hours are a part of the days of a week, in UTC: what was allowed must be the
// same to whoever looks it up years later.
type Hours struct {
	Days []string `json:"days,omitempty" yaml:"days,omitempty"` // mon, tue, …; none: every day
	From string   `json:"from" yaml:"from"`                     // "08:00"
	To   string   `json:"to" yaml:"to"`                         // "16:00"; not within it any more
}

// Freeze is a time in which no stage begins.
type Freeze struct {
	From time.Time `json:"from" yaml:"from"`
	To   time.Time `json:"to" yaml:"to"` // not frozen any more
	Why  string    `json:"why" yaml:"why"`
}

// Has reports whether a time is within the hours.
func (h Hours) Has(at time.Time) bool {
	at = at.UTC()
	day, now := weekdays()[at.Weekday()], at.Format("15:04")
	return (len(h.Days) == 0 || slices.Contains(h.Days, day)) && h.From <= now && now < h.To
}

// Has reports whether a time is within the freeze.
func (f Freeze) Has(at time.Time) bool { return !at.Before(f.From) && at.Before(f.To) }

// weekdays are the words for the days of a week, as time.Weekday counts them.
func weekdays() []string { return []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"} }

// Releases returns what all policies together ask of the rollouts of a flag in
// an environment. Guardrails, checks, requirements and freezes add up; of all
// else, and of two guardrails on one metric, the highest rank's is asked.
func (s *State) Releases(environment string, f *Flag) Releases {
	var all []Policy
	for _, p := range s.Policies() {
		all = append(all, p.Policy)
	}
	return ReleasesOf(all, environment, f)
}

// ReleasesOf is State.Releases of policies that are recorded nowhere.
func ReleasesOf(policies []Policy, environment string, f *Flag) Releases {
	var all Releases
	for _, p := range slices.SortedFunc(slices.Values(policies), byRank) {
		if p.Match.has(environment, f) {
			all = all.below(p.Rollouts)
		}
	}
	return all
}

// below adds what a policy of a lower rank asks.
func (r Releases) below(low Releases) Releases {
	for _, g := range low.Guardrails {
		if !slices.ContainsFunc(r.Guardrails, g.same) {
			r.Guardrails = append(slices.Clip(r.Guardrails), g)
		}
	}
	if r.Approvals.Count == 0 {
		r.Approvals = low.Approvals
	}
	if len(r.Windows) == 0 {
		r.Windows = low.Windows
	}
	r.MinWindow = cmp.Or(r.MinWindow, low.MinWindow)
	r.Freezes = slices.Concat(r.Freezes, low.Freezes)
	r.Requires = together(r.Requires, low.Requires)
	r.Require = together(r.Require, low.Require)
	return r
}

// same reports whether two guardrails ask the same kind of question of a metric.
func (g ReleaseGuardrail) same(o ReleaseGuardrail) bool {
	return g.Metric == o.Metric && (g.Limit == "") == (o.Limit == "")
}

func together[T comparable](all, more []T) []T {
	all = slices.Clip(all)
	for _, v := range more {
		if !slices.Contains(all, v) {
			all = append(all, v)
		}
	}
	return all
}

// check returns the faults of the section, with paths below it.
func (r Releases) check() event.Invalids {
	var faults event.Invalids
	for i, g := range r.Guardrails {
		faults.Under(fmt.Sprintf("guardrails[%d]", i), g.check())
	}
	if r.Approvals != (Approvals{}) {
		faults.Under("approvals", r.Approvals.check())
	}
	for i, h := range r.Windows {
		faults.Under(fmt.Sprintf("windows[%d]", i), h.check())
	}
	for i, f := range r.Freezes {
		faults.Under(fmt.Sprintf("freezes[%d]", i), f.check())
	}
	for i, name := range r.Requires {
		checkKey(&faults, fmt.Sprintf("requires[%d]", i), name)
	}
	for i, what := range r.Require {
		if what != RequireTicket && what != RequireHypothesis {
			faults.Add(fmt.Sprintf("require[%d]", i), what, "is not something that can be required of a plan", "write ticket or hypothesis")
		}
	}
	return faults
}

func (g ReleaseGuardrail) check() event.Invalids {
	var faults event.Invalids
	checkKey(&faults, "metric", g.Metric)
	switch {
	case g.Margin != nil && g.Limit != "":
		faults.Add("limit", g.Limit, "stands beside a margin", "write two guardrails, one each")
	case g.Margin == nil && g.Limit == "" && g.Detect.IsZero():
		faults.Add("margin", nil, "is missing", "say how much worse is tolerated, such as 5%, or give a limit")
	}
	if _, _, err := event.ParseLevel(g.Limit); g.Limit != "" && err != nil {
		faults.Add("limit", g.Limit, "is not a number with a unit", "write one such as 200ms")
	}
	if g.Limit != "" && !g.Detect.IsZero() {
		faults.Add("detect", g.Detect.String(), "stands beside a limit", "it is harm against control that a test is sharpest for")
	}
	if g.Limit != "" && !g.Exclude.IsZero() {
		faults.Add("exclude", g.Exclude.String(), "stands beside a limit", "only harm against control is excluded")
	}
	if !slices.Contains([]string{"", "pause", "rollback"}, g.OnBreach) {
		faults.Add("onBreach", g.OnBreach, "is not something that a breach may ask for", "write pause or rollback")
	}
	return faults
}

func (h Hours) check() event.Invalids {
	var faults event.Invalids
	for i, d := range h.Days {
		if !slices.Contains(weekdays(), d) {
			faults.Add(fmt.Sprintf("days[%d]", i), d, "is not a day", "write mon, tue, wed, thu, fri, sat or sun")
		}
	}
	from, errFrom := time.Parse("15:04", h.From)
	to, errTo := time.Parse("15:04", h.To)
	switch {
	case errFrom != nil || len(h.From) != 5:
		faults.Add("from", h.From, "is not a time of day", `write one such as "08:00", in UTC`)
	case errTo != nil || len(h.To) != 5:
		faults.Add("to", h.To, "is not a time of day", `write one such as "16:00", in UTC`)
	case !from.Before(to):
		faults.Add("to", h.To, "is not after "+h.From, "hours that pass midnight are two entries")
	}
	return faults
}

func (f Freeze) check() event.Invalids {
	var faults event.Invalids
	if f.From.IsZero() {
		faults.Add("from", nil, "is missing", "say when it begins, such as 2026-12-20")
	}
	if !f.To.After(f.From) {
		faults.Add("to", nil, "is not after its beginning", "say when stages may begin again, such as 2027-01-02")
	}
	if f.Why == "" {
		faults.Add("why", nil, "is missing", "say why; whoever waits will read it")
	}
	return faults
}
