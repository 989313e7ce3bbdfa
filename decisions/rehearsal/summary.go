package rehearsal

import (
	"context"
	"errors"
	"math"
	"slices"
	"time"

	"github.com/sluice-hq/sluice/decisions"
)

// Report is what a rehearsal found, scenario by scenario.
type Report struct {
	Flag        string    `json:"flag"`
	Environment string    `json:"environment"`
	Seed        uint64    `json:"seed"`  // the first
	Seeds       int       `json:"seeds"` // of each scenario
	Scenarios   []Summary `json:"scenarios"`
	Expected    []Met     `json:"expected,omitempty"`
}

// Met is an expectation, and whether it was met.
type Met struct {
	Expect   Expectation `json:"expect"`
	Scenario string      `json:"scenario"`
	Share    float64     `json:"share"` // of the seeds in which it holds
	OK       bool        `json:"ok"`
}

// OK reports whether every expectation was met.
func (r Report) OK() bool {
	return !slices.ContainsFunc(r.Expected, func(m Met) bool { return !m.OK })
}

// Summary is what the runs of one scenario have in common.
type Summary struct {
	Scenario    Scenario    `json:"scenario"` // with its defaults
	Runs        int         `json:"runs"`
	Ended       map[End]int `json:"ended"`       // runs by how they ended
	Alarms      int         `json:"alarms"`      // runs that were paused or rolled back before anything was wrong
	Rollbacks   int         `json:"rollbacks"`   // runs that were rolled back
	Ships       int         `json:"ships"`       // runs in which the treatment came to everybody, whatever followed
	Undisturbed int         `json:"undisturbed"` // runs that came to the end of the stage that decides without Pause, Rollback or an earlier Review
	Detected    int         `json:"detected"`    // runs that were paused or rolled back after the fault began
	Detection   Spread      `json:"detection"`   // hours from the fault to that
	Shipping    Spread      `json:"shipping"`    // hours from the start until the treatment came to everybody
	Treated     Spread      `json:"treated"`     // units
	Harmed      Spread      `json:"harmed"`      // units
	Extra       Spread      `json:"extra"`       // of the harmed metric, in its unit
	Blind       int         `json:"blind,omitempty"`
	Fixed       *FixedRuns  `json:"fixed,omitempty"`
	First       Run         `json:"first"` // the run of the first seed, decision by decision
}

// FixedRuns is what the fixed rule came to on the same seeds.
type FixedRuns struct {
	Stopped int    `json:"stopped"`
	Harmed  Spread `json:"harmed"` // units
}

// Spread is how numbers lie: a tenth is below Low, half are below Middle, a
// tenth is above High.
type Spread struct {
	N      int     `json:"n"`
	Low    float64 `json:"low"`
	Middle float64 `json:"middle"`
	High   float64 `json:"high"`
	Mean   float64 `json:"mean"`
}

// spreadOf takes the numbers; it sorts them.
func spreadOf(x []float64) Spread {
	if len(x) == 0 {
		return Spread{}
	}
	slices.Sort(x)
	at := func(share float64) float64 { return x[int(math.Ceil(share*float64(len(x))))-1] }
	s := Spread{N: len(x), Low: at(0.1), Middle: at(0.5), High: at(0.9)}
	for _, v := range x {
		s.Mean += v / float64(len(x))
	}
	return s
}

// Summarize says what the runs of a scenario have in common.
func (r Rehearsal) Summarize(sc Scenario, runs []Run) Summary {
	r = r.whole()
	s := Summary{Scenario: sc.fill(r), Runs: len(runs), Ended: map[End]int{}}
	if len(runs) > 0 {
		s.First = runs[0]
	}
	numbers := map[*Spread][]float64{}
	add := func(to *Spread, x float64) { numbers[to] = append(numbers[to], x) }
	for _, run := range runs {
		s.tally(r, run)
		if after, ok := run.Detected(); ok {
			add(&s.Detection, after.Hours())
		}
		if after, ok := run.First(decisions.Ship); ok {
			add(&s.Shipping, after.Hours())
		}
		add(&s.Treated, float64(run.Treated))
		add(&s.Harmed, float64(run.Harmed))
		add(&s.Extra, run.Extra)
	}
	for to, x := range numbers {
		*to = spreadOf(x)
	}
	s.Fixed = fixedOf(runs)
	return s
}

// tally counts one run.
func (s *Summary) tally(r Rehearsal, run Run) {
	count := func(n *int, when bool) {
		if when {
			*n++
		}
	}
	_, back := run.First(decisions.Rollback)
	_, shipped := run.First(decisions.Ship)
	_, detected := run.Detected()
	s.Ended[run.Ended]++
	s.Blind += run.Blind
	count(&s.Alarms, run.Alarmed())
	count(&s.Rollbacks, back)
	count(&s.Ships, shipped)
	count(&s.Detected, detected)
	count(&s.Undisturbed, r.undisturbed(run))
}

// undisturbed reports whether a run came to the end of the stage that decides,
// and nobody was asked before: it was shipped, or under review when the stage's
// longest window was over.
func (r Rehearsal) undisturbed(run Run) bool {
	window, stage := r.deciding()
	entered := time.Duration(-1)
	for _, d := range run.Decisions {
		switch {
		case d.Action == decisions.Ship:
			return true
		case d.Action == decisions.Pause || d.Action == decisions.Rollback:
			return false
		case d.Action == decisions.Expand && d.To == stage.Name:
			entered = time.Duration(d.After)
		case d.Action == decisions.Review:
			return entered >= 0 && time.Duration(d.After)-entered >= window
		}
	}
	return false
}

// deciding returns the stage that decides, and its longest window.
func (r Rehearsal) deciding() (window time.Duration, s decisions.Stage) {
	for _, s := range r.Plan.Stages {
		if s.Kind() == decisions.Decide {
			return time.Duration(s.MaxWindow), s
		}
	}
	return 0, decisions.Stage{}
}

func fixedOf(runs []Run) *FixedRuns {
	var out FixedRuns
	var harmed []float64
	for _, run := range runs {
		if run.Fixed == nil {
			return nil
		}
		if run.Fixed.Stopped {
			out.Stopped++
		}
		harmed = append(harmed, float64(run.Fixed.Harmed))
	}
	out.Harmed = spreadOf(harmed)
	return &out
}

// Report carries out every scenario with every seed, and holds what comes of it
// against what is expected. The scenarios of the plan are those of Scenarios when
// none are given.
func (r Rehearsal) Report(ctx context.Context, scenarios []Scenario, seeds Seeds, expected []Expectation) (Report, error) {
	r = r.whole()
	if len(scenarios) == 0 {
		scenarios = r.Scenarios()
	}
	out := Report{Flag: r.Plan.Flag, Environment: r.Plan.Environment, Seed: seeds.From, Seeds: seeds.Count, Scenarios: []Summary{}}
	filled := make([]Scenario, len(scenarios))
	for i, s := range scenarios {
		filled[i] = s.fill(r)
	}
	if err := errors.Join(r.Validate(), r.Check(scenarios), expectable(expected, filled)); err != nil {
		return out, err
	}
	for _, s := range filled {
		runs, err := r.Runs(ctx, s, seeds)
		if err != nil {
			return out, err
		}
		out.Scenarios = append(out.Scenarios, r.Summarize(s, runs))
		for _, e := range expected {
			if e.about(s) {
				out.Expected = append(out.Expected, e.judge(r, s, runs))
			}
		}
	}
	return out, nil
}
