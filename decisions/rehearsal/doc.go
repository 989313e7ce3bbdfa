// Package rehearsal carries a release plan out before anybody is exposed: on
// units that are made up or recorded, with faults put in, in virtual time. What
// decides is the production code: the controller of package decisions on a log
// and folds in memory, its gates, and the tests of package stats. What is not
// production code is the crowd, and how its facts are counted: in batches of
// units, by decisions.MemFacts.
//
//	r := rehearsal.Rehearsal{Plan: plan, Flag: flag, Metrics: metrics, Truth: rehearsal.Truth{
//		Traffic: stats.Daily(20_000), Metrics: map[string]rehearsal.Model{"day_7_retention": {Mean: 0.19}},
//	}}
//	run, err := r.Run(ctx, rehearsal.Scenario{Kind: rehearsal.Breach}, 1)   // one seed
//	runs, err := r.Runs(ctx, rehearsal.Scenario{Kind: rehearsal.Breach}, rehearsal.Seeds{From: 1, Count: 1000})
//	s := r.Summarize(scenario, runs)                                         // times to detect, units harmed, false alarms
//
// A run depends on the rehearsal, the scenario and the seed alone. The package
// reads no clock, starts no goroutine and keeps nothing.
//
// What is drawn: how many new units come between two looks (Poisson, from the
// traffic), how many of those are treated (binomial, from the weights of the
// flag's allocation as the controller left it), and of each metric the value of
// every unit, or the sufficient statistic that values of that kind have. Single
// events are not drawn, nor is the hash that assigns units; that both do what is
// assumed here is tested where they live.
package rehearsal
