package rehearsal

import (
	"math/rand/v2"
	"time"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
	"github.com/sluice-hq/sluice/stats"
)

// Fixed is what a rule that many releases follow would have done on the same
// seed: a quarter of the units get the treatment for a week beside as large a
// control, then somebody looks once, at 95 % intervals; a metric that is
// significantly worse ends the release, and else it is shipped.
type Fixed struct {
	Stopped bool           `json:"stopped"` // at the look; else it was shipped
	After   event.Duration `json:"after"`   // when it looked
	Treated int64          `json:"treated"`
	Harmed  int64          `json:"harmed"` // until the look, and where it was shipped for three weeks more
}

// The rule that others follow.
const (
	fixedShare = 25_000 // of 100,000
	fixedLook  = 7 * 24 * time.Hour
	fixedUntil = 28 * 24 * time.Hour
)

// fixed follows the rule. Whether units are old enough it does not ask.
func (r Rehearsal) fixed(s Scenario, seed uint64) *Fixed {
	rng := rand.New(rand.NewPCG(seed, 1))
	c := crowd{
		Rand: rng, Rehearsal: r, seen: begins, keys: r.Plan.Measured(), pool: r.pooled(rng, begins), extra: map[string]float64{},
		fault: fault{Scenario: s, plan: r.Plan, metrics: r.Metrics, from: begins.Add(time.Duration(s.After))},
	}
	_, stage := r.deciding() // which has the plan's arms
	arms := r.Plan.Arms
	week := &flags.Allocation{Stage: stage.Name, Epoch: 1, Coverage: 2 * fixedShare, Arms: flags.Even(arms.Treatment, arms.Control)}
	sums := map[string]stats.Stratum{}
	for at := begins.Add(24 * time.Hour); !at.After(begins.Add(fixedLook)); at = at.Add(24 * time.Hour) {
		for _, b := range c.arrive(week, at) {
			c.sum(sums, b.Arm == arms.Treatment, b.Samples)
		}
	}
	out := &Fixed{Stopped: c.worse(sums), After: event.Duration(fixedLook)}
	if !out.Stopped {
		c.ship()
	}
	out.Treated, out.Harmed = c.treated, c.harmed
	return out
}

// sum adds the samples of a batch.
func (c *crowd) sum(sums map[string]stats.Stratum, treated bool, samples map[string]stats.Sample) {
	for key, sample := range samples {
		s := sums[key]
		if treated {
			s.Treatment = s.Treatment.Merge(sample)
		} else {
			s.Control = s.Control.Merge(sample)
		}
		sums[key] = s
	}
}

// worse reports whether the interval of any metric is wholly on the bad side.
func (c *crowd) worse(sums map[string]stats.Stratum) bool {
	for _, key := range c.keys {
		cmp := stats.Compare([]stats.Stratum{sums[key]}, stats.Options{})
		better := sign(c.Metrics[key].Direction)
		if cmp.Refused == nil && (better > 0 && cmp.Fixed.High < 0 || better < 0 && cmp.Fixed.Low > 0) {
			return true
		}
	}
	return false
}

// ship lets everybody meet the treatment, for as long as it may take until
// somebody notices. Only who is harmed is counted.
func (c *crowd) ship() {
	all := []raised{{at: begins, by: 1}}
	for at := c.seen.Add(24 * time.Hour); !at.After(begins.Add(fixedUntil)); at = at.Add(24 * time.Hour) {
		c.raised = all
		n := c.coming(c.seen, at)
		c.seen = at
		c.treated += n
		c.suffer(n, at)
	}
}
