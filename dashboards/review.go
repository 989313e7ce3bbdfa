package dashboards

import (
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/sluice-hq/sluice/decisions"
)

// WeekReview is what happened to releases in a time.
type WeekReview struct {
	Frame
	From, Until time.Time
	Filter      Form
	Tiles       []Tile
	Done        []Deeds // what people did against the recommendation, what was decided, drills
	Incidents   []Incident
	Stale       []Overdue
	AsOf        AsOf
}

func (WeekReview) template() string { return "review" }

// Deeds are things of one kind that were done, the newest first.
type Deeds struct {
	ID   Anchor
	Name string
	List []Deed
}

// Deed is one thing that was done about a rollout.
type Deed struct {
	At      time.Time
	Mark    Mark
	What    string
	Rollout string // its name
	Link    string // of its page
	Who     string
	Text    string
	Why     string // a person's reason; empty: the controller's is in Text
	Against string // what was recommended instead; empty: it was followed, or nothing was
}

// Overdue is a flag that should be gone, and why it is thought so.
type Overdue struct {
	Flag, Link, Owner string
	Why               string
}

// NewWeekReview makes the page of a digest. since is the filter as it was sent.
func NewWeekReview(f Frame, d decisions.Digest, stale []Overdue, since string) WeekReview {
	p := WeekReview{Frame: f, From: d.From, Until: d.Until, Stale: stale,
		Done: []Deeds{{"overrides", "Against the recommendation", deeds(d.Overrides)}, {"made", "What changed, stopped or ended something", deeds(d.Decisions)}, {"drills", "Drills", deeds(d.Drills)}},
		AsOf: AsOf{Log: f.Log, JSON: "/api/v1/review?" + url.Values{"since": {since}}.Encode()},
		Filter: Form{ID: "since", Action: "/review", Get: true, Button: "Show", Fields: []Field{
			{Name: "since", Label: "Since", Kind: AsLine, Value: since, Hint: "7d, or 2026-11-01"}}}}
	for _, i := range d.Incidents {
		p.Incidents = append(p.Incidents, newIncident(i))
	}
	p.Tiles = []Tile{
		{count(int64(d.Counts[string(decisions.Expand)])), "expanded"}, {count(int64(d.Counts[string(decisions.Rollback)])), "rolled back"}, {count(int64(d.Counts[string(decisions.Ship)])), "shipped"},
		{count(int64(len(d.Overrides))), "overridden"}, {count(int64(len(d.Incidents))), "incidents"}, {count(int64(len(stale))), "overdue flags"},
	}
	return p
}

func deeds(all []decisions.Deed) []Deed {
	var out []Deed
	for _, d := range slices.Backward(all) { // the newest first
		out = append(out, Deed{At: d.At, Mark: decidedWord(d.What), What: d.What, Rollout: d.Rollout, Link: "/rollouts/" + d.Rollout, Who: d.By,
			Text: sentence(d.Text), Why: d.Rationale, Against: d.Against})
	}
	return out
}

// decidedWord is the mark of a deed by its word; what is no decision has a
// plain one.
func decidedWord(what string) Mark {
	switch what {
	case "reject":
		return Rejected
	case "override":
		return Overruled
	case "drill":
		return Passed
	}
	return decided(decisions.Action(what))
}

// Incidents is what was wrong with flags, newest first.
type Incidents struct {
	Frame
	Filter Form
	Rows   []Incident
	Open   *Form      // opens one; nil: whoever looks may not
	Told   []Receiver // who hears of what happens; none: nobody, or it is not this person's business
	Pager  Pager
	Empty  *Empty
	AsOf   AsOf
}

func (Incidents) template() string { return "incidents" }

// Incident is one of them.
type Incident struct {
	Mark              Mark // Failed: it is open, Passed: it is resolved
	Name, Severity    string
	Flag, Environment string
	FlagLink          string
	Text, Source, By  string
	Segment           string
	Link              string // to where it comes from
	Since, Resolved   time.Time
	ResolvedBy        string
	Comment           string // why it was resolved
	Resolve           *Form  // nil: it is resolved, or whoever looks may not
}

func newIncident(i decisions.Reported) Incident {
	out := Incident{Mark: Failed, Name: i.ID, Severity: string(i.Severity), Flag: i.Flag, Environment: i.Environment, FlagLink: "/flags/" + i.Flag,
		Text: i.Text, Source: i.Source, By: i.By, Segment: i.Segment, Link: i.Link, Since: i.Since, Resolved: i.Resolved, ResolvedBy: i.ResolvedBy, Comment: i.Comment}
	if !i.Open() {
		out.Mark = Passed
	}
	return out
}

// State is a word for whether it is open.
func (i Incident) State() string {
	if i.Resolved.IsZero() {
		return "open"
	}
	return "resolved"
}

// NewIncidents makes the page of those that an address asks for. key names the
// request of each form.
func NewIncidents(f Frame, query url.Values, list []decisions.Reported, next string, key func() string) Incidents {
	p := Incidents{Frame: f, Filter: incidentFilter(f, query), AsOf: AsOf{Log: f.Log, JSON: address("/api/v1/incidents", query, "cursor", "")}}
	for n, i := range list {
		row := newIncident(i)
		if i.Open() && f.Rights.Report {
			row.Resolve = &Form{ID: Anchor("resolve-" + count(int64(n))), Key: key(), Button: "Resolve",
				Action: "/incidents/" + strings.Join([]string{url.PathEscape(i.Environment), url.PathEscape(i.Flag), url.PathEscape(i.ID)}, "/") + "/resolve",
				Fields: []Field{{Name: "comment", Label: "How it ended", Kind: AsText, Rows: 2, Must: true}}}
		}
		p.Rows = append(p.Rows, row)
	}
	if next != "" {
		p.Pager.Older = address("/incidents", query, "cursor", next)
	}
	if len(list) == 0 {
		p.Empty = &Empty{Title: "No incident matches", Text: "Alerts come from Alertmanager and Grafana by webhook, and from people:", Command: "sluice incidents open checkout.payments.express-pay -e production -m 'what is wrong'"}
	}
	if f.Rights.Report {
		p.Open = openForm(f, query, key())
	}
	return p
}

func openForm(f Frame, q url.Values, key string) *Form {
	form := Form{ID: "open", Action: "/incidents", Key: key, Button: "Open the incident", Fields: []Field{
		{Name: "flag", Label: "Flag", Kind: AsLine, Value: q.Get("flag"), Must: true, Hint: "checkout.payments.express-pay"},
		{Name: "environment", Label: "Environment", Kind: AsChoice, Value: f.Environment, Must: true},
		{Name: "severity", Label: "Severity", Kind: AsChoice, Value: string(decisions.Blocking), Must: true, Help: "What each asks for, the plan of the rollout says.",
			Options: []Option{{"critical", "critical: by default it rolls back"}, {"blocking", "blocking: by default it pauses"}, {"minor", "minor: by default it holds"}}},
		{Name: "text", Label: "What is wrong", Kind: AsText, Must: true, Help: "Decisions and pages show it."},
		{Name: "link", Label: "Link", Kind: AsLine},
	}}
	for _, e := range f.Environments {
		form.Fields[1].Options = append(form.Fields[1].Options, Option{e, e})
	}
	return &form
}

func incidentFilter(f Frame, q url.Values) Form {
	all := Option{"", "all"}
	return Form{ID: "filter", Action: "/incidents", Get: true, Button: "Show", Fields: []Field{
		{Name: "environment", Kind: AsHidden, Value: f.Environment},
		{Name: "flag", Label: "Flag", Kind: AsLine, Value: q.Get("flag")},
		{Name: "severity", Label: "Severity", Kind: AsChoice, Value: q.Get("severity"), Options: []Option{all, {"critical", "critical"}, {"blocking", "blocking"}, {"minor", "minor"}}},
		{Name: "open", Label: "State", Kind: AsChoice, Value: q.Get("open"), Options: []Option{all, {"true", "open"}, {"false", "resolved"}}},
		{Name: "source", Label: "Source", Kind: AsLine, Value: q.Get("source"), Hint: "alertmanager"},
	}}
}
