package dashboards

import (
	"net/url"
	"slices"
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

// lookAt explains one unit of a flag, whose bucket of the arm is this one.
func lookAt(flag string, bucket int, variant string) *flags.Explanation {
	below := 50_000
	if bucket >= below {
		below = 100_000
	}
	return &flags.Explanation{Result: flags.Result{Variant: variant},
		Looks:   []flags.Look{{Step: flags.AtRule, Name: "staff", Why: "plan is not \"staff\""}, {Step: flags.AtAllocation, Decided: true, Why: "its bucket is below the coverage"}},
		Buckets: []flags.Hashed{{Of: "enrolment", Text: flag + ":enrol:user-17", Bucket: 12345, Below: 50_000}, {Of: "arm", Text: flag + ":user-17", Bucket: bucket, Below: below, Variant: variant}}}
}

func simulationSamples() map[string]Page {
	f := sampleFrame(InSimulate)
	f.Path = "/simulate?flags=game.gate+search.ranker&stage=1&unit=user-17"
	q := url.Values{"flags": {"game.gate search.ranker"}, "stage": {"1"}, "unit": {"user-17"}}
	r := ended().Rollout
	ids, now := crowdOf(500)
	_, before := crowdOf(200)
	arms := decisions.Arms{Treatment: "on", Control: "off"}
	_, more := crowdOf(600)
	apart := slices.Clone(now) // of a flag whose split has nothing to do with the other
	for i := 10; i < 500; i++ {
		apart[i].Variant = split(10+i/2, 1000).Variant
	}
	shares := []decisions.Percent{1000, 25_000}
	steps := []Passage{{From: "canary 1%", To: "experiment 25%", Before: before}, {From: "experiment 30%", To: "experiment 25%", Falls: true, Before: more}}
	tried := []Tried{{Flag: "game.gate", Rollout: &r, Stage: 1, Shares: shares, Was: "1:25", Arms: arms, Steps: steps, Results: now, Look: lookAt("game.gate", 74_321, "off")},
		{Flag: "search.ranker", Stage: -1, Arms: arms, Results: apart, Look: lookAt("search.ranker", 4321, "on")}}
	layered := r
	layered.Plan.Layer = &decisions.LayerPlan{Name: "levels", Share: 30_000}
	both := slices.Clone(tried)
	both[0].Rollout = &layered
	both[1] = Tried{Flag: "search.ranker-of-a-very-long-name.v3", Rollout: &layered, Stage: 0, Shares: shares, Was: "0:1", Arms: arms, Steps: steps[:1], Results: before}
	alone := url.Values{"flags": {"game.gate"}, "stage": {"0"}}
	return map[string]Page{
		"simulate":       NewSimulation(f, q, ids, tried),
		"simulate-both":  NewSimulation(f, url.Values{"flags": q["flags"], "stage": {"1"}, "b.stage": {"0"}, "b.share0": {"1"}}, ids, both),
		"simulate-empty": NewSimulation(f, url.Values{}, nil, nil),
		"simulate-one":   NewSimulation(f, alone, ids, []Tried{{Flag: "game.gate", Rollout: &r, Shares: []decisions.Percent{5, 25_000}, Was: "0:0.005", Arms: arms, Results: before}}),
	}
}

// TestSimulation_sticky: a step that takes somebody's treatment away, or moves
// him between the arms, is told apart from one that only lets more in.
func TestSimulation_sticky(t *testing.T) {
	_, small := crowdOf(200)
	_, large := crowdOf(500)
	arms := decisions.Arms{Treatment: "on", Control: "off"}
	grows := newSticky(Tried{Arms: arms, Results: large}, Passage{From: "canary", To: "experiment", Before: small})
	if want := (Sticky{From: "canary", To: "experiment", Stay: 105, Join: 150}); grows != want || grows.Mark() != Passed {
		t.Errorf("a share that lets more in: %+v", grows)
	}
	for falls, want := range map[bool]Mark{false: Failed, true: Passed} {
		if s := newSticky(Tried{Arms: arms, Results: small}, Passage{Falls: falls, Before: large}); s.Leave != 150 || s.Mark() != want {
			t.Errorf("a share that falls (%v) and takes it away: %+v is %v", falls, s, s.Mark())
		}
	}
	swapped := append([]flags.Result{}, small...)
	swapped[10], swapped[11] = swapped[11], swapped[10]
	for _, falls := range []bool{false, true} {
		if s := newSticky(Tried{Arms: arms, Results: swapped}, Passage{Falls: falls, Before: small}); s.Swap != 2 || s.Mark() != Failed {
			t.Errorf("units that change arm: %+v", s)
		}
	}
}

// TestSliders: a stage that compares has a slider, whose grain its share fits;
// one that serves everybody has none.
func TestSliders(t *testing.T) {
	r := ended().Rollout
	got := newSliders(1, Tried{Rollout: &r, Stage: 0, Shares: []decisions.Percent{1005, 25_000, 0}})
	if !got[0].Here || !got[0].Fine || got[0].Share != 1.005 || got[0].Name != "b.share0" || got[0].ID != "b-share0" {
		t.Errorf("the first: %+v", got[0])
	}
	if last := got[len(got)-1]; r.Plan.Stages[len(got)-1].Kind() == decisions.Full && last.ID != "" {
		t.Errorf("the last: %+v", last)
	}
}

// TestSimulation_keeps: to choose a unit keeps the stage and the shares of every
// flag.
func TestSimulation_keeps(t *testing.T) {
	p := simulationSamples()["simulate-both"].(Simulation)
	for _, g := range p.Grids {
		if want := []Fact{{"flags", "game.gate search.ranker"}, {"stage", "1"}, {"b.stage", "0"}, {"b.share0", "1"}}; !slices.Equal(g.Keep, want) {
			t.Errorf("%s keeps %v, want %v", g.Flag, g.Keep, want)
		}
	}
	if len(p.Plans) != 2 || p.Plans[1].Name != "b.stage" || p.Plans[1].Back != (Fact{"b.was", "0:1"}) || len(p.Notes) != 1 {
		t.Errorf("the stages of the second flag: %+v, %q", p.Plans, p.Notes)
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
