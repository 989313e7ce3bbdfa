package decisions

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
	"github.com/sluice-hq/sluice/stats"
)

type ctx = context.Context

// The people of the tests.
const ana, lee = "person:ana", "person:lee"

// house is the loop on memory parts: log, blobs, folds, facts and a clock that
// only the test moves.
type house struct {
	t     testing.TB
	ctx   context.Context
	log   event.Log
	blobs *event.MemBlobs
	facts *MemFacts
	now   time.Time
	looks []Look
	// witness says how far rollbacks come; nil: they are not proven
	witness Witness
	// past is what scheduled starts are held against; nil: nothing
	past   PastOf
	steady *Controller // takes every step; nil: each is another's
	part
}

// part is one process of the house: its own folds of the one log.
type part struct {
	flags *flags.State
	state *State
	seals *event.Seals
	proj  *event.Projection
}

var declared = map[string]stats.Metric{
	"day_1_retention":  conversion("day_1_retention", stats.Increase),
	"day_7_retention":  conversion("day_7_retention", stats.Increase),
	"support_contacts": conversion("support_contacts", stats.Decrease),
	"rounds":           {Key: "rounds", Event: "rounds", Aggregate: stats.Sum, Direction: stats.Increase, GateWindow: time.Second},
	"latency":          {Key: "latency", Event: "latency", Aggregate: stats.Average, Direction: stats.Decrease, UnitOfMeasure: "ms", GateWindow: time.Second},
	"latency_p95":      {Key: "latency_p95", Event: "latency", Aggregate: stats.Quantile, Nu: 0.95, Direction: stats.Decrease, UnitOfMeasure: "ms"},
	"per_round":        {Key: "per_round", Event: "purchase", Aggregate: stats.Ratio, Denominator: &stats.Source{Event: "round"}, Direction: stats.Increase},
	"crashes":          {Key: "crashes", Event: "crash", Aggregate: stats.Failures, Direction: stats.Decrease, Rate: 0.001},
	"upsets":           {Key: "upsets", Event: "upset", Aggregate: stats.Failures, Direction: stats.Increase},
}

func conversion(key string, d stats.Direction) stats.Metric {
	return stats.Metric{Key: key, Event: key, Aggregate: stats.Conversion, Direction: d, GateWindow: time.Second}
}

func metric(key string) (stats.Metric, bool) { m, ok := declared[key]; return m, ok }

func newHouse(t testing.TB) *house {
	h := &house{
		t: t, log: event.NewMemLog(), blobs: &event.MemBlobs{}, facts: &MemFacts{},
		now: time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC),
	}
	ctx, stop := context.WithCancel(context.Background())
	t.Cleanup(stop)
	h.ctx = ctx
	h.part = h.open(h.log)
	h.define("gate")
	return h
}

// open starts one more process on the log.
func (h *house) open(log event.Log) part {
	p := parts()
	go func() { _ = p.proj.Run(h.ctx, log) }()
	return p
}

// parts are folds before the first event, which somebody has to keep up.
func parts() part {
	p := part{flags: flags.NewState(), seals: &event.Seals{}}
	p.state = NewState(Known{Metric: metric, Flag: p.flags.Flag, Segment: p.flags.Segment, FreeSlice: p.flags.FreeSlice, Policy: p.flags.Releases, Owner: owner})
	p.proj = event.NewProjection(p.flags, p.state, p.seals)
	return p
}

// controller returns one over the parts of p.
func (h *house) controller(p part, log event.Log) *Controller {
	return &Controller{
		Log: log, Blobs: h.blobs, House: p.proj, Flags: p.flags, State: p.state, Seals: p.seals, Facts: h.facts, Witness: h.witness, Past: h.past,
		Looks: func(_ context.Context, l Look) error { h.looks = append(h.looks, l); return nil },
	}
}

func (h *house) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) write(e event.Event, expect event.Expect, err error) {
	h.t.Helper()
	h.must(err)
	seq, err := h.log.Append(h.ctx, e, expect)
	h.must(err)
	h.must(h.proj.Wait(h.ctx, seq))
}

func (h *house) id(parts ...string) event.ID {
	return event.Derive(append(parts, h.now.String(), fmt.Sprint(h.proj.Seq()))...)
}

func (h *house) define(key string) {
	h.t.Helper()
	f := flags.Flag{
		Key: key, Purpose: flags.Release, Owner: "games", Type: flags.Number,
		Variants: flags.Variants{"gate_30": []byte("30"), "gate_40": []byte("40")},
		Default:  "gate_30", Safe: "gate_30", Unit: "user", Cleanup: &flags.Cleanup{Due: event.Duration(time.Hour), EndState: flags.Promote},
		Environments: map[string]flags.Environment{"production": {Enabled: true}},
	}
	h.flag(key, flags.Change{Op: flags.Define, Flag: &f})
}

// flag is a person's command to a flag.
func (h *house) flag(key string, changes ...flags.Change) {
	h.t.Helper()
	e, expect, err := h.flags.Handle(flags.Command{
		ID: h.id("flag", key), Key: key, Expect: event.Any, At: h.now, Actor: ana, Changes: changes,
	})
	h.write(e, expect, err)
}

// do is a person's command to the rollout of flag gate.
func (h *house) do(c Command) {
	h.t.Helper()
	e, expect, err := h.try(c)
	h.write(e, expect, err)
}

func (h *house) try(c Command) (event.Event, event.Expect, error) {
	c.ID, c.At, c.Expect = h.id(string(c.Op), c.Actor), h.now, event.Any
	c.Environment, c.Flag = or(c.Environment, "production"), or(c.Flag, "gate")
	c.Actor = or(c.Actor, ana)
	return h.state.Handle(c)
}

// begin plans and starts a rollout, and lets the controller enter its first
// stage.
func (h *house) begin(p Plan) {
	h.t.Helper()
	h.do(Command{Op: OpPlan, Plan: &p})
	h.do(Command{Op: OpStart})
	h.step()
}

func (h *house) step() {
	h.t.Helper()
	c := h.steady
	if c == nil {
		c = h.controller(h.part, h.log)
	}
	h.must(c.Step(h.ctx, h.now))
}

func (h *house) rollout() Rollout {
	h.t.Helper()
	r, ok := h.state.Newest("production", "gate")
	if !ok {
		h.t.Fatal("there is no rollout")
	}
	return r
}

func (h *house) last() Verdict {
	h.t.Helper()
	d, ok := h.rollout().Last()
	if !ok {
		h.t.Fatal("there is no decision")
	}
	return d.Verdict
}

func (h *house) want(a Action, reason string) {
	h.t.Helper()
	if v := h.last(); v.Action != a || v.Reason != reason {
		h.t.Fatalf("last decision is %s (%s: %s), want %s (%s)", v.Action, v.Reason, v.Text, a, reason)
	}
}

func (h *house) verified() Report {
	h.t.Helper()
	r, err := Verify(h.ctx, h.log, h.blobs)
	h.must(err)
	for _, l := range []Law{r.Recompute, r.Cause, r.Effect} {
		if l.Failed != nil {
			h.t.Fatalf("law broken: %+v in %+v", *l.Failed, r)
		}
	}
	return r
}

// traffic is a source of units with given chances of each outcome per arm.
type traffic struct {
	rng   *rand.Rand
	n     int
	rates map[string][2]float64              // metric -> chance in control and in treatment
	arms  func(n int) (arm string, side int) // of the n-th unit; nil: equal arms
}

func newTraffic(rates map[string][2]float64) *traffic {
	return &traffic{rng: rand.New(rand.NewPCG(1, 2)), rates: rates}
}

// send lets n units arrive under the present stage, in equal arms, and moves
// the clock a minute on.
func (h *house) send(tr *traffic, n int) {
	r := h.rollout()
	stage, _ := r.Now()
	epoch := r.allocation(stage).Epoch
	h.now = h.now.Add(time.Minute)
	for range n {
		tr.n++
		arm, side := "gate_30", 0
		if tr.n%2 == 0 {
			arm, side = "gate_40", 1
		}
		if tr.arms != nil {
			arm, side = tr.arms(tr.n)
		}
		unit := fmt.Sprintf("u-%d", tr.n)
		at := h.now.Add(-2 * time.Second)
		h.facts.Expose(r.ID, stage.Name, epoch, arm, unit, at)
		for _, key := range sorted(tr.rates) {
			if tr.rng.Float64() < tr.rates[key][side] {
				h.facts.Record(r.ID, key, epoch, unit, 1, at)
			}
		}
	}
}

// catsPlan is the plan that moves a gate of a game from level 30 to 40.
func catsPlan() Plan {
	zero := Percent(0)
	return Plan{
		Flag: "gate", Environment: "production", Owner: "games", Unit: "user",
		Arms: Arms{Control: "gate_30", Treatment: "gate_40"},
		Metrics: Metrics{
			Success:    []Success{{Metric: "day_1_retention", MDE: 2000}},
			Guardrails: []Guardrail{{Metric: "day_7_retention", Margin: &zero, Detect: Size{Change: 4000}, OnBreach: Rollback}},
		},
		Stages: []Stage{
			{Name: "canary", Treatment: 5000, MinUnits: 1000, Exclude: map[string]Size{"day_7_retention": {Change: 50_000}}},
			{Name: "experiment", Treatment: 50_000, Decide: true},
		},
		Cleanup: &CleanupPlan{Due: Window(30 * 24 * time.Hour), EndState: "promote"},
	}
}
