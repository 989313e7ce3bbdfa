package dashboards

import (
	"math"
	"strings"
	"time"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/ingest"
	"github.com/sluice-hq/sluice/stats"
)

// Catalogue is the list of metrics.
type Catalogue struct {
	Frame
	Rows       []MetricLine
	Undeclared []Undeclared
	Pager      Pager
	Empty      *Empty // nil: there are metrics
	Form       *Form  // to declare one; nil: whoever looks may not
	Open       bool   // the form is shown at once: it was refused
	AsOf       AsOf
}

func (Catalogue) template() string { return "catalogue" }

// MetricLine is a metric in the list.
type MetricLine struct {
	Key, Link   string
	Owner       string
	Description string
	Direction   string
	Aggregate   string
	Uses        string // "2 running, 14 in all"
	Roles       string // "guardrail, success"
	Past        string // mean effect of past rollouts; empty: none is known
	Newest      time.Time
}

// Undeclared is a name of events that no metric declares.
type Undeclared struct {
	Name        string
	Environment string
	Events      uint64
	Newest      time.Time
	Link        string // of its dead letters
}

// MetricPage is one metric.
type MetricPage struct {
	Frame
	Key, Description string
	Facts            []Fact
	Newest           time.Time
	Lead             string // what past rollouts did to it, in a sentence
	Effects          Readout
	Uses             []Use
	History          []Defined
	Form             *Form // to change it; nil: whoever looks may not
	Command          string
	AsOf             AsOf
}

func (MetricPage) template() string { return "metric" }

// Use is a rollout whose plan has the metric.
type Use struct {
	Rollout, Link string
	Role          string
	Status        Mark
}

// Defined is one definition of the metric.
type Defined struct {
	Number  int
	At      time.Time
	Who     string
	Comment string
	Changes []string
}

// Listed is a metric with what is done with it, as the API tells it.
type Listed struct {
	ingest.Declaration
	Uses   []decisions.MetricUse
	Past   *stats.PastMean
	Newest *time.Time
}

// Told is one metric with all that is known of it.
type Told struct {
	Listed
	Effects []decisions.PastEffect
	History []ingest.MetricVersion
}

// NewCatalogue makes the list. form is nil for whoever may not declare metrics.
func NewCatalogue(f Frame, all []Listed, undeclared []Undeclared, form *Form, pager Pager, now time.Time) Catalogue {
	c := Catalogue{Frame: f, Undeclared: undeclared, Pager: pager, Form: form, AsOf: AsOf{JSON: "/api/v1/catalogue"}}
	if len(all) == 0 {
		c.Empty = &Empty{Title: "No metric yet", Text: "A metric is declared by a document. Events whose name no metric declares wait among the dead letters.", Command: "sluice apply metric.yaml"}
	}
	for _, m := range all {
		c.Rows = append(c.Rows, metricLine(m))
		c.AsOf = c.AsOf.upTo(m.Newest, now)
	}
	if form != nil && form.Refused() {
		c.Open = true
	}
	return c
}

// upTo notes an event that is counted, if it is the newest so far.
func (a AsOf) upTo(newest *time.Time, now time.Time) AsOf {
	if newest != nil && newest.After(a.Event) {
		a.Event, a.Lag = *newest, now.Sub(*newest)
	}
	return a
}

func metricLine(m Listed) MetricLine {
	d := m.Metric
	l := MetricLine{Key: d.Key, Link: MetricLink(d.Key), Owner: d.Owner, Description: d.Description, Direction: wantedWord(d.Direction), Aggregate: string(d.Aggregate)}
	running, roles := int64(0), []string{}
	for _, u := range m.Uses {
		if u.Status == decisions.Running || u.Status == decisions.Paused || u.Status == decisions.Observing {
			running++
		}
		if !strings.Contains(strings.Join(roles, ","), u.Role) {
			roles = append(roles, u.Role)
		}
	}
	l.Roles, l.Uses = strings.Join(roles, ", "), "nowhere"
	if n := int64(len(m.Uses)); n > 0 {
		l.Uses = count(running) + " under way, " + count(n) + " in all"
	}
	if m.Past != nil {
		l.Past = meanWords(*m.Past)
	}
	if m.Newest != nil {
		l.Newest = *m.Newest
	}
	return l
}

// MetricLink returns the address of a metric's page.
func MetricLink(key string) string { return "/catalogue/" + key }

func wantedWord(d stats.Direction) string {
	if d == stats.Decrease {
		return "lower is better"
	}
	return "higher is better"
}

func meanWords(p stats.PastMean) string {
	return change(p.Effect) + " (" + span(ends(p.Fixed)) + ")"
}

// NewMetricPage makes the page of one metric.
func NewMetricPage(f Frame, m Told, form *Form, now time.Time) MetricPage {
	d := m.Metric
	p := MetricPage{Frame: f, Key: d.Key, Description: d.Description, Facts: metricFacts(m), Form: form, Effects: Readout{Level: confidence},
		Command: "sluice apply metric.yaml", AsOf: AsOf{JSON: "/api/v1" + MetricLink(d.Key)}}
	if m.Newest != nil {
		p.Newest = *m.Newest
	}
	p.AsOf = p.AsOf.upTo(m.Newest, now)
	if m.Past != nil {
		p.Lead = pastWords(*m.Past)
	}
	for _, e := range m.Effects {
		p.Effects.Rows = append(p.Effects.Rows, effectRow(d, e))
	}
	for _, u := range m.Uses {
		p.Uses = append(p.Uses, Use{Rollout: u.Rollout, Link: "/rollouts/" + u.Rollout, Role: u.Role, Status: statusOf(u.Status)})
	}
	for i := len(m.History) - 1; i >= 0; i-- {
		v := m.History[i]
		p.History = append(p.History, Defined{Number: v.Version, At: v.At, Who: v.Actor, Comment: v.Comment, Changes: v.Changes})
	}
	return p
}

// pastWords says what past rollouts did on average.
func pastWords(p stats.PastMean) string {
	if p.N == 1 {
		return "The one rollout that is over changed it by " + change(p.Effect) + " (95 % interval " + span(ends(p.Fixed)) + ")."
	}
	return count(int64(p.N)) + " rollouts that are over changed it by " + change(p.Effect) + " on average (95 % interval " + span(ends(p.Fixed)) +
		"); beyond chance their effects differ by " + short(math.Round(p.SD*1000)/1000) + "."
}

func metricFacts(m Told) []Fact {
	d := m.Metric
	all := []Fact{{"Owner", d.Owner}, {"Events", d.EventName()}, {"Aggregate", string(d.Aggregate)}, {"Direction", wantedWord(d.Direction)}}
	add := func(name, value string) {
		if value != "" {
			all = append(all, Fact{name, value})
		}
	}
	add("Unit of measure", d.UnitOfMeasure)
	if d.Window > 0 {
		add("Window", d.Window.String()+" after first exposure")
	}
	if d.GateWindow > 0 {
		add("Gates look after", d.GateWindow.String())
	}
	if d.Baseline != nil {
		add("Baseline", d.Baseline.Lookback.String()+" before first exposure")
	}
	if d.Denominator != nil {
		add("Divided by", d.Denominator.Event)
	}
	if d.Cap != nil {
		add("Values are cut at", "the quantile "+number(d.Cap.Percentile))
	}
	all = append(all, Fact{"Version", count(int64(len(m.History)))}, Fact{"Changed", moment(m.Changed) + " by " + m.Actor})
	return all
}

// effectRow is what one rollout did to the metric.
func effectRow(d ingest.Metric, e decisions.PastEffect) Row {
	c := e.Comparison
	r := Row{Metric: e.Rollout, Link: "/readouts/" + e.Rollout, Role: Role(e.Role), Arm: e.Treatment, Share: d.Aggregate.Proportion(), Measure: d.UnitOfMeasure, Lower: d.Direction == stats.Decrease,
		Control: Level{c.Control.N, c.Control.Mean}, Treatment: Level{c.Treatment.N, c.Treatment.Mean}, Verdict: Inconclusive, Note: string(statusOf(e.Status)),
		Lift: &Lift{Relative: c.Estimate, Absolute: c.Treatment.Mean - c.Control.Mean, Always: ends(c.Band), Fixed: ends(c.Fixed)}}
	if !c.Band.Contains(0) {
		r.Verdict = wanted(c.Estimate, r.Lower)
	}
	return r
}

// statusOf is a rollout's state in a word, without its verdict.
func statusOf(s decisions.Status) Mark {
	switch s {
	case decisions.Planned:
		return Planned
	case decisions.Paused:
		return Paused
	case decisions.Observing:
		return Shipped
	case decisions.RolledBack:
		return RolledBack
	case decisions.CleanupDue:
		return CleanupDue
	case decisions.Rejected:
		return Rejected
	}
	return Running
}

// MetricForm is the form with a metric's document. key names the request.
func MetricForm(action, text, key string) Form {
	return Form{ID: "metric", Action: action, Key: key, Button: "Save", Check: action, Fields: []Field{
		{Name: "document", Label: "Document", Kind: AsCode, Value: text, Rows: 16, Must: true, Help: "A document of kind Metric, as sluice apply takes it. A change counts for rollouts that are planned from then on."},
		{Name: "comment", Label: "Why", Kind: AsLine, Help: "For the history."},
	}}
}
