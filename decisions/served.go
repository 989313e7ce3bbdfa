package decisions

import (
	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/stats"
)

// Entered returns the revision of the flag at which the present stage took
// effect, 0 before the first stage. Whoever is given the treatment at that
// revision or later, and is not enrolled, is of the audience that a stage serves.
func (r Rollout) Entered() uint64 {
	for i := len(r.Decisions) - 1; i >= 0; i-- {
		if d := r.Decisions[i]; d.Effect > 0 {
			return d.Effect
		}
	}
	return 0
}

// servedKey names the baseline of a level in a stage that serves an audience. Each
// such stage has units of its own.
func servedKey(stage, metric string) string { return "served/" + stage + "/" + metric }

// servedBaselines returns the variances that this look freezes for the audience.
func servedBaselines(r Rollout, e Evidence) map[string]stats.Frozen {
	out := map[string]stats.Frozen{}
	stage, _ := r.Now()
	for _, m := range e.Metrics {
		key := servedKey(stage.Name, m.Metric)
		if _, had := r.Frozen[key]; had || len(m.Served) == 0 {
			continue
		}
		if f, ok := stats.FreezeTreated(m.Served); ok {
			out[key] = f
		}
	}
	return out
}

// limited judges a guardrail against its limit: the units of the audience in a
// stage that serves one, else those that are enrolled.
func (r Rollout) limited(m Measured, g Guardrail, f stats.Frozen) Measured {
	strata := m.Strata
	stage, _ := r.Now()
	if stage.Kind() == Serve {
		strata, f = m.Served, r.Frozen[servedKey(stage.Name, m.Metric)]
	}
	value, _, _ := event.ParseLevel(g.Limit) // a recorded plan has been validated
	j := stats.Limit{Value: value, Direction: m.Direction, Alpha: alphaHarm, Tests: r.stops()}.Judge(strata, f)
	m.Limit, m.Level = &j, levelOf(strata)
	return m
}

// levelOf returns where treated units stand that are too few for a test, nil
// where there are none or enough.
func levelOf(strata []stats.Stratum) *Level {
	var all stats.Sample
	for i, s := range strata {
		if i == 0 {
			all = s.Treatment
			continue
		}
		all = all.Merge(s.Treatment)
	}
	if all.N == 0 || all.N >= stats.FreezeUnits {
		return nil
	}
	return &Level{Units: all.N, At: all.Center()}
}

// ungoverned counts the treated units that no control stands beside, and those
// that failed: of the audience of a stage that serves one, else of full stages.
func (r Rollout) ungoverned(m Measured) (failing, units int64) {
	if stage, _ := r.Now(); stage.Kind() != Serve {
		return r.uncompared(m.Strata)
	}
	for _, s := range m.Served {
		failing, units = failing+s.Treatment.X, units+s.Treatment.N
	}
	return failing, units
}
