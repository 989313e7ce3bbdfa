package stats

import "math"

// Days is what the units of one stratum did on each day since their first
// exposure: the joint moments of one value a day, of the units of which all
// those days are over. A unit that is younger would stand for the first days
// alone, and what differs between units would look like time.
type Days struct {
	Epoch     int    `json:"epoch"`
	Stage     string `json:"stage,omitempty"`
	Control   Joint  `json:"control"`
	Treatment Joint  `json:"treatment"`
}

// Novelty says whether the effect changes with the days since a unit's first
// exposure: what is new may please, or annoy, for its newness alone.
type Novelty struct {
	State Trend       `json:"state"`
	Days  []DayEffect `json:"days"`
	Slope Comparison  `json:"slope"` // change of the effect per day, in the metric's unit; of the straight line through all days
	Other Omnibus     `json:"other"` // whether the effect differs between days in any way
	Doubt
}

// DayEffect is the effect on one day since the first exposure.
type DayEffect struct {
	Day        int        `json:"day"` // from 0
	Comparison Comparison `json:"comparison"`
}

// Trend is where an effect goes.
type Trend string

// The trends of an effect.
const (
	Steady  Trend = "steady"  // no change is established
	Fading  Trend = "fading"  // it is farther from zero at first than at last
	Growing Trend = "growing" // it is nearer to zero at first than at last
)

const (
	methodNovelty = "the slope of each unit's days since its first exposure, compared between arms"
	assumePanel   = "the same units on every day, all of whose days are over; days of one unit may depend on each other in any way"
)

// MostDays is over how many days at most a change is looked for: longer, few
// units have all of them.
const MostDays = 60

// JudgeNovelty compares the slopes of units rather than the effects of days:
// the days of one unit depend on each other, units do not. The state rests on
// the answer that the options ask for; effects are absolute.
func JudgeNovelty(strata []Days, o Options) Novelty {
	o.Relative = false
	n := Novelty{State: Steady, Slope: Comparison{P: 1, BandP: 1, Fixed: Open(), Band: Open()}, Other: Omnibus{P: 1},
		Doubt: Doubt{Method: methodNovelty, Assumptions: []string{assumeUnits, assumePanel}}}
	if n.Refused = daysFault(strata); n.Refused != nil {
		return n
	}
	k := len(strata[0].Control.Means)
	for day := range k {
		n.Days = append(n.Days, DayEffect{Day: day, Comparison: Compare(combined(strata, only(day, k)), o)})
	}
	n.Other = differing(strata)
	if n.Slope = Compare(combined(strata, slope(k)), o); n.Slope.Refused != nil {
		n.Refused = n.Slope.Refused
		return n
	}
	n.State = trend(n.Slope, Compare(combined(strata, average(k)), o), k)
	return n
}

// daysFault says why there is nothing to compare, or returns nil.
func daysFault(strata []Days) *Refusal {
	if len(strata) == 0 {
		return refuse(TooFewUnits, "strata", "there are no data")
	}
	k := len(strata[0].Control.Means)
	if k < 2 || k > MostDays {
		return refuse(BadInput, "days", "a change takes two days or more, and 60 at most")
	}
	for _, s := range strata {
		if r := first(s.Control.daysFault("control", k), s.Treatment.daysFault("treatment", k)); r != nil {
			return r
		}
	}
	return nil
}

func (j Joint) daysFault(field string, days int) *Refusal {
	if j.N < 0 || len(j.Means) != days {
		return refuse(BadInput, field+".n", "every arm has the moments of the same days")
	}
	return j.fault(field)
}

// combined makes one value of each unit's days: the sum of the days times their
// coefficients.
func combined(strata []Days, of []float64) []Stratum {
	out := make([]Stratum, len(strata))
	for i, s := range strata {
		out[i] = Stratum{Epoch: s.Epoch, Stage: s.Stage, Control: Mean(s.Control.combined(of)), Treatment: Mean(s.Treatment.combined(of))}
	}
	return out
}

func (j Joint) combined(of []float64) Moments {
	m := Moments{N: j.N}
	for a := range of {
		m.Mean += of[a] * j.Means[a]
		for b := range of {
			m.M2 += of[a] * of[b] * j.Of(a, b)
		}
	}
	m.M2 = math.Max(0, m.M2) // rounding
	return m
}

func only(day, of int) []float64 {
	c := make([]float64, of)
	c[day] = 1
	return c
}

func average(days int) []float64 {
	c := make([]float64, days)
	for d := range c {
		c[d] = 1 / float64(days)
	}
	return c
}

// slope is the coefficients of the least-squares line through the days.
func slope(days int) []float64 {
	c := make([]float64, days)
	middle, squares := float64(days-1)/2, 0.0
	for d := range c {
		c[d] = float64(d) - middle
		squares += c[d] * c[d]
	}
	for d := range c {
		c[d] /= squares
	}
	return c
}

// trend compares the two ends of the line.
func trend(slope, mean Comparison, days int) Trend {
	if verdict(slope) == 0 {
		return Steady
	}
	half := slope.Estimate * float64(days-1) / 2
	if math.Abs(mean.Estimate-half) > math.Abs(mean.Estimate+half) {
		return Fading
	}
	return Growing
}
