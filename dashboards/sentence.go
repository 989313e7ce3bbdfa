package dashboards

import (
	"math"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Conclude says the result of a readout in one sentence, from the row that
// matters most: harm to a guardrail, harm to a success metric, a gain, and
// then whatever is measured. subject is the variant that is tried.
func Conclude(subject string, out Readout) string {
	row, ok := decisive(out.Rows)
	if !ok {
		return "Nothing can be compared yet."
	}
	if row.Arm != "" {
		subject = row.Arm
	}
	return subject + " " + row.finding(out.Level) + "."
}

// decisive returns the row that the conclusion is about.
func decisive(rows []Row) (Row, bool) {
	best, rank := Row{}, math.MaxInt
	for _, r := range rows {
		if k := r.rank(); k < rank {
			best, rank = r, k
		}
	}
	return best, rank < math.MaxInt
}

// rank orders rows by how much they matter; MaxInt when there is nothing to say.
func (r Row) rank() int {
	switch {
	case r.Role == Guardrail && r.Verdict == Worse:
		return 0 // also where failures are counted, which have no lift
	case r.Lift == nil:
		return math.MaxInt
	case r.Role == Success && r.Verdict == Worse:
		return 1
	case r.Role == Success && r.Verdict == Better:
		return 2
	case r.Role == Success:
		return 3
	case r.Role == Guardrail:
		return 4
	}
	return 5
}

// finding says what happened to the metric, without the subject.
func (r Row) finding(level float64) string {
	l := r.Lift
	if r.Verdict == Worse && !r.shownWorse() {
		return "does harm to " + r.Metric + bracketed(r.Note)
	}
	if math.IsNaN(l.Relative) {
		return "changes " + r.Metric + " by " + r.difference(l.Absolute) + "; control is at zero, so there is no relative lift"
	}
	interval := " (always-valid " + short(level) + " interval " + span(l.Always) + ")"
	switch r.Verdict {
	case Better, Worse:
		return direction(l.Relative) + " " + r.Metric + " by " + strings.TrimLeft(change(l.Relative), "+"+minus) + interval
	case Within:
		return "keeps " + r.Metric + " within its margin: " + change(l.Relative) + interval
	}
	return "has no proven effect on " + r.Metric + ": " + change(l.Relative) + interval
}

// shownWorse reports whether the lift by itself shows that the metric is worse. Of
// counted failures and of a level beyond its limit it need not.
func (r Row) shownWorse() bool {
	l := r.Lift
	return l != nil && (l.Relative > 0) == r.Lower && (l.Always.noZero() || l.Bounds.noZero())
}

// noZero reports whether zero lies outside of an interval.
func (i Interval) noZero() bool { return i.Lo > 0 || i.Hi < 0 }

func bracketed(text string) string {
	if text == "" {
		return ""
	}
	return " (" + text + ")"
}

// sentence ends a text that has no end of its own.
func sentence(s string) string {
	if s == "" || strings.ContainsAny(s[len(s)-1:], ".!?”") {
		return s
	}
	return s + "."
}

// upper begins a text as sentences begin.
func upper(s string) string {
	if s == "" {
		return ""
	}
	first, size := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(first)) + s[size:]
}

func direction(v float64) string {
	if v < 0 {
		return "lowers"
	}
	return "raises"
}

// title names the row in a chart.
func (r Row) title() string {
	if r.Arm != "" {
		return r.Metric + ", " + r.Arm
	}
	return r.Metric
}

// conclusion says in one sentence what the row's chart shows.
func (r Row) conclusion(level float64) string {
	if r.Counted {
		return "Failures are counted: " + r.Note + ". Verdict: " + string(r.Verdict) + "."
	}
	if r.Lift == nil {
		return "Nothing can be compared yet: " + string(r.Verdict) + "."
	}
	text := "The treatment " + r.finding(level) + ". Verdict: " + string(r.Verdict)
	if r.Note != "" {
		text += ", " + r.Note
	}
	return text + "."
}
