package dashboards

import (
	"fmt"
	"net/url"
	"strings"
	"time"
)

// Frame is what every page has around its content. The zero Frame is a page
// for nobody that does not renew itself.
type Frame struct {
	Path         string        // of the page, with its query: what a link to it holds, and what it asks for to renew itself
	Person       string        // the principal who is signed in; empty: nobody
	Guest        bool          // nobody signed in, and whoever asks may read
	Rights       Rights        // of that person here: what is a button
	Section      Section       // which the page belongs to
	Environment  string        // the one that lists are narrowed to; empty: all
	Environments []string      // to choose from; none: the page is about one, or about no environment
	Query        string        // what the search field holds
	Refresh      time.Duration // how often the live part renews itself; 0: never
	Changes      string        // address of the stream that says when there is something new, upon which it renews itself at once; empty: there is none
	Log          uint64        // newest event of the log that the page knows
	Notice       string        // what the last form did, shown once; empty: nothing
}

// Rights say what a person may do here. They decide what is shown as a button;
// whether it may be done, the server asks again.
type Rights struct {
	Write  bool // flags, metrics, plans
	Decide bool // start, approve, hold, roll back
	Report bool // incidents
	Manage bool // people, tokens, webhooks, dead letters
}

// Section is a part of the house, a word of the navigation.
type Section string

// The sections.
const (
	InRollouts    Section = "Rollouts"
	InDecisions   Section = "Decisions"
	InExperiments Section = "Experiments"
	InFlags       Section = "Flags"
	InMetrics     Section = "Metrics"
	InIncidents   Section = "Incidents"
	InCleanup     Section = "Cleanup"
	InEvents      Section = "Events"
	InSimulate    Section = "Simulate"
)

// Place is a word of the navigation: where it leads, and the letter that leads
// there after g.
type Place struct {
	Section Section
	Link    string
	Letter  string
}

var places = []Place{
	{InRollouts, "/", "r"}, {InDecisions, "/decisions", "d"}, {InExperiments, "/experiments", "x"}, {InFlags, "/flags", "f"}, {InMetrics, "/catalogue", "m"},
	{InIncidents, "/incidents", "i"}, {InCleanup, "/cleanup", "c"}, {InEvents, "/events", "e"}, {InSimulate, "/simulate", "s"},
}

// Places are the words of the navigation. They keep the environment that
// somebody chose.
func (f Frame) Places() []Place {
	all := make([]Place, len(places))
	for i, p := range places {
		p.Link = f.within(p.Link)
		all[i] = p
	}
	return all
}

// within adds the chosen environment to a link.
func (f Frame) within(link string) string {
	if f.Environment == "" || len(f.Environments) == 0 {
		return link
	}
	return link + "?" + url.Values{"environment": {f.Environment}}.Encode()
}

// SignIn is where a guest signs in, and comes back from.
func (f Frame) SignIn() string { return "/sign-in?" + url.Values{"next": {f.Path}}.Encode() }

// Here is the page's path without its query.
func (f Frame) Here() string {
	path, _, _ := strings.Cut(f.Path, "?")
	return path
}

// asks returns what the page's address says under a name.
func (f Frame) asks(name string) string {
	_, query, _ := strings.Cut(f.Path, "?")
	values, _ := url.ParseQuery(query) // what cannot be read was not said
	return values.Get(name)
}

// with is a page's address, narrowed as this page is, with one more word.
func (f Frame) with(path, name, value string) string {
	query := url.Values{name: {value}}
	for name, value := range map[string]string{"environment": f.Environment, "q": f.Query} {
		if value != "" {
			query.Set(name, value)
		}
	}
	return path + "?" + query.Encode()
}

// Renews reports whether the page asks for itself again.
func (f Frame) Renews() bool { return f.Refresh > 0 && f.Path != "" }

// Trigger says in htmx's words when the live part asks for itself: after a
// while and, where there is a stream of changes, when that says so.
func (f Frame) Trigger() string {
	every := fmt.Sprintf("every %dms", f.Refresh.Milliseconds())
	if f.Changes == "" {
		return every
	}
	return "changed, " + every
}
