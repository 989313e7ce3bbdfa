package main

import (
	"fmt"
	"math"
	"strings"
	"text/tabwriter"
)

// table is what one simulation found, and what of it should not be.
type table struct {
	title  string
	under  string // what the columns mean, and what is promised
	head   []string
	rows   [][]string
	faults []string
}

func (t *table) add(cells ...string) { t.rows = append(t.rows, cells) }

// atMost returns the share as a cell, and notes a fault when it exceeds alpha
// by more than two standard errors of so many runs.
func (t *table) atMost(share, alpha float64, runs int, what string) string {
	if most := alpha + 2*deviation(alpha, runs); share > most {
		t.faults = append(t.faults, fmt.Sprintf("%s: %s: %.4f exceeds %.4f", t.title, what, share, most))
		return rate(share) + " !"
	}
	return rate(share)
}

// within returns the share as a cell, and notes a fault when it is not between
// the bounds.
func (t *table) within(share, least, most float64, what string) string {
	if !(share >= least && share <= most) {
		t.faults = append(t.faults, fmt.Sprintf("%s: %s: %.4f is not within [%.4f, %.4f]", t.title, what, share, least, most))
		return rate(share) + " !"
	}
	return rate(share)
}

// deviation is the standard error of a share of runs.
func deviation(p float64, runs int) float64 { return math.Sqrt(p * (1 - p) / float64(runs)) }

func rate(p float64) string { return fmt.Sprintf("%.4f", p) }

// String returns the table for people.
func (t *table) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "## %s\n\n%s\n\n", t.title, t.under)
	w := tabwriter.NewWriter(&b, 0, 0, 1, ' ', 0)
	line := func(cells []string) { fmt.Fprintf(w, "| %s\t|\n", strings.Join(cells, "\t| ")) }
	line(t.head)
	rule := make([]string, len(t.head))
	for i := range rule {
		rule[i] = "---"
	}
	line(rule)
	for _, r := range t.rows {
		line(r)
	}
	_ = w.Flush() // to memory
	return b.String()
}
