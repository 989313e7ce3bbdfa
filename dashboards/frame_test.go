package dashboards

import (
	"errors"
	"html/template"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/dashboards/chart"
	"github.com/sluice-hq/sluice/event"
)

// Specimen is a page of all the parts that pages are made of.
type Specimen struct {
	Frame
	Form, Quiet Form
	Tabs        []Tab
	Pager       Pager
	Empty       Empty
	Chart       chart.Chart
	Spark       Spark
}

func (Specimen) template() string { return "specimen" }

func init() {
	pages["specimen"] = template.Must(template.Must(common.Clone()).ParseFiles("testdata/specimen.tmpl"))
}

func sampleFrame(section Section) Frame {
	return Frame{Path: "/?environment=production", Person: "person:ana", Rights: Rights{Write: true, Decide: true}, Section: section,
		Environment: "production", Environments: []string{"production", "staging"}, Refresh: 30 * time.Second, Changes: "/changes"}
}

func sampleForm() Form {
	return Form{ID: "rollback", Action: "/rollouts/production/game.gate-position/1/rollback", Key: "018f2c1e", Button: "Roll back", Grave: true, Cancel: "/",
		Fields: []Field{
			{Name: "comment", Label: "Why", Kind: AsText, Must: true, Help: "It stands in the record."},
			{Name: "to", Label: "Back to", Kind: AsChoice, Options: []Option{{"safe", "the safe variant"}, {"previous", "the stage before"}}, Value: "previous", Must: true},
			{Name: "share", Label: "Share", Kind: AsNumber, Hint: "10"},
			{Name: "at", Label: "When", Kind: AsMoment, Value: "2026-11-21T14:00"},
			{Name: "plan", Label: "Plan", Kind: AsCode, Value: "stages:\n  - name: canary", Rows: 3},
			{Name: "sure", Label: "I have read what it does", Kind: AsTick, Value: "true"},
			{Name: "seen", Kind: AsHidden, Value: "12"},
		}}
}

func sampleChart() chart.Chart {
	day := func(i int) float64 { return float64(at.AddDate(0, 0, i-10).Unix()) }
	p := chart.Plot{ID: "lift", Title: "Lift of day_7_retention over time", Desc: "Day-7 retention fell by 4.3 %; since 19 November the band excludes zero.",
		X: chart.Axis{Time: true}, Y: chart.Axis{Label: "lift", Format: short},
		Levels: []chart.Level{{Name: "no change", Class: "zero"}, {Name: "margin", Class: "margin", Y: -0.01}},
		Marks:  []chart.Mark{{X: day(2), Text: "1"}, {X: day(2) + 9000, Text: "2"}, {X: day(8), Text: "3"}},
		Table:  chart.Table{Head: []string{"Day", "Lift"}, Rows: [][]string{{"12 Nov", "−4.1 %"}, {"13 Nov", "−4.3 %"}}}}
	band, line := chart.Band{Name: "always-valid interval", Class: "always"}, chart.Line{Name: "lift", Class: "treatment"}
	for i := range 10 {
		w := 0.09 / math.Sqrt(float64(i+1))
		band.Points = append(band.Points, chart.Range{X: day(i), Lo: -0.043 - w, Hi: -0.043 + w})
		line.Points = append(line.Points, chart.Point{X: day(i), Y: -0.043 + 0.01*math.Sin(float64(i))})
	}
	p.Bands, p.Lines = []chart.Band{band}, []chart.Line{line}
	return p.Draw()
}

func frameSamples() map[string]Page {
	refused := sampleForm().Refuse(event.Invalids{{Path: "comment", Why: "is missing", Fix: "say why"}, {Path: "stages[0]", Value: "x", Why: "is not a stage"}}, func(string) string { return "" })
	refused.ID = "refused"
	s := Specimen{Frame: sampleFrame(InRollouts), Form: sampleForm(), Quiet: refused, Tabs: []Tab{{"Metrics", "/a", true}, {"Segments", "/b", false}},
		Pager: Pager{Newer: "/newer", Older: "/older"}, Empty: Empty{"No metric yet", "A metric is declared by a document.", "sluice apply metric.yaml"},
		Chart: sampleChart(), Spark: NewSpark([]float64{1, 3, 2, 5}, "units per hour, rising")}
	s.Notice = "Rolled back."
	return map[string]Page{"specimen": s}
}

func TestFrame_placesKeepTheEnvironment(t *testing.T) {
	f := sampleFrame(InFlags)
	for _, p := range f.Places() {
		if p.Section == InFlags && p.Link != "/flags?environment=production" {
			t.Errorf("the flags are at %s", p.Link)
		}
	}
	f.Environment = ""
	if got := f.Places()[0].Link; got != "/" {
		t.Errorf("without an environment the board is at %s", got)
	}
}

func TestFrame_lettersDiffer(t *testing.T) {
	seen := map[string]Section{}
	for _, p := range places {
		if other, taken := seen[p.Letter]; taken {
			t.Errorf("g %s leads to %s and %s", p.Letter, other, p.Section)
		}
		seen[p.Letter] = p.Section
	}
}

// TestForm_refuse: a fault stands at the field that it names, or at the nearest
// that holds it; what was written stays.
func TestForm_refuse(t *testing.T) {
	f := Form{Fields: []Field{{Name: "stages", Kind: AsCode}, {Name: "owner"}, {Name: "seen", Kind: AsHidden}}}
	err := event.Invalids{{Path: "stages[2].units", Why: "is no number", Fix: "write 10"}, {Path: "body.owner", Why: "is unknown"}, {Path: "seen", Why: "is old"}, {Path: "query.x", Why: "is odd"}}
	got := f.Refuse(err, func(name string) string { return "my " + name })
	want := Form{Fields: []Field{{Name: "stages", Kind: AsCode, Value: "my stages", Fault: "is no number: write 10"}, {Name: "owner", Value: "my owner", Fault: "is unknown"}, {Name: "seen", Kind: AsHidden, Value: "my seen"}},
		Faults: []string{"seen is old", "query.x is odd"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if f.Fields[0].Fault != "" {
		t.Error("the form that was sent is changed")
	}
	if got := f.Refuse(errors.New("somebody was faster"), func(string) string { return "" }); len(got.Faults) != 1 || !got.Refused() {
		t.Errorf("a refusal that names no field is lost: %+v", got)
	}
}
