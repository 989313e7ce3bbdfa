package flags

import (
	"encoding/json"
	"testing"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/event/eventtest"
)

// TestSnapshot restores the state at every place of a story that has every
// change there is: what State keeps beside the flags must come back too.
func TestSnapshot(t *testing.T) {
	h := story(t)
	h.must(h.state.Schedule(h.command("checkout.express", owner("search")), noon.AddDate(0, 0, 1)))
	h.must(h.state.Propose(h.command("checkout.express", owner("shop"))))
	order := func(n string) Order {
		return Order{ID: event.Derive(t.Name(), n), Expect: event.Any, At: noon, Actor: "person:ana"}
	}
	segment := func(n string, c SegmentChange) {
		h.must(h.state.HandleSegment(SegmentCommand{Order: order(n), Key: "beta", Changes: []SegmentChange{c}}))
	}
	segment("s1", SegmentChange{Op: SegmentDefine, Segment: &Segment{Key: "beta", Included: UnitList{Units: []string{"u-1"}}}})
	segment("s2", SegmentChange{Op: SegmentAdd, List: ExcludedList, Units: []string{"u-2"}})
	segment("s3", SegmentChange{Op: SegmentRemove, List: ExcludedList, Units: []string{"u-2"}})
	segment("s4", SegmentChange{Op: SegmentDelete})
	h.must(h.state.HandleEnvironment(EnvironmentCommand{Order: order("e"), Key: "canada", Environment: &EnvironmentDoc{Key: "canada", Layers: []Layer{{Name: "checkout", Holdout: 5}}}}))
	h.must(h.state.HandlePolicy(PolicyCommand{Order: order("p"), Key: "why", Policy: &Policy{Key: "why", Flags: Demands{Require: []Required{RequireWhy}}}}))
	eventtest.Fold(t, NewState, read(t, h.log))
}

// TestStateOfAnEmptiedList: a list from which the last unit was taken is hashed
// as one that never had any, wherever the state came from.
func TestStateOfAnEmptiedList(t *testing.T) {
	for _, l := range []UnitList{{}, {Units: []string{}}, {Without: []string{}}} {
		if b, err := json.Marshal(Segment{Key: "beta", Excluded: l}); err != nil || string(b) != `{"key":"beta"}` {
			t.Errorf("%#v is written as %s, %v", l, b, err)
		}
	}
}

func TestSnapshot_refusesWhatIsNone(t *testing.T) {
	for _, bad := range []string{`{"ids":"AAA="}`, `{"flags":[]}`, `x`} {
		if err := NewState().Restore(json.RawMessage(bad)); err == nil {
			t.Errorf("%s is restored", bad)
		}
	}
}

// read returns every event of a log.
func read(t *testing.T, log event.Log) (list []event.Recorded) {
	t.Helper()
	for r, err := range log.Read(t.Context(), event.Filter{}, 0) {
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, r)
	}
	return list
}
