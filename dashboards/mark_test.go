package dashboards

import (
	"regexp"
	"strings"
	"testing"
)

var allMarks = []Mark{Better, Worse, Within, Inconclusive, NoData, Passed, Waiting, Failed, NotApplicable,
	Planned, Running, Holding, Paused, RolledBack, Review, Shipped, CleanupDue, Expanded,
	Draft, Experimenting, Decided, Live, Archived, Healthy, Critical, Unclear, Pending, Made, Withdrawn, Lapsed, Void, Accepted, DeadLetter, Refused, Safe, Caution, Blocked, Counts, Ignored, Member, NotMember, Met, NotMet, WentOn}

// TestMarks_neverByColourAlone: two marks that share a colour differ in their
// word, and each has a sign.
func TestMarks_neverByColourAlone(t *testing.T) {
	words := map[Mark]bool{}
	for _, m := range allMarks {
		if words[m] || m == "" || m.Glyph() == "" {
			t.Errorf("%q is not told by its word and glyph", m)
		}
		words[m] = true
	}
}

// TestPages_neverByColourAlone: whatever is coloured on a page holds a glyph
// that is hidden from readers of text, and a word that is not.
func TestPages_neverByColourAlone(t *testing.T) {
	inside := regexp.MustCompile(`^<(?:svg|span) class="glyph"[^>]* aria-hidden="true".*?</(?:svg|span)> ([a-z ]+)$`)
	for name, page := range samples() {
		text := html(t, page)
		for _, m := range strings.Split(text, `<span class="mark `)[1:] {
			_, rest, _ := strings.Cut(m, ">")
			body := markBody(rest)
			if !inside.MatchString(body) {
				t.Errorf("%s: a mark without glyph and word: %q", name, body)
			}
		}
	}
}

// markBody returns the content of a mark's span, which may hold one more span.
func markBody(s string) string {
	depth := 1
	for i := 0; i < len(s); i++ {
		switch {
		case strings.HasPrefix(s[i:], "<span"):
			depth++
		case strings.HasPrefix(s[i:], "</span>"):
			if depth--; depth == 0 {
				return s[:i]
			}
		}
	}
	return s
}

// TestVerdicts_haveWords: every verdict cell of the readout says its verdict.
func TestVerdicts_haveWords(t *testing.T) {
	text := html(t, sampleRecord())
	for _, r := range sampleReadout().Rows {
		if !regexp.MustCompile(`<td class="verdict">[^\n]*` + string(r.Verdict)).MatchString(text) {
			t.Errorf("the verdict of %s is not written: %s", r.Metric, r.Verdict)
		}
	}
}
