package flags

import (
	"fmt"
	"slices"
	"time"
)

// Phase is where a flag is in its life.
type Phase string

// The phases, in the order in which a flag usually passes them.
const (
	Draft         Phase = "draft"         // enabled nowhere, and no rollout has begun
	RollingOut    Phase = "rollingOut"    // a rollout, or a ramp below everybody, is under way
	Experimenting Phase = "experimenting" // the rollout is at a stage that decides
	Decided       Phase = "decided"       // the last rollout is over; the end state is not due yet
	Live          Phase = "live"          // enabled, and nothing is under way
	CleanupDue    Phase = "cleanupDue"    // its end state, its last day or its review is due
	Ended         Phase = "archived"      //
)

// Life is where a flag is in its life, and whether somebody should look at it.
type Life struct {
	Stage   Phase    `json:"stage"`
	Stale   bool     `json:"stale"`
	Ready   bool     `json:"ready,omitempty"`   // to be archived: it is decided, and no code uses it
	Reasons []string `json:"reasons,omitempty"` // why it is stale, due or ready, in sentences
}

// Course is what Lifecycle needs to know of the newest rollout of a flag in
// one environment.
type Course struct {
	Open    bool      // it looks at evidence
	Decides bool      // at a stage that decides
	Ended   time.Time // when it was decided or rolled back; zero while it goes on
}

// Known is what the house knows of a flag beside its definition.
type Known struct {
	Rollouts   []Course   // the newest in each environment
	Evaluated  *time.Time // the last time; nil: nobody has counted, the zero time: there was none
	References *int       // places in source trees; nil: nobody has scanned any
}

// Unseen is how long a flag that nobody evaluates is not stale, and Quiet how
// long nobody must have evaluated it before it is archived.
const (
	Unseen = 14 * 24 * time.Hour
	Quiet  = 7 * 24 * time.Hour
)

// lifetime is how long a flag of that purpose may go untouched, and stay
// decided when its cleanup says nothing; 0: for ever.
func (p Purpose) lifetime() time.Duration {
	switch p {
	case Release, Experiment:
		return 40 * 24 * time.Hour
	case Operational, Permission, KillSwitch:
	}
	return 0
}

// Lifecycle says where a flag is in its life.
func Lifecycle(r Recorded, k Known, now time.Time) Life {
	if r.Archived {
		return Life{Stage: Ended}
	}
	life := Life{Stage: r.phase(k.Rollouts)}
	over := decidedAt(k.Rollouts)
	if due := r.due(life.Stage, over, now); due != "" {
		life.Stage, life.Reasons = CleanupDue, append(life.Reasons, due)
	}
	stale := r.stale(life.Stage, over, k.Evaluated, now)
	life.Stale, life.Reasons = len(stale) > 0, append(life.Reasons, stale...)
	return r.use(life, k, now)
}

// use adds what the code says to the life of a flag that somebody should look
// at: whether it can be archived, or in how many places it is to be taken out
// first.
func (r Recorded) use(life Life, k Known, now time.Time) Life {
	decided := life.Stage == Decided || life.Stage == CleanupDue
	switch n := k.References; {
	case n == nil || !decided && !life.Stale:
	case *n > 0:
		life.Reasons = append(life.Reasons, "code uses it in "+counted(*n, "place"))
	case decided && !r.kept() && (k.Evaluated == nil || now.Sub(*k.Evaluated) > Quiet):
		life.Ready, life.Reasons = true, append(life.Reasons, "no code uses it: it is ready to be archived")
	default:
		life.Reasons = append(life.Reasons, "no code uses it")
	}
	return life
}

// kept reports whether the flag is to stay when it is decided.
func (r Recorded) kept() bool { return r.Cleanup != nil && r.Cleanup.EndState == Keep }

// phase is what the flag does, whatever the calendar says.
func (r Recorded) phase(rollouts []Course) Phase {
	switch {
	case slices.ContainsFunc(rollouts, func(c Course) bool { return c.Open && c.Decides }):
		return Experimenting
	case slices.ContainsFunc(rollouts, func(c Course) bool { return c.Open }) || r.ramping():
		return RollingOut
	case !decidedAt(rollouts).IsZero():
		return Decided
	case r.enabled():
		return Live
	}
	return Draft
}

// ramping reports whether a ramp gives a part of the units another variant.
func (r Recorded) ramping() bool {
	for _, e := range r.Environments {
		if a := e.Allocation; e.Enabled && a != nil && a.Ramp && a.Coverage > 0 && a.Coverage < Whole {
			return true
		}
	}
	return false
}

func (r Recorded) enabled() bool {
	for _, e := range r.Environments {
		if e.Enabled {
			return true
		}
	}
	return false
}

// decidedAt returns when the last of the rollouts was over, zero while one
// goes on or when there was none.
func decidedAt(rollouts []Course) time.Time {
	var last time.Time
	for _, c := range rollouts {
		if c.Ended.After(last) {
			last = c.Ended
		}
		if c.Open {
			return time.Time{}
		}
	}
	return last
}

// due says why it is time to end the flag, or to ask again why it stays; ""
// when it is not.
func (r Recorded) due(at Phase, over, now time.Time) string {
	if c := r.Cleanup; c != nil {
		if review, ok := c.Review.Time(); ok && !now.Before(review) {
			return fmt.Sprintf("its review was due on %s", c.Review)
		}
		if by := over.Add(time.Duration(c.Due)); at == Decided && c.Due > 0 && !now.Before(by) {
			return fmt.Sprintf("it was decided on %s, and its cleanup (%s) was due on %s", over.Format(time.DateOnly), c.EndState, by.Format(time.DateOnly))
		}
	}
	if r.Dates == nil {
		return ""
	}
	if off, ok := r.Dates.Off.Time(); ok && !now.Before(off) {
		return fmt.Sprintf("its last day was %s", r.Dates.Off)
	}
	return ""
}

// stale says why somebody should look at the flag.
func (r Recorded) stale(at Phase, over time.Time, evaluated *time.Time, now time.Time) []string {
	var out []string
	limit := r.Purpose.lifetime()
	switch {
	case at == RollingOut || at == Experimenting || limit == 0 || r.kept():
	case !over.IsZero() && now.Sub(over) > limit:
		out = append(out, fmt.Sprintf("it was decided %d days ago; a %s flag is over after %d", days(now.Sub(over)), r.Purpose, days(limit)))
	case now.Sub(r.Changed) > limit:
		out = append(out, fmt.Sprintf("nobody has changed it for %d days; a %s flag is over after %d", days(now.Sub(r.Changed)), r.Purpose, days(limit)))
	}
	switch {
	case evaluated == nil || now.Sub(*evaluated) <= Unseen || now.Sub(r.Created) <= Unseen:
	case evaluated.IsZero():
		out = append(out, "nobody has ever asked for it")
	default:
		out = append(out, fmt.Sprintf("nobody has asked for it for %d days", days(now.Sub(*evaluated))))
	}
	return out
}

// counted writes a number with its word.
func counted(n int, word string) string {
	if n != 1 {
		word += "s"
	}
	return fmt.Sprint(n, " ", word)
}

func days(d time.Duration) int { return int(d / (24 * time.Hour)) }
