package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
	"github.com/sluice-hq/sluice/stats"
)

// metrics is how many each plan names.
const metrics = 10

// folding is a log that its projection follows event by event.
type folding struct {
	*event.MemLog
	house *event.Projection
}

// Append implements event.Log.
func (l folding) Append(ctx context.Context, e event.Event, expect event.Expect) (uint64, error) {
	seq, err := l.MemLog.Append(ctx, e, expect)
	if err == nil {
		err = l.house.Catch(ctx, l.MemLog)
	}
	return seq, err
}

// house is a controller and the rollouts that it looks at.
type house struct {
	ctx        context.Context
	log        folding
	flags      *flags.State
	state      *decisions.State
	facts      decisions.MemFacts
	controller *decisions.Controller
	rng        *rand.Rand
	now        time.Time
	asked, n   int
}

// Evidence implements decisions.Facts.
func (h *house) Evidence(ctx context.Context, r decisions.Rollout, now time.Time) (decisions.Evidence, error) {
	h.asked++
	return h.facts.Evidence(ctx, r, now)
}

func metric(key string) (stats.Metric, bool) {
	return stats.Metric{Key: key, Event: key, Aggregate: stats.Conversion, Direction: stats.Increase, GateWindow: time.Second}, true
}

// newHouse plans and starts n rollouts.
func newHouse(ctx context.Context, n int) (*house, error) {
	h := &house{ctx: ctx, flags: flags.NewState(), rng: rand.New(rand.NewPCG(1, 1)), now: time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)}
	h.state = decisions.NewState(decisions.Known{Metric: metric, Flag: h.flags.Flag, Segment: h.flags.Segment, FreeSlice: h.flags.FreeSlice})
	h.log = folding{event.NewMemLog(), event.NewProjection(h.flags, h.state)}
	h.controller = &decisions.Controller{Log: h.log, Blobs: &event.MemBlobs{}, House: h.log.house, Flags: h.flags, State: h.state, Facts: h, Marks: h.facts.Mark}
	for i := range n {
		if err := h.begin(fmt.Sprintf("shop.f%04d", i)); err != nil {
			return nil, fmt.Errorf("beginning rollout %d: %w", i, err)
		}
	}
	return h, nil
}

func (h *house) write(e event.Event, expect event.Expect, err error) error {
	if err == nil {
		_, err = h.log.Append(h.ctx, e, expect)
	}
	return err
}

func (h *house) id() event.ID { h.n++; return event.Derive("bench", fmt.Sprint(h.n)) }

// begin defines a flag, and plans and starts its rollout.
func (h *house) begin(key string) error {
	f := flags.Flag{
		Key: key, Purpose: flags.Release, Owner: "shop", Type: flags.Boolean, Unit: "user", Default: "off", Safe: "off",
		Variants: flags.Variants{"on": []byte("true"), "off": []byte("false")}, Cleanup: &flags.Cleanup{Due: event.Duration(time.Hour), EndState: flags.Promote},
		Environments: map[string]flags.Environment{"production": {Enabled: true}},
	}
	err := h.write(h.flags.Handle(flags.Command{ID: h.id(), Key: key, Expect: event.Any, At: h.now, Actor: "person:ana", Changes: []flags.Change{{Op: flags.Define, Flag: &f}}}))
	if err != nil {
		return err
	}
	p := plan(key)
	for _, c := range []decisions.Command{{Op: decisions.OpPlan, Plan: &p}, {Op: decisions.OpStart}} {
		c.ID, c.Environment, c.Flag, c.Expect, c.At, c.Actor = h.id(), "production", key, event.Any, h.now, "person:ana"
		if err := h.write(h.state.Handle(c)); err != nil {
			return err
		}
	}
	return nil
}

// plan has one success metric and guardrails.
func plan(key string) decisions.Plan {
	margin := decisions.Percent(5000)
	p := decisions.Plan{
		Flag: key, Environment: "production", Owner: "shop", Unit: "user", Arms: decisions.Arms{Control: "off", Treatment: "on"},
		Metrics: decisions.Metrics{Success: []decisions.Success{{Metric: "m0", MDE: 2000}}},
		Stages:  []decisions.Stage{{Name: "experiment", Treatment: 50_000, Decide: true}},
		Cleanup: &decisions.CleanupPlan{Due: decisions.Window(time.Hour), EndState: "promote"},
	}
	for i := 1; i < metrics; i++ {
		p.Metrics.Guardrails = append(p.Metrics.Guardrails, decisions.Guardrail{Metric: fmt.Sprint("m", i), Margin: &margin})
	}
	return p
}

// come moves the clock a minute on and lets n units of both arms come to every
// rollout in so many. Telemetry is fresh in any case.
func (h *house) come(n int64, every int) {
	h.now = h.now.Add(time.Minute)
	at := h.now.Add(-2 * time.Second)
	for i, r := range h.state.Rollouts() {
		if r.Stage < 0 || n == 0 || i%every != 0 {
			continue
		}
		for _, arm := range []string{"off", "on"} {
			b := decisions.Batch{ID: arm + at.String(), Epoch: 1, Stage: "experiment", Arm: arm, At: at, Units: n, Samples: map[string]stats.Sample{}, Newest: map[string]time.Time{}}
			for _, key := range r.Plan.Measured() {
				b.Samples[key], b.Newest[key] = stats.Proportion(n, n/4+h.rng.Int64N(n/50+1)), at
			}
			h.facts.Add(r.ID, b)
		}
	}
}

// decisions returns how many have been made.
func (h *house) decisions() (n int) {
	for _, r := range h.state.Rollouts() {
		n += len(r.Decisions)
	}
	return n
}
