package decisions

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// capping is facts whose metrics are cut at what the newest units say.
type capping struct {
	Facts
	at Bound
}

func (f *capping) Evidence(ctx context.Context, r Rollout, now time.Time) (Evidence, error) {
	e, err := f.Facts.Evidence(ctx, r, now)
	for i := range e.Metrics {
		e.Metrics[i].Cap = &Cap{Value: f.at}
	}
	return e, err
}

// TestCaps_areThoseOfTheFirstLook: what later units are like moves no cap.
func TestCaps_areThoseOfTheFirstLook(t *testing.T) {
	h := newHouse(t)
	h.begin(catsPlan())
	c := h.controller(h.part, h.log)
	facts := &capping{Facts: h.facts, at: Bound{At: 12, Exact: "12000000"}}
	c.Facts = facts
	if got := h.rollout().Caps; got != nil {
		t.Errorf("before there are units, got caps %v", got)
	}
	tr := newTraffic(harmless)
	h.send(tr, 1000)
	h.must(c.Step(h.ctx, h.now))
	want := map[string]Cap{"day_1_retention": {Value: facts.at}, "day_7_retention": {Value: facts.at}}
	if diff := cmp.Diff(want, h.rollout().Caps); diff != "" {
		t.Fatalf("caps after the first look (-want +got):\n%s", diff)
	}
	facts.at = Bound{At: 4e6, Exact: "4000000000000"}
	h.send(tr, 1000)
	h.must(c.Step(h.ctx, h.now))
	if diff := cmp.Diff(want, h.rollout().Caps); diff != "" {
		t.Errorf("caps after an outlier (-want +got):\n%s", diff)
	}
	if r := h.verified(); !r.OK() {
		t.Errorf("the laws do not hold: %+v", r)
	}
}

// TestCaps_ofAnotherController: one that counted with a cap of its own while
// another's became the rollout's judges nothing by it, and looks again.
func TestCaps_ofAnotherController(t *testing.T) {
	h := newHouse(t)
	h.begin(catsPlan())
	h.send(newTraffic(harmless), 1000)
	first := h.controller(h.part, h.log)
	first.Facts = &capping{Facts: h.facts, at: Bound{At: 12, Exact: "12000000"}}
	second := h.controller(h.part, &meddler{Log: h.log, before: TypeFrozen, do: func() { h.must(first.Step(h.ctx, h.now)) }})
	second.Facts = &capping{Facts: h.facts, at: Bound{At: 4e6, Exact: "4000000000000"}}
	h.must(second.Step(h.ctx, h.now.Add(time.Minute)))
	if got := h.rollout().Caps["day_7_retention"].Value.Exact; got != "12000000" {
		t.Fatalf("got the cap %q, want that of the first", got)
	}
	if len(h.looks) == 0 {
		t.Fatal("nobody looked")
	}
	for _, l := range h.looks {
		for _, m := range l.Evidence.Metrics {
			if m.Cap.Value.Exact != "12000000" {
				t.Errorf("%s was judged by the cap %s", m.Metric, m.Cap.Value.Exact)
			}
		}
	}
}

// TestCaps_ofBaselinesFrozenBefore: a rollout whose baselines are older than
// caps are gets its caps at the next look.
func TestCaps_ofBaselinesFrozenBefore(t *testing.T) {
	h := newHouse(t)
	h.begin(catsPlan())
	h.send(newTraffic(harmless), 1000)
	h.step()
	if r := h.rollout(); r.Frozen == nil || r.Caps != nil {
		t.Fatalf("got baselines %v and caps %v", r.Frozen, r.Caps)
	}
	c := h.controller(h.part, h.log)
	c.Facts = &capping{Facts: h.facts, at: Bound{At: 3, Exact: "3"}}
	h.must(c.Step(h.ctx, h.now.Add(time.Minute)))
	if got := h.rollout().Caps["day_1_retention"].Value.Exact; got != "3" {
		t.Errorf("got the cap %q, want 3", got)
	}
}

// The stored shape of a cap stays as it is.
func TestCap_recorded(t *testing.T) {
	const recorded = `{"rollout":"production/gate/1","baselines":{},"caps":{"revenue_per_item":{"value":{"at":12.5,"exact":"12500000"},"denominator":{"at":3,"exact":"3000000"}}}}`
	var f frozen
	if err := json.Unmarshal([]byte(recorded), &f); err != nil {
		t.Fatal(err)
	}
	if c := f.Caps["revenue_per_item"]; c.Value.At != 12.5 || c.Denominator == nil || c.Denominator.Exact != "3000000" {
		t.Errorf("read %+v", c)
	}
	if got, err := json.Marshal(f); err != nil || string(got) != recorded {
		t.Errorf("written again: %s, %v", got, err)
	}
}
