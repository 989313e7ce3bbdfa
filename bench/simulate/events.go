package main

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/sluice-hq/sluice/stats"
)

// failures is units of which few fail.
type failures struct {
	stages []stage
	chance float64 // of a control unit
	ratio  float64 // of treatment's chance to control's
}

// watch asks at every look, of a hundred units each, at which somebody failed.
func (w failures) watch(r *rand.Rand, e stats.Events, look func(stats.EventJudgement, []stats.Stratum) bool) {
	var epochs []stats.EventCounts
	var strata []stats.Stratum
	for i, s := range w.stages {
		epochs = append(epochs, stats.EventCounts{Epoch: i, Traffic: [2]float64{1 - s.treated, s.treated}})
		strata = append(strata, stats.Stratum{Epoch: i, Control: stats.Proportion(0, 0), Treatment: stats.Proportion(0, 0)})
		for n := int64(0); n < s.units; n += 100 {
			treated := binomial(r, 100, s.treated)
			t, c := binomial(r, treated, w.chance*w.ratio), binomial(r, 100-treated, w.chance)
			strata[i].Treatment = strata[i].Treatment.Merge(stats.Proportion(treated, t))
			strata[i].Control = strata[i].Control.Merge(stats.Proportion(100-treated, c))
			epochs[i].Treatment, epochs[i].Control = epochs[i].Treatment+t, epochs[i].Control+c
			if t+c > 0 && !look(e.Judge(epochs), strata) {
				return
			}
		}
	}
}

// alarms says which methods were wrong about failures.
type alarms struct{ process, interval, fixed bool }

func (w failures) alarms(r *rand.Rand, e stats.Events) (a alarms) {
	truth := math.Log(w.ratio)
	w.watch(r, e, func(j stats.EventJudgement, strata []stats.Stratum) bool {
		a.process = a.process || j.LogE >= j.Threshold
		a.interval = a.interval || !j.LogRatio.Contains(truth)
		a.fixed = a.fixed || !stats.Compare(strata, stats.Options{Relative: true}).Fixed.Contains(w.ratio-1)
		return true
	})
	return a
}

// failing is failures where the treatment gets little of the traffic.
func failing(p plan) *table {
	runs := p.runs(500)
	t := &table{title: "Stop: false alarms of failures", under: fmt.Sprintf(
		"%d rollouts a row of %d units, with a look after every 100. One unit in 200 fails, and the treated ones as many times more as the margin tolerates. Promised: at most 0.05 for breached and the always-valid interval.", runs, p.units),
		head: []string{"traffic treated", "margin", "breached", "interval leaves truth", "fixed, any look"}}
	steps := ramp(population{more: conversion("", 0).more}, p.units, 0).stages
	for i, c := range []struct {
		name   string
		stages []stage
	}{{"1 %", []stage{{0.01, p.units}}}, {"50 %", []stage{{0.5, p.units}}}, {"1 to 50 %", steps}} {
		for k, ratio := range []float64{1, 2} {
			w := failures{stages: c.stages, chance: 0.005, ratio: ratio}
			all := repeat(p.seed+uint64(10*i+k), runs, func(r *rand.Rand) alarms { return w.alarms(r, stats.Events{Margin: ratio}) })
			what := fmt.Sprintf("%s, margin %g", c.name, ratio)
			t.add(c.name, fmt.Sprintf("× %g", ratio),
				t.atMost(share(all, func(a alarms) bool { return a.process }), 0.05, runs, what),
				t.atMost(share(all, func(a alarms) bool { return a.interval }), 0.05, runs, what+", interval"),
				rate(share(all, func(a alarms) bool { return a.fixed })))
		}
	}
	return t
}
