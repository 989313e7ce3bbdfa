package dashboards

import (
	"github.com/sluice-hq/sluice/decisions"
)

// newGate makes the checklist of the newest verdict.
func newGate(s Seen) Gate {
	v, ok := s.verdict()
	g := Gate{Title: gateTitle(s)}
	if !ok {
		g.Sentence = "Nothing was looked at yet."
		return g
	}
	g.Sentence, g.Checks = sentence(v.Text), newChecks(v.Checks)
	if s.Rollout.Open() {
		g.Next = v.Next
		g.Left = left(s)
		for i, c := range v.Checks {
			if stands(c) && !c.Next.IsZero() && !c.Next.Equal(v.Next) {
				g.Checks[i].Have = sentence(c.Text) + " Asked again on " + moment(c.Next) + "."
			}
		}
	}
	if s.Evidence != nil {
		g.Evaluated = s.Evidence.At
	}
	return g
}

// left says how long the gate waits for time and traffic, "" when nobody knows.
func left(s Seen) string {
	v, ok := s.verdict()
	if !ok || s.Evidence == nil || !s.Rollout.Open() {
		return ""
	}
	d, ok := s.Rollout.TimeLeft(v, *s.Evidence)
	if !ok || d <= 0 {
		return ""
	}
	return "about " + roughly(d)
}

// carriedOut reports whether a verdict asked for a stage that the rollout has
// reached: its checks are those of the gate behind.
func carriedOut(r decisions.Rollout, v decisions.Verdict) bool {
	return v.Action == decisions.Expand && r.Stage >= v.Stage
}

func gateTitle(s Seen) string {
	r := s.Rollout
	stage, ok := r.Now()
	v, _ := s.verdict()
	switch {
	case ok && carriedOut(r, v):
		return "Gate to " + stage.Name + ", passed"
	case !r.Open() && r.Status != decisions.Planned:
		return "The last look"
	case !ok:
		return "Before the first stage"
	case r.Stage+1 < len(r.Plan.Stages):
		return "Gate from " + stage.Name + " to " + stageName(r.Plan, r.Stage+1)
	}
	return "Gate at the end of " + stage.Name
}

func newChecks(all []decisions.Check) []Check {
	checks := make([]Check, len(all))
	for i, c := range all {
		checks[i] = Check{Mark: checked(c.State), Name: label(c), Have: c.Text}
	}
	return checks
}

func checked(s decisions.CheckState) Mark {
	switch s {
	case decisions.Pass:
		return Passed
	case decisions.Wait:
		return Waiting
	case decisions.Fail:
		return Failed
	case decisions.Overruled:
		return Overruled
	}
	return NotApplicable
}

// label names a check as a person would; what is about a metric bears its key.
func label(c decisions.Check) string {
	name := words(c.Name)
	switch {
	case c.Of != "" && conditional(c.Name):
		return conditionName(c.Name) + " " + c.Of
	case c.Metric == "":
		return name
	case c.Name == decisions.CheckGuardrail || c.Name == decisions.CheckSuccess:
		return c.Metric
	}
	return c.Metric + " " + name
}

func words(n decisions.CheckName) string {
	switch n {
	case decisions.CheckWindow:
		return "minimum window"
	case decisions.CheckSRM:
		return "sample ratio"
	case decisions.CheckTwoArms:
		return "units in two arms"
	case decisions.CheckCount:
		return "events accounted for"
	case decisions.CheckUnits:
		return "minimum units"
	case decisions.CheckDeadline:
		return "longest window"
	case decisions.CheckHours:
		return "hours for changes"
	}
	return string(n)
}

// banners returns everything that a banner could be about.
func banners(checks []decisions.Check) []Banner {
	var all []Banner
	for _, c := range checks {
		if kind, ok := alarm(c); ok {
			all = append(all, Banner{Kind: kind, Doubt: doubt(c), Text: sentence(c.Text)})
		}
	}
	return all
}

// doubt says what a guardrail's alarm is when it is not yet a breach.
func doubt(c decisions.Check) string {
	switch c.Code {
	case "harmed":
		return "A guardrail is harmed"
	case "breachedOnce":
		return "A guardrail looks breached"
	}
	return ""
}

func alarm(c decisions.Check) (BannerKind, bool) {
	failed := c.State == decisions.Fail
	switch c.Name {
	case decisions.CheckTelemetry, decisions.CheckCount:
		return TelemetryMissing, failed
	case decisions.CheckSRM, decisions.CheckTwoArms:
		return RatioMismatch, failed
	case decisions.CheckGuardrail, decisions.CheckLimit:
		return GuardrailBreached, failed
	case decisions.CheckUnits:
		return UnitsMissing, stands(c)
	}
	return 0, false
}
