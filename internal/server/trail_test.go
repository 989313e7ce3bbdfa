package server

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/decisions"
)

// TestTrail gives the units and one metric look by look, the oldest first.
func TestTrail(t *testing.T) {
	h := withLooks(t)
	got := decode[TrailView](h, "viewer", readouts+"/trail?metric=purchases&until="+start.Add(2*time.Minute).Format(time.RFC3339))
	if got.Taken != 3 || len(got.Looks) != 3 || !got.Looks[0].At.Equal(start) || len(got.Looks[2].Units) != 2 || got.Looks[2].Measured == nil || got.Looks[2].Action != decisions.Hold {
		t.Errorf("three looks are %+v", got)
	}
	if bare := decode[TrailView](h, "viewer", readouts+"/trail"); len(bare.Looks) != 5 || bare.Looks[0].Units != nil || bare.Looks[0].Measured != nil {
		t.Errorf("without a metric there are more than times: %+v", bare)
	}
	h.want("viewer", "GET", readouts+"/trail?most=1", "", http.StatusBadRequest, "query.most")
	h.want("viewer", "GET", "/api/v1/readouts/production/shop.checkout/2/trail", "", http.StatusNotFound, "")
	none := newHouse(t)
	none.want("editor", "POST", "/api/v1/apply", documents+"---\n"+plan, http.StatusOK, "created")
	none.want("viewer", "GET", readouts+"/trail", "", http.StatusNotFound, "answers no readouts")
}

// TestSparse picks looks evenly over time, the last one and those that decided
// among them.
func TestSparse(t *testing.T) {
	var all []decisions.Look
	for i := range 1000 {
		l := decisions.Look{At: start.Add(time.Duration(i) * time.Minute)}
		if i == 501 {
			l.Decision = "d1"
		}
		all = append(all, l)
	}
	got := sparse(all, 11)
	var minutes []int
	for _, l := range got {
		minutes = append(minutes, int(l.At.Sub(start).Minutes()))
	}
	if diff := cmp.Diff([]int{99, 199, 299, 399, 499, 501, 599, 699, 799, 899, 998, 999}, minutes); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if few := sparse(all[:5], 11); len(few) != 5 {
		t.Errorf("of five looks %d are picked", len(few))
	}
	same := slices.Repeat(all[:1], 50)
	if one := sparse(same, 11); len(one) != 1 {
		t.Errorf("of fifty looks at one moment %d are picked", len(one))
	}
}

// TestRatios: the day and the segment that a wrong split comes from stand out,
// all of them taken together.
func TestRatios(t *testing.T) {
	stages := []decisions.Stage{{Name: "ramp", Treatment: 10_000}, {Name: "staff", Serve: "treatment", To: "staff"}}
	r := decisions.Rollout{Standing: decisions.Standing{Stage: 0}, Plan: decisions.Plan{Arms: decisions.Arms{Control: "off", Treatment: "on"}, Stages: stages}}
	units := func(value, stage string, control, treatment int64) UnitsOf {
		return UnitsOf{Value: value, Units: []decisions.Count{{Epoch: 1, Stage: stage, Arm: "off", N: control}, {Epoch: 1, Stage: stage, Arm: "on", N: treatment}}}
	}
	var v ReadoutView
	v.ratios(r, Closer{By: []string{"browser"}}, Close{
		Daily: []UnitsOf{units("2026-11-01", "ramp", 1000, 1010), units("2026-11-02", "ramp", 1000, 1500), units("2026-11-03", "staff", 0, 70)},
		Parts: [][]UnitsOf{{units("firefox", "ramp", 1990, 2020)}},
	})
	var got []string
	for _, view := range v.Ratios {
		for _, p := range view.Parts {
			got = append(got, fmt.Sprint(view.By, p.Value, " ", p.Control, " ", p.Treatment, " ", p.Expected, " ", p.StandsOut))
		}
	}
	want := []string{"2026-11-01 1000 1010 0.5 false", "2026-11-02 1000 1500 0.5 true", "browserfirefox 1990 2020 0.5 false"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
