package dashboards

import "github.com/sluice-hq/sluice/decisions"

// planTable is a list of a plan: where it is, and what a row asks.
type planTable struct {
	path, title, help string
	named             string           // field that names an item whose fields stand elsewhere too; empty: items are added and taken away here
	of                []decisions.Kind // of the stages that it concerns; nil: all of them
	id                Anchor
	columns           []PlanField // named as in an item
}

// conditionHelp says what a stage may ask beside numbers, in one line.
const conditionHelp = "A condition is guardrail: a metric, incident: a severity, check: what a program reports, or manual: who confirms; a comma stands between two."

// planTables are the lists of a plan. Not here, and left to the YAML, are a
// stage's own arms, conditions of an audience and single units.
var planTables = []planTable{
	{path: "stages", title: "Stages", help: "Serve gives an audience the treatment, ramp and decide compare a share with as many others, full gives it to everybody.", id: "stages", columns: []PlanField{
		line("name", "Name", "canary", ""),
		pick("kind", "Kind", "by the rest", decisions.Serve, decisions.Ramp, decisions.Decide, decisions.Full, decisions.Dark),
		line("treatment", "Share", "5%", ""), line("to", "Segment", "", listOfSegments), line("minWindow", "At least", "24h", ""), line("maxWindow", "At most", "28d", ""),
	}},
	{path: "stages", named: "name", title: "Gates", help: "What each stage asks before it is left. " + conditionHelp + " Stages of a template bring their gates along.", id: "gates", columns: []PlanField{
		line("minUnits", "Units of each arm", "1000", ""), line("exclude", "Harm to exclude", "errors: 30%", ""), line("requires", "External checks", "load-test", ""),
		line("advanceWhen", "Goes on when", "manual: games", ""), line("approve", "Approvals", "none", ""), line("approveBy", "Of whom", "approver", listOfOwners),
	}},
	{path: "stages", named: "name", title: "Stops", help: "What stops a stage beside guardrails and incidents, as conditions.", id: "stops", columns: []PlanField{
		line("pauseWhen", "Pauses when", "check: error-budget", ""), line("rollbackWhen", "Goes back when", "incident: blocking", ""),
	}},
	{path: "stages", named: "name", of: []decisions.Kind{decisions.Full}, title: "The full stage", help: "Who keeps control to compare with, and how long a rollback stays one step away.", id: "full", columns: []PlanField{
		line("holdback", "Keeps control", "1%", ""), line("observe", "Observed for", "72h", ""),
	}},
	{path: "stages", named: "name", of: []decisions.Kind{decisions.Ramp, decisions.Decide}, title: "Ramps in steps", help: "A stage may be a ramp of several steps in place of one share: from, to, and what the share is multiplied by, or what is added, each time.", id: "steps", columns: []PlanField{
		line("ramp.from", "From", "1%", ""), line("ramp.to", "To", "50%", ""), line("ramp.times", "Times", "2", ""), line("ramp.plus", "Or plus", "10%", ""), line("ramp.every", "Every", "24h", ""),
	}},
	{path: "metrics.success", title: "Success metrics", help: "What should improve, and the smallest effect that is worth finding.", id: "success", columns: []PlanField{
		line("metric", "Metric", "purchases", listOfMetrics), line("mde", "Worth finding", "2%", ""), reviewed("onLoss", "When it is worse"), reviewed("onInconclusive", "When nothing is found"),
	}},
	{path: "metrics.guardrails", title: "Guardrails", help: "What must not get worse: how much harm is tolerated, which size the alarm is sharpest for, which level may not be passed, and whose values are asked apart.", id: "guardrails", columns: []PlanField{
		line("metric", "Metric", "errors", listOfMetrics), line("margin", "Tolerated", "1%", ""), line("detect", "Sharpest for", "20%", ""), line("limit", "Level", "200ms", ""), line("within", "Apart by", "country", ""),
		pick("onBreach", "On a breach", "default: rollback", decisions.Rollback, decisions.Pause),
	}},
	{path: "metrics.diagnostics", title: "Diagnostics", help: "What is shown and never decides.", id: "diagnostics", columns: []PlanField{line("metric", "Metric", "pages_per_visit", listOfMetrics)}},
	{path: "escalation", title: "Escalation", help: "Who is asked next while nobody answers, and how long after the rollout began to wait.", id: "escalation", columns: []PlanField{
		line("to", "Asked next", "shop-leads", listOfOwners), line("after", "After", "4h", ""),
	}},
}

// reviewed is a field for what is done about a success metric that disappoints.
func reviewed(name, label string) PlanField {
	return pick(name, label, "default: review", decisions.Review, decisions.Pause, decisions.Rollback)
}
