package decisions

import "fmt"

// calm asks, before the first stage, that no incident is open: a release does
// not begin in the middle of one, and what has not begun cannot be rolled back.
// It begins by itself when the last is resolved.
func (g *gate) calm() {
	for _, i := range g.Evidence.Incidents {
		g.add(Check{
			Name: CheckIncidents, State: Fail, Code: string(i.Severity) + " " + i.ID, Asks: Hold,
			Text: fmt.Sprintf("A %s incident is open since %s: %s; the release begins when it is resolved", i.Severity, clock(i.Since), or(i.Text, i.ID)),
		})
	}
}
