package decisions

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/sluice-hq/sluice/flags"
)

// Readiness says whether a flag can have its end.
type Readiness struct {
	State   Ready    `json:"state"` // the worst of the reasons
	Reasons []Reason `json:"reasons"`
}

// Ready is how safe it is to end a flag.
type Ready string

// From the best to the worst.
const (
	Safe    Ready = "safe"
	Caution Ready = "caution" // a person should look first
	Blocked Ready = "blocked" // it would break something, or cannot be done
)

// Reason is one thing that speaks against ending a flag.
type Reason struct {
	State Ready       `json:"state"`
	Step  CleanupStep `json:"step"` // that it speaks against
	Why   string      `json:"why"`
	Fix   string      `json:"fix,omitempty"`

	Environment string `json:"environment,omitempty"` // that it is about; empty: the rollout's, or all
	final       bool   // no reason of a person overrules it
}

// CleanupStep is a step of a cleanup: first the flag gives everybody its last
// answer, then the code goes, then the flag is archived.
type CleanupStep string

// The steps that something can speak against.
const (
	StepEnd     CleanupStep = "end"     // everybody gets the last answer
	StepArchive CleanupStep = "archive" // the flag goes
)

// Uses is what the house knows of the use of a flag beside its definition.
type Uses struct {
	Seen       map[string]flags.Seen // by environment
	References *int                  // places in source trees; nil: nobody has scanned any
	Dependants []string              // flags whose prerequisite it is
	Newest     []Rollout             // of the flag, in each environment
}

// Readiness says what speaks against ending the flag of a rollout.
func (r Rollout) Readiness(f flags.Recorded, u Uses, now time.Time) Readiness {
	c := readiness{r: r, f: f, now: now}
	c.rollouts(u.Newest)
	c.reach()
	c.holdback()
	c.elsewhere()
	c.dependants(u.Dependants)
	c.asked(u.Seen)
	c.references(u.References)
	out := Readiness{State: Safe, Reasons: append([]Reason{}, c.reasons...)}
	for _, reason := range c.reasons {
		if reason.State == Blocked || out.State == Safe {
			out.State = reason.State
		}
	}
	return out
}

// Within returns the readiness as somebody may know it who does not see every
// environment: that something stands against it there, and not what.
func (c Readiness) Within(sees func(environment string) bool) Readiness {
	c.Reasons = slices.Clone(c.Reasons)
	for i, r := range c.Reasons {
		if r.Environment != "" && !sees(r.Environment) {
			c.Reasons[i] = Reason{State: r.State, Step: r.Step, Why: "another environment stands against it", final: r.final}
		}
	}
	return c
}

// readiness collects the reasons of one rollout's flag.
type readiness struct {
	r       Rollout
	f       flags.Recorded
	now     time.Time
	reasons []Reason
}

func (c *readiness) add(state Ready, step CleanupStep, why, fix string) {
	c.reasons = append(c.reasons, Reason{State: state, Step: step, Why: why, Fix: fix})
}

func (c *readiness) never(why, fix string) {
	c.reasons = append(c.reasons, Reason{State: Blocked, Step: StepEnd, Why: why, Fix: fix, final: true})
}

// in says which environment the last reason is about.
func (c *readiness) in(environment string) { c.reasons[len(c.reasons)-1].Environment = environment }

// rollouts: nothing ends while the flag is being released somewhere, or while
// nobody has said why it was rolled back.
func (c *readiness) rollouts(newest []Rollout) {
	if c.r.Ended.IsZero() {
		c.never(fmt.Sprintf("%s is %s", c.r.ID, c.r.Status), "wait for its end, or roll it back")
	}
	if c.r.Locked {
		c.never(c.r.ID+" was rolled back, and nobody has explained why", "sluice decide explain "+c.r.ID+" -m 'why'")
	}
	for _, other := range newest {
		if other.ID != c.r.ID && other.Open() {
			c.never(fmt.Sprintf("%s is %s, and a flag has one default for all environments", other.ID, other.Status), "wait for its end, or roll it back")
			c.in(other.Plan.Environment)
		}
	}
}

// reach: a plan for a part of the units proved nothing about the others.
func (c *readiness) reach() {
	if p := c.r.Plan; p.Eligible != "" && c.r.Winner(c.f) == c.r.released() {
		c.add(Blocked, StepEnd, "the plan was for the segment "+p.Eligible+" alone, and its end gives everybody "+c.r.released(),
			"release it to the others first, or give a reason")
	}
}

// holdback: who is held back tells whether the effect holds.
func (c *readiness) holdback() {
	a := c.f.Environments[c.r.Plan.Environment].Allocation
	stage, _ := c.r.Now()
	if a == nil || a.Rollout != c.r.ID || stage.Holdback == 0 || c.r.Status == RolledBack {
		return
	}
	why := fmt.Sprintf("%s of the units are held back, and get %s", percent(stage.Holdback.Fraction()), c.r.Winner(c.f))
	if c.r.Plan.FollowUp > 0 && c.r.Followed == nil {
		c.add(Blocked, StepEnd, why+" before the look of "+c.r.followUpDue().Format(time.DateOnly)+" whether the effect held", "wait for it, or give a reason")
		return
	}
	c.add(Caution, StepEnd, why, "")
}

// elsewhere: the default is that of every environment.
func (c *readiness) elsewhere() {
	winner := c.r.Winner(c.f)
	if c.f.Default == winner || c.r.EndState() == flags.Keep {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(c.f.Environments)) {
		if name != c.r.Plan.Environment && c.f.Environments[name].Enabled {
			c.add(Caution, StepEnd, fmt.Sprintf("the default becomes %s (is %s) in %s too", winner, c.f.Default, name), "")
			c.in(name)
		}
	}
}

func (c *readiness) dependants(keys []string) {
	if len(keys) > 0 {
		c.add(Blocked, StepArchive, "it is a prerequisite of "+strings.Join(keys, ", "), "free them first")
	}
}

// asked: an archived flag still answers, but whoever asks has not been cleaned.
func (c *readiness) asked(seen map[string]flags.Seen) {
	for _, name := range slices.Sorted(maps.Keys(c.f.Environments)) {
		switch s := seen[name]; {
		case flags.Asking(s.Asked, c.now):
			c.add(Blocked, StepArchive, name+" last asked for it at "+s.Asked.UTC().Format(time.RFC3339),
				fmt.Sprintf("take it out of the code, and wait until nobody has asked for %d days", int(flags.Quiet.Hours()/24)))
		case s.Doubt(c.now) != "":
			c.add(Caution, StepArchive, "it cannot be told whether "+name+" still asks for it: "+s.Doubt(c.now), "")
		default:
			continue
		}
		c.in(name)
	}
}

func (c *readiness) references(n *int) {
	switch {
	case n == nil:
		c.add(Caution, StepArchive, "no source tree has been scanned for it", "sluice refs scan .")
	case *n > 0:
		c.add(Caution, StepArchive, fmt.Sprintf("code uses it in %d places", *n), "sluice cleanup ticket "+c.r.ID)
	}
}
