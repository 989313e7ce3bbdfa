package decisions

import (
	"strings"
	"testing"
	"time"
)

// A rollout says that a flag is well when it can see, and sees nothing: not where
// its data cannot be believed, nor because a person went over what it saw.
func TestHealthByTheNewestLook(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Input)
		want   HealthState
		text   string
	}{
		"nothing wrong":         {func(*Input) {}, Healthy, "finds no harm"},
		"units are still few":   {func(in *Input) { in.Plan.Stages[0].MinUnits = 1e6 }, Healthy, "finds no harm"},
		"no exposures":          {func(in *Input) { in.Evidence.Newest = noon.Add(-time.Hour) }, Obscure, "The newest exposure is from"},
		"sample ratio":          {func(in *Input) { in.Evidence.SampleRatio.Alarm = true }, Obscure, "The arms do not hold the units they should"},
		"units in two arms":     {func(in *Input) { in.Evidence.TwoArms = 2000 }, Obscure, "units saw two arms"},
		"uncounted events":      {func(in *Input) { in.Evidence.Unaccounted = 1 }, Obscure, "neither counted nor dead-lettered"},
		"harm":                  {harmed, Ailing, "day_7_retention"},
		"harm in doubtful data": {func(in *Input) { harmed(in); in.Evidence.SampleRatio.Alarm = true }, Ailing, "day_7_retention"},
		"harm that a person went over": {func(in *Input) {
			harmed(in)
			in.State.Overruled = &Overrule{By: ana, Why: "we know", Checks: []OverruledItem{{Check: "guardrail day_7_retention", State: Fail, Asks: Pause}}}
		}, Ailing, "overruled by person:ana: we know"},
		"a sample ratio that a person went over": {func(in *Input) {
			in.Evidence.SampleRatio.Alarm = true
			in.State.Overruled = &Overrule{By: ana, Why: "bots", Checks: []OverruledItem{{Check: "sampleRatio", State: Fail, Asks: Pause}}}
		}, Obscure, "overruled by person:ana: bots"},
	} {
		in := ready(0)
		c.change(&in)
		r := Rollout{Standing: in.State, Decisions: []Decision{{From: 0, At: noon, Verdict: evaluate(t, in)}}}
		if looked, ok := r.newestLook(); !ok || len(looked.Verdict.Checks) == 0 {
			t.Errorf("%s: no decision is said to have looked", name)
		}
		if got := r.health(); got.State != c.want || !strings.Contains(got.Text, c.text) || got.Source != "rollout production/gate/1" {
			t.Errorf("%s: %+v, want %s (…%s…)", name, got, c.want, c.text)
		}
	}
}
