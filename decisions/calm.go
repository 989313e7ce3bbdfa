package decisions

import (
	"context"
	"slices"
	"time"
)

// Marks says what the evidence of a rollout is made of, without counting it: as
// long as the mark is the same, Facts.Evidence of the same rollout is the same
// but for the time at which it is taken. ok is false when that cannot be told,
// also where time alone still changes what is counted, as it does while units
// grow old enough.
type Marks func(ctx context.Context, r Rollout, now time.Time) (mark string, ok bool)

// rests is everything that a look rests on beside the time.
type rests struct {
	rollout  *Rollout // as State keeps it, where a changed one is another
	revision uint64   // of the flag
	off      string
	told     uint64 // last event of the flag's incidents
	needs    []Need
	closed   []Closure
	mark     string
}

func (r rests) equal(o rests) bool {
	return r.rollout == o.rollout && r.revision == o.revision && r.off == o.off && r.told == o.told && r.mark == o.mark &&
		slices.Equal(r.needs, o.needs) && slices.Equal(r.closed, o.closed)
}

// rests returns what a look would rest on; known is false when that cannot be
// told. It is asked before the evidence, so that what comes in between makes a
// difference the next time.
func (c *Controller) rests(ctx context.Context, s scene, now time.Time) (_ rests, known bool) {
	if c.Marks == nil {
		return rests{}, false
	}
	out := rests{
		rollout: s.kept, revision: s.revision, off: s.off, told: s.told,
		needs: policyNeeds(s.policy), closed: closures(s.policy, now),
	}
	out.mark, known = c.Marks(ctx, s.rollout, now)
	if s.rollout.Stage < 0 { // no facts are asked before the first stage
		out.mark, known = "", true
	}
	return out, known
}

// calm is a look that found nothing new, or whose news are recorded.
type calm struct {
	rests
	from  time.Time // when it was taken
	until time.Time // when the clock alone may change what it found; zero: never
}

// lasts reports whether another look would find the same. A clock that was set
// back is one that nobody knows.
func (l calm) lasts(now rests, at time.Time) bool {
	return l.rollout != nil && l.equal(now) && !at.Before(l.from) && (l.until.IsZero() || at.Before(l.until))
}

func (c *Controller) calmed(id string, on rests, in Input) {
	if c.calm == nil {
		c.calm = map[string]calm{}
	}
	c.calm[id] = calm{rests: on, from: in.Now, until: in.turns()}
}

// turns returns the first time, not before the input's own, at which the clock
// alone may change the verdict or its reason; zero when it never does. Each of
// these is a time that a check compares the clock with. That some are of checks
// which the stage does not ask costs a look, and to miss one would cost a
// rollback.
func (in Input) turns() (first time.Time) {
	note := func(at time.Time) {
		if !at.Before(in.Now) && (first.IsZero() || at.Before(first)) {
			first = at
		}
	}
	lag := time.Duration(in.Plan.Health.Telemetry.MaxLag)
	since := in.State.Since
	if s, ok := (Rollout{Standing: in.State, Plan: in.Plan}).Now(); ok {
		for _, w := range [...]Window{s.MinWindow, s.MaxWindow, s.Observe} {
			note(since.Add(windowTime(w)))
		}
	}
	note(since.Add(lag))
	note(in.Evidence.Newest.Add(lag))
	for _, m := range in.Evidence.Metrics {
		quiet := time.Duration(m.Quiet)
		for _, at := range [...]time.Time{since.Add(lag + quiet), m.Newest.Add(lag), m.Newest.Add(lag + quiet), m.Alive.Add(lag), m.Alive.Add(AliveWithin)} {
			note(at)
		}
	}
	for _, r := range in.State.Reported {
		note(r.Expires)
	}
	return first
}
