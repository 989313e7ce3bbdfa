package stats

import (
	"encoding/json"
	"math"
	"testing"
)

// The number of treatment failures without any of control at which e reaches
// 20, by the share of traffic: worked out with the formula of [LM] by others for
// k = 2, for a margin of twice the rate, and for k = 100.
func TestEventsFirstFailures(t *testing.T) {
	for _, tt := range []struct {
		e    Events
		want map[float64]int64
	}{
		{Events{}, map[float64]int64{0.5: 7, 0.1: 3, 0.05: 2, 0.01: 2}},
		{Events{Margin: 2}, map[float64]int64{0.5: 11, 0.1: 4, 0.05: 3, 0.01: 2}},
		{Events{K: 100}, map[float64]int64{0.5: 25, 0.1: 9, 0.05: 7, 0.01: 4}},
	} {
		for share, want := range tt.want {
			var n int64
			for j := (EventJudgement{Threshold: 1}); j.LogE < j.Threshold; {
				n++
				j = tt.e.Judge([]EventCounts{{Treatment: n, Traffic: [2]float64{1 - share, share}}})
			}
			if n != want {
				t.Errorf("%+v at %v of traffic: %d failures, want %d", tt.e, share, n, want)
			}
		}
	}
}

func events(control, treatment int64) []EventCounts {
	return []EventCounts{{Control: control, Treatment: treatment, Traffic: [2]float64{1, 1}}}
}

// Nobody of 10,000 control units failed, and 5, 20, 500 of 10,000 treated ones.
func TestEventsZeroBaseline(t *testing.T) {
	for treatment, want := range map[int64]State{0: Unknown, 5: Unknown, 20: Breached, 500: Breached} {
		j := Events{}.Judge(events(0, treatment))
		if j.State != want || !math.IsInf(j.LogRatio.High, 1) {
			t.Errorf("0 v %d: %s, %v, want %s", treatment, j.State, j.LogRatio, want)
		}
		if _, err := json.Marshal(j); err != nil {
			t.Errorf("0 v %d: %v", treatment, err)
		}
	}
}

func TestEventsFloor(t *testing.T) {
	two := []EventCounts{{Treatment: 2, Traffic: [2]float64{99, 1}}}
	if j := (Events{}).Judge(two); j.LogE < j.Threshold || j.State != Unknown || len(j.Warnings) != 1 {
		t.Errorf("two failing units: %s, %v, %q", j.State, j.LogE, j.Warnings)
	}
	two[0].Treatment = 3
	if j := (Events{}).Judge(two); j.State != Breached {
		t.Errorf("three failing units: %s", j.State)
	}
}

// A state rests on its bound, for every margin and count, and the two-sided
// interval holds the ratio that was seen.
func TestEventsBoundsAgree(t *testing.T) {
	for _, margin := range []float64{1, 1.5, 4} {
		e := Events{Margin: margin, Floor: 1}
		for _, control := range []int64{0, 1, 7, 40, 1000} {
			for _, treatment := range []int64{0, 1, 7, 40, 130, 3000} {
				j := e.Judge(events(control, treatment))
				if (j.LogE >= j.Threshold) != (j.Bounds.Low >= math.Log(margin)) {
					t.Errorf("%d v %d at %v: log e %v beside %v", control, treatment, margin, j.LogE, j.Bounds)
				}
				if excluded, _ := e.Excludes(2, events(control, treatment)); excluded != (j.Bounds.High <= math.Log(2)) {
					t.Errorf("%d v %d: twice the rate excluded %v beside %v", control, treatment, excluded, j.Bounds)
				}
				seen := math.Log(float64(treatment) / float64(control))
				if control > 0 && treatment > 0 && !j.LogRatio.Contains(seen) {
					t.Errorf("%d v %d: %v is not within %v", control, treatment, seen, j.LogRatio)
				}
			}
		}
	}
	if excluded, _ := (Events{}).Excludes(5, events(0, 0)); excluded {
		t.Error("no failures exclude nothing")
	}
	if excluded, _ := (Events{}).Excludes(0.5, events(9, 9)); excluded {
		t.Error("a ratio below 1 is no harm")
	}
}

// Evidence adds up over epochs whose traffic differs; pooled, a rise of traffic
// would look like a rise of failures.
func TestEventsEpochs(t *testing.T) {
	epochs := []EventCounts{
		{Epoch: 1, Control: 99, Treatment: 1, Traffic: [2]float64{99, 1}},
		{Epoch: 2, Control: 50, Treatment: 50, Traffic: [2]float64{50, 50}},
	}
	if j := (Events{}).Judge(epochs); j.State != Unknown || !j.LogRatio.Contains(0) {
		t.Errorf("equal rates: %s, %v", j.State, j.LogRatio)
	}
	torn := []EventCounts{{Control: 1000, Treatment: 10, Traffic: [2]float64{1, 1}}, {Control: 10, Treatment: 1000, Traffic: [2]float64{1, 1}}}
	if j := (Events{}).Judge(torn); !finite(j.LogRatio.Low) || j.LogRatio.Low > j.LogRatio.High {
		t.Errorf("epochs that contradict each other: %v", j.LogRatio)
	}
}

func TestEventsRefuse(t *testing.T) {
	ok := events(3, 4)
	for name, j := range map[string]EventJudgement{
		"no counts":       Events{}.Judge(nil),
		"negative":        Events{}.Judge(events(-1, 2)),
		"no traffic":      Events{}.Judge([]EventCounts{{Control: 1, Treatment: 1}}),
		"NaN traffic":     Events{}.Judge([]EventCounts{{Traffic: [2]float64{math.NaN(), 1}}}),
		"margin below 1":  Events{Margin: 0.5}.Judge(ok),
		"infinite margin": Events{Margin: math.Inf(1)}.Judge(ok),
		"alpha":           Events{Alpha: 1}.Judge(ok),
		"k":               Events{K: math.NaN()}.Judge(ok),
	} {
		if j.Refused == nil || j.State != Unknown || j.P != 1 || j.LogRatio != Open() {
			t.Errorf("%s: %+v", name, j)
		}
	}
}

// Treatment fails far less often in one epoch and far more often in the other:
// an interval of ratios does not exist, and does not end before it begins.
func TestEvents_epochsThatContradict(t *testing.T) {
	j := Events{}.Judge([]EventCounts{
		{Epoch: 1, Control: 231654, Treatment: 892685, Traffic: [2]float64{0.63, 0.37}},
		{Epoch: 2, Control: 423227, Treatment: 738850, Traffic: [2]float64{0.52, 0.48}},
	})
	if j.Bounds.Low != j.Bounds.High || j.LogRatio.Low != j.LogRatio.High || len(j.Warnings) != 1 {
		t.Errorf("%v %v %q", j.Bounds, j.LogRatio, j.Warnings)
	}
}
