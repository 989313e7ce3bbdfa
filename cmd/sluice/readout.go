package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"math"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/internal/server"
	"github.com/sluice-hq/sluice/stats"
)

// readoutCmd shows what the data say of one rollout: now, as they were at a
// look, or look by look.
type readoutCmd struct {
	client
	output
	Rollout string    `arg:"" help:"environment/flag/number."`
	At      time.Time `help:"The numbers as they were at the newest look up to a time, such as 2027-01-31T09:00:00Z."`
	By      []string  `help:"Split by these attributes of exposures; else by the plan's breakdowns." sep:"none"`
	Days    int       `help:"Compare so many days since first exposure one by one: is the effect one of newness?"`
	Largest bool      `help:"Whether an answer hangs on its largest unit."`
	SQL     bool      `help:"The queries behind the numbers, each with what it is behind, as a ClickHouse client takes them."`
	History bool      `help:"The looks over time, newest first."`
	Limit   int       `help:"With --history: at most so many; 0: all." default:"20"`
}

// Run prints the readout.
func (c readoutCmd) Run(ctx context.Context) error {
	v, err := c.rollout(ctx, c.Rollout)
	if err != nil {
		return err
	}
	if c.History {
		return c.history(ctx)
	}
	r, err := c.readout(ctx, c.Rollout, c.query())
	switch {
	case err != nil:
		return err
	case c.SQL && c.Output == "table":
		return writeQueries(os.Stdout, queries(r))
	case c.SQL:
		return c.write(queries(r), nil)
	}
	return c.write(r, func(w io.Writer) { readoutTable(w, v.Rollout, r) })
}

// queries are all that were asked for a readout, of the plan's metrics first.
func queries(v server.ReadoutView) []decisions.Query {
	return slices.Concat(v.Evidence.Queries, v.Queries)
}

// query is what the command asks of the readout.
func (c readoutCmd) query() url.Values {
	q := url.Values{}
	if !c.At.IsZero() {
		q.Set("at", c.At.Format(time.RFC3339Nano))
	}
	if len(c.By) > 0 {
		q["by"] = c.By
	}
	if c.Days > 0 {
		q.Set("days", strconv.Itoa(c.Days))
	}
	if c.Largest {
		q.Set("largest", "true")
	}
	return q
}

func (c client) readout(ctx context.Context, id string, q url.Values) (r server.ReadoutView, err error) {
	path, err := rolloutPath(id)
	if err != nil {
		return r, err
	}
	path = "/api/v1/readouts/" + path
	if len(q) > 0 {
		path += "?" + q.Encode()
	}
	return r, c.get(ctx, path, &r)
}

func readoutTable(w io.Writer, r decisions.Rollout, v server.ReadoutView) {
	arms, e := r.Plan.Arms, v.Evidence
	if l := v.Look; l != nil {
		fmt.Fprintf(w, "Look of %s in %s: %s, %s\n", l.At.Format("2006-01-02 15:04:05 UTC"), cmp.Or(l.Stage, "no stage"), l.Action, l.Reason)
	}
	fmt.Fprintf(w, "%s units in %s, %s in %s; %s exposures; as of %s\n\n", thousands(e.UnitsOf("", arms.Control)), arms.Control,
		thousands(e.UnitsOf("", arms.Treatment)), arms.Treatment, thousands(e.Exposures), e.At.Format("2006-01-02 15:04:05 UTC"))
	fmt.Fprintln(w, "METRIC\tCONTROL\tTREATMENT\tLIFT\tALWAYS-VALID 95 %\tFIXED 95 %\tSTATE")
	for _, m := range e.Metrics {
		c := m.Comparison
		if c == nil || c.Refused != nil {
			fmt.Fprintf(w, "%s\t\t\t\t\t\t%s\n", m.Metric, cmp.Or(string(m.State()), incomparable(c)))
			continue
		}
		level := leveled(r.Metrics[m.Metric])
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", m.Metric, level(c.Control.Mean), level(c.Treatment.Mean), percent(c.Estimate),
			span(c.Band), span(c.Fixed), m.State())
	}
	failureLines(w, e)
	capLines(w, r, e)
	closerTables(w, r, v)
	for _, text := range v.Warnings {
		fmt.Fprintf(w, "\nWarning: %s.\n", text)
	}
	if e.TwoArms > 0 {
		fmt.Fprintf(w, "\nUnits that saw two arms and are left out: %s%s\n", thousands(e.TwoArms), lopsidedText(e.Quarantine))
	}
	if s := e.SampleRatio; s != nil {
		fmt.Fprintf(w, "\nSample ratio: e = %.3g (alarm at %.0f), chi-square p = %.3g\n", math.Exp(s.LogE), 1/r.Plan.Health.SRM.Alpha, s.FixedP)
	}
}

// incomparable says why the arms cannot be compared on a metric.
func incomparable(c *stats.Comparison) string {
	if c == nil || c.Refused.Code == stats.TooFewUnits {
		return "no data yet"
	}
	return c.Refused.Message
}

// lopsidedText says whether what is left out bends what is left.
func lopsidedText(q *stats.Quarantine) string {
	if q == nil || !q.Lopsided {
		return ""
	}
	return fmt.Sprintf("; they did not begin in the arms as all units do (e = %.3g), so that the arms cannot be compared", math.Exp(q.LogE))
}

// failureLines says how failures divide between the arms: what is rare has no
// lift that could be told, and is judged all the same.
func failureLines(w io.Writer, e decisions.Evidence) {
	for _, m := range e.Metrics {
		if m.Failures != nil && m.Failures.Refused == nil {
			fmt.Fprintf(w, "\n%s: %s.\n", m.Metric, decisions.FailureText(*m.Failures))
		}
	}
}

// capLines says at what the values of capped metrics are cut.
func capLines(w io.Writer, r decisions.Rollout, e decisions.Evidence) {
	for _, m := range e.Metrics {
		if m.Cap != nil {
			fmt.Fprintf(w, "\nValues of %s are cut at %s%s.\n", m.Metric, capText(r.Metrics[m.Metric], *m.Cap), keptCap(r, m.Metric))
		}
	}
}

// capText is a cap in the metric's unit. A ratio's is of two sums, which have no
// unit together.
func capText(m stats.Metric, c decisions.Cap) string {
	if c.Denominator == nil {
		return leveled(m)(c.Value.At)
	}
	return fmt.Sprintf("%.4g, and those they are divided by at %.4g", c.Value.At, c.Denominator.At)
}

// keptCap says where a cap comes from.
func keptCap(r decisions.Rollout, metric string) string {
	if _, ok := r.Caps[metric]; ok {
		return ", the cap of the first look, which stays"
	}
	return ", taken from the units of this look"
}

// leveled returns how the level of an arm is written: a share of units as 19.02 %,
// everything else with its unit of measure.
func leveled(m stats.Metric) func(float64) string {
	return func(v float64) string {
		if m.Aggregate.Proportion() {
			return fmt.Sprintf("%.2f %%", 100*v)
		}
		return strings.TrimSpace(fmt.Sprintf("%.4g %s", v, m.UnitOfMeasure))
	}
}

func span(i stats.Interval) string { return "[" + percent(i.Low) + ", " + percent(i.High) + "]" }
