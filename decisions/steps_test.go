package decisions

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// names are the stages of a plan, with their shares.
func names(p Plan) (out []string) {
	for _, s := range p.Stages {
		out = append(out, strings.TrimSpace(s.Name+" "+string(s.Kind())))
	}
	return out
}

func TestRampsBecomeStages(t *testing.T) {
	p := catsPlan()
	p.Stages = []Stage{{
		Name: "ramp", Ramp: &Steps{From: 1000, To: 50_000, Times: 2.5, Every: dayWindow}, Decide: true, Approve: 2, MaxWindow: 10 * dayWindow,
		Exclude: map[string]Size{"day_7_retention": {Change: 50_000}}, Requires: []string{"load"},
	}}
	got := p.Filled()
	want := []string{"ramp-1 ramp", "ramp-2.5 ramp", "ramp-6.25 ramp", "ramp-15.625 ramp", "ramp-39.062 ramp", "ramp-50 decide", "full full"}
	if diff := cmp.Diff(want, names(got)); diff != "" {
		t.Fatalf("-want +got:\n%s", diff)
	}
	first, last := got.Stages[0], got.Stages[5]
	if first.MinWindow != dayWindow || first.Approve != 0 || first.MaxWindow != 0 || first.Treatment != 1000 || len(first.Requires) != 1 {
		t.Errorf("the first step: %+v", first)
	}
	if last.Approve != 2 || last.MaxWindow != 10*dayWindow || last.Treatment != 50_000 || last.Ramp != nil {
		t.Errorf("the last step: %+v", last)
	}
	if p.Stages[0].Ramp == nil {
		t.Error("filling a plan changed the one it was made from")
	}
	if diff := cmp.Diff(got, got.Filled()); diff != "" {
		t.Errorf("filling twice changes the plan:\n%s", diff)
	}
	p.Stages[0].Ramp = &Steps{From: 10_000, To: 30_000, Plus: 10_000, Every: dayWindow}
	if diff := cmp.Diff([]string{"ramp-10 ramp", "ramp-20 ramp", "ramp-30 decide", "full full"}, names(p.Filled())); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// A fault of a ramp's steps is said once, where the ramp stands.
func TestFaultsOfRampsStandWhereTheRampStands(t *testing.T) {
	p := catsPlan()
	p.Stages = append([]Stage{{Name: "staff", Serve: "treatment", When: staff()}, ramped(Steps{From: 1000, To: 4000, Times: 2, Every: dayWindow})}, p.Stages[1])
	p.Stages[1].Exclude = nil
	if diff := cmp.Diff([]string{"stages[1].exclude"}, paths(p.Validate(known(t)))); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// {metric: errors, detect: 2x} tolerates no harm, and is sharpest for a doubling.
func TestDetectAloneIsAMarginOfNothing(t *testing.T) {
	p := catsPlan()
	p.Metrics.Guardrails = append(p.Metrics.Guardrails, Guardrail{Metric: "crashes", Detect: Size{Change: All, Factor: true}})
	if err := p.Validate(known(t)); err != nil {
		t.Fatal(err)
	}
	g := p.Filled().Metrics.Guardrails[1]
	if g.Margin == nil || *g.Margin != 0 || g.OnBreach != Rollback || g.Detect.String() != "2x" {
		t.Errorf("%+v", g)
	}
}
