package rehearsal

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/flags"
	"github.com/sluice-hq/sluice/stats"
)

// crowd is the units that come, and what they do.
type crowd struct {
	*rand.Rand
	Rehearsal
	fault   fault
	raised  []raised // how the share of enrolled units grew in the present epoch
	epoch   int
	seen    time.Time // until when units have come
	pool    *pool     // of recorded units; nil: they are drawn
	keys    []string  // of the metrics, in the plan's order
	late    []correction
	storm   []decisions.Batch // of the time before, which a storm of duplicates brings once more
	batches int

	treated, harmed int64
	extra           map[string]float64 // metric -> outcomes more or less than without the harm
}

// raised is that the share of enrolled units grew by so much at a time.
type raised struct {
	at time.Time
	by float64
}

// correction is a batch as it is known once what was late has come.
type correction struct {
	batch decisions.Batch
	at    time.Time
}

// arrive lets the units come that an allocation has enrolled until now, and
// returns them as batches. Nobody comes while there is none.
func (c *crowd) arrive(a *flags.Allocation, now time.Time) []decisions.Batch {
	from := c.seen
	c.seen = now
	if a == nil || !now.After(from) {
		return c.repeated(nil, now)
	}
	c.cover(a, from)
	n := c.coming(from, now)
	arms := c.Plan.ArmsIn(a.Stage)
	treatment, control := c.split(a, arms, n)
	var out []decisions.Batch
	out = c.batch(out, a, arms.Control, false, control, now, now.Sub(from))
	out = c.batch(out, a, arms.Treatment, true, treatment, now, now.Sub(from))
	return c.repeated(out, now)
}

// cover notes how the allocation's share has grown. An epoch begins anew: who
// comes counts in it whether he came before or not.
func (c *crowd) cover(a *flags.Allocation, at time.Time) {
	share := float64(a.Coverage) / flags.Whole
	if a.Slice != nil {
		share *= float64(a.Slice.To-a.Slice.From) / flags.Whole
	}
	if a.Epoch != c.epoch {
		c.epoch, c.raised = a.Epoch, nil
	}
	for _, r := range c.raised {
		share -= r.by
	}
	if share > 1e-9 {
		c.raised = append(c.raised, raised{at, share})
	}
}

// coming draws how many units come for the first time since they are enrolled.
func (c *crowd) coming(from, until time.Time) int64 {
	if c.pool != nil {
		share := 0.0
		for _, r := range c.raised {
			share += r.by
		}
		return binomial(c.Rand, c.pool.coming(until), share)
	}
	mean := 0.0
	for _, r := range c.raised {
		mean += r.by * (c.Truth.Traffic.By(daysFrom(r.at, until)) - c.Truth.Traffic.By(daysFrom(r.at, from)))
	}
	return poisson(c.Rand, mean)
}

// split draws which arms n units get.
func (c *crowd) split(a *flags.Allocation, arms decisions.Arms, n int64) (treatment, control int64) {
	whole, treated := 0, 0
	for _, arm := range a.Arms {
		whole += arm.Weight
		if arm.Variant == arms.Treatment {
			treated = arm.Weight
		}
	}
	treatment = binomial(c.Rand, n, float64(treated)/float64(max(whole, 1)))
	return treatment, n - treatment
}

// batch adds the units of one arm, and harms them if that is what happens.
func (c *crowd) batch(out []decisions.Batch, a *flags.Allocation, arm string, treated bool, n int64, now time.Time, over time.Duration) []decisions.Batch {
	if c.pool != nil {
		n = min(n, c.pool.left(arm))
	}
	if treated {
		c.treated += n
		c.suffer(n, now)
		n -= binomial(c.Rand, n, c.fault.lost(now))
	}
	if c.fault.silent("", now) || n == 0 {
		return out
	}
	c.batches++
	b := decisions.Batch{
		ID: fmt.Sprint(c.batches), Epoch: a.Epoch, Stage: a.Stage, Arm: arm, At: c.last(now, over, n), Units: n,
		Samples: map[string]stats.Sample{}, Newest: map[string]time.Time{},
	}
	whole := b
	whole.Samples = map[string]stats.Sample{}
	c.fill(&b, &whole, treated, now, over)
	if c.fault.late(now) > 0 {
		c.late = append(c.late, correction{whole, now.Add(time.Duration(c.fault.Delay))})
	}
	return append(out, b)
}

// fill draws what the units of a batch do: as far as it is known in time, and
// as it is known in the end.
func (c *crowd) fill(known, whole *decisions.Batch, treated bool, now time.Time, over time.Duration) {
	late := binomial(c.Rand, known.Units, c.fault.late(now))
	draw := c.draws(known.Arm, known.Units)
	for _, key := range c.keys {
		def, level := c.Metrics[key], 1.0
		if treated {
			level = c.fault.level(key, now)
		}
		if c.fault.silent(key, now) {
			known.Samples[key] = nothing(def, known.Units)
			whole.Samples[key] = known.Samples[key]
			continue
		}
		first, rest := draw(key, known.Units-late, level), draw(key, late, level)
		known.Samples[key], whole.Samples[key] = first.Merge(nothing(def, late)), first.Merge(rest)
		if heard := events(first); heard > 0 {
			known.Newest[key] = c.last(now, over, heard)
		}
	}
}

// draws returns what draws the samples of the units of a batch.
func (c *crowd) draws(arm string, units int64) func(key string, n int64, level float64) stats.Sample {
	if c.pool != nil {
		return c.pool.draws(c.Rand, arm, units)
	}
	return func(key string, n int64, level float64) stats.Sample {
		return c.Truth.Metrics[key].sample(c.Rand, c.Metrics[key], n, level)
	}
}

// events returns how many units of a sample have sent anything.
func events(s stats.Sample) int64 {
	if s.Kind == stats.KindProportion {
		return s.X
	}
	return s.N
}

// suffer counts who is harmed, and what of.
func (c *crowd) suffer(n int64, now time.Time) {
	if !c.fault.harmful(now) {
		return
	}
	c.harmed += n
	model, ok := c.Truth.Metrics[c.fault.Metric]
	if ok {
		c.extra[c.fault.Metric] += float64(n) * model.Mean * (c.fault.level(c.fault.Metric, now) - 1)
	}
}

// last draws when the last of n events within a time was: that of the largest
// of n uniform numbers.
func (c *crowd) last(now time.Time, over time.Duration, n int64) time.Time {
	gap := 1 - math.Pow(c.Float64(), 1/float64(n))
	return now.Add(-time.Duration(gap * float64(over))).Truncate(time.Millisecond)
}

// repeated adds what comes again: batches that are known better by now, and in a
// storm of duplicates everything of this time twice more.
func (c *crowd) repeated(out []decisions.Batch, now time.Time) []decisions.Batch {
	for len(c.late) > 0 && !c.late[0].at.After(now) {
		out, c.late = append(out, c.late[0].batch), c.late[1:]
	}
	if c.fault.Kind == Duplicates && c.fault.on(now) {
		again := slices.Concat(out, out, out, c.storm)
		c.storm = out
		return again
	}
	return out
}

func daysFrom(from, until time.Time) float64 { return until.Sub(from).Hours() / 24 }
