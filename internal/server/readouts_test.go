package server

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/ingest"
	"github.com/sluice-hq/sluice/stats"
)

// memLooks counts nothing, and remembers what it is given: newest first.
type memLooks []decisions.Look

var _ Readouts = memLooks{}

func (memLooks) Readout(_ context.Context, _ decisions.Rollout, c Closer, now time.Time) (decisions.Evidence, Close, error) {
	few := stats.Mean(stats.Moments{N: 10, Mean: 1, M2: 9})
	return decisions.Evidence{At: now, Exposures: 99, Metrics: []decisions.Measured{{Metric: "purchases", Strata: []stats.Stratum{{Control: few, Treatment: few}}}}}, closeOf(c), nil
}

// closeOf answers with a segment "a" in which the treatment wins and one "b" in
// which it does nothing, a metric that fades, and a unit.
func closeOf(c Closer) (found Close) {
	win := []stats.Stratum{{Control: stats.Proportion(2000, 400), Treatment: stats.Proportion(2000, 600)}}
	none := []stats.Stratum{{Control: stats.Proportion(2000, 400), Treatment: stats.Proportion(2000, 400)}}
	units := []decisions.Count{{Epoch: 1, Stage: "experiment", Arm: "off", N: 50}, {Epoch: 1, Stage: "experiment", Arm: "on", N: 49}}
	if c.Ratio {
		found.Daily = []UnitsOf{{Value: "2026-11-01", Units: units}}
	}
	for range c.By {
		found.Parts = append(found.Parts, []UnitsOf{{Value: "a", Units: units}})
		found.Splits = append(found.Splits, []stats.Split{{Metric: "purchases", Segments: []stats.Segment{{Value: "a", Strata: win}, {Value: "b", Strata: none}}}})
	}
	if c.Days > 0 {
		found.Days = map[string][]stats.Days{"purchases": {{
			Control:   stats.Joint{N: 1000, Means: []float64{1, 1}, M: []float64{1000, 0, 1000}},
			Treatment: stats.Joint{N: 1000, Means: []float64{2, 1}, M: []float64{1000, 0, 1000}},
		}}}
	}
	if len(c.By) > 0 {
		found.Queries = []decisions.Query{{SQL: "SELECT 1", Of: []string{"purchases", "by " + c.By[0]}}}
	}
	if c.Largest {
		found.Largest = map[string][]stats.Largest{"purchases": {{Unit: "8f3a", Value: 3}}}
	}
	return found
}

func (m memLooks) Looks(_ context.Context, rollout string, until time.Time, limit int) (out []decisions.Look, err error) {
	for _, l := range m {
		if l.Rollout == rollout && !l.At.After(until) && len(out) < limit {
			out = append(out, l)
		}
	}
	return out, nil
}

func (m memLooks) Moments(_ context.Context, rollout string, until time.Time) (out []decisions.Look, err error) {
	for _, l := range slices.Backward(m) {
		if l.Rollout == rollout && !l.At.After(until) {
			out = append(out, decisions.Look{Rollout: l.Rollout, At: l.At, Stage: l.Stage, Verdict: decisions.Verdict{Action: l.Verdict.Action}, Decision: l.Decision})
		}
	}
	return out, nil
}

func (m memLooks) LooksAt(ctx context.Context, rollout, metric string, at []time.Time) (out []decisions.Look, err error) {
	for _, l := range slices.Backward(m) {
		if l.Rollout != rollout || !slices.ContainsFunc(at, l.At.Equal) {
			continue
		}
		one, _ := l.Evidence.Metric(metric)
		l.Evidence = decisions.Evidence{At: l.At, Units: l.Evidence.Units, Metrics: []decisions.Measured{one}}
		out = append(out, l)
	}
	return out, nil
}

func (memLooks) CodeDefaults(_ context.Context, _ decisions.Rollout, safe string) ([]ingest.CodeDefault, error) {
	return []ingest.CodeDefault{{SDK: ingest.SDK{Name: "openfeature-go", Version: "1.4.2"}, Variant: "on", Safe: safe, Reason: "ERROR", Exposures: 3, Units: 2}}, nil
}

func (memLooks) TwoArms(_ context.Context, _ decisions.Rollout, epoch int, unit uint64, limit int) (out []ingest.TwoArms, err error) {
	for i, cause := range []ingest.Cause{ingest.Login, ingest.Login, ingest.OtherCause} {
		if u := math.MaxUint64 - 2 + uint64(i); (epoch == 0 || u > unit) && len(out) < limit {
			out = append(out, ingest.TwoArms{Epoch: 1, Kind: "user", Unit: ingest.UnitText(u), Cause: cause})
		}
	}
	return out, nil
}

// fiveLooks are looks a minute apart, the first at start.
func fiveLooks() (all memLooks) {
	for i := 4; i >= 0; i-- {
		at := start.Add(time.Duration(i) * time.Minute)
		all = append(all, decisions.Look{
			Rollout: "production/shop.checkout/1", At: at, Stage: "canary",
			Verdict: decisions.Verdict{Action: decisions.Hold, Reason: fmt.Sprintf("look %d", i)},
			Evidence: decisions.Evidence{At: at, Exposures: int64(i), Units: []decisions.Count{{Arm: "on", N: 2}, {Arm: "off", N: 3}},
				Watermark: map[string]decisions.Place{"facts-0": {Seq: uint64(i)}},
				Metrics:   []decisions.Measured{{Metric: "purchases"}}, Queries: []decisions.Query{{SQL: "SELECT 1", Hash: event.Sum([]byte{byte(i)}), Of: []string{"units"}}}},
		})
	}
	return all
}

func withLooks(t *testing.T) *house { return withReadouts(t, fiveLooks()) }

func withReadouts(t *testing.T, answers Readouts) *house {
	h := newHouseWith(t, func(h *House) {
		h.Readouts = answers
		h.Now = func() time.Time { return start.Add(time.Hour) }
	})
	h.want("editor", "POST", "/api/v1/apply", documents+"---\n"+plan, http.StatusOK, "created")
	return h
}

const readouts = "/api/v1/readouts/production/shop.checkout/1"

// TestReadout_asItWas gives the numbers of the look that was newest then.
func TestReadout_asItWas(t *testing.T) {
	h := withLooks(t)
	now := decode[ReadoutView](h, "viewer", readouts)
	if now.Look != nil || now.Evidence.Exposures != 99 || now.Asked != (event.Hash{}) {
		t.Errorf("now: %+v", now)
	}
	then := decode[ReadoutView](h, "viewer", readouts+"?at="+start.Add(150*time.Second).Format(time.RFC3339))
	if then.Look == nil || then.Look.Reason != "look 2" || then.Evidence.Exposures != 2 || then.Evidence.Watermark["facts-0"].Seq != 2 {
		t.Errorf("at the third minute: %+v", then)
	}
	if then.Asked == (event.Hash{}) || then.Asked != fiveLooks()[2].Evidence.Asked() {
		t.Errorf("asked %s", then.Asked)
	}
	h.want("viewer", "GET", readouts+"?at="+start.Add(-time.Second).Format(time.RFC3339), "", http.StatusNotFound, "a look at rollout production/shop.checkout/1 up to 2026-11-01T08:59:59Z")
	h.want("viewer", "GET", readouts+"?at=yesterday", "", http.StatusBadRequest, "query.at")
	h.want("viewer", "GET", "/api/v1/readouts/production/shop.checkout/2?at=2026-11-01T09:00:00Z", "", http.StatusNotFound, "")
}

// strayed are looks at a rollout of which some exposures are of other units.
type strayed struct{ memLooks }

func (s strayed) Readout(ctx context.Context, r decisions.Rollout, c Closer, now time.Time) (decisions.Evidence, Close, error) {
	e, found, err := s.memLooks.Readout(ctx, r, c, now)
	e.Strays = []decisions.Stray{{Kind: "account", Exposures: 12}}
	return e, found, err
}

// TestReadout_warnsOfStrays: exposures that count nowhere are told, now and as
// they were at a look.
func TestReadout_warnsOfStrays(t *testing.T) {
	looks := fiveLooks()
	looks[4].Evidence.Strays = []decisions.Stray{{Kind: "account", Exposures: 3}}
	h := withReadouts(t, strayed{looks})
	h.want("approver", "POST", "/api/v1/rollouts/production/shop.checkout/1/start", "{}", http.StatusOK, "running")
	for query, want := range map[string]string{"": "12 exposures are of units of the kind account and count nowhere: ", "?at=" + start.Format(time.RFC3339): "3 exposures are of "} {
		got := decode[ReadoutView](h, "viewer", readouts+query)
		if len(got.Warnings) == 0 || !strings.HasPrefix(got.Warnings[0], want) || len(got.Evidence.Strays) != 1 {
			t.Errorf("%q: %v", query, got.Warnings)
		}
	}
	if got := decode[ReadoutView](h, "viewer", readouts+"?at="+start.Add(time.Minute).Format(time.RFC3339)); got.Warnings != nil {
		t.Errorf("a look without: %v", got.Warnings)
	}
}

// TestReadout_warnsOfDefaultsInCode names the SDK, once the rollout is running.
func TestReadout_warnsOfDefaultsInCode(t *testing.T) {
	h := withLooks(t)
	if got := decode[ReadoutView](h, "viewer", readouts); got.Warnings != nil {
		t.Errorf("before the start: %v", got.Warnings)
	}
	h.want("approver", "POST", "/api/v1/rollouts/production/shop.checkout/1/start", "{}", http.StatusOK, "running")
	got := decode[ReadoutView](h, "viewer", readouts)
	want := []string{"openfeature-go 1.4.2 gave 2 units on where evaluations failed; the safe variant is off. Give the evaluation in that code the default off"}
	if diff := cmp.Diff(want, got.Warnings); diff != "" || len(got.CodeDefaults) != 1 {
		t.Errorf("%v, warnings (-want +got):\n%s", got.CodeDefaults, diff)
	}
}

// TestTwoArms_pages lists every unit once and counts the causes of a page.
func TestTwoArms_pages(t *testing.T) {
	h := withLooks(t)
	type page struct {
		Units  []ingest.TwoArms
		Causes map[ingest.Cause]int
		Next   string
	}
	first := decode[page](h, "viewer", readouts+"/two-arms?limit=2")
	second := decode[page](h, "viewer", readouts+"/two-arms?limit=2&cursor="+first.Next)
	if len(first.Units) != 2 || first.Causes[ingest.Login] != 2 || len(second.Units) != 1 || second.Causes[ingest.OtherCause] != 1 || second.Next != "" {
		t.Errorf("first %+v\nsecond %+v", first, second)
	}
	if second.Units[0].Unit != ingest.UnitText(math.MaxUint64) {
		t.Errorf("the last is %s", second.Units[0].Unit)
	}
	h.want("viewer", "GET", readouts+"/two-arms?cursor=dHdvLWFybXMAeA", "", http.StatusBadRequest, "is not a cursor of this list")
	h.want("viewer", "GET", "/api/v1/readouts/production/shop.checkout/2/two-arms", "", http.StatusNotFound, "")
}

// TestLooks_pages lists every look once, however small the pages are.
func TestLooks_pages(t *testing.T) {
	h := withLooks(t)
	var got []string
	for path := readouts + "/looks?limit=2"; path != ""; {
		var page struct {
			Looks []LookView
			Next  string
		}
		if err := json.Unmarshal([]byte(h.want("viewer", "GET", path, "", http.StatusOK, "")), &page); err != nil {
			t.Fatal(err)
		}
		for _, l := range page.Looks {
			got = append(got, l.Reason)
			if l.Units != 5 || len(l.Metrics) != 1 || l.Metrics[0].Refused == "" {
				t.Errorf("look %+v", l)
			}
		}
		if path = ""; page.Next != "" {
			path = readouts + "/looks?limit=2&cursor=" + page.Next
		}
	}
	if diff := cmp.Diff([]string{"look 4", "look 3", "look 2", "look 1", "look 0"}, got); diff != "" {
		t.Errorf("looks (-want +got):\n%s", diff)
	}
	if old := h.want("viewer", "GET", readouts+"/looks?until="+start.Format(time.RFC3339), "", http.StatusOK, "look 0"); len(old) == 0 || decodeLooks(t, old) != 1 {
		t.Errorf("up to the first: %s", old)
	}
	for _, cursor := range []string{"x", "bG9va3MAbm9uZQ"} { // no cursor at all, and one that holds no time
		h.want("viewer", "GET", readouts+"/looks?cursor="+cursor, "", http.StatusBadRequest, "is not a cursor of this list")
	}
}

func decodeLooks(t *testing.T, body string) int {
	t.Helper()
	var page struct{ Looks []LookView }
	if err := json.Unmarshal([]byte(body), &page); err != nil {
		t.Fatal(err)
	}
	return len(page.Looks)
}

func TestReadouts_ofAReplicaWithout(t *testing.T) {
	h := newHouse(t)
	h.want("editor", "POST", "/api/v1/apply", documents+"---\n"+plan, http.StatusOK, "created")
	h.want("viewer", "GET", readouts, "", http.StatusNotFound, "answers no readouts")
	h.want("viewer", "GET", readouts+"/looks", "", http.StatusNotFound, "answers no readouts")
	h.want("viewer", "GET", readouts+"/two-arms", "", http.StatusNotFound, "answers no readouts")
}
