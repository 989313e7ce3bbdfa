package server

import (
	"math"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/stats"
)

// TestReadout_closer gives segments, days and the largest unit to whoever asks
// for them, once the rollout is running.
func TestReadout_closer(t *testing.T) {
	h := withLooks(t)
	if v := decode[ReadoutView](h, "viewer", readouts+"?by=browser"); v.Breakdowns != nil {
		t.Errorf("before the start: %+v", v.Breakdowns)
	}
	h.want("approver", "POST", "/api/v1/rollouts/production/shop.checkout/1/start", "{}", http.StatusOK, "running")
	if v := decode[ReadoutView](h, "viewer", readouts); v.Breakdowns != nil || v.Novelty != nil || v.Influence != nil || v.Balance != nil {
		t.Errorf("asked for nothing: %+v", v)
	}
	v := decode[ReadoutView](h, "viewer", readouts+"?by=browser&by=plan&days=2&largest=true")
	if len(v.Breakdowns) != 2 || v.Breakdowns[0].Attribute != "browser" || v.Breakdowns[1].Attribute != "plan" {
		t.Fatalf("breakdowns %+v", v.Breakdowns)
	}
	for _, b := range v.Breakdowns {
		if m := b.Metrics[0]; m.Metric != "purchases" || !m.Segments[0].StandsOut || m.Segments[1].StandsOut || m.Interaction.P > 0.05 {
			t.Errorf("by %s: %+v", b.Attribute, m)
		}
	}
	if len(v.Queries) != 1 || v.Queries[0].Of[1] != "by browser" {
		t.Errorf("queries behind it %+v", v.Queries)
	}
	if len(v.Novelty) != 1 || v.Novelty[0].Novelty.State != stats.Fading {
		t.Errorf("days %+v", v.Novelty)
	}
	if len(v.Influence) != 1 || v.Influence[0].Influence.Unit != "8f3a" || v.Influence[0].Influence.Turns {
		t.Errorf("largest %+v", v.Influence)
	}
}

func TestReadout_closerRefuses(t *testing.T) {
	h := withLooks(t)
	h.want("viewer", "GET", readouts+"?by="+strings.Join(strings.Split("abcdef", ""), "&by="), "", http.StatusBadRequest, "more than 5 attributes")
	h.want("viewer", "GET", readouts+"?by=a&by=", "", http.StatusBadRequest, "is no attribute")
	h.want("viewer", "GET", readouts+"?days=1", "", http.StatusBadRequest, "is one day")
	h.want("viewer", "GET", readouts+"?days=61", "", http.StatusBadRequest, "days")
	h.want("viewer", "GET", readouts+"?days=7&at="+start.Add(time.Minute).Format(time.RFC3339), "", http.StatusBadRequest, "keeps neither segments nor days")
}

// A rollout is split by the breakdowns of its plan, unless others are asked for.
func TestCloser_ofThePlan(t *testing.T) {
	var r decisions.Rollout
	r.Plan.Metrics.Breakdowns = []string{"region"}
	for _, in := range []CloserQuery{{}, {By: []string{"plan"}}} {
		c, err := in.closer(r)
		want := "region"
		if len(in.By) > 0 {
			want = in.By[0]
		}
		if err != nil || len(c.By) != 1 || c.By[0] != want {
			t.Errorf("asked for %v: %v, %v", in.By, c.By, err)
		}
	}
}

// Arms that differ before the first exposure are a warning.
func TestReadoutView_balance(t *testing.T) {
	arm := func(before float64) stats.Sample {
		j := stats.Joint{N: 1000, Means: []float64{1, before, 0}, M: []float64{1000, 0, 0, 1000, 0, 0}}
		return stats.Mean(j.Moments(0)).With(j)
	}
	r := decisions.Rollout{Metrics: map[string]stats.Metric{"spend": {Lookback: time.Hour}, "clicks": {}}}
	r.Plan.Health.SRM.Alpha = 0.001
	for _, tt := range []struct {
		before   float64
		warnings int
	}{{1, 0}, {2, 1}} {
		v := ReadoutView{Evidence: decisions.Evidence{Metrics: []decisions.Measured{
			{Metric: "spend", Strata: []stats.Stratum{{Control: arm(1), Treatment: arm(tt.before)}}}, {Metric: "clicks"},
		}}}
		v.balance(r)
		if len(v.Balance) != 1 || len(v.Warnings) != tt.warnings {
			t.Errorf("before %v: %+v, %q", tt.before, v.Balance, v.Warnings)
		}
	}
	if got := eValue(math.Log(1000)); got != "10^3.0" {
		t.Errorf("an e-value of 1000 is written %s", got)
	}
}
