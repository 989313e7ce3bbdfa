package decisions

import (
	"fmt"
	"slices"
	"time"

	"github.com/sluice-hq/sluice/event"
)

// codeBehind is what telemetry says where facts wait to be counted.
const codeBehind = "behind"

// telemetry asks that facts are fresh and complete: a missing number is never
// good news.
func (g *gate) telemetry(stage Stage) {
	c := Check{Name: CheckTelemetry, State: Pass}
	if stage.Kind() == Serve && len(g.watched(stage)) == 0 {
		c.State, c.Text = NotApplicable, "An audience that is served is outside the analysis"
		g.add(c)
		return
	}
	lag := time.Duration(g.Plan.Health.Telemetry.MaxLag)
	c.Text = "Facts are fresh and complete"
	c.Numbers = map[string]float64{"need": lag.Seconds()}
	if !g.Evidence.Newest.IsZero() {
		c.Numbers["have"] = g.Now.Sub(g.Evidence.Newest).Seconds()
	}
	c.Code, c.Text = g.silence(stage, lag, c.Text)
	switch {
	case c.Code == "":
	case g.Evidence.behind() <= lag && g.elapsed() < lag+g.quiet(stage):
		c.State, c.Code = Wait, "starting" // the stage has just begun: give the first facts time to come
	case stage.Kind() == Serve && c.Code != codeBehind:
		c.State = Wait // a few people may sleep
	default:
		c.State, c.Asks = Fail, g.Plan.Health.Telemetry.OnMissing
	}
	g.add(c)
}

// silence returns a code and a sentence for the first thing that is missing,
// or the sentence it was given.
func (g *gate) silence(stage Stage, lag time.Duration, fine string) (code, text string) {
	e := g.Evidence
	if behind := e.behind(); behind > lag {
		return codeBehind, fmt.Sprintf("Facts wait %s to be counted; at most %s is allowed", event.Duration(behind.Round(time.Second)), event.Duration(lag))
	}
	if text := g.stale("exposure", e.Newest, lag); text != "" {
		return "missing", text
	}
	for _, key := range g.watched(stage) {
		m, _ := e.Metric(key)
		if m.Failures != nil { // that nobody fails is no silence
			if text := g.mute(m, lag); text != "" {
				return "missing " + key, text
			}
			continue
		}
		if text := g.stale(key+" event", m.Newest, lag+time.Duration(m.Quiet)); text != "" {
			return "missing " + key, text
		}
	}
	return "", fine
}

// stale says what is old or absent, in the singular, or "".
func (g *gate) stale(what string, newest time.Time, lag time.Duration) string {
	switch {
	case newest.IsZero():
		return fmt.Sprintf("There are no %ss yet", what)
	case g.Now.Sub(newest) > lag:
		return fmt.Sprintf("The newest %s is from %s, older than %s", what, clock(newest), event.Duration(lag))
	}
	return ""
}

// quiet is the longest time that any metric's first events may take.
func (g *gate) quiet(stage Stage) time.Duration {
	var q event.Duration
	for _, key := range g.watched(stage) {
		m, _ := g.Evidence.Metric(key)
		q = max(q, m.Quiet)
	}
	return time.Duration(q)
}

// watched returns the metrics that must have data in a stage: those that can stop
// or allow something there. An audience that is served has levels, and failures
// whose rate is declared.
func (g *gate) watched(stage Stage) []string {
	switch {
	case stage.Kind() != Serve:
		return g.Plan.deciding()
	case !g.since(2):
		return nil
	}
	var out []string
	for _, rail := range g.Plan.Metrics.Guardrails {
		m, counted := g.Evidence.Metric(rail.Metric)
		if (rail.Margin == nil || m.FailureRate != nil || !counted) && !slices.Contains(out, rail.Metric) {
			out = append(out, rail.Metric)
		}
	}
	return out
}

// AliveWithin is how long ago a failure may have come, of whomever, to say that
// the next one would come too.
const AliveWithin = 30 * 24 * time.Hour

// mute says that nobody would report failures, or "". A count that nobody sends
// is missing and not 0.
func (g *gate) mute(m Measured, lag time.Duration) string {
	switch {
	case !g.since(2):
		return ""
	case m.Sign != "" && m.Alive.IsZero():
		return fmt.Sprintf("No %s event has come in a day, which is the sign of life of %s", m.Sign, m.Metric)
	case m.Sign != "" && g.Now.Sub(m.Alive) > lag:
		return fmt.Sprintf("The newest %s event, the sign of life of %s, is from %s, older than %s", m.Sign, m.Metric, clock(m.Alive), event.Duration(lag))
	case m.Alive.IsZero():
		return fmt.Sprintf("No %s event has come from anybody in %s, so that none says nothing. Send one with synthetic: true, or name a signOfLife in the metric",
			m.Metric, event.Duration(AliveWithin))
	}
	return ""
}
