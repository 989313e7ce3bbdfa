package rehearsal

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/stats"
)

// rows reads a file of real experiments, which are not part of the repository,
// without its head.
func rows(t *testing.T, name string) [][]string {
	t.Helper()
	f, err := os.Open(filepath.Join("..", "..", "..", "shared", "data", name))
	if errors.Is(err, fs.ErrNotExist) {
		t.Skipf("SKIPPED: %s is not there", name)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	all, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return all[1:]
}

func number(t *testing.T, text string) float64 {
	t.Helper()
	x, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// of returns a plan with one stage that decides, of units who get half and half.
func of(metrics decisions.Metrics, defs map[string]stats.Metric, min, max time.Duration) Rehearsal {
	r := release()
	r.Plan.Metrics, r.Metrics, r.Settings = metrics, defs, Settings{Alone: true}
	r.Plan.Health.Telemetry.MaxLag = decisions.Window(15 * day) // days without a snapshot are no silence
	r.Plan.Stages = []decisions.Stage{{Name: "experiment", Treatment: 50_000, Decide: true, MinWindow: decisions.Window(min), MaxWindow: decisions.Window(max)}}
	return r
}

// Cookie Cats (Tactile, 2017): moving the first gate from level 30 to 40 costs
// 0.82 points of 19.02 % day-7 retention (z = −3.16). The plan rolls it back;
// its players come in an order of the seed's, over two weeks.
func TestCookieCatsIsRolledBack(t *testing.T) {
	r := release()
	retention := func(key string) stats.Metric {
		return stats.Metric{Key: key, Event: key, Aggregate: stats.Conversion, Direction: stats.Increase, GateWindow: time.Minute}
	}
	r.Metrics = map[string]stats.Metric{"day_1": retention("day_1"), "day_7": retention("day_7")}
	r.Plan.Metrics = decisions.Metrics{
		Success:    []decisions.Success{{Metric: "day_1", MDE: 2000, OnLoss: decisions.Rollback}},
		Guardrails: []decisions.Guardrail{{Metric: "day_7", Margin: percent(0), Detect: decisions.Size{Change: 4000}}},
	}
	r.Plan.Stages = []decisions.Stage{
		{Name: "canary", Treatment: 5000, MinUnits: 300, Exclude: map[string]decisions.Size{"day_7": {Change: 80_000}}},
		{Name: "experiment", Treatment: 50_000, Decide: true, MaxWindow: decisions.Window(28 * day)},
	}
	r.Plan.Health.Telemetry.MaxLag = decisions.Window(6 * time.Hour) // a canary hears of few players an hour
	r.Settings = Settings{Every: event.Duration(time.Hour), Alone: true}
	r.Record = &Recorded{Metrics: []string{"day_1", "day_7"}}
	list := rows(t, "cookie_cats.csv")
	value := map[string]RecordedValue{"TRUE": {Value: 1}, "FALSE": {}}
	for i, row := range list {
		arm := map[string]string{"gate_30": "off", "gate_40": "on"}[row[1]]
		r.Record.Units = append(r.Record.Units, RecordedUnit{
			After: time.Duration(i) * (14 * day / time.Duration(len(list))), Arm: arm, Values: []RecordedValue{value[row[3]], value[row[4]]},
		})
	}
	s := r.Summarize(Scenario{Kind: Healthy}, runs(t, r, Scenario{Kind: Healthy}, 20))
	if s.Rollbacks < 14 || s.Ships > 0 {
		t.Errorf("of 20 orders: %+v", s)
	}
	t.Logf("%d players in 20 orders: %v", len(list), s.Ended)
}

// told is a house into which a test tells facts itself.
func told(t *testing.T, r Rehearsal) *house {
	t.Helper()
	r.Settings.Every = event.Duration(day)
	h := newHouse(t.Context(), r)
	h.controller.Facts = &h.facts
	if err := h.prepare(r, begins); err != nil {
		t.Fatal(err)
	}
	h.step(t, begins)
	return h
}

func (h *house) step(t *testing.T, now time.Time) {
	t.Helper()
	if err := h.controller.Step(h.ctx, now); err != nil {
		t.Fatal(err)
	}
}

// Udacity's free-trial screener: gross conversion falls by 0.0206, as it should,
// and net conversion by 0.0049 [−0.0116, +0.0019]: harm of the practical margin
// 0.0075 is not excluded, so that it is not launched (Udacity's course on A/B
// testing, final project). The plan asks a person, and never ships, also
// when he resumes over whatever pauses it.
func TestUdacityIsNotShipped(t *testing.T) {
	conversion := func(key string, d stats.Direction) stats.Metric {
		return stats.Metric{Key: key, Event: key, Aggregate: stats.Conversion, Direction: d, GateWindow: time.Minute}
	}
	margin := decisions.Percent(math.Round(0.0075 / 0.117562 * 100_000)) // of control's net conversion
	r := of(decisions.Metrics{
		Success:    []decisions.Success{{Metric: "gross", MDE: 5000}},
		Guardrails: []decisions.Guardrail{{Metric: "net", Margin: &margin}},
	}, map[string]stats.Metric{"gross": conversion("gross", stats.Decrease), "net": conversion("net", stats.Increase)}, 14*day, 23*day)
	h := told(t, r)
	id := h.rollout(r.Plan).ID
	sum := map[string][3]int64{}
	for arm, file := range map[string]string{"off": "udacity_free_trial_control.csv", "on": "udacity_free_trial_experiment.csv"} {
		for i, row := range rows(t, file)[:23] {
			clicks, gross, net := int64(number(t, row[2])), int64(number(t, row[3])), int64(number(t, row[4]))
			at := begins.Add(time.Duration(i+1)*day - time.Hour)
			h.facts.Add(id, decisions.Batch{ID: arm + row[0], Epoch: 1, Stage: "experiment", Arm: arm, At: at, Units: clicks,
				Samples: map[string]stats.Sample{"gross": stats.Proportion(clicks, gross), "net": stats.Proportion(clicks, net)},
				Newest:  map[string]time.Time{"gross": at, "net": at}})
			s := sum[arm]
			sum[arm] = [3]int64{s[0] + clicks, s[1] + gross, s[2] + net}
		}
	}
	share := func(arm string, i int) float64 { return float64(sum[arm][i]) / float64(sum[arm][0]) }
	if gross, net := share("on", 1)-share("off", 1), share("on", 2)-share("off", 2); math.Abs(gross+0.0206) > 1e-4 || math.Abs(net+0.0049) > 1e-4 {
		t.Fatalf("the data are others: gross %.4f, net %.4f", gross, net)
	}
	paused := ""
	for i := range 24 {
		now := begins.Add(time.Duration(i) * day)
		h.step(t, now)
		if d, _ := h.rollout(r.Plan).Last(); h.rollout(r.Plan).Status == decisions.Paused {
			paused = fmt.Sprintf("paused on day %d: %s; ", i, d.Verdict.Text)
			if err := h.person(r.Plan, decisions.Command{Op: decisions.OpResume, Comment: "to the end"}, author, now); err != nil {
				t.Fatal(err)
			}
		}
	}
	d, _ := h.rollout(r.Plan).Last()
	if d.Verdict.Action != decisions.Review || h.rollout(r.Plan).Status != decisions.Running {
		t.Errorf("it ends with %s: %s", d.Verdict.Action, d.Verdict.Text)
	}
	for _, c := range d.Verdict.Checks {
		if c.Metric == "net" && c.Name == decisions.CheckMargin && c.State == decisions.Pass {
			t.Errorf("the margin is proven: %s", c.Text)
		}
	}
	t.Logf("%safter 23 days: %s", paused, d.Verdict.Text)
}

// series is one metric of one variant of one experiment at ASOS.
type series struct {
	after []float64 // days since the start
	at    [][2]stats.Moments
}

// asos reads the series that have snapshots without gaps in their fields.
func asos(t *testing.T) (names []string, all map[string]*series) {
	all = map[string]*series{}
	for _, row := range rows(t, "asos_digital_experiments.csv") {
		name := row[0] + "/" + row[1] + "/" + row[2]
		if all[name] == nil {
			all[name] = &series{}
			names = append(names, name)
		}
		x := make([]float64, 0, 7)
		for _, text := range row[3:] {
			if text != "" {
				x = append(x, number(t, text))
			}
		}
		if len(x) == 7 && x[1] > 1 && x[2] > 1 {
			s := all[name]
			s.after = append(s.after, x[0])
			s.at = append(s.at, [2]stats.Moments{{N: int64(x[1]), Mean: x[3], M2: x[5] * (x[1] - 1)}, {N: int64(x[2]), Mean: x[4], M2: x[6] * (x[2] - 1)}})
		}
	}
	return names, all
}

// byDay returns the snapshot that a look on a day sees, the last of that day.
func (s *series) byDay(days int) (at [2]stats.Moments, ok bool) {
	for i, after := range s.after {
		if after <= float64(days) {
			at, ok = s.at[i], true
		}
	}
	return at, ok
}

// ASOS Digital Experiments (Liu, Cardoso, Couturier & McCoy, NeurIPS 2021): each
// series as the success metric of a plan with daily looks, next to whoever acts
// at the first daily look whose fixed 95 % interval leaves zero.
func TestASOSThroughAPlan(t *testing.T) {
	names, all := asos(t)
	def := map[string]stats.Metric{"value": {Key: "value", Event: "value", Aggregate: stats.Sum, Direction: stats.Increase, GateWindow: time.Minute}}
	var usable, shipped, back, paused, fixedUp, fixedDown int
	for _, name := range names {
		s := all[name]
		if len(s.at) == 0 {
			continue
		}
		usable++
		last := int(s.after[len(s.after)-1]) + 1
		r := of(decisions.Metrics{Success: []decisions.Success{{Metric: "value", MDE: 2000, OnLoss: decisions.Rollback}}}, def, 0, time.Duration(last+1)*day)
		switch s.carried(t, told(t, r), r, last) {
		case decisions.Ship:
			shipped++
		case decisions.Rollback:
			back++
		case decisions.Pause:
			paused++
		case decisions.Hold, decisions.Expand, decisions.Review, decisions.Cleanup:
		}
		switch s.fixed(last) {
		case 1:
			fixedUp++
		case -1:
			fixedDown++
		}
	}
	t.Logf("%d series with daily looks: the plan ships %d, rolls back %d, pauses %d; the fixed interval would have shipped %d and rolled back %d",
		usable, shipped, back, paused, fixedUp, fixedDown)
	if usable < 380 || 2*(shipped+back) > fixedUp+fixedDown || shipped+back < 20 {
		t.Error("the plan acts as often as whoever peeks, or never")
	}
}

// carried returns the first thing that the plan does about a series.
func (s *series) carried(t *testing.T, h *house, r Rehearsal, last int) decisions.Action {
	t.Helper()
	id := h.rollout(r.Plan).ID
	for d := 1; d <= last; d++ {
		now := begins.Add(time.Duration(d) * day)
		if at, ok := s.byDay(d); ok {
			for i, arm := range []string{"off", "on"} {
				h.facts.Add(id, decisions.Batch{ID: arm, Epoch: 1, Stage: "experiment", Arm: arm, At: begins.Add(time.Hour), Units: at[i].N,
					Samples: map[string]stats.Sample{"value": stats.Mean(at[i])}, Newest: map[string]time.Time{"value": now}})
			}
			h.facts.Add(id, decisions.Batch{ID: now.String(), At: now, Newest: map[string]time.Time{"value": now}})
		}
		h.step(t, now)
		decision, _ := h.rollout(r.Plan).Last()
		if a := decision.Verdict.Action; a == decisions.Ship || a == decisions.Rollback || a == decisions.Pause {
			return a
		}
	}
	return decisions.Hold
}

// fixed is what whoever acts at the first interval that leaves zero does: 1 to
// ship, −1 to roll back, 0 for neither.
func (s *series) fixed(last int) int {
	for d := 1; d <= last; d++ {
		at, ok := s.byDay(d)
		if !ok {
			continue
		}
		c := stats.Compare([]stats.Stratum{{Control: stats.Mean(at[0]), Treatment: stats.Mean(at[1])}}, stats.Options{})
		switch {
		case c.Refused != nil:
		case c.Fixed.Low > 0:
			return 1
		case c.Fixed.High < 0:
			return -1
		}
	}
	return 0
}
