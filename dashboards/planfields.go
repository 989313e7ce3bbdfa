package dashboards

import "github.com/sluice-hq/sluice/decisions"

// line is a field for a word or two.
func line(name, label, hint string, list Anchor) PlanField {
	return PlanField{List: list, Field: Field{Name: name, Label: label, Kind: AsLine, Hint: hint}}
}

func must(f PlanField) PlanField { f.Field.Must = true; return f }

// pick is a field with the answers that there are.
func pick[T ~string](name, label, none string, values ...T) PlanField {
	answers := make([]string, len(values))
	for i, v := range values {
		answers[i] = string(v)
	}
	return PlanField{Field: choice(name, label, "", none, answers...)}
}

// stops is a field for what is done when something is wrong.
func stops(name, label string, otherwise decisions.Action) PlanField {
	return pick(name, label, "default: "+string(otherwise), decisions.Rollback, decisions.Pause, decisions.Hold)
}

func planParts(known PlanKnown) []PlanPart {
	return []PlanPart{
		{ID: "release", Title: "The release", Fields: releaseFields(known)},
		{ID: "arms", Title: "Arms", Fields: []PlanField{must(line("arms.control", "Control", "off", "")), must(line("arms.treatment", "Treatment", "on", ""))}},
		{ID: "whom", Title: "Who takes part", Fields: []PlanField{
			line("eligible", "Segment", "everybody", listOfSegments), line("layer.name", "Layer", "none: units are shared", ""), line("layer.share", "Share of the layer", "30%", ""),
		}},
		{ID: "incidents", Title: "Incidents", Fields: []PlanField{
			stops("incidents.critical", "On a critical one", decisions.Rollback), stops("incidents.blocking", "On a blocking one", decisions.Pause), stops("incidents.minor", "On a minor one", decisions.Hold),
		}},
		{ID: "back", Title: "Rollback", Fields: []PlanField{
			pick("rollback.to", "Back to", "default: safe", "safe", "previousStage"), pick("rollback.lockUntilExplained", "Locked until explained", "default: true", "true", "false"),
			line("rollback.owners", "Who is told", "the owner", listOfOwners), line("rollback.notify", "Webhooks that are told", "webhook:release", ""),
			line("rollback.prove.unsafeExposures", "Proven when at most", "0.1%", ""), line("rollback.prove.within", "Within", "5m", ""),
		}},
		{ID: "data", Title: "What the data must be", Fields: []PlanField{
			line("health.telemetry.maxLag", "Facts no older than", "10m", ""), stops("health.telemetry.onMissing", "When they are older", decisions.Pause),
			line("health.srm.alpha", "Alpha of the sample ratio", "0.001", ""), stops("health.srm.onFail", "On an alarm", decisions.Pause),
			line("health.multiExposure.max", "Most units in two arms", "1%", ""), stops("health.multiExposure.onFail", "When they are more", decisions.Pause),
		}},
		{ID: "after", Title: "What is looked at besides", Fields: []PlanField{
			line("metrics.breakdowns", "Readouts split by", "country, plan", ""), line("followUp", "Looked at again after", "30d", ""),
		}},
		{ID: "cleanup", Title: "The end of the flag", Fields: []PlanField{
			line("cleanup.due", "Due after the decision", "30d", ""), pick("cleanup.endState", "What becomes of it", "choose one", "promote", "remove", "keep", "convert"),
			line("cleanup.ticket", "Ticket", "https://tickets.example/SHOP-1", ""),
		}},
	}
}

func releaseFields(known PlanKnown) []PlanField {
	template := pick("template", "Template", "none: the stages below", decisions.Templates()...)
	template.Field.Help = "It brings stages and gates along; a stage below of the same name takes the place of its own."
	return []PlanField{
		must(line("flag", "Flag", "shop.checkout", listOfFlags)), must(pick("environment", "Environment", "choose one", known.Environments...)),
		must(line("owner", "Owner", "shop-team", listOfOwners)), must(line("unit", "Unit", "user", "")),
		{Field: Field{Name: "hypothesis", Label: "Hypothesis", Kind: AsText, Rows: 2, Hint: "More visitors buy something"}}, template,
		{Field: Field{Name: links, Label: "Links", Kind: AsText, Rows: 2, Hint: "https://docs.example/checkout", Help: "One a line: the ticket, documents, dashboards."}},
	}
}
