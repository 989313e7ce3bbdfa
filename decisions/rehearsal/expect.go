package rehearsal

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/event"
)

// Expectation is what somebody expects of the runs of a scenario, so that a
// pipeline can stop at a plan that does otherwise:
//
//	rollback within 24h
//	breach: rollback within 24h in 95%
//	healthy: no rollback in 90%
//	healthy: undisturbed in 80%
//
// Within is counted from when the fault began, else from the start. Without a
// share it must hold in every run.
type Expectation struct {
	Scenario string            // name or kind; empty: the one that is rehearsed
	Not      bool              // it must not happen
	Outcome  string            // rollback, pause, stop, review, ship or undisturbed
	Within   event.Duration    // zero: until the run ends
	Share    decisions.Percent // of the runs, at least
}

// stop is a pause or a rollback, whichever is first.
const (
	outcomeStop        = "stop"
	outcomeUndisturbed = "undisturbed"
)

var outcomes = []string{string(decisions.Rollback), string(decisions.Pause), outcomeStop, string(decisions.Review), string(decisions.Ship), outcomeUndisturbed}

// ParseExpectation reads the text form.
func ParseExpectation(text string) (e Expectation, err error) {
	words := strings.Fields(text)
	if len(words) > 0 && strings.HasSuffix(words[0], ":") {
		e.Scenario, words = strings.TrimSuffix(words[0], ":"), words[1:]
	}
	if len(words) > 0 && words[0] == "no" {
		e.Not, words = true, words[1:]
	}
	if len(words) == 0 || !slices.Contains(outcomes, words[0]) {
		return e, unclear(text, "names no outcome")
	}
	e.Outcome, e.Share, words = words[0], decisions.All, words[1:]
	for len(words) > 0 {
		if len(words) < 2 {
			return e, unclear(text, "ends in the middle")
		}
		switch words[0] {
		case "within":
			e.Within, err = event.ParseDuration(words[1])
		case "in":
			e.Share, err = event.ParsePercent(words[1])
		default:
			err = unclear(text, fmt.Sprintf("has the word %q, which means nothing here", words[0]))
		}
		if err != nil {
			return e, err
		}
		words = words[2:]
	}
	return e, nil
}

func unclear(text, why string) error {
	return event.Invalid{Path: "expect", Value: text, Why: why, Fix: "write one such as \"breach: rollback within 24h in 95%\"; outcomes are " + strings.Join(outcomes, ", ")}
}

// String returns the text form.
func (e Expectation) String() string {
	var b strings.Builder
	if e.Scenario != "" {
		b.WriteString(e.Scenario + ": ")
	}
	if e.Not {
		b.WriteString("no ")
	}
	b.WriteString(e.Outcome)
	if e.Within > 0 {
		b.WriteString(" within " + e.Within.String())
	}
	if e.Share < decisions.All {
		b.WriteString(" in " + e.Share.String())
	}
	return b.String()
}

// MarshalText implements encoding.TextMarshaler.
func (e Expectation) MarshalText() ([]byte, error) { return []byte(e.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (e *Expectation) UnmarshalText(b []byte) error {
	v, err := ParseExpectation(string(b))
	*e = v
	return err
}

// about reports whether the expectation is about a scenario.
func (e Expectation) about(s Scenario) bool {
	return e.Scenario == "" || e.Scenario == s.Name || e.Scenario == string(s.Kind)
}

// holds reports whether a run does what is expected.
func (e Expectation) holds(r Rehearsal, run Run) bool {
	return e.happened(r, run) != e.Not
}

func (e Expectation) happened(r Rehearsal, run Run) bool {
	if e.Outcome == outcomeUndisturbed {
		return r.undisturbed(run)
	}
	from := time.Duration(0)
	if run.Began != nil {
		from = time.Duration(*run.Began)
	}
	for _, d := range run.Decisions {
		after := time.Duration(d.After)
		if e.counts(d.Action) && after >= from && (e.Within == 0 || after-from <= time.Duration(e.Within)) {
			return true
		}
	}
	return false
}

func (e Expectation) counts(a decisions.Action) bool {
	if e.Outcome == outcomeStop {
		return a == decisions.Pause || a == decisions.Rollback
	}
	return string(a) == e.Outcome
}

// judge holds runs against the expectation.
func (e Expectation) judge(r Rehearsal, s Scenario, runs []Run) Met {
	n := 0
	for _, run := range runs {
		if e.holds(r, run) {
			n++
		}
	}
	m := Met{Expect: e, Scenario: s.Name, Share: float64(n) / float64(max(len(runs), 1))}
	m.OK = len(runs) > 0 && m.Share >= e.Share.Fraction()
	return m
}

// expectable refuses expectations that are about no scenario, or about one that
// they do not name.
func expectable(all []Expectation, scenarios []Scenario) error {
	var faults event.Invalids
	for i, e := range all {
		path := fmt.Sprintf("expect[%d]", i)
		about := slices.ContainsFunc(scenarios, e.about)
		switch {
		case e.Scenario == "" && len(scenarios) > 1:
			faults.Add(path, e.String(), "does not say which scenario it is about", "begin it with the scenario: breach: "+e.String())
		case !about:
			faults.Add(path, e.String(), "is about a scenario that is not rehearsed", "name one of those that are")
		}
	}
	return faults.Err()
}
