package dashboards

import (
	"strings"
	"time"

	"github.com/sluice-hq/sluice/decisions"
)

// Wrong is an incident that is open.
type Wrong struct {
	Severity string
	Since    time.Time
	Text     string
	By       string
	Link     string // to its source; empty: none
}

func wrongs(all []decisions.Reported) []Wrong {
	var open []Wrong
	for _, i := range all {
		if i.Open() {
			open = append(open, Wrong{Severity: string(i.Severity), Since: i.Since, Text: orText(i.Text, i.ID), By: i.By, Link: i.Link})
		}
	}
	return open
}

func orText(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

// Condition is something that others say: an external check, the owner of a
// condition, or an incident that a stage asks about.
type Condition struct {
	Mark    Mark
	Name    string
	Have    string
	Link    string // to what was found; empty: none
	Confirm string // address of the page to confirm it; empty: it is not this person's, or not open
}

// conditions are the checks of a gate that others answer.
func conditions(s Seen, may bool) []Condition {
	v, _ := s.verdict()
	var all []Condition
	for _, c := range v.Checks {
		if !conditional(c.Name) {
			continue
		}
		one := Condition{Mark: checked(c.State), Name: conditionName(c.Name) + " " + c.Of + c.Metric, Have: c.Text}
		if r, ok := s.Rollout.Reported[strings.TrimPrefix(c.Of, "check ")]; ok {
			one.Link = r.Link
		}
		if owner, manual := strings.CutPrefix(c.Of, "manual "); manual && may && s.Rollout.Open() {
			if _, said := s.Rollout.Confirmed[string(c.Name)+" "+c.Of]; !said {
				one.Confirm = confirmLink(s.Rollout, c.Name, owner)
			}
		}
		all = append(all, one)
	}
	return all
}

// conditional reports whether a check is one of the conditions that a stage adds.
func conditional(n decisions.CheckName) bool {
	switch n {
	case decisions.CheckRequires, decisions.CheckAdvanceWhen, decisions.CheckPauseWhen, decisions.CheckRollbackWhen:
		return true
	}
	return false
}

func conditionName(n decisions.CheckName) string {
	switch n {
	case decisions.CheckAdvanceWhen:
		return "to advance:"
	case decisions.CheckPauseWhen:
		return "pauses it:"
	case decisions.CheckRollbackWhen:
		return "rolls it back:"
	}
	return "required:"
}
