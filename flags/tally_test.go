package flags

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestDrainCountsAnswers(t *testing.T) {
	h := newHouse(t)
	h.define(checkout())
	old := h.state.Compile(production, nil)
	beta, public := &Context{TargetingKey: "u", Attributes: map[string]any{"ring": "beta"}}, &Context{TargetingKey: "u"}
	old.OFREP("checkout.express", beta)
	old.Answer("checkout.express", beta)
	old.Answer("nobody", beta)
	old.Evaluate("checkout.express", beta) // asks for itself: not counted
	old.OFREPBulk(public)

	h.do("checkout.express", in(Disable))
	set := h.state.Recompile(old, nil)
	set.OFREP("checkout.express", beta)
	old.OFREP("checkout.express", beta) // a request that was under way
	want := []Count{
		{Flag: "checkout.express", Variant: "off", Reason: DefaultReason, Listed: 1},
		{Flag: "checkout.express", Variant: "off", Reason: Disabled, Asked: 1},
		{Flag: "checkout.express", Variant: "on", Reason: TargetingMatch, Asked: 3},
	}
	if d := cmp.Diff(want, set.Drain()); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
	if again := set.Drain(); again != nil {
		t.Errorf("drained twice: %+v", again)
	}
}

func TestAnswerIsEvaluate(t *testing.T) {
	set, c := oneRule(t)
	if d := cmp.Diff(set.Evaluate("checkout.express", c), set.Answer("checkout.express", c)); d != "" {
		t.Errorf("-evaluate +answer:\n%s", d)
	}
}
