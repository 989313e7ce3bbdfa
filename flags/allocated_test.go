package flags

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestRevisionAt: what happened at a time belongs to what was in force then, also
// after a restart.
func TestRevisionAt(t *testing.T) {
	h := newHouse(t)
	h.define(checkout())
	var revisions []uint64 // one a minute, from noon on; the definition is the first
	for _, c := range []Change{allocate(canary(1000)), force("latency"), in(Unforce)} {
		revisions = append(revisions, h.do("checkout.express", c))
	}
	kept, err := json.Marshal(h.state.Snapshot())
	if err != nil {
		t.Fatal(err)
	}
	restored := NewState()
	if err := restored.Restore(kept); err != nil {
		t.Fatal(err)
	}
	for name, s := range map[string]*State{"as it grew": h.state, "restored": restored} {
		for after, want := range map[time.Duration]uint64{
			0: 0, 2*time.Minute - 1: 0, 2 * time.Minute: revisions[0], 3*time.Minute - 1: revisions[0], 3 * time.Minute: revisions[1], time.Hour: revisions[2],
		} {
			if got := s.RevisionAt(production, "checkout.express", noon.Add(after)); got != want {
				t.Errorf("%s, after %v: got revision %d, want %d", name, after, got, want)
			}
		}
		if got := s.RevisionAt("staging", "checkout.express", noon.Add(time.Hour)) + s.RevisionAt(production, "none", noon.Add(time.Hour)); got != 0 {
			t.Errorf("%s: a flag without an allocation has revision %d", name, got)
		}
		if got, want := s.UnitKinds(), []string{"workspace"}; !cmp.Equal(got, want) {
			t.Errorf("%s: kinds %v, want %v", name, got, want)
		}
	}
	restored.since = since{} // as of a snapshot that does not say
	if got := restored.RevisionAt(production, "checkout.express", noon); got != revisions[2] {
		t.Errorf("without times: got revision %d, want the newest, %d", got, revisions[2])
	}
}

// TestGiven compares what an allocation says by itself with what the evaluator
// says to the same units.
func TestGiven(t *testing.T) {
	h := newHouse(t)
	h.define(checkout())
	h.do("checkout.express", allocate(canary(30000)))
	set := h.state.Compile(production, nil)
	a, _ := h.state.AllocationAt(production, "checkout.express", h.state.Revision())
	arms := map[string]int{}
	for i := range 2000 {
		unit := fmt.Sprint("u-", i)
		r := set.Evaluate("checkout.express", &Context{Attributes: map[string]any{"workspace": unit}})
		want := ""
		if r.Enrolled {
			want = r.Variant
		}
		got := a.Given(unit)
		if arms[got]++; got != want {
			t.Fatalf("%s: given %q, evaluated %q", unit, got, want)
		}
	}
	if len(arms) != 3 {
		t.Errorf("units got %v: not every answer was met", arms)
	}
	if got := a.Given(""); got != "" {
		t.Errorf("nobody is given %q", got)
	}
	a.Slice = &Slice{Salt: LayerSalt(production, "l"), From: 0, To: 0}
	if got := a.Given("u-1"); got != "" {
		t.Errorf("outside the slice: %q", got)
	}
}

// TestVariants_Named: a name goes before a value, and text before nothing.
func TestVariants_Named(t *testing.T) {
	v := Variants{"on": json.RawMessage(`true`), "off": json.RawMessage(`false`), "blue": json.RawMessage(`"#00f"`), "true": json.RawMessage(`"x"`), "empty": json.RawMessage(`""`), "ten": json.RawMessage(`10`)}
	for names, want := range map[[2]string]string{
		{"on", ""}: "on", {"true", ""}: "true", {"false", ""}: "off", {"uuid", "#00f"}: "blue", {"#00f", "on"}: "on", {"10", ""}: "ten", {"", ""}: "", {"none", "1"}: "",
	} {
		if got, ok := v.Named(names[:]...); got != want || ok != (want != "") {
			t.Errorf("%q: got %q, %v, want %q", names, got, ok, want)
		}
	}
}
