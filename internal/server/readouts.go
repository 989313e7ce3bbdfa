package server

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
	"github.com/sluice-hq/sluice/ingest"
	"github.com/sluice-hq/sluice/stats"
)

// Readouts counts what the data say of a rollout, and remembers what they said
// at every look of the controller.
type Readouts interface {
	// Readout counts now, and of the same units what is asked for beside.
	Readout(ctx context.Context, r decisions.Rollout, c Closer, now time.Time) (decisions.Evidence, Close, error)
	// Looks returns the looks at a rollout that are not younger than a time, the
	// newest first, at most limit.
	Looks(ctx context.Context, rollout string, until time.Time, limit int) ([]decisions.Look, error)
	// Moments returns when all looks were that are not younger than a time, the
	// oldest first, without what they saw.
	Moments(ctx context.Context, rollout string, until time.Time) ([]decisions.Look, error)
	// LooksAt returns the looks at some times, the oldest first, with the units and
	// one metric alone of all that they saw.
	LooksAt(ctx context.Context, rollout, metric string, at []time.Time) ([]decisions.Look, error)
	// CodeDefaults returns the exposures under a rollout that met another variant
	// than the safe one by the default in the code, by SDK.
	CodeDefaults(ctx context.Context, r decisions.Rollout, safe string) ([]ingest.CodeDefault, error)
	// TwoArms returns units that saw two arms in one epoch, at most limit, behind
	// one of an epoch: those of a list begin behind unit 0 of epoch 0.
	TwoArms(ctx context.Context, r decisions.Rollout, epoch int, unit uint64, limit int) ([]ingest.TwoArms, error)
}

var errNoReadouts = fmt.Errorf("this replica answers no readouts: %w", errNoSuch)

type readoutIn struct {
	RolloutPath
	CloserQuery
	At time.Time `query:"at" doc:"the numbers as they were at the newest look up to this time; now when absent" example:"2027-01-31T09:00:00Z"`
}

// ReadoutView is what the data say of a rollout.
type ReadoutView struct {
	Rollout  string             `json:"rollout"`
	Look     *LookView          `json:"look,omitempty" doc:"the look whose numbers these are; absent: they were counted now"`
	Evidence decisions.Evidence `json:"evidence" doc:"with the watermark, by shard, and the queries behind the numbers"`
	Asked    event.Hash         `json:"asked" doc:"SHA-256 over the hashes of the queries"`

	Forecast []decisions.Forecast `json:"forecast,omitempty" doc:"when the tests have the information that they were planned with, at the pace so far"`

	Warnings     []string             `json:"warnings,omitempty" doc:"what should be looked at, one sentence each; of a look only what its evidence says"`
	CodeDefaults []ingest.CodeDefault `json:"codeDefaults,omitempty" doc:"senders whose default in code is not the flag's safe variant"`

	Balance    []BalanceView   `json:"balance,omitempty" doc:"the arms before the first exposure of their units, of metrics with a baseline; of now alone, like all below"`
	Breakdowns []BreakdownView `json:"breakdowns,omitempty" doc:"the metrics in every segment of an attribute; nothing of it decides"`
	Novelty    []NoveltyView   `json:"novelty,omitempty" doc:"the metrics day by day since first exposure"`
	Ratios     []RatioView     `json:"ratios,omitempty" doc:"the sample ratio by day of first exposure, and in every segment of an attribute"`
	Influence  []InfluenceView `json:"influence,omitempty" doc:"the metrics with and without the unit of the largest value"`

	Queries []decisions.Query `json:"queries,omitempty" doc:"behind breakdowns, novelty and influence; those behind the evidence are with it"`
}

type readoutOut struct{ Body ReadoutView }

// getReadout counts now: every unit that is old enough, whatever has become of
// the rollout. With a time it returns what was counted then.
func (s *server) getReadout(ctx context.Context, in *readoutIn) (*readoutOut, error) {
	v, err := s.view(in.String())
	if err != nil {
		return nil, err
	}
	if s.Readouts == nil {
		return nil, errNoReadouts
	}
	out := &readoutOut{ReadoutView{Rollout: v.Rollout.ID}}
	if in.At.IsZero() {
		err = s.count(ctx, v.Rollout, in.CloserQuery, &out.Body)
	} else {
		err = s.recall(ctx, v.Rollout, in, &out.Body)
	}
	out.Body.Asked, out.Body.Forecast = out.Body.Evidence.Asked(), v.Rollout.Forecast(out.Body.Evidence)
	return out, err
}

// count counts now, and looks for what the numbers do not show.
func (s *server) count(ctx context.Context, r decisions.Rollout, in CloserQuery, v *ReadoutView) error {
	c, err := in.closer(r)
	if err != nil {
		return err
	}
	var found Close
	if v.Evidence, found, err = s.Readouts.Readout(ctx, r, c, s.Now()); err != nil || r.Started.IsZero() {
		return err
	}
	v.Warnings = r.Astray(v.Evidence)
	v.closer(c, found)
	v.ratios(r, c, found)
	v.balance(r)
	var f flags.Recorded
	s.Projection.View(func(uint64) { f, _ = s.Flags.Flag(r.Plan.Flag) })
	v.CodeDefaults, err = s.Readouts.CodeDefaults(ctx, r, f.Safe)
	for _, c := range v.CodeDefaults {
		v.Warnings = append(v.Warnings, c.Text())
	}
	return err
}

// recall reads the numbers of a look.
func (s *server) recall(ctx context.Context, r decisions.Rollout, in *readoutIn, v *ReadoutView) error {
	if in.asks() {
		return event.Invalids{{Path: "at", Value: in.At.Format(time.RFC3339), Why: "is a look, which keeps neither segments nor days nor units", Fix: "leave out by, days, largest and ratio, or at"}}
	}
	seen, err := s.lookAt(ctx, r.ID, in.At)
	if err != nil {
		return err
	}
	look := viewLook(seen)
	v.Look, v.Evidence = &look, seen.Evidence
	v.Warnings = r.Astray(v.Evidence)
	return nil
}

// lookAt returns the look that was the newest at a time.
func (s *server) lookAt(ctx context.Context, rollout string, at time.Time) (decisions.Look, error) {
	if s.Readouts == nil {
		return decisions.Look{}, errNoReadouts
	}
	looks, err := s.Readouts.Looks(ctx, rollout, at, 1)
	if err != nil {
		return decisions.Look{}, err
	}
	if len(looks) == 0 {
		return decisions.Look{}, fmt.Errorf("a look at rollout %s up to %s: %w", rollout, at.Format(time.RFC3339), errNoSuch)
	}
	return looks[0], nil
}

// LookView is one look in a list of them: what was thought, and the numbers of
// each metric.
type LookView struct {
	At        time.Time                  `json:"at"`
	Stage     string                     `json:"stage,omitempty" doc:"that the rollout was in"`
	Action    decisions.Action           `json:"action" doc:"what the verdict was"`
	Reason    string                     `json:"reason"`
	Decision  string                     `json:"decision,omitempty" doc:"id, when the verdict was recorded"`
	Watermark map[string]decisions.Place `json:"watermark,omitempty" doc:"by shard: the facts that are counted in it"`
	Asked     event.Hash                 `json:"asked" doc:"SHA-256 over the hashes of the queries; zeros when they were not kept"`
	Units     int64                      `json:"units" doc:"of all arms, the quarantined left out"`
	Arms      map[string]int64           `json:"arms,omitempty" doc:"the same by variant, over all stages"`
	Metrics   []LookedAt                 `json:"metrics"`
}

// LookedAt is one metric at one look.
type LookedAt struct {
	Metric    string         `json:"metric"`
	Control   float64        `json:"control" doc:"level of the control arm"`
	Treatment float64        `json:"treatment"`
	Lift      float64        `json:"lift" doc:"relative difference"`
	Band      stats.Interval `json:"band" doc:"that is valid at every look"`
	State     string         `json:"state,omitempty" doc:"of a guardrail"`
	Refused   string         `json:"refused,omitempty" doc:"why there are no numbers"`
}

func viewLook(l decisions.Look) LookView {
	v := LookView{
		At: l.At, Stage: l.Stage, Action: l.Verdict.Action, Reason: l.Verdict.Reason, Decision: l.Decision,
		Watermark: l.Evidence.Watermark, Asked: l.Evidence.Asked(), Metrics: []LookedAt{}, Arms: map[string]int64{},
	}
	for _, c := range l.Evidence.Units {
		v.Units += c.N
		v.Arms[c.Arm] += c.N
	}
	for _, m := range l.Evidence.Metrics {
		v.Metrics = append(v.Metrics, lookedAt(m))
	}
	return v
}

func lookedAt(m decisions.Measured) LookedAt {
	v := LookedAt{Metric: m.Metric}
	switch c := m.Comparison; {
	case c == nil:
		v.Refused = "there were no data"
	case c.Refused != nil:
		v.Refused = c.Refused.Error()
	default:
		v.Control, v.Treatment, v.Lift, v.Band = c.Control.Mean, c.Treatment.Mean, c.Estimate, c.Band
	}
	v.State = string(m.State())
	return v
}

type looksIn struct {
	RolloutPath
	Page
	Until time.Time `query:"until" doc:"looks up to this time; all when absent"`
}

type looksOut struct {
	Link string `header:"Link" doc:"the next page"`
	Body struct {
		Looks []LookView `json:"looks" doc:"newest first"`
		Next  string     `json:"next,omitempty" doc:"cursor of the next page"`
	}
}

// listLooks lists what the controller saw and thought, look by look.
func (s *server) listLooks(ctx context.Context, in *looksIn) (*looksOut, error) {
	v, err := s.view(in.String())
	if err != nil {
		return nil, err
	}
	if s.Readouts == nil {
		return nil, errNoReadouts
	}
	until, err := in.until(s.Now())
	if err != nil {
		return nil, err
	}
	looks, err := s.Readouts.Looks(ctx, v.Rollout.ID, until, in.Limit+1)
	if err != nil {
		return nil, err
	}
	views := make([]LookView, len(looks))
	for i, l := range looks {
		views[i] = viewLook(l)
	}
	out := &looksOut{}
	page, next, err := cut(in.Page, byMoment, views)
	out.Body.Looks, out.Body.Next, out.Link = page, next.cursor, next.link
	return out, err
}

var byMoment = newest("looks", func(l LookView) uint64 { return uint64(l.At.UnixMilli()) })

// until returns the time up to which the page's looks are: there are too many
// to read them all for each page.
func (in *looksIn) until(now time.Time) (time.Time, error) {
	until := in.Until
	if until.IsZero() {
		until = now
	}
	place, err := in.from(byMoment.list)
	if err != nil || place == "" {
		return until, err
	}
	ms, err := strconv.ParseInt(place, 10, 64)
	if err != nil {
		return until, in.noCursor()
	}
	return time.UnixMilli(ms - 1).UTC(), nil
}
