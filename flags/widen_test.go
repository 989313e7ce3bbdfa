package flags

import (
	"errors"
	"slices"
	"testing"

	"github.com/sluice-hq/sluice/event"
)

// While a rollout compares a variant, nobody hands it out past the gate.
func TestDefineRefusesToWidenWhatIsCompared(t *testing.T) {
	everybody := Rule{Name: "everybody", When: &Condition{Attribute: "plan", Op: IsSet}, Serve: "on"}
	edit := func(change func(*Environment)) Change {
		return define(func(f *Flag) {
			e := f.Environments[production]
			change(&e)
			f.Environments[production] = e
		})
	}
	tests := []struct {
		name, path string
		change     Change
	}{
		{"default", "default", define(func(f *Flag) { f.Default = "on" })},
		{"target", "environments.production.targets[0]", edit(func(e *Environment) { e.Targets = []Target{{Variant: "on", Units: []string{"w-1"}}} })},
		{"rule", "environments.production.rules[1]", edit(func(e *Environment) { e.Rules = append(slices.Clip(e.Rules), everybody) })},
		{"split", "environments.production.rules[1]", edit(func(e *Environment) {
			e.Rules = append(slices.Clip(e.Rules), Rule{Name: "half", When: everybody.When, Split: Even("on", "off")})
		})},
		{"wider rule", "environments.production.rules[0]", edit(func(e *Environment) {
			e.Rules = []Rule{{Name: "staff", When: everybody.When, Serve: "on"}}
		})},
	}
	full := canary(Whole)
	full.Epoch, full.Arms = 2, []Arm{{Variant: "on", Weight: Whole}}
	for _, test := range tests {
		h := newHouse(t)
		h.define(checkout())
		h.do("checkout.express", allocate(canary(5000)))
		_, err := h.try(h.command("checkout.express", test.change))
		var faults event.Invalids
		if !errors.As(err, &faults) || len(faults) != 1 || faults[0].Path != test.path {
			t.Errorf("%s: %v, want a refusal at %s", test.name, err, test.path)
		}
		h.do("checkout.express", allocate(full)) // shipped: there is nothing left to compare
		h.do("checkout.express", test.change)
	}
	h := newHouse(t)
	h.define(checkout())
	h.do("checkout.express", allocate(canary(5000)))
	h.do("checkout.express", edit(func(e *Environment) { e.Rules = nil })) // fewer get it
}
