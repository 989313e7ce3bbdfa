package rehearsal

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/stats"
)

// Run carries the plan out once. The error is about the plan, the scenario or
// the code: weak data are none.
func (r Rehearsal) Run(ctx context.Context, s Scenario, seed uint64) (Run, error) {
	w, err := r.open(ctx, s, seed)
	if err != nil {
		return Run{}, err
	}
	end := begins.Add(r.horizon())
	for now := begins; !now.After(end); now = now.Add(r.Settings.every()) {
		if err := ctx.Err(); err != nil {
			return Run{}, err
		}
		if err := w.look(now); err != nil {
			return Run{}, fmt.Errorf("rehearsing %s with seed %d: %w", s.Name, seed, err)
		}
		if w.over(now) {
			break
		}
	}
	return w.run, nil
}

// Runs carries the plan out for every seed. What was decided is told in
// sentences of the first alone.
func (r Rehearsal) Runs(ctx context.Context, s Scenario, seeds Seeds) ([]Run, error) {
	out, errs := make([]Run, seeds.Count), make([]error, seeds.Count)
	seeds.spread(func(i int) {
		out[i], errs[i] = r.Run(ctx, s, seeds.From+uint64(i))
		if i > 0 {
			out[i].brief()
		}
	})
	return out, errors.Join(errs...)
}

// world is one run under way.
type world struct {
	Rehearsal
	*house
	crowd  crowd
	people people
	run    Run
	told   int       // decisions that the run has noted
	alone  time.Time // since when only a person could go on; zero: it goes on by itself
}

// open begins a run: the plan is started, and nobody has come yet.
func (r Rehearsal) open(ctx context.Context, s Scenario, seed uint64) (*world, error) {
	if err := errors.Join(r.Validate(), r.Check([]Scenario{s})); err != nil {
		return nil, err
	}
	r = r.whole()
	s = s.fill(r)
	rng := rand.New(rand.NewPCG(seed, 1))
	w := &world{Rehearsal: r, house: newHouse(ctx, r), run: Run{Seed: seed, Ended: Running}}
	w.crowd = crowd{
		Rand: rng, Rehearsal: r, seen: begins, keys: r.Plan.Measured(), pool: r.pooled(rng, begins), extra: map[string]float64{},
		fault: fault{Scenario: s, plan: r.Plan, metrics: r.Metrics},
	}
	w.controller.Facts = w
	w.people = people{house: w.house, plan: r.Plan, delay: time.Duration(r.Settings.Answer), silent: s.Kind == Unconfirmed}
	if err := w.prepare(r, begins); err != nil {
		return nil, err
	}
	if !r.Settings.Alone {
		w.run.Fixed = r.fixed(s, seed)
	}
	return w, nil
}

// errOutage is what the warehouse answers in an outage.
var errOutage = errors.New("the warehouse does not answer")

// Evidence implements decisions.Facts.
func (w *world) Evidence(ctx context.Context, r decisions.Rollout, now time.Time) (decisions.Evidence, error) {
	if w.crowd.fault.Kind == Outage && w.crowd.fault.on(now) {
		return decisions.Evidence{}, errOutage
	}
	return w.facts.Evidence(ctx, r, now)
}

// look lets units come, the controller look, and people answer what it asks
// them.
func (w *world) look(now time.Time) error {
	w.live(now)
	r := w.rollout(w.Plan)
	for _, b := range w.crowd.arrive(w.allocation(w.Plan), now) {
		w.facts.Add(r.ID, b)
	}
	err := w.controller.Step(w.ctx, now)
	switch {
	case errors.Is(err, errOutage):
		w.run.Blind++
		err = nil
	case err == nil:
		err = w.people.answer(now)
	}
	w.note(now)
	return err
}

// live lets whoever reports failures be heard of, as a service is that runs: a
// rehearsal is of the change, and not of who was forgotten to be asked.
func (w *world) live(now time.Time) {
	for _, key := range w.Plan.Measured() {
		if w.Metrics[key].Aggregate == stats.Failures && !w.crowd.fault.silent(key, now) {
			w.facts.Live(key, now)
		}
	}
}

// note writes down what was decided at this look.
func (w *world) note(now time.Time) {
	r := w.rollout(w.Plan)
	for _, d := range r.Decisions[w.told:] {
		w.run.decided(r.Plan, d, w.crowd.treated)
		if stage, ok := r.Now(); ok && d.Verdict.Stage == r.Stage && d.Effect > 0 {
			w.crowd.fault.begin(stage.Name, now)
		}
	}
	w.told = len(r.Decisions)
	w.run.Looks, w.run.Treated, w.run.Harmed = w.looks, w.crowd.treated, w.crowd.harmed
	w.run.measure(&w.crowd)
}

// over reports whether the run has ended, and how: by itself, or because a
// person ends what nobody else could go on with.
func (w *world) over(now time.Time) bool {
	r := w.rollout(w.Plan)
	unanswered := w.people.waitedFor(w.looked)
	waits := r.Status == decisions.Paused || w.looked.Verdict.Action == decisions.Review || unanswered
	switch {
	case !waits:
		w.alone = time.Time{}
	case w.alone.IsZero():
		w.alone = now
	}
	switch {
	case r.Status == decisions.RolledBack:
		w.run.Ended = RolledBack
	case r.Status == decisions.CleanupDue:
		w.run.Ended = Shipped
	case waits && r.Status == decisions.Paused:
		w.run.Ended = Paused
	case unanswered:
		w.run.Ended = Unanswered
	case waits:
		w.run.Ended = Reviewed
	case r.Status == decisions.Observing:
		w.run.Ended = Shipped
	default:
		w.run.Ended = Running
	}
	w.run.Lasted = event.Duration(now.Sub(begins))
	return !r.Open() || waits && now.Sub(w.alone) >= w.Settings.patience() || w.crowd.pool.over()
}
