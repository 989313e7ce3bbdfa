package dashboards

import (
	"net/url"
	"slices"
	"time"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/flags"
)

// Flags is the list of flags, narrowed by a filter.
type Flags struct {
	Frame
	Filter Form
	Rows   []FlagRow
	Found  string // how many there are, in words
	Pager  Pager
	Empty  *Empty // nil: there are rows
	New    string // where one is made; empty: this person makes none
	AsOf   AsOf
}

func (Flags) template() string { return "flags" }

// FlagRow is one flag in the list.
type FlagRow struct {
	Key, Link, Owner, Purpose string
	Tags                      string
	Phase                     Mark
	Stale                     string // why somebody should look at it; empty: nobody needs to
	Answers                   []Answer
	Asked                     time.Time // newest evaluation in any environment; zero: see Unasked
	Unasked                   string    // what is known when there is none
	Due                       string    // when its cleanup is; empty: it is not
}

// Answer is who gets what in one environment, and how the flag is there.
type Answer struct {
	Environment, Text string
	Health            Mark
	Why               string // of the health, when it is critical
}

// FlagSeen is a flag as the server knows it when it makes a page.
type FlagSeen struct {
	Flag   flags.Recorded
	Life   flags.Life
	Health map[string]decisions.FlagHealth
	Seen   map[string]flags.Seen // nil: nobody counts
	Due    *time.Time            // of its cleanup; nil: it is not due
}

// FlagFilter is what the list was asked for, by the names that the API has.
type FlagFilter struct{ Q, Owner, Tag, Purpose, Lifecycle, State, Health, Stale, Sort string }

// Any reports whether the filter leaves something out.
func (f FlagFilter) Any() bool { return f != FlagFilter{Sort: f.Sort} }

// FlagList is what the list of flags is made from.
type FlagList struct {
	Flags  []FlagSeen
	Filter FlagFilter
	Asked  url.Values // the query, which pages keep
	Next   string     // cursor; empty: these are the last
	Order  []string   // of environments
}

// NewFlags makes the list.
func NewFlags(f Frame, in FlagList, asOf AsOf, now time.Time) Flags {
	p := Flags{Frame: f, Filter: filterForm(f, in.Filter), AsOf: asOf, Pager: Turn("/flags", in.Asked, in.Next)}
	for _, s := range in.Flags {
		p.Rows = append(p.Rows, flagRow(s, f.Environment, in.Order, now))
	}
	if f.Rights.Write {
		p.New = "/flags/new"
	}
	switch {
	case len(p.Rows) == 0 && in.Filter.Any():
		p.Empty = &Empty{Title: "No flag matches", Text: "Take something out of the filter.", Command: "sluice get flags"}
	case len(p.Rows) == 0:
		p.Empty = &Empty{Title: "No flag yet", Text: "A flag is a document. This command makes one from a file:", Command: "sluice apply flag.yaml -m 'why'"}
	default:
		p.Found = amount(len(p.Rows), "flag")
		if p.Pager != (Pager{}) {
			p.Found += " on this page"
		}
	}
	return p
}

// Turn makes the links of a list that its cursors lead through.
func Turn(path string, asked url.Values, next string) Pager {
	at := func(cursor string) string {
		q := url.Values{}
		for name, v := range asked {
			q[name] = v
		}
		q.Del("cursor")
		if cursor != "" {
			q.Set("cursor", cursor)
		}
		if len(q) == 0 {
			return path
		}
		return path + "?" + q.Encode()
	}
	var p Pager
	if asked.Get("cursor") != "" {
		p.Newer = at("")
	}
	if next != "" {
		p.Older = at(next)
	}
	return p
}

func flagRow(s FlagSeen, only string, order []string, now time.Time) FlagRow {
	f := s.Flag
	r := FlagRow{Key: f.Key, Link: flagLink(f.Key), Owner: f.Owner, Purpose: string(f.Purpose), Tags: few(f.Tags, 6), Phase: phase(s.Life)}
	if s.Life.Stale && len(s.Life.Reasons) > 0 {
		r.Stale = s.Life.Reasons[0]
	}
	if s.Due != nil {
		r.Due = away(*s.Due, now)
	}
	for _, name := range inOrder(f, order) {
		if only != "" && only != name {
			continue
		}
		h := s.Health[name]
		a := Answer{Environment: name, Text: gets(f, name), Health: healthMark(h)}
		if a.Health == Critical {
			a.Why = h.Text
		}
		r.Answers = append(r.Answers, a)
	}
	r.Asked, r.Unasked = lastAsked(s, only)
	return r
}

// lastAsked returns the newest evaluation there is, and what is known when
// there is none.
func lastAsked(s FlagSeen, only string) (time.Time, string) {
	var last, since time.Time
	for name, seen := range s.Seen {
		if only != "" && only != name {
			continue
		}
		if seen.Asked.After(last) {
			last = seen.Asked
		}
		if since.IsZero() || seen.Since.Before(since) {
			since = seen.Since
		}
	}
	if since.IsZero() {
		return last, "not counted"
	}
	return last, "not since " + since.UTC().Format(time.DateOnly)
}

// away says how far a moment is away: "in 3 d", "2 d overdue".
func away(t, now time.Time) string {
	if t.Before(now) {
		return length(now.Sub(t)) + " overdue"
	}
	return "in " + length(t.Sub(now))
}

// flagLink returns the address of a flag's page.
func flagLink(key string) string { return "/flags/" + url.PathEscape(key) }

// filterForm asks which flags are shown. What the frame chooses stays.
func filterForm(f Frame, in FlagFilter) Form {
	form := Form{ID: "filter", Action: "/flags", Get: true, Button: "Show", Fields: []Field{
		{Name: "q", Label: "Text", Kind: AsLine, Value: in.Q, Hint: "key, owner, tag"},
		{Name: "owner", Label: "Owner", Kind: AsLine, Value: in.Owner},
		{Name: "tag", Label: "Tag", Kind: AsLine, Value: in.Tag},
		choice("purpose", "Purpose", in.Purpose, "any purpose", "release", "experiment", "operational", "permission", "kill-switch"),
		choice("lifecycle", "Life", in.Lifecycle, "any", "draft", "rollingOut", "experimenting", "decided", "live", "cleanupDue", "archived"),
		choice("state", "State", in.State, "any", "enabled", "disabled", "forced"),
		choice("health", "Health", in.Health, "any", "healthy", "critical", "unknown"),
		{Name: "stale", Label: "Stale", Kind: AsChoice, Value: in.Stale, Options: []Option{{"", "all"}, {"true", "stale alone"}, {"false", "not stale"}}},
		{Name: "sort", Label: "Order", Kind: AsChoice, Value: in.Sort, Options: []Option{{"", "by key"}, {"changed", "newest change first"}}},
	}}
	if f.Environment != "" {
		form.Fields = append(form.Fields, Field{Name: "environment", Kind: AsHidden, Value: f.Environment})
	}
	return form
}

// choice is a field of AsChoice whose answers are their own names; none asks
// for nothing.
func choice(name, label, value, none string, answers ...string) Field {
	options := []Option{{"", none}}
	if none == "" {
		options = nil
	}
	for _, a := range answers {
		options = append(options, Option{a, a})
	}
	if value != "" && !slices.ContainsFunc(options, func(o Option) bool { return o.Value == value }) {
		options = append(options, Option{value, value})
	}
	return Field{Name: name, Label: label, Kind: AsChoice, Value: value, Options: options, Must: none == ""}
}
