package dashboards

import "github.com/sluice-hq/sluice/decisions"

func planParts(known PlanKnown) []PlanPart {
	line := func(name, label, hint string, list Anchor) PlanField {
		return PlanField{List: list, Field: Field{Name: name, Label: label, Kind: AsLine, Hint: hint}}
	}
	must := func(f PlanField) PlanField { f.Field.Must = true; return f }
	pick := func(name, label, none string, values ...string) PlanField {
		return PlanField{Field: choice(name, label, "", none, values...)}
	}
	answer := func(name, label, otherwise string) PlanField {
		return pick(name, label, "the default: "+otherwise, string(decisions.Rollback), string(decisions.Pause), string(decisions.Hold))
	}
	hypothesis := PlanField{Field: Field{Name: "hypothesis", Label: "Hypothesis", Kind: AsText, Rows: 2, Hint: "More visitors buy something"}}
	template := pick("template", "Template", "none: the stages below", decisions.Templates()...)
	template.Field.Help = "It brings stages and gates along; a stage below of the same name takes the place of its own."
	return []PlanPart{
		{ID: "release", Title: "The release", Fields: []PlanField{
			must(line("flag", "Flag", "shop.checkout", listOfFlags)), must(pick("environment", "Environment", "choose one", known.Environments...)),
			must(line("owner", "Owner", "shop-team", listOfOwners)), must(line("unit", "Unit", "user", "")), hypothesis, template,
		}},
		{ID: "arms", Title: "Arms", Fields: []PlanField{must(line("arms.control", "Control", "off", "")), must(line("arms.treatment", "Treatment", "on", ""))}},
		{ID: "whom", Title: "Who takes part", Fields: []PlanField{
			line("eligible", "Segment", "everybody", listOfSegments), line("layer.name", "Layer", "none: units are shared", ""), line("layer.share", "Share of the layer", "30%", ""),
		}},
		{ID: "incidents", Title: "Incidents", Fields: []PlanField{
			answer("incidents.critical", "On a critical one", "rollback"), answer("incidents.blocking", "On a blocking one", "pause"), answer("incidents.minor", "On a minor one", "hold"),
		}},
		{ID: "back", Title: "Rollback", Fields: []PlanField{
			pick("rollback.to", "Back to", "the default: safe", "safe", "previousStage"), pick("rollback.lockUntilExplained", "Locked until explained", "the default: true", "true", "false"),
			line("rollback.owners", "Who is told", "the owner", listOfOwners), line("rollback.notify", "Webhooks that are told", "webhook:release", ""),
			line("rollback.prove.unsafeExposures", "Proven when at most", "0.1%", ""), line("rollback.prove.within", "Within", "5m", ""),
		}},
		{ID: "cleanup", Title: "The end of the flag", Fields: []PlanField{
			line("cleanup.due", "Due after the decision", "30d", ""), pick("cleanup.endState", "What becomes of it", "choose one", "promote", "remove", "keep", "convert"),
			line("cleanup.ticket", "Ticket", "https://tickets.example/SHOP-1", ""),
		}},
	}
}

// planTable is a list of a plan: where it is, and what a row asks.
type planTable struct {
	path, title, help string
	named             string // field that names an item whose fields stand elsewhere too; empty: items are added and taken away here
	id                Anchor
	columns           []PlanField // named as in an item
}

var planTables = []planTable{
	{path: "stages", title: "Stages", help: "Serve gives an audience the treatment, ramp and decide compare a share with as many others, full gives it to everybody.", id: "stages", columns: []PlanField{
		{Field: Field{Name: "name", Label: "Name", Kind: AsLine, Hint: "canary"}},
		{Field: choice("kind", "Kind", "", "by the rest", string(decisions.Serve), string(decisions.Ramp), string(decisions.Decide), string(decisions.Full), string(decisions.Dark))},
		{Field: Field{Name: "treatment", Label: "Share", Kind: AsLine, Hint: "5%"}},
		{List: listOfSegments, Field: Field{Name: "to", Label: "Segment", Kind: AsLine}},
		{Field: Field{Name: "minWindow", Label: "At least", Kind: AsLine, Hint: "24h"}},
		{Field: Field{Name: "maxWindow", Label: "At most", Kind: AsLine, Hint: "28d"}},
	}},
	{path: "stages", named: "name", title: "Gates", help: "What each stage asks before it is left, and what stops it. A condition is guardrail: a metric, incident: a severity, check: what a program reports, or manual: who confirms; a comma stands between two. Stages of a template bring their gates along.", id: "gates", columns: []PlanField{
		{Field: Field{Name: "minUnits", Label: "Units of each arm", Kind: AsLine, Hint: "1000"}},
		{Field: Field{Name: "approve", Label: "Approvals", Kind: AsLine, Hint: "none"}},
		{List: listOfOwners, Field: Field{Name: "approveBy", Label: "Of whom", Kind: AsLine, Hint: "approver"}},
		{Field: Field{Name: "advanceWhen", Label: "Goes on when", Kind: AsLine, Hint: "manual: games"}},
		{Field: Field{Name: "pauseWhen", Label: "Pauses when", Kind: AsLine, Hint: "check: error-budget"}},
		{Field: Field{Name: "rollbackWhen", Label: "Goes back when", Kind: AsLine, Hint: "incident: blocking"}},
	}},
	{path: "metrics.success", title: "Success metrics", help: "What should improve, and the smallest effect that is worth finding.", id: "success", columns: []PlanField{
		{List: listOfMetrics, Field: Field{Name: "metric", Label: "Metric", Kind: AsLine, Hint: "purchases"}},
		{Field: Field{Name: "mde", Label: "Worth finding", Kind: AsLine, Hint: "2%"}},
	}},
	{path: "metrics.guardrails", title: "Guardrails", help: "What must not get worse: how much harm is tolerated, and which size the alarm is sharpest for.", id: "guardrails", columns: []PlanField{
		{List: listOfMetrics, Field: Field{Name: "metric", Label: "Metric", Kind: AsLine, Hint: "errors"}},
		{Field: Field{Name: "margin", Label: "Tolerated", Kind: AsLine, Hint: "1%"}},
		{Field: Field{Name: "detect", Label: "Sharpest for", Kind: AsLine, Hint: "20%"}},
	}},
}
