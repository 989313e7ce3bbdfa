package dashboards

import (
	"maps"
	"math"
	"time"
)

// at is when all sample pages were made.
var at = time.Date(2026, 11, 21, 14, 0, 2, 0, time.UTC)

func share(v float64) *float64 { return &v }

// sampleReadout holds one row of every verdict, an inverse metric, an interval
// that leaves the axis, and a metric without data.
func sampleReadout() Readout {
	return Readout{Level: 0.95, Rows: []Row{
		{Metric: "day_1_retention", Role: Success, Share: true,
			Control: Level{44700, 0.448188}, Treatment: Level{45489, 0.442283},
			Lift:    &Lift{Relative: -0.01318, Absolute: -0.005905, Always: Interval{-0.0362, 0.0098}, Fixed: Interval{-0.0277, 0.0014}},
			Verdict: Inconclusive},
		{Metric: "day_7_retention", Role: Guardrail, Share: true, Margin: share(0.01),
			Control: Level{44700, 0.190201}, Treatment: Level{45489, 0.182000},
			Lift:    &Lift{Relative: -0.04311, Absolute: -0.008201, Always: Interval{-0.0813, -0.0049}, Fixed: Interval{-0.0693, -0.0168}, Bounds: Interval{-0.0752, -0.0107}},
			Verdict: Worse, Note: "breached: worse than the margin allows"},
		{Metric: "checkout_latency", Role: Guardrail, Measure: "ms", Lower: true, Margin: share(0.05),
			Control: Level{44700, 1204.2}, Treatment: Level{45489, 1216.7},
			Lift:    &Lift{Relative: 0.01038, Absolute: 12.5, Always: Interval{-0.009, 0.0299}, Fixed: Interval{-0.0021, 0.0229}, Bounds: Interval{-0.0063, 0.0271}},
			Verdict: Within, Note: "more harm than the margin is excluded"},
		{Metric: "support_contacts", Role: Guardrail, Lower: true, Margin: share(0.1),
			Control: Level{412, 0.0291}, Treatment: Level{397, 0.0277},
			Lift:    &Lift{Relative: -0.0481, Absolute: -0.0014, Always: Interval{math.Inf(-1), 0.81}, Fixed: Interval{-0.52, 0.42}},
			Verdict: Inconclusive, Note: "38 % of the planned information"},
		{Metric: "pages_per_visit", Role: Diagnostic, Cap: &Cap{40, true},
			Control: Level{44700, 3.412}, Treatment: Level{45489, 3.514},
			Lift:    &Lift{Relative: 0.0299, Absolute: 0.102, Always: Interval{0.0121, 0.0477}, Fixed: Interval{0.0182, 0.0416}},
			Verdict: Better},
		{Metric: "checkout_errors", Role: Guardrail, Measure: "errors", Lower: true, Margin: share(0.02), Verdict: NoData,
			Note: "no event in the last 10 m"},
	}}
}

func sampleTitle() Title {
	return Title{Flag: "game.gate-position", Environment: "production", N: 1, Link: "/rollouts/production/game.gate-position/1",
		Owner: "progression-team", Unit: "player", Status: RolledBack, Since: at.Add(-40 * time.Second),
		Hypothesis: "Moving the first gate from level 30 to level 40 raises day-1 retention at no cost in day-7 retention",
		Links:      []string{"https://tickets.example/GATE-3", "https://docs.example/gates"},
		Stages:     []Stage{{"canary", Done}, {"experiment", Left}, {"full", Ahead}}, Reach: "nobody gets gate_40"}
}

func sampleExposures() Exposures {
	return Exposures{Arms: []Arm{{"treatment (gate_40)", 45489, 0.5}, {"control (gate_30)", 44700, 0.5}}, Ratio: Passed, P: 0.412, TwoArms: 3, Total: 90192,
		Astray: []string{"12 exposures are of units of the kind account and count nowhere"}}
}

func sampleAsOf() AsOf {
	return AsOf{Event: at.Add(-2 * time.Second), Seq: "fact 412", Lag: 2 * time.Second, Rules: "plan v1",
		JSON:    "/api/v1/rollouts/production/game.gate-position/1/readout",
		Queries: []Query{{"units per arm", "SELECT epoch, stage, arm, count()\nFROM unit_totals\nWHERE rollout = {rollout:String} AND environment = {environment:String}\nGROUP BY epoch, stage, arm", "9f2b7c0de1aa4f5d"}}}
}

func sampleChecks() []Check {
	return []Check{
		{Passed, "minimum window", "31 h 10 m of 24 h"},
		{Passed, "telemetry", "exposures 2 s old, metrics 9 s old"},
		{Passed, "sample ratio", "p = 0.412"},
		{Failed, "day_7_retention", "−4.31 % [−8.13 %, −0.49 %] is beyond the margin of 1 %: e-value 57"},
		{Within, "checkout_latency", "+1.04 % [−0.90 %, +2.99 %], margin 5 %"},
		{Waiting, "minimum units", "412 of 1 000 per arm"},
		{NotApplicable, "approval", "is asked last"},
	}
}

const hash = "4be1c0d8a35f9e7712cc08fbe94ad13d5a1c4407b2e96e8f7d0b1ffa9c3d2e10"

func sampleRollout() Rollout {
	title := sampleTitle()
	out := sampleReadout()
	return Rollout{
		Frame: Frame{Path: title.Link, Person: "person:ana", Refresh: 2 * time.Second},
		Title: title, Lead: Conclude("gate_40", out) + " The rollout was rolled back: nobody gets gate_40.", Next: "Nothing moves until somebody says why it was rolled back.",
		Banner: &Banner{Kind: GuardrailBreached, Text: "day_7_retention is worse than its margin allows. Everybody gets gate_30; the rollout is locked until a person explains."},
		Gate: Gate{Title: "The last look", Sentence: "Rolled back: day_7_retention is breached.", Evaluated: at,
			Checks: sampleChecks()},
		Tabs: []Tab{{"Now", title.Link, true}, {"Plan", title.Link + "?tab=plan", false}}, Guards: guards(out), Others: others(out), Readout: "/readouts/1", Exposures: sampleExposures(),
		Decisions: []Decision{
			{3, RolledBack, at.Add(-40 * time.Second), "experiment → safe variant", "day_7_retention is breached: −4.31 % [−8.13 %, −0.49 %], e-value 57.", "controller", hash, "/decisions/3"},
			{2, Expanded, at.Add(-24 * time.Hour), "canary → experiment", "Every check of the gate is passed: 1 204 of 1 000 units per arm, and harm of 50 % to day_7_retention is excluded.", "controller", hash, "/decisions/2"},
			{1, Expanded, at.Add(-32 * time.Hour), "start → canary", "Started by ana.", "person:ana", "", "/decisions/1"},
		},
		Acts:    []Act{{"Roll back", "Gives everybody the safe variant; needs no approval.", "sluice rollback production/game.gate-position/1 -m 'why'"}},
		Cleanup: Cleanup{EndState: "remove", Due: at.Add(30 * 24 * time.Hour), Ticket: "https://tickets.example/GAME-17", State: "in 30 d"},
		AsOf:    sampleAsOf(),
	}
}

func sampleHome() Home {
	card := func(flag string, status Mark, need, gate string, stages ...Stage) Card {
		return Card{Flag: flag, Environment: "production", Owner: "payments-team", Unit: "workspace", Link: "/rollouts/production/" + flag + "/1",
			Status: status, Need: need, Stages: stages, Reach: "10 % of units get the treatment", Gate: gate, Age: 31*time.Hour + 10*time.Minute}
	}
	needs := card("game.gate-position", RolledBack, "Explain the rollback: it is locked until then.", "rolled back: day_7_retention is breached", Stage{"canary", Done}, Stage{"experiment", Now}, Stage{"full", Ahead})
	needs.Reach = "nobody gets the treatment"
	needs.Lights = []Light{{"day_7_retention", Worse}, {"checkout_latency", Within}}
	running := card("checkout.payments.express-pay", Running, "", "holding: 5,210 of 8,000 units per arm, about 3 h left", Stage{"internal", Done}, Stage{"canary", Done}, Stage{"ramp", Now}, Stage{"experiment", Ahead}, Stage{"full", Ahead})
	running.Lights = []Light{{"checkout_latency", Within}, {"support_contacts", Inconclusive}, {"checkout_errors", NoData}}
	held := card("search.ranker-v3", Holding, "", "telemetry: no exposure for 12 m", Stage{"canary", Now}, Stage{"full", Ahead})
	return Home{Frame: Frame{Path: "/", Section: InRollouts, Person: "person:ana", Refresh: 2 * time.Second}, AsOf: sampleAsOf(), Lanes: []Lane{
		{"needs-you", "Needs you", "Nothing waits for a person.", []Card{needs}, 1, ""},
		{"running", "Running", "Nothing is running.", []Card{running, running}, 2, ""},
		{"holding", "Holding", "Nothing is held.", []Card{held}, 1, ""},
		{"decided", "Decided, cleaning up", "Nothing is to be cleaned up.", nil, 0, ""},
	}}
}

func sampleRecord() Record {
	return Record{Frame: Frame{Path: "/decisions/3", Section: InDecisions, Person: "person:ana"}, ID: "3", Title: sampleTitle(), Number: 3, Mark: RolledBack, Action: "Rollback",
		Change: "experiment → safe variant", At: at.Add(-40 * time.Second), Who: "controller",
		Reason: "day_7_retention is breached: −4.31 % [−8.13 %, −0.49 %], e-value 57.", Checks: sampleChecks(), Readout: sampleReadout(), Exposures: sampleExposures(),
		Facts:    []Fact{{"Evidence, SHA-256", hash}, {"Plan", "v1, " + hash}, {"Watermark", "fact 412"}, {"Flag revision", "17"}, {"Decision", "018f2c1e-7c1f-7d13-9a53-0d5f3a6c9e11"}},
		Markdown: "/api/v1/decisions/3/page", Document: "/api/v1/decisions/3/record", Recompute: Recompute{Possible: true, Link: "/decisions/3?recompute=true"},
		Verify: "sluice decisions recompute 018f2c1e-7c1f-7d13-9a53-0d5f3a6c9e11", AsOf: sampleAsOf()}
}

// samples are all pages, by the name of their golden file. Each part of the
// room has its own.
func samples() map[string]Page {
	all := map[string]Page{}
	for _, some := range []map[string]Page{
		firstSamples(),
		frameSamples(),
		previewSamples(),
		flagSamples(),
		groupSamples(),
		readoutSamples(), catalogueSamples(),
		logSamples(),
		eventSamples(), letterSamples(), unitSamples(),
		rolloutSamples(),
		searchSamples(),
		simulationSamples(),
		cleanupSamples(),
		planSamples(),
	} {
		maps.Copy(all, some)
	}
	return all
}

func firstSamples() map[string]Page {
	return map[string]Page{
		"home":          sampleHome(),
		"home-empty":    Home{Frame: Frame{Path: "/", Person: "person:ana"}, Empty: []string{ApplyCommand, StartCommand}},
		"rollout":       sampleRollout(),
		"rollout-begin": NewRollout(Frame{Path: "/rollouts/production/game.gate/1", Person: "person:ana", Refresh: 2 * time.Second}, plannedSeen(), "", at),
		"record":        sampleRecord(),
		"signin":        SignIn{Frame: Frame{Path: "/sign-in"}, Next: "/"},
		"signin-fault":  SignIn{Frame: Frame{Path: "/sign-in"}, Next: "/", Fault: "This token is not known. Copy it whole, from sla_ on.", Token: true},
		"signin-issuer": SignIn{Frame: Frame{Path: "/sign-in"}, Next: "/flags?q=a", Issuer: "login.example.com", Start: "/sign-in/start?next=%2Fflags%3Fq%3Da",
			Fault: "You are known to the issuer, and none of your groups may do anything here. Ask an admin for one that may."},
		"signed-out": SignIn{Frame: Frame{Path: "/sign-out"}, Next: "/", Issuer: "login.example.com", Start: "/sign-in/start?next=%2F", Leave: "https://login.example.com/end?client_id=sluice"},
		"problem": Problem{Frame: Frame{Path: "/nowhere", Person: "person:ana"}, Status: 404, Detail: "There is no rollout production/nowhere/1.",
			Fix: "Look at the list of rollouts, or ask the server:", Command: "sluice status", Request: "01JD7"},
	}
}
