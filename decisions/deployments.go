package decisions

import (
	"fmt"
	"strings"
	"time"
)

// Deployment is a version of a service that went live.
type Deployment struct {
	Service string    `json:"service"`
	Version string    `json:"version"`
	At      time.Time `json:"at"`
}

// mostNamed is how many deployments a sentence names.
const mostNamed = 3

// deployed names what else went live since the stage began: who has to find out
// why a rollout stopped looks there first.
func (g *gate) deployed() string {
	all := g.Evidence.Deployments
	if len(all) == 0 || !g.since(2) {
		return ""
	}
	var names []string
	for _, d := range all[:min(len(all), mostNamed)] {
		names = append(names, fmt.Sprintf("%s %s at %s", d.Service, d.Version, clock(d.At)))
	}
	text := ". Since the stage began went live: " + strings.Join(names, ", ")
	if more := len(all) - mostNamed; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}
