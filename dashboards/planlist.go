package dashboards

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// inLists are the fields of a form that hold a list in one line.
var inLists = []string{"rollback.owners", "rollback.notify", "metrics.breakdowns"}

// isList reports whether a field holds a list in one line.
func isList(path string) bool {
	return slices.Contains(inLists, path) || strings.HasSuffix(path, ".requires")
}

// isMap reports whether a field holds names with a value each.
func isMap(path string) bool { return strings.HasSuffix(path, ".exclude") }

// isNumber reports whether a field holds a number, which is none between quotes.
func isNumber(path string) bool {
	return slices.ContainsFunc([]string{".minUnits", ".approve", ".times", ".alpha"}, func(end string) bool { return strings.HasSuffix(path, end) })
}

// links is the one list whose items may hold commas: it has an item a line.
const links = "links"

// conditionKinds is what a condition of a stage can be about.
var conditionKinds = []string{"guardrail", "incident", "check", "manual"}

// said is what a document says at a path, as a field shows it: a word, or the
// words and conditions of a list with commas between.
func said(doc Written, path string) string {
	if text := doc.Text(path); text != "" {
		return text
	}
	var all []string
	if isMap(path) {
		for _, key := range doc.Keys(path) {
			all = append(all, key+": "+doc.Text(path+"."+key))
		}
		return strings.Join(all, ", ")
	}
	for i := range doc.Count(path) {
		at := fmt.Sprintf("%s[%d]", path, i)
		item := doc.Text(at)
		for _, kind := range conditionKinds {
			if of := doc.Text(at + "." + kind); of != "" {
				item = kind + ": " + of
			}
		}
		all = append(all, item)
	}
	if path == links {
		return strings.Join(all, "\n")
	}
	return strings.Join(all, ", ")
}

// valueOf is what a document is to say where a field has a text.
func valueOf(path, text string) any {
	word := func(item string) any { return item }
	switch {
	case path == links:
		return listOf(text, "\n", word)
	case isList(path):
		return listOf(text, ",", word)
	case strings.HasSuffix(path, "When"):
		return listOf(text, ",", conditionOf)
	case isMap(path):
		return mapOf(text)
	case isNumber(path):
		return numberOf(text)
	case path == "rollback.lockUntilExplained" && (text == "true" || text == "false"):
		return text == "true"
	}
	return text
}

// numberOf is a number as it was written, or the text where there is none, for the
// door to refuse.
func numberOf(text string) any {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return n
	}
	if x, err := strconv.ParseFloat(text, 64); err == nil && !math.IsNaN(x) && !math.IsInf(x, 0) {
		return x
	}
	return text
}

// mapOf reads "errors: 30%, latency: 10%". Of a name that stands twice the last
// value counts.
func mapOf(text string) map[string]string {
	all := map[string]string{}
	for item := range strings.SplitSeq(text, ",") {
		if name, of, _ := strings.Cut(item, ":"); strings.TrimSpace(name) != "" {
			all[strings.TrimSpace(name)] = strings.TrimSpace(of)
		}
	}
	return all
}

func listOf(text, between string, as func(string) any) []any {
	all := []any{}
	for item := range strings.SplitSeq(text, between) {
		if item = strings.TrimSpace(item); item != "" {
			all = append(all, as(item))
		}
	}
	return all
}

// conditionOf is a condition as documents have it. One that says nothing of its
// kind stays as it was written, for the door to refuse.
func conditionOf(item string) any {
	kind, of, _ := strings.Cut(item, ":")
	return map[string]string{strings.TrimSpace(kind): strings.TrimSpace(of)}
}
