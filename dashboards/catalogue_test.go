package dashboards

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/ingest"
	"github.com/sluice-hq/sluice/stats"
)

func declared(key string) ingest.Declaration {
	return ingest.Declaration{Revision: 17, Changed: at.AddDate(0, 0, -3), Actor: "person:ana", Metric: ingest.Metric{Key: key, Description: "Players who come back on the seventh day", Owner: "progression-team",
		Event: "session", Aggregate: "retention", Direction: "increase", Retention: &ingest.Retention{From: event.Duration(6 * 24 * time.Hour), To: event.Duration(7 * 24 * time.Hour)}}}
}

// past is what four rollouts did, one of which is under way.
func past() []decisions.PastEffect {
	var all []decisions.PastEffect
	for i, status := range []decisions.Status{decisions.Running, decisions.RolledBack, decisions.CleanupDue, decisions.Rejected} {
		n := int64(40_000 / (i + 1))
		strata := []stats.Stratum{{Control: stats.Proportion(n, n/5), Treatment: stats.Proportion(n, n/5+n*int64(i-1)/60)}}
		all = append(all, decisions.PastEffect{At: at.AddDate(0, -i, 0), Comparison: stats.Compare(strata, stats.Options{Relative: true}),
			MetricUse: decisions.MetricUse{Rollout: fmt.Sprintf("production/game.gate/%d", 4-i), Role: "guardrail", Status: status, Treatment: "gate_40"}})
	}
	return all
}

func listedMetric(key string) Listed {
	l := Listed{Declaration: declared(key)}
	var effects []stats.Past
	for _, e := range past() {
		l.Uses = append(l.Uses, e.MetricUse)
		if e.Status != decisions.Running {
			effects = append(effects, stats.Past{Effect: e.Comparison.Estimate, SE: e.Comparison.SE})
		}
	}
	mean, newest := stats.MeanPast(effects), at.Add(-time.Minute)
	l.Past, l.Newest = &mean, &newest
	return l
}

func toldOf(key string) Told {
	m := declared(key).Metric
	return Told{Listed: listedMetric(key), Effects: past(), History: []ingest.MetricVersion{
		{Version: 1, Revision: 3, At: at.AddDate(0, -4, 0), Actor: "person:lee", Metric: m},
		{Version: 2, Revision: 17, At: at.AddDate(0, 0, -3), Actor: "person:ana", Comment: "the seventh day alone", Changes: []string{`retention: {"from":"0s","to":"7d"} → {"from":"6d","to":"7d"}`}, Metric: m}}}
}

func catalogueSamples() map[string]Page {
	frame := sampleFrame(InMetrics)
	frame.Path, frame.Environments, frame.Environment = "/catalogue", nil, ""
	form := MetricForm("/catalogue", "apiVersion: sluice/v1\nkind: Metric\nkey: day_7\n", "018f2c1e")
	bad := form.Foretell(event.Invalids{{Path: "aggregate", Value: "avarage", Why: "is not an aggregate", Fix: "write conversion, count, sum, mean, ratio, quantile, retention or events"}}, nil)
	good := form.Foretell(nil, []string{"Metric day_7 would be created."})
	many := []Listed{}
	for i := range 60 {
		l := listedMetric(fmt.Sprintf("metric_%02d.of_a_rather_long_name_that_says_what_is_counted", i))
		if i%3 == 0 {
			l.Past, l.Newest, l.Uses = nil, nil, nil
		}
		many = append(many, l)
	}
	reader := frame
	reader.Rights = Rights{}
	return map[string]Page{
		"catalogue":       NewCatalogue(frame, []Listed{listedMetric("day_7"), {Declaration: declared("rounds_played")}}, []Undeclared{{"puchase", "production", 412, at, "/events/letters?name=puchase&reason=unknown_metric"}}, &good, Pager{}, at),
		"catalogue-empty": NewCatalogue(reader, nil, nil, nil, Pager{}, at),
		"catalogue-many":  NewCatalogue(reader, many, nil, nil, Pager{Older: "/catalogue?cursor=x"}, at),
		"metric":          NewMetricPage(frame, toldOf("day_7"), &bad, at),
		"metric-unused":   NewMetricPage(reader, Told{Listed: Listed{Declaration: declared("rounds_played")}}, nil, at),
	}
}

// TestMetricPage says what past rollouts did, and judges each by its interval.
func TestMetricPage(t *testing.T) {
	p := catalogueSamples()["metric"].(MetricPage)
	if len(p.Effects.Rows) != 4 || p.Effects.Rows[0].Link != "/readouts/production/game.gate/4" || p.Effects.Rows[0].Verdict != Worse || p.Effects.Rows[1].Verdict != Inconclusive || p.Effects.Rows[3].Verdict != Better {
		t.Errorf("the rows are %+v", p.Effects.Rows)
	}
	if p.Uses[1].Status != RolledBack || p.History[0].Number != 2 {
		t.Errorf("uses %+v, history %+v", p.Uses, p.History)
	}
	if !strings.HasPrefix(p.Lead, "3 rollouts that are over changed it by +") {
		t.Errorf("it leads with %q", p.Lead)
	}
	if got := html(t, p); !strings.Contains(got, "This would be refused.") || !strings.Contains(got, `hx-post="/catalogue?check=true"`) {
		t.Error("the form does not say what would become of it")
	}
	one := stats.MeanPast([]stats.Past{{Effect: 0.1, SE: 0.01}})
	if got := pastWords(one); !strings.HasPrefix(got, "The one rollout that is over changed it by +10.0") {
		t.Errorf("of one: %q", got)
	}
}

// TestCatalogue tells for each metric where it is used and what is usual for it.
func TestCatalogue(t *testing.T) {
	p := catalogueSamples()["catalogue"].(Catalogue)
	want := MetricLine{Key: "day_7", Link: "/catalogue/day_7", Owner: "progression-team", Description: "Players who come back on the seventh day", Direction: "higher is better", Aggregate: "retention",
		Uses: "1 under way, 4 in all", Roles: "guardrail", Past: p.Rows[0].Past, Newest: at.Add(-time.Minute)}
	if diff := cmp.Diff(want, p.Rows[0]); diff != "" || p.Rows[1].Uses != "nowhere" {
		t.Errorf("-want +got:\n%s\n%+v", diff, p.Rows[1])
	}
	if reader := html(t, catalogueSamples()["catalogue-many"]); strings.Contains(reader, "<textarea") {
		t.Error("who may not declare metrics sees the form")
	}
	refused := MetricForm("/catalogue", "x", "k").Refuse(event.Invalids{{Path: "key", Why: "is missing"}}, func(string) string { return "x" })
	if p := NewCatalogue(Frame{}, nil, nil, &refused, Pager{}, at); !p.Open {
		t.Error("a form that was refused is folded away")
	}
	if math.IsNaN(listedMetric("x").Past.Effect) {
		t.Error("there is no mean")
	}
}

// TestForm_foretell says what would change, or each fault on its own.
func TestForm_foretell(t *testing.T) {
	f := Form{}
	if got := f.Foretell(nil, nil).Said; got.Mark != Passed || got.Lines[0] != "Nothing would change." {
		t.Errorf("nothing: %+v", got)
	}
	two := event.Invalids{{Path: "a", Why: "is missing"}, {Path: "b", Why: "is odd"}}
	if got := f.Foretell(two, nil).Said; got.Mark != Failed || len(got.Lines) != 2 {
		t.Errorf("two faults: %+v", got)
	}
	if got := f.Foretell(fmt.Errorf("somebody was faster"), nil).Said; got.Mark != Failed || got.Lines[0] != "somebody was faster" {
		t.Errorf("an error: %+v", got)
	}
}
