package dashboards

import (
	"cmp"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/sluice-hq/sluice/decisions"
)

// at, on and of are the same question about another time, tab or metric.
func (a Asked) at(t time.Time) Asked { a.At, a.Read = t, false; return a }
func (a Asked) on(v View) Asked {
	return Asked{View: v, At: a.At, Metric: a.Metric, Segment: a.Segment}
}
func (a Asked) of(metric string) Asked { a.Metric, a.Read = metric, false; return a }
func (a Asked) split(by string) Asked  { a.Segment, a.Read = by, true; return a }
func (a Asked) values() (q url.Values) {
	q = url.Values{}
	for name, v := range map[string]string{"metric": a.Metric, "segment": a.Segment} {
		if v != "" {
			q.Set(name, v)
		}
	}
	if a.View != OfMetrics {
		q.Set("tab", string(a.View))
	}
	if a.Days > 0 {
		q.Set("days", strconv.Itoa(a.Days))
	}
	if !a.At.IsZero() {
		q.Set("at", a.At.UTC().Format(time.RFC3339Nano))
	}
	if a.All {
		q.Set("all", "true")
	}
	if a.Read {
		q.Set("read", "now")
	}
	return q
}

// ReadoutLink returns the address of a rollout's readout.
func ReadoutLink(r decisions.Rollout) string { return "/readouts/" + r.ID }

func (g Glance) address(a Asked) string {
	if q := a.values().Encode(); q != "" {
		return ReadoutLink(g.Rollout) + "?" + q
	}
	return ReadoutLink(g.Rollout)
}

// Choice is the looks that a page can be of.
type Choice struct {
	Action   string // address of the page
	Keep     []Fact // the rest of the question, as the form sends it
	Options  []Option
	Chosen   string
	Previous string // address of the look before; empty: none
	Next     string // of the look after it; empty: none
	More     int    // looks that are not among the options
}

// lookChoice lists looks, the newest first, since those are asked for most.
func lookChoice(g Glance, a Asked) Choice {
	c := Choice{Action: ReadoutLink(g.Rollout), Options: []Option{{"", "now"}}, More: g.Taken - len(g.Looks)}
	rest := a.at(time.Time{}).values()
	for _, name := range slices.Sorted(maps.Keys(rest)) {
		c.Keep = append(c.Keep, Fact{name, rest.Get(name)})
	}
	shown := -1
	if !a.At.IsZero() && g.Evidence != nil {
		c.Chosen = g.Evidence.At.UTC().Format(time.RFC3339Nano)
		shown = slices.IndexFunc(g.Looks, func(l decisions.Look) bool { return l.At.Equal(g.Evidence.At) })
		if shown < 0 {
			c.Options = append(c.Options, Option{c.Chosen, moment(g.Evidence.At)})
		}
	}
	for _, l := range slices.Backward(g.Looks) {
		text := moment(l.At)
		if l.Decision != "" {
			text += " · " + cmp.Or(string(l.Verdict.Action), "decided")
		}
		c.Options = append(c.Options, Option{l.At.UTC().Format(time.RFC3339Nano), text})
	}
	c.neighbours(g, a, shown)
	return c
}

// neighbours fills in the looks before and after the one that is shown. Before
// now is the newest look but one: the newest is what now shows.
func (c *Choice) neighbours(g Glance, a Asked, shown int) {
	before := shown - 1
	switch {
	case a.At.IsZero():
		before = len(g.Looks) - 2
	case shown < 0: // between two of a list that leaves some out
		after := slices.IndexFunc(g.Looks, func(l decisions.Look) bool { return l.At.After(a.At) })
		if before = after - 1; after < 0 {
			before = len(g.Looks) - 1
		} else {
			c.Next = g.address(a.at(g.Looks[after].At))
		}
	case shown+1 < len(g.Looks):
		c.Next = g.address(a.at(g.Looks[shown+1].At))
	}
	if before >= 0 {
		c.Previous = g.address(a.at(g.Looks[before].At))
	}
}
