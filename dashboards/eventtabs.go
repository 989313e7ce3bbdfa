package dashboards

import "net/url"

// EventView is one of the pages about events.
type EventView string

// The pages about events.
const (
	OfLive    EventView = "Live"
	OfUnit    EventView = "One unit"
	OfLetters EventView = "Dead letters"
)

// eventTabs lead from one to the others, in the same environment.
func eventTabs(f Frame, here EventView) []Tab {
	query := url.Values{}
	if f.Environment != "" {
		query.Set("environment", f.Environment)
	}
	all := []Tab{{Name: string(OfLive), Link: "/events"}, {Name: string(OfUnit), Link: "/events/unit"}, {Name: string(OfLetters), Link: "/events/letters"}}
	for i, t := range all {
		all[i].Link, all[i].Here = asking(t.Link, query), t.Name == string(here)
	}
	return all
}
