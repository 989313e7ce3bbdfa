package main

import (
	"cmp"
	"fmt"
	"io"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/internal/server"
	"github.com/sluice-hq/sluice/stats"
)

// closerTables prints what was asked for beside the metrics of the plan.
func closerTables(w io.Writer, r decisions.Rollout, v server.ReadoutView) {
	for _, b := range v.Breakdowns {
		breakdownTable(w, r, b)
	}
	for _, n := range v.Novelty {
		noveltyTable(w, r.Metrics[n.Metric], n)
	}
	for _, f := range v.Influence {
		influenceLine(w, f)
	}
}

// breakdownTable prints every metric in every segment. Its intervals are adjusted
// for all that were asked for.
func breakdownTable(w io.Writer, r decisions.Rollout, b server.BreakdownView) {
	fmt.Fprintf(w, "\nBy %s, exploratory: intervals are adjusted for all segments and metrics, at every look\n", b.Attribute)
	fmt.Fprintln(w, "METRIC\tSEGMENT\tUNITS\tCONTROL\tTREATMENT\tLIFT\tADJUSTED 95 %\t")
	for _, m := range b.Metrics {
		level := leveled(r.Metrics[m.Metric])
		for _, s := range m.Segments {
			c := s.Comparison
			if c.Refused != nil {
				fmt.Fprintf(w, "%s\t%s\t\t\t\t\t\t%s\n", m.Metric, segmentName(s), c.Refused.Message)
				continue
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", m.Metric, segmentName(s), thousands(c.Control.N+c.Treatment.N),
				level(c.Control.Mean), level(c.Treatment.Mean), percent(c.Estimate), span(s.Interval), map[bool]string{true: "stands out"}[s.StandsOut])
		}
	}
	for _, m := range b.Metrics {
		fmt.Fprintln(w, interactionLine(m))
	}
}

func segmentName(s stats.SegmentEffect) string {
	if s.Rest {
		return "(all others)"
	}
	return cmp.Or(s.Value, "(none)")
}

// interactionLine says whether the effect differs between segments: a segment
// that stands out beside others is no such difference.
func interactionLine(m stats.Segmented) string {
	n := m.Interaction
	if n.Refused != nil {
		return fmt.Sprintf("%s: whether it differs between segments is not known: %s", m.Metric, n.Refused.Message)
	}
	word := "is not shown to differ"
	if n.Differs {
		word = "differs"
	}
	return fmt.Sprintf("%s %s between segments (p = %.2g, of all metrics together and at every look; Cochran's Q = %.3g, p = %.2g alone and at one look)",
		m.Metric, word, n.AdjustedP, n.Q, n.FixedP)
}

func noveltyTable(w io.Writer, m stats.Metric, v server.NoveltyView) {
	n := v.Novelty
	if n.Refused != nil {
		fmt.Fprintf(w, "\n%s by day since first exposure: %s\n", v.Metric, n.Refused.Message)
		return
	}
	level := leveled(m)
	fmt.Fprintf(w, "\n%s by day since first exposure: %s\nDAY\tCONTROL\tTREATMENT\tDIFFERENCE\tALWAYS-VALID 95 %%\n", v.Metric, trendText(n.State))
	for _, d := range n.Days {
		c := d.Comparison
		if c.Refused != nil {
			fmt.Fprintf(w, "%d\t%s\n", d.Day+1, c.Refused.Message)
			continue
		}
		fmt.Fprintf(w, "%d\t%s\t%s\t%s\t[%s, %s]\n", d.Day+1, level(c.Control.Mean), level(c.Treatment.Mean), level(c.Estimate), level(c.Band.Low), level(c.Band.High))
	}
}

func trendText(t stats.Trend) string {
	switch t {
	case stats.Fading:
		return "the effect fades"
	case stats.Growing:
		return "the effect grows"
	case stats.Steady:
	}
	return "no change of the effect is established"
}

func influenceLine(w io.Writer, v server.InfluenceView) {
	f := v.Influence
	if f.Refused != nil {
		fmt.Fprintf(w, "\n%s without its largest unit: %s\n", v.Metric, f.Refused.Message)
		return
	}
	turns := ""
	if f.Turns {
		turns = "; the answer hangs on it"
	}
	fmt.Fprintf(w, "\n%s without unit %s (%s of its arm): %s %s, with it %s %s%s\n", v.Metric, f.Unit, percent(f.Share),
		percent(f.Without.Estimate), span(f.Without.Band), percent(f.With.Estimate), span(f.With.Band), turns)
}
