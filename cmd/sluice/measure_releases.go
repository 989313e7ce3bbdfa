package main

import (
	"cmp"
	"slices"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/internal/meter"
)

// mostMeasured bounds how many rollouts are measured by name, so that years of
// releases do not become series for ever: the open ones, the newest first.
const mostMeasured = 200

// measureReleases returns how the rollouts under way stand, and what was decided
// about all of them.
func (h *house) measureReleases() []meter.Family {
	var all []decisions.Rollout
	var open []decisions.Reported
	h.projection.View(func(uint64) {
		all = h.folds.Rollouts.Rollouts()
		for _, i := range h.folds.Rollouts.AllIncidents() {
			if i.Open() {
				open = append(open, i)
			}
		}
	})
	looks := func(id string) (decisions.Look, bool) { return h.facts.look(id) }
	return append(releases(all, looks), incidentFamily(open))
}

func incidentFamily(open []decisions.Reported) meter.Family {
	f := meter.Family{Name: "sluice_incidents_open", Help: "Incidents that nobody has resolved, by severity.", Kind: meter.Gauge}
	for _, severity := range []decisions.Severity{decisions.Critical, decisions.Blocking, decisions.Minor} {
		n := 0
		for _, i := range open {
			if i.Severity == severity {
				n++
			}
		}
		f.Add(float64(n), "severity", string(severity))
	}
	return f
}

// releases measures rollouts: each that is open, and the decisions about all.
func releases(all []decisions.Rollout, looked func(string) (decisions.Look, bool)) []meter.Family {
	state := meter.Family{Name: "sluice_rollout_state", Help: "1 for the state that an open rollout is in.", Kind: meter.Gauge}
	stage := meter.Family{Name: "sluice_rollout_stage", Help: "Stage of an open rollout, 1 for the first, 0 before it.", Kind: meter.Gauge}
	share := meter.Family{Name: "sluice_rollout_exposure_ratio", Help: "Share of the units that an open rollout gives the treatment.", Kind: meter.Gauge}
	checks := meter.Family{Name: "sluice_rollout_checks", Help: "Checks of an open rollout's gate, by their state.", Kind: meter.Gauge}
	units := meter.Family{Name: "sluice_rollout_units", Help: "Units that an open rollout compares, by variant.", Kind: meter.Gauge}
	open := slices.DeleteFunc(slices.Clone(all), func(r decisions.Rollout) bool { return !r.Open() })
	slices.SortFunc(open, func(a, b decisions.Rollout) int {
		return cmp.Or(b.PlannedAt.Compare(a.PlannedAt), cmp.Compare(a.ID, b.ID))
	})
	for _, r := range open[:min(len(open), mostMeasured)] {
		of := []string{"environment", r.Plan.Environment, "flag", r.Plan.Flag}
		state.Add(1, append(slices.Clip(of), "state", string(r.Status))...)
		stage.Add(float64(r.Stage+1), of...)
		if s, ok := r.Now(); ok {
			share.Add(cmp.Or(r.Share, s.Exposure()).Fraction(), of...)
		}
		if look, ok := looked(r.ID); ok {
			addLook(&checks, &units, r, look, of)
		}
	}
	return []meter.Family{state, stage, share, checks, units, decisionFamily(all)}
}

func addLook(checks, units *meter.Family, r decisions.Rollout, look decisions.Look, of []string) {
	by := map[decisions.CheckState]int{}
	for _, c := range look.Verdict.Checks {
		by[c.State]++
	}
	for _, s := range []decisions.CheckState{decisions.Pass, decisions.Wait, decisions.Fail} {
		checks.Add(float64(by[s]), append(slices.Clip(of), "state", string(s))...)
	}
	for _, variant := range []string{r.Plan.Arms.Treatment, r.Plan.Arms.Control} {
		if variant != "" {
			units.Add(float64(look.Evidence.UnitsOf("", variant)), append(slices.Clip(of), "variant", variant)...)
		}
	}
}

// decisionFamily counts decisions by what they did and who made them: few series,
// however many there are.
func decisionFamily(all []decisions.Rollout) meter.Family {
	f := meter.Family{Name: "sluice_decisions_total", Help: "Decisions, by what they did and by whom.", Kind: meter.Counter}
	type kind struct {
		action decisions.Action
		by     string
	}
	n := map[kind]int{}
	for _, r := range all {
		for _, d := range r.Decisions {
			by := "person"
			if d.ByController() {
				by = decisions.Controlling
			}
			n[kind{d.Verdict.Action, by}]++
		}
	}
	for _, a := range []decisions.Action{decisions.Expand, decisions.Pause, decisions.Rollback, decisions.Reduce, decisions.Ship, decisions.Review, decisions.Cleanup} {
		for _, by := range []string{decisions.Controlling, "person"} {
			f.Add(float64(n[kind{a, by}]), "action", string(a), "by", by)
		}
	}
	return f
}
