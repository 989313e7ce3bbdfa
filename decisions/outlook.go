package decisions

import (
	"context"
	"math"
	"time"

	"github.com/sluice-hq/sluice/stats"
)

// Past is what the time before a rollout says of its metrics, and of who will
// come.
type Past struct {
	From    time.Time               `json:"from"`
	Until   time.Time               `json:"until"`
	Flag    string                  `json:"flag,omitempty"` // whose exposures they are; empty: of any flag
	Units   int64                   `json:"units"`          // different units that came
	Traffic stats.Traffic           `json:"traffic"`        // of units of the plan's kind
	Metrics map[string]stats.Sample `json:"metrics"`        // of those who met control alone, as gates count
	Queries []Query                 `json:"queries,omitempty"`
	Kinds   map[string]int64        `json:"kinds,omitempty"` // exposures in the environment by kind of unit, of any flag
}

// PastOf counts what units were like before a rollout, from one time up to
// another.
type PastOf func(ctx context.Context, r Rollout, from, until time.Time) (Past, error)

// Outlook is what a plan may expect of the traffic of the past: how long each of
// its stages takes when the change is harmless, and what is seen in it.
type Outlook struct {
	Past     Past           `json:"past"`
	Stages   []StageOutlook `json:"stages"`
	Days     *float64       `json:"days"` // until the last stage is reached; nil: it is not at this traffic
	Warnings []string       `json:"warnings,omitempty"`
	Power    []Curve        `json:"power,omitempty"` // what success metrics and guardrails with a margin show, day by day
}

// StageOutlook is one stage of an outlook. Days are counted from the start of
// the rollout; nil stands for never.
type StageOutlook struct {
	Stage     string   `json:"stage"`
	Kind      Kind     `json:"kind"`
	Treatment Percent  `json:"treatment,omitempty"` // share of the units
	Begins    *float64 `json:"begins"`
	Days      *float64 `json:"days"`            // that it takes
	Waits     string   `json:"waits,omitempty"` // what it waits for longest
	Late      bool     `json:"late,omitempty"`  // what it asks is not answered within its longest window: a person will be asked
	Units     int64    `json:"units,omitempty"` // of each arm at its end, those of earlier stages included
	Asks      []Asked  `json:"asks,omitempty"`
	Sees      []Seen   `json:"sees,omitempty"`
}

// Asked is one test that a stage waits for.
type Asked struct {
	Metric  string   `json:"metric"`
	Asks    string   `json:"asks"`              // exclude, margin or success
	Size    float64  `json:"size"`              // relative: harm to exclude, or effect worth finding
	Power   float64  `json:"power"`             // that it is answered for
	Units   int64    `json:"units,omitempty"`   // of each arm that it needs
	AtLeast bool     `json:"atLeast,omitempty"` // Units and Days are the least that it may take: nobody failed in the past, and the fewer fail the longer it takes
	Days    *float64 `json:"days"`              // of the stage until it has them
	Refused string   `json:"refused,omitempty"` // why that is not known
	Reach   float64  `json:"reach,omitempty"`   // harm that the stage excludes by its end instead, where it does not exclude Size
}

// Seen is what a stage sees of a guardrail by its end, with the power of 80 %:
// relative harm that is established, and harm that is excluded where there is
// none. Zero: no harm of any size is. Failures that nobody had in the past have
// no multiples: of them it tells how many stop, and which share is noticed.
type Seen struct {
	Metric   string  `json:"metric"`
	Detects  float64 `json:"detects,omitempty"`
	Excludes float64 `json:"excludes,omitempty"`
	Stops    int64   `json:"stops,omitempty"`   // treated units that fail, and none of as many in control, until the rollout stops
	Notices  float64 `json:"notices,omitempty"` // share of the treated units that fail which stops it
}

const (
	asksExclude = "exclude"
	asksMargin  = "margin"
	asksSuccess = "success"
)

// Look ahead: the warnings of an outlook.
const (
	warnNobody    = "Nobody came in the past that was looked at, so that no duration can be told"
	warnOtherFlag = "The flag has no exposures in the past: who comes is taken from those of any flag, which may be more than will meet this one"
	warnEligible  = "Who is eligible is not known of the past: who comes is everybody, so that the rollout takes longer"
	warnLimits    = "How long it takes to prove a limit is not told"
	warnServing   = "A stage that serves an audience compares nothing; it takes its shortest window"
)

// Foresee returns the outlook of a plan whose metrics are these.
func (r Rollout) Foresee(p Past) Outlook { return r.foresee(p, false) }

// foresee goes past stages whose questions are not answered in time if told so,
// as if a person had let the rollout go on.
func (r Rollout) foresee(p Past, insists bool) Outlook {
	f := &foresight{Rollout: r, past: p, metrics: map[string]expectation{}, insists: insists}
	for _, key := range r.Plan.Measured() {
		f.metrics[key] = expect(p.Metrics[key])
	}
	o := Outlook{Past: p, Stages: []StageOutlook{}, Warnings: f.warnings()}
	for _, s := range r.Plan.Stages {
		o.Stages = append(o.Stages, f.stage(s))
	}
	if last := len(o.Stages) - 1; last >= 0 {
		o.Days = o.Stages[last].Begins
	}
	o.Power = f.curves(o)
	return o
}

// expectation is what is known of a metric, or why nothing is.
type expectation struct {
	stats.Expected
	refused string
}

func expect(s stats.Sample) expectation {
	if s.N == 0 {
		return expectation{refused: "no unit of the past is old enough for it"}
	}
	e, refused := stats.Expect(s)
	if refused != nil {
		return expectation{refused: refused.Message}
	}
	return expectation{Expected: e}
}

func (f *foresight) warnings() (out []string) {
	warn := func(text string, when bool) {
		if when {
			out = append(out, text)
		}
	}
	limits, serves, some := false, false, f.Plan.Eligible != ""
	for _, g := range f.Plan.Metrics.Guardrails {
		limits = limits || g.Margin == nil
	}
	for _, s := range f.Plan.Stages {
		serves = serves || s.Kind() == Serve
		some = some || s.Compares() && s.audience(f.Plan.Unit) != nil
	}
	warn(warnNobody, f.past.Units == 0)
	warn(warnOtherFlag, f.past.Flag == "" && f.past.Units > 0)
	warn(warnEligible, some)
	warn(warnLimits, limits)
	warn(warnServing, serves)
	return append(out, f.unfailing()...)
}

// days returns a number of days for an outlook: none for never.
func days(d float64) *float64 {
	if math.IsInf(d, 1) {
		return nil
	}
	return &d
}

func inDays(w Window) float64 { return time.Duration(w).Hours() / 24 }
