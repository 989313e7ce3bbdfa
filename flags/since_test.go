package flags

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSince(t *testing.T) {
	h, other, late := newHouse(t), checkout(), checkout()
	other.Key, late.Key = "other", "late"
	h.define(checkout(), other)
	first := h.state.Compile(production, nil)
	if got := h.state.Recompile(first, nil).Since(first); !got.Empty() {
		t.Errorf("nothing happened, and %+v differs", got)
	}
	h.define(late)
	h.do("checkout.express", in(Disable))
	second := h.state.Recompile(first, nil)
	want := Turnover{Added: []string{"late"}, Changed: []string{"checkout.express"}}
	if diff := cmp.Diff(want, second.Since(first)); diff != "" || second.Since(first).Empty() {
		t.Errorf("forth (-want +got):\n%s", diff)
	}
	want.Added, want.Removed = nil, want.Added
	if diff := cmp.Diff(want, first.Since(second)); diff != "" {
		t.Errorf("back (-want +got):\n%s", diff)
	}
	if got := second.Since(second); !got.Empty() {
		t.Errorf("a set differs from itself: %+v", got)
	}
}
