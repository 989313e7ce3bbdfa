package flags

import "testing"

func TestRecompileSharesWhatHasNotChanged(t *testing.T) {
	h, other := newHouse(t), checkout()
	other.Key = "other"
	h.define(checkout(), other)
	first := h.state.Compile(production, nil)
	h.do("checkout.express", in(Disable))
	second := h.state.Recompile(first, nil)
	if first.flags["other"] != second.flags["other"] || first.flags["checkout.express"] == second.flags["checkout.express"] {
		t.Error("not the changed flag alone was compiled")
	}
	if r := first.Evaluate("checkout.express", &Context{}); r.Step != AtDefault {
		t.Errorf("the old set has changed: %+v", r)
	}
	if r := second.Evaluate("checkout.express", &Context{}); r.Step != AtDisabled || second.Environment() != production {
		t.Errorf("the new set has not: %+v", r)
	}
	if first.Version() != 2 || second.Version() != 3 || h.state.Revision() != 3 {
		t.Errorf("versions %d and %d, revision %d", first.Version(), second.Version(), h.state.Revision())
	}
}

func TestEnvironmentThatAFlagDoesNotHave(t *testing.T) {
	h := newHouse(t)
	h.define(checkout())
	if r := h.state.Compile("staging", nil).Evaluate("checkout.express", &Context{}); r.Step != AtDisabled || r.Variant != "off" || r.Reason != Disabled {
		t.Errorf("got %+v", r)
	}
}
