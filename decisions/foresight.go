package decisions

import (
	"math"

	"github.com/sluice-hq/sluice/stats"
)

// foresight goes through a plan at the traffic of the past.
type foresight struct {
	Rollout
	past    Past
	metrics map[string]expectation
	now     float64  // days since the start
	steps   []raised // how the share of the treatment grew
	insists bool     // that a stage which is late is left at the end of its window
}

// raised is that the share of the treated units, and of as large a control, was
// raised by so much on a day.
type raised struct {
	day, by float64
}

// units returns how many units each arm has on a day of the rollout, of those
// who came at least so many days before. Whoever is enrolled from a later day on
// counts from when he first comes then.
func (f *foresight) units(day, age float64) float64 {
	n := 0.0
	for _, s := range f.steps {
		n += s.by * f.past.Traffic.By(day-s.day-age)
	}
	return n
}

// enrol raises the share that the plan gives the treatment.
func (f *foresight) enrol(s Stage) {
	share := s.Treatment.Fraction()
	if l := f.Plan.Layer; l != nil {
		share *= l.Share.Fraction()
	}
	for _, before := range f.steps {
		share -= before.by
	}
	if share > 0 {
		f.steps = append(f.steps, raised{f.now, share})
	}
}

// stage foresees one stage and goes on to its end.
func (f *foresight) stage(s Stage) StageOutlook {
	out := StageOutlook{Stage: s.Name, Kind: s.Kind(), Treatment: s.Exposure(), Begins: days(f.now)}
	if math.IsInf(f.now, 1) {
		return out
	}
	took := f.window(s, &out)
	if s.Compares() {
		f.enrol(s)
		took = max(took, f.compare(s, &out))
	}
	if longest := inDays(s.MaxWindow); s.Compares() && longest > 0 && took > longest {
		out.Late, took = true, longest
	}
	out.Days = days(took)
	end := f.now + took
	if s.Compares() && !math.IsInf(end, 1) {
		out.Units = int64(f.units(end, 0))
		out.Sees = f.sees(end)
		f.reach(out.Asks, took, end)
	}
	f.now = end
	if out.Late && !f.insists { // whether it goes on is for a person to say
		f.now = math.Inf(1)
	}
	return out
}

// window is how long the stage takes whatever comes.
func (f *foresight) window(s Stage, out *StageOutlook) float64 {
	out.Waits = "window"
	if s.Kind() == Full {
		return inDays(s.Observe)
	}
	return inDays(s.MinWindow)
}

// compare foresees what a stage asks of the data, and returns when it has it.
func (f *foresight) compare(s Stage, out *StageOutlook) float64 {
	longest := inDays(s.MinWindow)
	wait := func(days float64, what string) {
		if days > longest {
			longest, out.Waits = days, what
		}
	}
	wait(f.until(float64(s.MinUnits), 0), "units")
	out.Asks = f.asks(s)
	success := math.Inf(1)
	for _, a := range out.Asks {
		took := math.Inf(1)
		if a.Days != nil {
			took = *a.Days
		}
		if a.Asks == asksSuccess {
			success = min(success, took)
			continue
		}
		wait(took, a.Asks+" "+a.Metric)
	}
	if s.Kind() == Decide && len(f.Plan.Metrics.Success) > 0 { // one that is better is enough
		wait(success, asksSuccess)
	}
	return longest
}

// until returns how many days of the present stage it takes until each arm has
// so many units of an age.
func (f *foresight) until(units, age float64) float64 {
	return stats.Until(units, func(days float64) float64 { return f.units(f.now+days, age) })
}
