package harness

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/event/eventtest"
	"github.com/sluice-hq/sluice/flags"
	"github.com/sluice-hq/sluice/ingest"
	"github.com/sluice-hq/sluice/stats"
)

// world is a house on memory parts, and the people and units around it.
type world struct {
	ctx     context.Context
	log     event.Log
	blobs   *event.MemBlobs
	facts   *decisions.MemFacts
	flags   *flags.State
	metrics *ingest.Catalog
	state   *decisions.State
	seals   *event.Seals
	house   *event.Projection
	now     time.Time
	rng     *rand.Rand // seeded: a story is the same every time
	units   int        // that came so far
	told    uint64     // sequence up to which the story has told what happened
	looked  decisions.Look
	door    *door             // nil until somebody outside knocks
	lost    float64           // share of the treated units whose exposures are lost on the way
	deaths  *eventtest.Mortal // who carries out the next step and dies in it; nil: somebody who lives
}

const environment = "production"

func newWorld(t *testing.T) *world { return newWorldOn(t, event.NewMemLog()) }

// newWorldOn is a world whose log is another one.
func newWorldOn(t *testing.T, log event.Log) *world {
	ctx, stop := context.WithCancel(context.Background())
	t.Cleanup(stop)
	w := &world{
		ctx: ctx, log: log, blobs: &event.MemBlobs{}, facts: &decisions.MemFacts{},
		flags: flags.NewState(), metrics: ingest.NewCatalog(), seals: &event.Seals{},
		now: time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC), rng: rand.New(rand.NewPCG(30, 40)),
	}
	w.state = decisions.NewState(decisions.Known{Metric: w.metrics.Metric, Flag: w.flags.Flag, Segment: w.flags.Segment, FreeSlice: w.flags.FreeSlice, Policy: w.flags.Releases})
	w.house = event.NewProjection(w.flags, w.metrics, w.state, w.seals)
	go func() { _ = w.house.Run(ctx, w.log) }()
	return w
}

// write appends what a Handle returned and waits until the house has seen it.
func (w *world) write(e event.Event, expect event.Expect, err error) error {
	if err != nil {
		return err
	}
	seq, err := w.log.Append(w.ctx, e, expect)
	if err != nil {
		return err
	}
	return w.house.Wait(w.ctx, seq)
}

// id is that of the next command.
func (w *world) id() event.ID { return event.Derive("story", fmt.Sprint(w.house.Seq())) }

// step lets the controller look; one that dies of it is followed by another.
func (w *world) step() error {
	c := decisions.Controller{
		Log: w.log, Blobs: w.blobs, House: w.house, Flags: w.flags, State: w.state, Seals: w.seals, Facts: w.facts,
		Looks: func(_ context.Context, l decisions.Look) error { w.looked = l; return nil },
	}
	if m := w.deaths; m != nil {
		dying := c
		dying.Log, dying.Blobs, w.deaths = m, m, nil
		if err := dying.Step(w.ctx, w.now); !m.Dead {
			return err
		}
	}
	return c.Step(w.ctx, w.now)
}

// rollout is the newest one there is.
func (w *world) rollout() (decisions.Rollout, bool) {
	var all []decisions.Rollout
	w.house.View(func(uint64) { all = w.state.Rollouts() })
	if len(all) == 0 {
		return decisions.Rollout{}, false
	}
	return all[len(all)-1], true
}

// arrive lets new units of a ring come: each is evaluated by the flag as it is, and
// leaves an exposure and metric events behind when it is enrolled, or in the
// audience that is served.
func (w *world) arrive(n int, ring string, rates map[string][2]float64) {
	r, ok := w.rollout()
	if !ok {
		return
	}
	set, at := w.flags.Compile(environment, nil), w.now.Add(-2*time.Second)
	stage, _ := r.Now()
	for range n {
		w.units++
		c := &flags.Context{TargetingKey: fmt.Sprintf("u-%d", w.units), Attributes: map[string]any{"ring": ring}}
		got := set.Evaluate(r.Plan.Flag, c)
		treated := got.Variant == r.Plan.Arms.Treatment
		if treated && stage.Kind() == decisions.Serve { // an audience is enrolled in nothing
			got.Enrolled, got.Rollout, got.Stage, got.UnitID = true, r.ID, stage.Name, c.TargetingKey
		}
		if !got.Enrolled || treated && w.lost > 0 && w.rng.Float64() < w.lost {
			continue
		}
		w.facts.Expose(got.Rollout, got.Stage, got.Epoch, got.Variant, got.UnitID, at)
		for _, key := range r.Plan.Measured() {
			if value, had := w.draw(r.Metrics[key], rates[key], treated); had {
				w.facts.Record(got.Rollout, key, got.Epoch, got.UnitID, value, at)
			}
		}
	}
}

// draw is what a unit's events come to: one event with the chance that is given,
// or a value around the mean that is given.
func (w *world) draw(def stats.Metric, given [2]float64, treated bool) (value float64, had bool) {
	x := given[0]
	if treated {
		x = given[1]
	}
	if def.Aggregate.Proportion() {
		return 1, w.rng.Float64() < x
	}
	return x * (1 + 0.3*w.rng.NormFloat64()), x > 0
}
