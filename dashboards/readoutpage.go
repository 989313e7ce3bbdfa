package dashboards

import (
	"fmt"
	"net/url"
	"time"

	"github.com/sluice-hq/sluice/dashboards/chart"
	"github.com/sluice-hq/sluice/decisions"
)

// ReadoutPage is what the data say of one rollout: now, or as it was at a look.
type ReadoutPage struct {
	Frame
	Title  Title
	Tab    View
	Tabs   []Tab
	Then   *Then   // the look whose numbers these are; nil: the newest
	Looks  Choice  // looks to choose from
	Lead   string  // the result in one sentence
	Banner *Banner // at most one, see Loudest; nil: none
	Bare   bool    // values without intervals: nobody should conclude from them yet
	Empty  *Empty  // instead of everything else, when nothing was looked at
	Readout
	Forecast  []Due // when tests have their information
	Part      Part  // what has to be read first
	Time      *OverTime
	Segments  *Segments
	Health    *Health
	Days      *Novelties
	Questions []Question // what was asked for the numbers
	AsOf      AsOf
}

func (ReadoutPage) template() string { return "readout" }

// View is one of the tabs of a readout.
type View string

// The tabs.
const (
	OfMetrics  View = "metrics"
	OfSegments View = "segments"
	OfDays     View = "days"
	OfHealth   View = "health"
	OfQueries  View = "query"
)

var views = []struct {
	view View
	name string
}{
	{OfMetrics, "Metrics"}, {OfSegments, "Segments"}, {OfDays, "Days since exposure"}, {OfHealth, "Health"}, {OfQueries, "Query"},
}

// Asked is what the address of a readout page asks for.
type Asked struct {
	View    View      // OfMetrics for anything else
	Metric  string    // that the charts over time are of; empty: the one that matters most
	Segment string    // attribute to split by; empty: the plan's first, if it has one
	Days    int       // since exposure; 0: seven
	At      time.Time // of the look; zero: now
	All     bool      // every metric of a long list
	Read    bool      // what has to be read first is read
}

// ParseAsked reads the query of an address. What it does not understand is left
// to the API, which the numbers come from.
func ParseAsked(q url.Values) Asked {
	a := Asked{View: OfMetrics, Metric: q.Get("metric"), Segment: q.Get("segment"), All: q.Get("all") != "", Read: q.Get("read") != ""}
	for _, v := range views {
		if q.Get("tab") == string(v.view) {
			a.View = v.view
		}
	}
	a.At, _ = time.Parse(time.RFC3339Nano, q.Get("at"))
	if d, err := time.ParseDuration(q.Get("days") + "h"); err == nil {
		a.Days = int(d.Hours())
	}
	return a
}

// Glance is what a readout page is made of.
type Glance struct {
	Seen
	Looks []decisions.Look // to choose from, oldest first, without what they saw
	Taken int              // how many looks there were
	JSON  string           // address of the same values; empty: none
	Found Found            // what Asked.Read asked for
}

// Part is what the page says of the things that take a while to read.
type Part struct {
	Link  string // that reads them; empty: there is nothing to read here
	Text  string // what it reads, and what that costs
	Read  bool   // it was read
	Fault string // why it could not be; empty: it could
	Fix   string
}

// Then is the look that a page shows.
type Then struct {
	At     time.Time
	Stage  string
	Record string // address of the decision that was made at it; empty: none
	Now    string // address of the page of now
	Plan   int    // version of the plan that the rows are of, where it was another then; 0: it was the same
}

// Due is when the test of a metric has its information.
type Due struct {
	Metric string
	Share  float64
	Text   string // "3 Dec at this rate"
}

// NewReadoutPage makes the page.
func NewReadoutPage(f Frame, g Glance, a Asked, now time.Time) ReadoutPage {
	g.Past = !a.At.IsZero()
	p := ReadoutPage{Frame: f, Title: newTitle(g.Seen), Tab: a.View, Looks: lookChoice(g, a), AsOf: newAsOf(g.Seen, g.JSON, now)}
	p.AsOf.Queries = nil // they have a tab
	for _, v := range views {
		p.Tabs = append(p.Tabs, Tab{Name: v.name, Link: g.address(a.on(v.view)), Here: v.view == a.View})
	}
	if g.Evidence == nil {
		p.Empty = nothingYet(g.Rollout)
		return p
	}
	p.Readout = measure(g.Seen)
	p.then(g, a)
	v, _ := g.verdict()
	p.Lead, p.Banner = lead(g.Seen, p.Readout), Loudest(banners(v.Checks))
	p.early(g, now)
	p.fill(g, a)
	return p
}

// nothingYet says how the first numbers come.
func nothingYet(r decisions.Rollout) *Empty {
	if r.Status == decisions.Planned {
		return &Empty{Title: "Nothing is measured yet", Text: "The rollout has not started. What it measures is looked at from its first stage on.", Command: "sluice rollout start " + r.ID}
	}
	return &Empty{Title: "Nothing is known of this rollout here", Text: "No look at it is kept. This command counts now:", Command: "sluice readout " + r.ID}
}

// then marks the page as one of the past, which does not change any more.
func (p *ReadoutPage) then(g Glance, a Asked) {
	if a.At.IsZero() {
		return
	}
	p.Refresh = 0
	p.Then = &Then{At: g.Evidence.At, Now: g.address(a.at(time.Time{}))}
	if versionAt(g.Rollout, g.Evidence.At) != g.Rollout.Version {
		p.Then.Plan = g.Rollout.Version
	}
	for _, l := range g.Looks {
		if l.At.Equal(g.Evidence.At) {
			p.Then.Stage = l.Stage
			if l.Decision != "" {
				p.Then.Record = "/decisions/" + l.Decision
			}
		}
	}
}

// early takes the intervals away in the first stage's shortest window: whoever
// sees a number with its interval on the first day will act on it.
func (p *ReadoutPage) early(g Glance, now time.Time) {
	at := now
	if p.Then != nil {
		at = p.Then.At
	}
	r := g.Rollout
	if r.Started.IsZero() || len(r.Plan.Stages) == 0 {
		return
	}
	first := time.Duration(r.Plan.Stages[0].MinWindow)
	v, _ := g.verdict()
	if first <= 0 || at.Sub(r.Started) >= first || v.Action == decisions.Rollback {
		return
	}
	p.Bare = true
	p.Lead = "It is too early to conclude anything: the first window of " + length(first) + " is not over."
	for i, row := range p.Rows {
		if row.Lift != nil && row.Verdict != Worse {
			lift := *row.Lift
			lift.Always, lift.Fixed, lift.Bounds = unknown(), unknown(), Interval{}
			row.Lift, row.Verdict, row.Note = &lift, Inconclusive, "diagnostic only"
			p.Rows[i] = row
		}
	}
}

// fill adds what the tab shows.
func (p *ReadoutPage) fill(g Glance, a Asked) {
	switch a.View {
	case OfMetrics:
		p.metrics(g, a)
	case OfSegments:
		p.segments(g, a)
	case OfDays:
		p.days(g, a)
	case OfHealth:
		p.health(g, a)
	case OfQueries:
		p.Questions, p.Refresh = questions(g.Evidence.Queries), 0
	}
	if a.View != OfQueries {
		p.Questions = questions(g.Found.Queries)
	}
}

// metrics adds the dates of the tests, and the charts over time.
func (p *ReadoutPage) metrics(g Glance, a Asked) {
	for i, row := range p.Rows {
		p.Rows[i].Link = g.address(a.of(row.Metric)) + "#time"
	}
	if p.Then == nil && !p.Bare {
		p.Forecast = dues(g.Rollout.Forecast(*g.Evidence))
	}
	if a.Metric == "" {
		a.Metric = Subject(g.Seen)
	}
	p.part(g, a, "How "+a.Metric+" and the units came about is read from the looks of the controller.")
	if p.Part.Read { // the part asks for itself, so that the page need not read it again
		a.Read = false
		p.Path = g.address(a)
	}
	if p.Part.Read && p.Part.Fault == "" {
		t := overTime(g, a.Metric, p.Rows)
		p.Time = &t
	}
}

// part says what is to be read, or that it was.
func (p *ReadoutPage) part(g Glance, a Asked, text string) {
	link := a
	link.Read = true
	p.Part = Part{Link: g.address(link), Text: text, Read: a.Read, Fault: g.Found.Fault, Fix: g.Found.Fix}
}

// Asks says in htmx's words when the part asks for itself: at once while it is not
// read and, on a page that renews itself, again whenever there is a new look.
func (p ReadoutPage) Asks() string {
	switch {
	case p.Part.Link == "":
		return ""
	case !p.Part.Read:
		return "load, visibilitychange from:document"
	case p.Tab != OfMetrics || !p.Renews():
		return ""
	}
	return fmt.Sprintf("changed from:#live, every %dms", 4*p.Refresh.Milliseconds())
}

// Subject is the metric that a readout's charts are of when nobody names one:
// the one that matters most, or the plan's first.
func Subject(s Seen) string {
	rows := measure(s).Rows
	if r, ok := decisive(rows); ok {
		return r.Metric
	}
	if len(rows) > 0 {
		return rows[0].Metric
	}
	return ""
}

func dues(all []decisions.Forecast) []Due {
	var out []Due
	for _, f := range all {
		d := Due{Metric: f.Metric, Share: min(f.Share, 1)}
		switch {
		case f.Share >= 1:
			d.Text = "complete"
		case f.At != nil:
			d.Text = "complete on " + f.At.UTC().Format("2 Jan 2006, 15:04") + " UTC at this rate"
		default:
			d.Text = "no date at this rate"
		}
		out = append(out, d)
	}
	return out
}

// drawn is the chart of a plot, or nothing where there is nothing to draw.
func drawn(p chart.Plot) *chart.Chart {
	if p.Empty() {
		return nil
	}
	c := p.Draw()
	return &c
}

// Undecided is the sign of what decides nothing.
func (ReadoutPage) Undecided() Mark { return Inconclusive }
