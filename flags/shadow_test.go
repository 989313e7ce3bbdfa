package flags

import (
	"strings"
	"testing"

	"github.com/sluice-hq/sluice/event"
)

// darkOf is an allocation that shows everybody off and has half of the units run
// on beside it.
func darkOf(key string) Allocation {
	return Allocation{Rollout: production + "/" + key + "/1", Stage: "dark", Epoch: 1, Salt: key, Unit: DefaultUnit, Coverage: Whole / 2,
		Arms: Even("off"), Shadow: "on"}
}

func TestShadowIsToldAndNotShown(t *testing.T) {
	h := newHouse(t)
	f := tagged("payments")
	f.Unit = DefaultUnit
	h.define(f)
	a := darkOf(f.Key)
	h.do(f.Key, Change{Op: Allocate, Environment: production, Allocation: &a})
	set, told := h.state.Compile(production, nil), 0
	for _, unit := range []string{"u-1", "u-2", "u-3", "u-4", "u-5", "u-6", "u-7", "u-8"} {
		r := set.Evaluate(f.Key, &Context{TargetingKey: unit})
		if r.Variant != "off" || r.Enrolled != (r.Shadow == "on") {
			t.Errorf("%s gets %+v", unit, r)
		}
		if body := string(ofrepHead(production, &r)); strings.Contains(body, `"shadow":"on"`) != r.Enrolled {
			t.Errorf("%s is told %s", unit, body)
		}
		if r.Enrolled {
			told++
		}
	}
	if told == 0 || told == 8 {
		t.Errorf("%d of 8 units run the shadow", told)
	}
}

func TestShadowsAreRefused(t *testing.T) {
	h := newHouse(t)
	f := tagged("payments")
	f.Unit = DefaultUnit
	h.define(f)
	for name, change := range map[string]func(*Allocation){
		"no variant": func(a *Allocation) { a.Shadow = "maybe" },
		"itself":     func(a *Allocation) { a.Shadow = "off" },
		"two arms":   func(a *Allocation) { a.Arms = Even("off", "on") },
		"a ramp":     func(a *Allocation) { a.Ramp = true },
	} {
		a := darkOf(f.Key)
		change(&a)
		_, err := h.try(h.command(f.Key, Change{Op: Allocate, Environment: production, Allocation: &a}))
		if err == nil || !strings.Contains(err.Error(), "allocation.shadow") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Within an epoch the shadow stays: units that ran it are no others.
func TestShadowBelongsToItsEpoch(t *testing.T) {
	a, b := darkOf("x"), darkOf("x")
	if b.Shadow = ""; a.breaks(b) != "shadow" {
		t.Errorf("it breaks %q", a.breaks(b))
	}
	var faults event.Invalids
	f := tagged("payments")
	f.checkShadow(&faults, Allocation{})
	if len(faults) != 0 {
		t.Errorf("no shadow: %v", faults)
	}
}
