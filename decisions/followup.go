package decisions

import (
	"fmt"
	"math"
	"time"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/stats"
)

// FollowUp is the look at a change some time after it was decided for good:
// whether its effect held.
type FollowUp struct {
	After   event.Duration `json:"after"` // the final decision
	Metrics []Followed     `json:"metrics"`

	At       time.Time  `json:"at,omitzero"`       // by the log
	Evidence event.Blob `json:"evidence,omitzero"` // that it rests on
}

// Followed is one metric then and now.
type Followed struct {
	Metric string  `json:"metric"`
	Held   Held    `json:"held"`
	Then   *Effect `json:"then,omitempty"` // as the last comparison of the rollout said; nil: there was none
	Now    *Effect `json:"now,omitempty"`  // of the units that came since everybody has the treatment; nil: none came
	Text   string  `json:"text"`
}

// Effect is what a metric was like in both arms.
type Effect struct {
	Control        int64    `json:"control"` // units
	Treatment      int64    `json:"treatment"`
	ControlLevel   *float64 `json:"controlLevel,omitempty"` // nil: nobody has control
	TreatmentLevel *float64 `json:"treatmentLevel,omitempty"`
	Lift           *float64 `json:"lift,omitempty"` // relative; nil: there is nothing to compare with
	Low            *float64 `json:"low,omitempty"`  // 95 %, valid at every look; nil: open
	High           *float64 `json:"high,omitempty"`
}

// Held says what became of an effect.
type Held string

// What can become of an effect.
const (
	HeldOn   Held = "held"     // still there, on the same side
	Faded    Held = "faded"    // smaller than it was, by more than chance
	Reversed Held = "reversed" // on the other side now
	Untold   Held = "untold"   // the data of now do not say
)

// followsUp reports whether a later look is due: the change serves everybody, its
// plan asks for one, and none was taken.
func (r Rollout) followsUp(now time.Time) bool {
	return r.owesLook() && !now.Before(r.followUpDue())
}

// owesLook reports whether the later look is still to come.
func (r Rollout) owesLook() bool {
	return r.Status == CleanupDue && r.Plan.FollowUp > 0 && r.Followed == nil
}

func (r Rollout) followUpDue() time.Time { return r.Ended.Add(time.Duration(r.Plan.FollowUp)) }

// FollowUp compares what the last decision rested on with what is counted now.
// Now are the units that came in the full stage alone: those of before have had
// their say.
func (r Rollout) FollowUp(then, now Evidence) FollowUp {
	f := FollowUp{After: event.Duration(now.At.Sub(r.Ended)), Metrics: []Followed{}}
	full := r.stageName(len(r.Plan.Stages) - 1)
	for _, key := range r.Plan.deciding() {
		a, _ := then.Metric(key)
		b, _ := now.Metric(key)
		one := Followed{Metric: key, Then: effect(inStages(a.Strata, full, false)), Now: effect(inStages(b.Strata, full, true))}
		one.Held = held(one.Then, one.Now)
		one.Text = one.text(r.Plan)
		f.Metrics = append(f.Metrics, one)
	}
	return f
}

// inStages returns the strata of the full stage, or all others.
func inStages(all []stats.Stratum, full string, want bool) (out []stats.Stratum) {
	for _, s := range all {
		if (s.Stage == full) == want {
			out = append(out, s)
		}
	}
	return out
}

// effect compares the arms of strata; nil when they hold nobody.
func effect(strata []stats.Stratum) *Effect {
	var e Effect
	for _, s := range strata {
		e.Control, e.Treatment = e.Control+s.Control.N, e.Treatment+s.Treatment.N
	}
	if e.Control+e.Treatment == 0 {
		return nil
	}
	c := stats.Compare(strata, stats.Options{Relative: true})
	if c.Refused != nil {
		return &e
	}
	e.ControlLevel, e.TreatmentLevel = finite(c.Control.Mean), finite(c.Treatment.Mean)
	e.Lift, e.Low, e.High = finite(c.Estimate), finite(c.Band.Low), finite(c.Band.High)
	return &e
}

// finite returns what JSON can hold.
func finite(x float64) *float64 {
	if math.IsInf(x, 0) || math.IsNaN(x) {
		return nil
	}
	return &x
}

// held judges by the interval of now: the effect held when that lies on the side
// on which it was, faded when it excludes what it was.
func held(then, now *Effect) Held {
	if then == nil || now == nil || then.Lift == nil || now.Low == nil || now.High == nil {
		return Untold
	}
	up, low, high := *then.Lift > 0, *now.Low, *now.High
	switch {
	case up && high < 0 || !up && low > 0:
		return Reversed
	case up && high < *then.Lift || !up && low > *then.Lift:
		return Faded
	case up && low > 0 || !up && high < 0:
		return HeldOn
	}
	return Untold
}

func (f Followed) text(p Plan) string {
	var now string
	switch n := f.Now; {
	case n == nil:
		now = "no unit came since"
	case n.Control == 0:
		now = fmt.Sprintf("%s units came since and nobody kept %s, so that there is nothing to compare with; a holdback would be", count(n.Treatment), p.Arms.Control)
	case n.Lift == nil:
		now = fmt.Sprintf("%s units came since, too few to compare", count(n.Control+n.Treatment))
	default:
		now = fmt.Sprintf("now %s among %s units", n.words(), count(n.Control+n.Treatment))
	}
	if f.Then == nil || f.Then.Lift == nil {
		return fmt.Sprintf("%s was not compared then; %s", f.Metric, now)
	}
	return fmt.Sprintf("%s was %s then; %s", f.Metric, f.Then.words(), now)
}

// words writes a lift with its interval: "4.3 % (1.7 % to 6.9 %)".
func (e Effect) words() string {
	bound := func(x *float64, open string) string {
		if x == nil {
			return open
		}
		return percent(*x)
	}
	return fmt.Sprintf("%s (%s to %s)", percent(*e.Lift), bound(e.Low, "−∞"), bound(e.High, "∞"))
}
