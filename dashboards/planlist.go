package dashboards

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// inLists are the fields of a form that hold a list in one line.
var inLists = []string{"rollback.owners", "rollback.notify"}

// conditionKinds is what a condition of a stage can be about.
var conditionKinds = []string{"guardrail", "incident", "check", "manual"}

// said is what a document says at a path, as a field shows it: a word, or the
// words and conditions of a list with commas between.
func said(doc Written, path string) string {
	if text := doc.Text(path); text != "" {
		return text
	}
	var all []string
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
	return strings.Join(all, ", ")
}

// valueOf is what a document is to say where a field has a text.
func valueOf(path, text string) any {
	switch {
	case slices.Contains(inLists, path):
		return listOf(text, func(item string) any { return item })
	case strings.HasSuffix(path, "When"):
		return listOf(text, conditionOf)
	case strings.HasSuffix(path, ".minUnits"), strings.HasSuffix(path, ".approve"):
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			return n
		}
	case path == "rollback.lockUntilExplained" && (text == "true" || text == "false"):
		return text == "true"
	}
	return text
}

func listOf(text string, as func(string) any) []any {
	all := []any{}
	for item := range strings.SplitSeq(text, ",") {
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
