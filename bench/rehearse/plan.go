package main

import (
	"time"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/decisions/rehearsal"
	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
	"github.com/sluice-hq/sluice/stats"
)

// The metrics of the release.
const (
	orders  = "orders"  // success: a fifth of the units order
	latency = "latency" // guardrail: 200 ms on average, skewed
	tickets = "tickets" // guardrail: three in a hundred ask for support
	crashes = "crashes" // guardrail on failures: two in a thousand crash
)

func share(percent float64) decisions.Percent { return decisions.Percent(percent * 1000) }

func margin(percent float64) *decisions.Percent {
	p := share(percent)
	return &p
}

func size(percent float64) decisions.Size { return decisions.Size{Change: share(percent)} }

// times is a size that is written as a factor.
func times(factor float64) decisions.Size {
	return decisions.Size{Change: share((factor - 1) * 100), Factor: true}
}

// release is a plan of three stages for a checkout that 20,000 new units a day
// come to, and what they do there.
func release() rehearsal.Rehearsal {
	day := event.Duration(24 * time.Hour)
	return rehearsal.Rehearsal{
		Plan: decisions.Plan{
			Flag: "checkout.express", Environment: "production", Owner: "payments", Unit: "user",
			Arms: decisions.Arms{Control: "off", Treatment: "on"},
			Metrics: decisions.Metrics{
				Success: []decisions.Success{{Metric: orders, MDE: share(5)}},
				Guardrails: []decisions.Guardrail{
					{Metric: latency, Margin: margin(5)}, {Metric: tickets, Margin: margin(25)}, {Metric: crashes, Margin: margin(100)},
				},
			},
			Stages: []decisions.Stage{
				{Name: "canary", Treatment: share(5), MinWindow: decisions.Window(day), MinUnits: 500,
					Exclude: map[string]decisions.Size{latency: size(30), tickets: size(150), crashes: times(12)}},
				{Name: "experiment", Treatment: share(50), Decide: true, MinWindow: decisions.Window(7 * day), MaxWindow: decisions.Window(28 * day)},
				{Name: "full", Serve: "treatment", Holdback: share(1), Observe: decisions.Window(3 * day)},
			},
			Cleanup: &decisions.CleanupPlan{Due: decisions.Window(30 * day), EndState: "promote"},
		},
		Flag: flags.Flag{
			Key: "checkout.express", Purpose: flags.Release, Owner: "payments", Type: flags.Boolean, Unit: "user", Default: "off", Safe: "off",
			Variants: flags.Variants{"on": []byte("true"), "off": []byte("false")},
			Cleanup:  &flags.Cleanup{Due: 30 * day, EndState: flags.Promote},
		},
		Metrics: map[string]stats.Metric{
			orders:  {Key: orders, Event: orders, Aggregate: stats.Conversion, Direction: stats.Increase, GateWindow: time.Hour},
			latency: {Key: latency, Event: latency, Aggregate: stats.Average, Direction: stats.Decrease, UnitOfMeasure: "ms", GateWindow: time.Hour},
			tickets: {Key: tickets, Event: tickets, Aggregate: stats.Conversion, Direction: stats.Decrease, GateWindow: 24 * time.Hour},
			crashes: {Key: crashes, Event: crashes, Aggregate: stats.Failures, Direction: stats.Decrease, Rate: 0.002},
		},
		Truth: rehearsal.Truth{Traffic: stats.Daily(20_000), Metrics: map[string]rehearsal.Model{
			orders: {Mean: 0.2}, latency: {Mean: 200, SD: 150}, tickets: {Mean: 0.03}, crashes: {Mean: 0.002},
		}},
	}
}

// row is a scenario, and what is promised of it.
type row struct {
	rehearsal.Scenario
	harmless bool // no guardrail is worse than its margin allows: rollbacks are false
	unfit    bool // it must not be shipped
	calm     bool // it should come to the end of the stage that decides undisturbed
}

// rows are the scenarios of the table. Harm of just the margin is not beyond
// it, and not shown to be within it either: neither a rollback nor a ship is
// right.
func rows() []row {
	out := []row{
		{Scenario: rehearsal.Scenario{Kind: rehearsal.Healthy}, harmless: true, unfit: true, calm: true},
		{Scenario: rehearsal.Scenario{Kind: rehearsal.Better}, harmless: true, calm: true},
	}
	harm := func(metric string, margin decisions.Size, beyond ...decisions.Size) {
		out = append(out, row{Scenario: rehearsal.Scenario{Kind: rehearsal.Breach, Metric: metric, By: margin}, harmless: true, unfit: true})
		for _, by := range beyond {
			out = append(out, row{Scenario: rehearsal.Scenario{Kind: rehearsal.Breach, Metric: metric, By: by}, unfit: true})
		}
	}
	harm(latency, size(5), size(7.5), size(10), size(20), size(50))
	harm(tickets, size(25), size(50), size(100), size(300))
	harm(crashes, times(2), times(3), times(5), times(20))
	out = append(out,
		row{Scenario: rehearsal.Scenario{Kind: rehearsal.Slow, Metric: latency, By: size(20)}, unfit: true},
		row{Scenario: rehearsal.Scenario{Kind: rehearsal.Better, Metric: latency, By: size(20), Stage: "full", Name: "better, then breach 20% of latency in full"}},
		row{Scenario: rehearsal.Scenario{Kind: rehearsal.Outage, Metric: latency, By: size(20)}, unfit: true},
		row{Scenario: rehearsal.Scenario{Kind: rehearsal.Missing}, harmless: true, unfit: true},
		row{Scenario: rehearsal.Scenario{Kind: rehearsal.Missing, Metric: tickets, Name: "missing tickets"}, harmless: true, unfit: true},
		row{Scenario: rehearsal.Scenario{Kind: rehearsal.SRM, Share: 2000, Name: "srm, 2% lost"}, harmless: true, unfit: true},
		row{Scenario: rehearsal.Scenario{Kind: rehearsal.SRM, Name: "srm, 10% lost"}, harmless: true, unfit: true},
		row{Scenario: rehearsal.Scenario{Kind: rehearsal.Outage}, harmless: true, unfit: true, calm: true},
		row{Scenario: rehearsal.Scenario{Kind: rehearsal.Duplicates}, harmless: true, unfit: true, calm: true},
		row{Scenario: rehearsal.Scenario{Kind: rehearsal.Late}, harmless: true, unfit: true, calm: true},
	)
	return named(out)
}

// named gives every row the name that it has in the table.
func named(rows []row) []row {
	for i, r := range rows {
		if r.Name != "" {
			continue
		}
		rows[i].Name = string(r.Kind)
		if !r.By.IsZero() {
			rows[i].Name += " " + r.By.String() + " of " + r.Metric
		}
		if r.Stage != "" {
			rows[i].Name += " in " + r.Stage
		}
	}
	return rows
}
