package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/internal/server"
)

// reviewMarkdown writes a review as a page for a wiki or a ticket.
func reviewMarkdown(v server.ReviewView) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Releases from %s to %s\n\n%s.\n", date(v.From), date(v.Until), tallied(v.Counts))
	section(&b, "Decisions", v.Decisions, func(d decisions.Deed) string {
		return fmt.Sprintf("%s **%s** %s: %s (%s)", minute(d.At), deed(d), d.Rollout, d.Text, d.By)
	})
	section(&b, "Against the recommendation", v.Overrides, func(d decisions.Deed) string {
		return fmt.Sprintf("%s **%s** %s by %s, against “%s”: %s", minute(d.At), deed(d), d.Rollout, d.By, d.Against, d.Rationale)
	})
	section(&b, "Incidents", v.Incidents, func(i decisions.Reported) string {
		return fmt.Sprintf("%s %s, %s: %s/%s: %s", minute(i.Since), i.Severity, ended(i), i.Environment, i.Flag, i.What())
	})
	section(&b, "Drills", v.Drills, func(d decisions.Deed) string {
		return fmt.Sprintf("%s %s: %s (%s)", minute(d.At), d.Rollout, d.Text, d.By)
	})
	section(&b, "Stale flags", v.Stale, func(f server.StaleFlag) string {
		return fmt.Sprintf("`%s` (%s): %s", f.Key, f.Owner, strings.Join(f.Reasons, "; "))
	})
	return b.String()
}

// section writes a heading and a list, or that there is none.
func section[T any](b *strings.Builder, title string, all []T, item func(T) string) {
	fmt.Fprintf(b, "\n## %s\n\n", title)
	if len(all) == 0 {
		b.WriteString("None.\n")
	}
	for _, v := range all {
		b.WriteString("- " + oneLine(item(v)) + "\n")
	}
}

// oneLine keeps what people wrote from ending a list or beginning a heading.
func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// tallied says how many decisions there were of each kind: "12 decisions: 9 hold,
// 3 expand".
func tallied(counts map[string]int) string {
	if len(counts) == 0 {
		return "Nothing was decided"
	}
	all, parts := 0, []string{}
	for _, a := range slices.Sorted(maps.Keys(counts)) {
		all += counts[a]
		parts = append(parts, fmt.Sprintf("%d %s", counts[a], a))
	}
	return fmt.Sprintf("%d decisions: %s", all, strings.Join(parts, ", "))
}

func date(t time.Time) string   { return t.Format(time.DateOnly) }
func minute(t time.Time) string { return t.Format("2006-01-02 15:04") }
