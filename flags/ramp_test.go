package flags

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// ramp brings checkout to a share of production.
func (h *house) ramp(want Ramp) error {
	h.t.Helper()
	want.Environment, want.Number = production, max(want.Number, 1)
	changes, err := h.state.Ramp("checkout.express", want)
	if err == nil {
		_, err = h.try(h.command("checkout.express", changes...))
	}
	return err
}

// treated returns which of n workspaces get the variant.
func (h *house) treated(variant string, n int) map[int]bool {
	set, out := h.state.Compile(production, nil), map[int]bool{}
	for i := range n {
		c := &Context{Attributes: map[string]any{"workspace": fmt.Sprintf("w-%d", i)}}
		if set.Evaluate("checkout.express", c).Variant == variant {
			out[i] = true
		}
	}
	return out
}

// TestRamp_growsTheSameCohort goes to 10 %, 30 %, 0 % and 10 % again.
func TestRamp_growsTheSameCohort(t *testing.T) {
	const units = 5000
	h := newHouse(t)
	h.define(checkout())
	var at []map[int]bool
	for _, coverage := range []int{10000, 30000, 0, 10000, Whole} {
		if err := h.ramp(Ramp{Coverage: coverage}); err != nil {
			t.Fatal(err)
		}
		at = append(at, h.treated("on", units))
	}
	near(t, "10 %", len(at[0]), units, 0.1)
	near(t, "30 %", len(at[1]), units, 0.3)
	for unit := range at[0] {
		if !at[1][unit] {
			t.Errorf("unit %d lost the variant when the ramp grew", unit)
		}
	}
	if diff := cmp.Diff(at[0], at[3]); diff != "" {
		t.Errorf("10 %% again is another cohort: %s", diff)
	}
	if len(at[2]) != 0 || len(at[4]) != units {
		t.Errorf("at 0 %% %d units, at 100 %% %d of %d", len(at[2]), len(at[4]), units)
	}
}

// TestRamp_isNoExperiment: its units are enrolled in nothing, so that no
// exposure of theirs is counted for a rollout.
func TestRamp_isNoExperiment(t *testing.T) {
	h := newHouse(t)
	h.define(checkout())
	if err := h.ramp(Ramp{Coverage: 50000}); err != nil {
		t.Fatal(err)
	}
	set, steps := h.state.Compile(production, nil), map[Step]int{}
	for i := range 100 {
		c := &Context{Attributes: map[string]any{"workspace": fmt.Sprintf("w-%d", i)}}
		x := set.Explain("checkout.express", c)
		steps[x.Result.Step]++
		if r := x.Result; r.Enrolled || r.Rollout != "" || r.Stage != "" || r.Epoch != 0 {
			t.Fatalf("got %+v", r)
		}
		if last := x.Looks[len(x.Looks)-1]; last.Step != x.Result.Step || !last.Decided {
			t.Fatalf("got %+v", x.Looks)
		}
	}
	if steps[AtAllocation] == 0 || steps[AtDefault] == 0 {
		t.Errorf("got %v", steps)
	}
	if a, ok := h.state.AllocationAt(production, "checkout.express", h.state.Revision()); ok {
		t.Errorf("the history assigns units to %+v", a)
	}
}

// TestRamp_epochs: another variant, or the salt of a later rollout, is a new
// epoch of the ramp; what a rollout left is taken away first.
func TestRamp_epochs(t *testing.T) {
	h := newHouse(t)
	h.define(checkout())
	allocation := func() Allocation {
		f, _ := h.state.Flag("checkout.express")
		return *f.Environments[production].Allocation
	}
	for i, step := range []struct {
		ramp  Ramp
		epoch int
		salt  string
		arm   string
	}{
		{Ramp{Coverage: 1000}, 1, "checkout.express", "on"},
		{Ramp{Coverage: 2000, Number: 2}, 1, "checkout.express", "on"}, // a plan was written meanwhile
		{Ramp{Coverage: 2000, Variant: "off"}, 2, "checkout.express", "off"},
		{Ramp{Coverage: 3000}, 2, "checkout.express", "off"},
	} {
		if err := h.ramp(step.ramp); err != nil {
			t.Fatal(err)
		}
		if a := allocation(); a.Epoch != step.epoch || a.Salt != step.salt || a.Arms[0].Variant != step.arm || a.Coverage != step.ramp.Coverage {
			t.Errorf("step %d: got %+v", i, a)
		}
	}
	h.do("checkout.express", in(Deallocate), allocate(canary(5000)))
	if err := h.ramp(Ramp{Coverage: 4000, Number: 2, Variant: "on"}); err != nil {
		t.Fatal(err)
	}
	if a := allocation(); a.Salt != "checkout.express#2" || a.Epoch != 3 || !a.Ramp {
		t.Errorf("after a rollout: got %+v", a)
	}
}

func TestRamp_refuses(t *testing.T) {
	h := newHouse(t)
	h.define(checkout())
	text := checkout()
	text.Key, text.Type, text.Safe, text.Default = "color", String, "red", ""
	text.Variants = Variants{"red": []byte(`"r"`), "blue": []byte(`"b"`)}
	text.Environments = map[string]Environment{production: {Enabled: true}}
	h.define(text)
	for name, c := range map[string]struct {
		key  string
		ramp Ramp
		want string
	}{
		"environment":    {"checkout.express", Ramp{Environment: "moon", Coverage: 1}, "environment: is not an environment of the flag"},
		"no environment": {"checkout.express", Ramp{Coverage: 1}, "environment: is missing"},
		"too much":       {"checkout.express", Ramp{Environment: production, Coverage: Whole + 1}, "percentage: is not between 0 and 100"},
		"too little":     {"checkout.express", Ramp{Environment: production, Coverage: -1}, "percentage: is not between 0 and 100"},
		"variant":        {"checkout.express", Ramp{Environment: production, Coverage: 1, Variant: "blue"}, "variant: is not a variant"},
		"which variant":  {"color", Ramp{Environment: production, Coverage: 1}, "variant: is missing"},
	} {
		if _, err := h.state.Ramp(c.key, c.ramp); refusal(err) != c.want {
			t.Errorf("%s: got %q, want %q", name, refusal(err), c.want)
		}
	}
	if _, err := h.state.Ramp("none", Ramp{}); !errors.Is(err, ErrUnknown) {
		t.Errorf("an unknown flag: got %v", err)
	}
	if err := h.ramp(Ramp{}); !errors.Is(err, ErrUnchanged) {
		t.Errorf("ending a ramp that is none: got %v", err)
	}
	if err := h.ramp(Ramp{Coverage: 1}); err != nil {
		t.Fatal(err)
	}
	_, err := h.try(h.command("checkout.express", Change{Op: Archive}))
	if refusal(err) != "changes[0].op: is refused: a ramp gives units of production the variant on" {
		t.Errorf("archiving a ramped flag: got %q", refusal(err))
	}
	h.do("checkout.express", force("slow"))
	if err := h.ramp(Ramp{Coverage: 1}); refusal(err) != "changes[0].op: is refused: the flag is forced to its safe variant (slow)" {
		t.Errorf("a forced flag: got %q", refusal(err))
	}
	a := canary(1)
	a.Ramp = true
	if _, err := h.try(h.command("checkout.express", in(Unforce), in(Deallocate), allocate(a))); refusal(err) != "changes[2].allocation.arms: has several arms, and a ramp compares nothing" {
		t.Errorf("two arms: got %q", refusal(err))
	}
}
