package main

import (
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// row is one line of the table.
type row struct {
	trial         string
	amount        string
	lost, doubled int
	note          string
}

// remark is a line that only says more of the one before.
func remark(note string) row { return row{note: note} }

// table prints what the trials found.
func table(seed uint64, rows []row) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 3, ' ', 0)
	fmt.Fprintf(w, "seed %d\tamount\tlost\tdoubled\t\n", seed)
	for _, r := range rows {
		if r.trial == "" {
			fmt.Fprintf(w, "\t\t\t\t%s\n", r.note)
			continue
		}
		fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%s\n", r.trial, r.amount, r.lost, r.doubled, r.note)
	}
	_ = w.Flush() // to memory
	return b.String()
}

// spread says how times are distributed.
func spread(times []time.Duration) string {
	times = slices.Sorted(slices.Values(times))
	return fmt.Sprintf("p50 %v, p99 %v, worst %v", quantile(times, 0.5), quantile(times, 0.99), quantile(times, 1))
}

// quantile returns the value at a share of a sorted list.
func quantile(sorted []time.Duration, q float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(len(sorted)-1, int(q*float64(len(sorted))))].Round(time.Millisecond)
}
