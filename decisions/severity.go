package decisions

import "strings"

// severityWords are the words that alerts have for how bad they are, in lower
// case.
var severityWords = map[Severity]string{
	Critical: "critical crit page fatal emergency disaster sev0 sev1 p0 p1",
	Blocking: "blocking error err high major sev2 p2",
	Minor:    "minor warning warn medium low info informational notice ticket none sev3 sev4 sev5 p3 p4 p5",
}

// SeverityOf reads the severity of an alert, whatever its case. One that is
// missing or that nobody knows blocks, and known is false: it stops the
// exposure from growing until a person looks, and takes nothing back on a word
// that may mean anything.
func SeverityOf(word string) (s Severity, known bool) {
	word = strings.ToLower(strings.TrimSpace(word))
	for _, s := range severities {
		for w := range strings.FieldsSeq(severityWords[s]) {
			if w == word {
				return s, true
			}
		}
	}
	return Blocking, false
}
