package dashboards

import "net/url"

// Search is the page of what was found by words.
type Search struct {
	Frame
	Groups []Group
	JSON   string // address of the same as JSON
}

func (Search) template() string { return "search" }

// Group is what was found of one kind.
type Group struct {
	ID    Anchor
	Name  string // "Flags"
	Total int
	Hits  []Hit
	More  string // address that shows more; empty: these are all
}

// Hit is one thing that was found.
type Hit struct {
	Name string
	Text string
	Link string
}

// Lookup is what the server found of one kind.
type Lookup struct {
	Kind  string // flags, rollouts, metrics, segments, people, decisions
	Total int
	Hits  []Hit // Name is the key; links are made here
}

// searched are the kinds of things that are found, with the addresses of their
// pages.
var searched = [...]struct{ kind, name, page string }{
	{"flags", "Flags", "/flags/"}, {"rollouts", "Rollouts", "/rollouts/"}, {"metrics", "Metrics", "/catalogue/"},
	{"segments", "Segments", "/segments/"}, {"people", "People and teams", "/?q="}, {"decisions", "Decisions", "/decisions/"},
}

// NewSearch makes the page of what was found for the frame's Query.
func NewSearch(f Frame, found []Lookup, json string) Search {
	page := Search{Frame: f, JSON: json}
	for _, l := range found {
		for _, k := range searched {
			if k.kind == l.Kind {
				page.Groups = append(page.Groups, newGroup(f, k.kind, k.name, k.page, l))
			}
		}
	}
	return page
}

func newGroup(f Frame, kind, name, page string, l Lookup) Group {
	g := Group{ID: Anchor(kind), Name: name, Total: l.Total, Hits: append([]Hit(nil), l.Hits...)}
	for i, h := range g.Hits {
		g.Hits[i].Link = hitLink(kind, page, h.Name)
	}
	if l.Total > len(l.Hits) {
		g.More = "/search?" + url.Values{"q": {f.Query}, "limit": {"100"}}.Encode() + "#" + kind
	}
	return g
}

// hitLink is the page of what was found. The parts of a rollout's name are parts
// of its address.
func hitLink(kind, page, key string) string {
	switch kind {
	case "rollouts":
		return page + key
	case "people":
		return page + url.QueryEscape(key)
	}
	return page + url.PathEscape(key)
}
