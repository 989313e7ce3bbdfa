package main

import (
	"fmt"
	"strings"
	"text/tabwriter"
	"time"
)

// table is everything that was measured, by size.
type table []figures

// String returns the table for people: a column for each size.
func (t table) String() string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 3, ' ', 0)
	line := func(what string, of func(figures) string) {
		fmt.Fprint(w, what)
		for _, f := range t {
			fmt.Fprint(w, "\t", of(f))
		}
		fmt.Fprintln(w)
	}
	line("five metrics of", func(f figures) string {
		return fmt.Sprintf("%.1f M events, %.1f M exposures, %.1f M units", millions(f.events), millions(f.exposures), millions(f.units))
	})
	line("from raw events, all", func(f figures) string { return seconds(f.raw) + ", " + against(f.raw, f.join) })
	line("join of plain tables", func(f figures) string { return seconds(f.join) })
	line("building the totals", func(f figures) string { return seconds(f.build) })
	line("reading the totals", func(f figures) string { return seconds(f.read) + ", " + against(f.read, f.join) })
	line("folding 1 % new events", func(f figures) string { return seconds(f.fold) })
	line("folding one message", func(f figures) string { return seconds(f.small) })
	line("reading after it", func(f figures) string {
		return fmt.Sprintf("%s, %s, %d leaves", seconds(f.later), against(f.later, f.join), f.leaves)
	})
	line("fold and read", func(f figures) string { return seconds(f.fold+f.later) + ", " + against(f.fold+f.later, f.join) })
	line("engine's memory, most", func(f figures) string { return fmt.Sprintf("%.0f MiB", f.resident) })
	_ = w.Flush() // to memory
	return b.String() + "totals and raw events are equal\n"
}

func millions(n uint64) float64 { return float64(n) / 1e6 }

func seconds(d time.Duration) string { return fmt.Sprintf("%.3f s", d.Seconds()) }

// against says how many times faster than the join something is.
func against(d, join time.Duration) string {
	return fmt.Sprintf("%.1f times the join's speed", join.Seconds()/d.Seconds())
}
