package decisions

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/sluice-hq/sluice/stats"
)

// Mark is the Marks of facts in memory.
func (f *MemFacts) Mark(_ context.Context, r Rollout, now time.Time) (mark string, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	m := f.rollouts[r.ID]
	if m == nil {
		m = &memRollout{}
	}
	if !m.newest.IsZero() && m.newest.Add(r.Ripening()).After(now) {
		return "", false // some units are still too young to count
	}
	if slices.ContainsFunc(f.deployments, func(d Deployment) bool { return d.At.After(now) }) {
		return "", false
	}
	return fmt.Sprint(m.changes, f.changes, f.Unaccounted, f.alive(r, now)), true
}

// alive returns the metrics of failures whose last sign of life is not too old.
func (f *MemFacts) alive(r Rollout, now time.Time) (keys []string) {
	for _, key := range r.Plan.Measured() {
		if r.Metrics[key].Aggregate == stats.Failures && now.Sub(f.signs[key]) <= AliveWithin {
			keys = append(keys, key)
		}
	}
	return keys
}

// Ripening is how long after its first exposure a unit counts for all metrics.
func (r Rollout) Ripening() (age time.Duration) {
	for _, key := range r.Plan.Measured() {
		age = max(age, r.Metrics[key].Age(true))
	}
	return age
}
