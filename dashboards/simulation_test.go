package dashboards

import (
	"net/url"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/flags"
)

// split returns what a unit gets of an even split that covers a share of a
// thousand.
func split(i, covered int) flags.Result {
	switch {
	case i < 10:
		return flags.Result{Variant: "on", Step: flags.AtRule}
	case i >= covered:
		return flags.Result{Variant: "off", Step: flags.AtDefault}
	case i%2 == 0:
		return flags.Result{Variant: "on", Step: flags.AtAllocation, Enrolled: true}
	}
	return flags.Result{Variant: "off", Step: flags.AtAllocation, Enrolled: true}
}

func crowdOf(covered int) (ids []string, all []flags.Result) {
	for i := range 1000 {
		ids, all = append(ids, "user-"+strconv.Itoa(i)), append(all, split(i, covered))
	}
	return ids, all
}

func simulationSamples() map[string]Page {
	f := sampleFrame(InSimulate)
	f.Path = "/simulate?flags=game.gate+search.ranker&stage=1&unit=user-17"
	q := url.Values{"flags": {"game.gate search.ranker"}, "stage": {"1"}, "unit": {"user-17"}}
	r := ended().Rollout
	ids, now := crowdOf(500)
	_, before := crowdOf(200)
	arms := decisions.Arms{Treatment: "on", Control: "off"}
	look := flags.Explanation{Result: flags.Result{Variant: "on"},
		Looks:   []flags.Look{{Step: flags.AtRule, Name: "staff", Why: "plan is not \"staff\""}, {Step: flags.AtAllocation, Decided: true, Why: "its bucket is below the coverage"}},
		Buckets: []flags.Hashed{{Of: "enrolment", Text: "game.gate:enrol:user-17", Bucket: 12345, Below: 50000}, {Of: "arm", Text: "game.gate:user-17", Bucket: 4321, Below: 50000, Variant: "on"}}}
	tried := []Tried{{Flag: "game.gate", Rollout: &r, Stage: 1, Arms: arms, Before: before, Results: now}, {Flag: "search.ranker", Stage: -1, Arms: arms, Results: now}}
	return map[string]Page{"simulate": NewSimulation(f, q, ids, tried, &look), "simulate-empty": NewSimulation(f, url.Values{}, nil, nil, nil)}
}

// TestSimulation_sticky: a step that takes somebody's treatment away, or moves
// him between the arms, is told apart from one that only lets more in.
func TestSimulation_sticky(t *testing.T) {
	r := ended().Rollout
	_, small := crowdOf(200)
	_, large := crowdOf(500)
	arms := decisions.Arms{Treatment: "on", Control: "off"}
	grows := newSticky(Tried{Rollout: &r, Stage: 1, Arms: arms, Before: small, Results: large})
	if want := (Sticky{From: "canary", To: "experiment", Stay: 105, Join: 150}); *grows != want || grows.Mark() != Passed {
		t.Errorf("a stage that lets more in: %+v", grows)
	}
	shrinks := newSticky(Tried{Rollout: &r, Stage: 1, Arms: arms, Before: large, Results: small})
	if shrinks.Leave != 150 || shrinks.Mark() != Failed {
		t.Errorf("a stage that takes it away: %+v", shrinks)
	}
	swapped := append([]flags.Result{}, small...)
	swapped[10], swapped[11] = swapped[11], swapped[10]
	if s := newSticky(Tried{Rollout: &r, Stage: 1, Arms: arms, Before: small, Results: swapped}); s.Swap != 2 || s.Mark() != Failed {
		t.Errorf("units that change arm: %+v", s)
	}
}

// TestSimulation_crossed: the arms of one flag within those of another.
func TestSimulation_crossed(t *testing.T) {
	arms := decisions.Arms{Treatment: "on", Control: "off"}
	_, all := crowdOf(1000)
	x := newCrossed(Tried{Flag: "a", Arms: arms, Results: all}, Tried{Flag: "b", Arms: arms, Results: all})
	want := []CrossedRow{{Lot: Treated, Treated: 495}, {Lot: Control, Control: 495}}
	if diff := cmp.Diff(want, x.Rows); diff != "" {
		t.Error(diff)
	}
}

// TestLot: a shadow is the treatment of a stage in the dark; whoever a rule
// serves is in no comparison.
func TestLot(t *testing.T) {
	tried := Tried{Arms: decisions.Arms{Treatment: "on", Control: "off"}}
	for want, r := range map[Lot]flags.Result{
		Treated: {Variant: "off", Shadow: "on", Enrolled: true}, Control: {Variant: "off", Enrolled: true}, Chosen: {Variant: "on", Step: flags.AtTarget},
		Outside: {Variant: "off", Step: flags.AtDefault}, Nothing: {Error: flags.General},
	} {
		if got := tried.lotOf(r); got != want {
			t.Errorf("%+v is %s, want %s", r, got, want)
		}
	}
}
