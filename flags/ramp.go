package flags

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/sluice-hq/sluice/event"
)

// Ramp asks that a share of an environment's units get one variant, beside any
// plan: nothing is compared, and no unit counts as enrolled in anything.
type Ramp struct {
	Environment string
	Variant     string // empty: the one before; of a boolean flag, the one that is true
	Coverage    int    // 0 … Whole; 0 ends the ramp
	Number      int    // of the flag's next rollout in the environment, from 1; its salt is used
}

// rampStage is the stage of a ramp's allocation. Its rollout has the word in
// the place of a number, so that it is never a plan's.
const rampStage = "ramp"

// Ramp returns the changes that bring a flag there. As long as no rollout has
// come between, the same units return when a ramp is lowered and raised again.
func (s *State) Ramp(key string, want Ramp) ([]Change, error) {
	r, ok := s.flags[key]
	if !ok {
		return nil, fmt.Errorf("%w: flag %s", ErrUnknown, key)
	}
	id := want.Environment + "/" + key + "/" + rampStage
	last, ramped := r.Rollouts[id]
	faults := r.checkRamp(want)
	if want.Variant == "" && ramped {
		want.Variant = last.Arms[0].Variant
	}
	if want.Variant == "" {
		want.Variant = r.truth()
	}
	if want.Coverage > 0 {
		r.checkVariant(&faults, "variant", want.Variant)
	}
	if len(faults) > 0 {
		return nil, faults
	}
	return r.ramp(want, id, last), nil
}

func (r *record) checkRamp(want Ramp) event.Invalids {
	var faults event.Invalids
	if _, ok := r.Environments[want.Environment]; !ok {
		names := strings.Join(slices.Sorted(maps.Keys(r.Environments)), ", ")
		faults.Add("environment", want.Environment, missing(want.Environment, "is not an environment of the flag"), "the flag defines "+names)
	}
	if want.Coverage < 0 || want.Coverage > Whole {
		faults.Add("percentage", float64(want.Coverage)*100/Whole, "is not between 0 and 100", "")
	}
	return faults
}

// truth returns the only variant that is true, "" when there is none.
func (r *record) truth() string {
	found := ""
	for name, raw := range r.Variants {
		if string(raw) != "true" {
			continue
		}
		if found != "" {
			return ""
		}
		found = name
	}
	return found
}

// ramp returns the changes; last is the allocation that the environment's last
// ramp made, if there was one.
func (r *record) ramp(want Ramp, id string, last Allocation) []Change {
	now := r.Environments[want.Environment].Allocation
	off := Change{Op: Deallocate, Environment: want.Environment}
	if want.Coverage == 0 {
		return []Change{off}
	}
	a := Allocation{
		Rollout: id, Stage: rampStage, Epoch: max(last.Epoch, 1), HashVersion: HashVersion, Salt: Salt(r.Key, want.Number),
		Unit: r.unit(), Coverage: want.Coverage, Arms: Even(want.Variant), Ramp: true,
	}
	if now != nil && now.Ramp {
		a.Salt = now.Salt // a plan that has been written since takes nobody out
	}
	if last.Epoch > 0 && last.breaks(a) != "" {
		a.Epoch++
	}
	on := Change{Op: Allocate, Environment: want.Environment, Allocation: &a}
	if now != nil && !now.Ramp {
		return []Change{off, on}
	}
	return []Change{on}
}
