package decisions

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
	"github.com/sluice-hq/sluice/internal/trace"
)

// Controller looks at the rollouts under way, records verdicts and carries
// recorded decisions out. Any number of controllers may run at once: every
// event they append has an ID derived from what it answers and expects the
// sequence it was made at, so that each decision and each effect exists once.
//
// House must be kept up with Log by somebody else (House.Run), and must hold
// Flags and State among its folds.
type Controller struct {
	Log     event.Log
	Blobs   event.Blobs
	House   *event.Projection
	Flags   *flags.State
	State   *State
	Seals   *event.Seals                      // a fold of House; nil: decisions name no seal
	Facts   Facts                             //
	Past    PastOf                            // holds scheduled starts against the time before; nil: nobody counts it
	Witness Witness                           // says how far rollbacks have come; nil: they are not proven, and drills wait
	Looks   func(context.Context, Look) error // takes every look; nil: they are not kept
	Marks   Marks                             // says what has not changed, so that it is not looked at again; nil: everything is
	Every   time.Duration                     // between two Steps, for "looks next at"; 0: a minute
	Build   *Build                            // this program, for the record; nil: decisions do not name it
	Logger  *slog.Logger                      // nil: silent

	calm map[string]calm // by rollout, the last look that found nothing new
}

// Step does one pass: it carries out what is decided and waits for its effect,
// and looks at every rollout under way. A rollout that cannot be looked at does
// not keep the others from it; the error is that of all of them.
func (c *Controller) Step(ctx context.Context, now time.Time) error {
	now = now.UTC().Truncate(time.Millisecond)
	if err := c.catch(ctx); err != nil {
		return err
	}
	errs := []error{c.startDue(ctx, now), c.act(ctx, now)}
	for _, id := range c.open() {
		if err := c.look(ctx, id, now); err != nil {
			errs = append(errs, fmt.Errorf("looking at rollout %s: %w", id, err))
		}
	}
	errs = append(errs, c.prove(ctx, now), c.drill(ctx, now), c.tend(ctx, now), c.alarms(ctx, now), c.escalate(ctx, now))
	return errors.Join(errs...)
}

// catch waits until House has seen all that the log holds.
func (c *Controller) catch(ctx context.Context) error {
	last, err := c.Log.Last(ctx)
	if err != nil {
		return fmt.Errorf("reading the end of the log: %w", err)
	}
	return c.House.Wait(ctx, last)
}

func (c *Controller) open() (ids []string) {
	c.House.View(func(uint64) {
		ids = sorted(c.State.shelves.open)
		maps.DeleteFunc(c.calm, func(id string, _ calm) bool { return !c.State.shelves.open[id] })
	})
	return ids
}

// scene is what the house knows of one rollout at one sequence of the log.
type scene struct {
	rollout   Rollout
	kept      *Rollout // the same, as State keeps it
	revision  uint64   // of the flag
	off       string   // why the flag answers its safe variant to all
	incidents []Incident
	told      uint64 // last event of the flag's incidents
	policy    RolloutPolicy
	seal      event.Mark
}

func (c *Controller) scene(id string) (s scene) {
	c.House.View(func(uint64) {
		s.kept = c.State.at(id)
		s.rollout = *s.kept
		plan := s.rollout.Plan
		f, known := c.Flags.Flag(plan.Flag)
		s.revision, s.off = f.Revision, off(f, known, plan.Environment)
		s.incidents, s.policy = c.State.Incidents(plan.Environment, plan.Flag), c.State.Policy(plan)
		s.told = c.State.last[IncidentPrefix+plan.Environment+"."+plan.Flag]
		if c.Seals != nil {
			s.seal = c.Seals.Last
		}
	})
	return s
}

// look evaluates one rollout, records the verdict if it is news, and carries
// it out. Whoever writes the rollout meanwhile wins: the next Step looks again.
// A look that would find what the last one found is spared.
func (c *Controller) look(ctx context.Context, id string, now time.Time) (err error) {
	s := c.scene(id)
	if !s.rollout.Open() || s.rollout.pending() {
		return nil
	}
	rests, known := c.rests(ctx, s, now)
	if known && c.calm[id].lasts(rests, now) {
		return nil
	}
	delete(c.calm, id)
	ctx, span := trace.Start(ctx, trace.Internal, "look")
	defer func() { span.End(err) }()
	span.Text("sluice.rollout", id)
	e, err := c.evidence(ctx, s, now)
	if err == nil {
		err = c.freeze(ctx, &s, e, now)
	}
	if err != nil {
		return overtaken(err)
	}
	e = Read(s.rollout, e)
	if err := c.decide(ctx, s, e, now); err != nil {
		return overtaken(err)
	}
	if known {
		c.calmed(id, rests, c.input(s, e, now))
	}
	return nil
}

// overtaken passes over a conflict: somebody else wrote first.
func overtaken(err error) error {
	if errors.Is(err, event.ErrConflict) {
		return nil
	}
	return err
}

// evidence asks for the facts and adds what the house itself knows. Before the
// first stage there are none.
func (c *Controller) evidence(ctx context.Context, s scene, now time.Time) (Evidence, error) {
	e := Evidence{At: now, Units: []Count{}, Metrics: []Measured{}}
	if s.rollout.Stage >= 0 {
		var err error
		if e, err = c.Facts.Evidence(ctx, s.rollout, now); err != nil {
			return e, fmt.Errorf("asking for evidence: %w", err)
		}
	}
	e.FlagRevision, e.FlagOff, e.Incidents = s.revision, s.off, s.incidents
	e.Needs, e.Closed = policyNeeds(s.policy), closures(s.policy, now)
	return e, nil
}

// freeze records the baselines, caps and values that this look is the first to have, and reads
// them back: another controller's may have been first.
func (c *Controller) freeze(ctx context.Context, s *scene, e Evidence, now time.Time) error {
	baselines := Baselines(s.rollout, e)
	caps, values := Caps(s.rollout, e, baselines), Values(s.rollout, e)
	if len(baselines) == 0 && len(caps) == 0 && len(values) == 0 {
		return nil
	}
	r := s.rollout
	id := event.Derive(TypeFrozen, r.ID, strconv.FormatUint(r.Seq, 10))
	err := c.append(ctx, id, TypeFrozen, r, now, event.Expect(r.Seq), frozen{
		Rollout: r.ID, Baselines: baselines, Caps: caps, Values: values,
	})
	if err != nil {
		return err
	}
	c.House.View(func(uint64) { s.rollout, _ = c.State.Rollout(r.ID) })
	if !s.rollout.cutAs(e) {
		return fmt.Errorf("%w: the caps of %s are those of another look", event.ErrConflict, r.ID)
	}
	return nil
}

// decide evaluates a look, and records the verdict that is news. Most looks are
// not: those cost no document.
func (c *Controller) decide(ctx context.Context, s scene, e Evidence, now time.Time) (err error) {
	in := c.input(s, e, now)
	v, err := Evaluate(in)
	if err != nil {
		return err
	}
	trace.In(ctx).Text("sluice.action", string(v.Action))
	stage, _ := s.rollout.Now()
	look := Look{Rollout: s.rollout.ID, At: now, Stage: stage.Name, Verdict: v, Evidence: in.Evidence}
	if !s.rollout.news(v, s.revision) {
		return c.note(ctx, look)
	}
	doc, v, err := recorded(in)
	if err != nil {
		return err
	}
	ctx, span := trace.Start(ctx, trace.Internal, "decide")
	defer func() { span.End(err) }()
	id, err := c.record(ctx, s, v, doc, now)
	if err != nil {
		return err
	}
	span.Text("sluice.decision", id.String())
	look.Verdict, look.Decision = v, id.String()
	return errors.Join(c.note(ctx, look), c.act(ctx, now))
}

func (c *Controller) input(s scene, e Evidence, now time.Time) Input {
	return Input{
		Rules: Rules, Plan: s.rollout.Plan, State: s.rollout.Standing, Evidence: e, Now: now, Every: c.every(), Metrics: s.rollout.Metrics,
		Build: c.Build,
	}
}

// recorded returns the document of an input, and the verdict on it as it comes
// back from JSON, so that a recomputation starts from the same bits.
func recorded(in Input) (doc []byte, v Verdict, err error) {
	if doc, err = json.Marshal(in); err != nil {
		return nil, v, fmt.Errorf("encoding the evidence: %w", err)
	}
	again, err := readInput(doc)
	if err == nil {
		v, err = Evaluate(again)
	}
	return doc, v, err
}

func (c *Controller) every() event.Duration { return event.Duration(or(c.Every, time.Minute)) }

// news reports whether a verdict is worth a decision: it acts, it differs from
// the last one or its reason does, it counts a breach, or a test took a look.
func (r Rollout) news(v Verdict, revision uint64) bool {
	last, ok := r.Last()
	switch {
	case !ok || len(v.Looks) > 0:
		return true
	case last.Verdict.Action != v.Action || last.Verdict.Reason != v.Reason:
		return true
	case v.Action == Rollback && last.Verdict.Stage != v.Stage:
		return true // the flag did not go back to the previous stage: everybody gets the safe variant
	case v.Action.Actuating() && (r.Refused == nil || r.Refused.Revision != revision):
		return true // the same step once more, after the last one had its effect or lapsed
	case v.waitsForPeople() && last.Revision != revision:
		return true // what they are asked to agree to is another flag now
	}
	return !slices.Equal(slices.Sorted(maps.Keys(v.Streaks)), slices.Sorted(maps.Keys(r.Streaks)))
}

// record stores the input first, then the decision that names it: the record
// is both.
func (c *Controller) record(ctx context.Context, s scene, v Verdict, doc []byte, now time.Time) (event.ID, error) {
	r := s.rollout
	blob, err := c.Blobs.Put(ctx, doc)
	if err != nil {
		return event.ID{}, fmt.Errorf("storing the evidence: %w", err)
	}
	id := event.Derive(TypeMade, r.ID, strconv.FormatUint(r.Seq, 10))
	err = c.append(ctx, id, TypeMade, r, now, event.Expect(r.Seq), made{
		Rollout: r.ID, From: r.Stage, Verdict: v, Input: blob, Revision: s.revision, Seal: s.seal,
	})
	if err == nil {
		c.log("decided", r.ID, "decision", id, "action", v.Action, "reason", v.Reason)
	}
	return id, err
}

func (c *Controller) note(ctx context.Context, l Look) error {
	if c.Looks == nil {
		return nil
	}
	if err := c.Looks(ctx, l); err != nil {
		return fmt.Errorf("noting a look: %w", err)
	}
	return nil
}

// append writes an event of a rollout and waits until House has seen it.
func (c *Controller) append(ctx context.Context, id event.ID, kind string, r Rollout, now time.Time, expect event.Expect, data any) error {
	e, err := emit(id, kind, Subject(r.Plan.Environment, r.Plan.Flag), now, Controlling, data)
	if err != nil {
		return err
	}
	return c.write(ctx, e, expect)
}

func (c *Controller) write(ctx context.Context, e event.Event, expect event.Expect) error {
	seq, err := c.Log.Append(ctx, e, expect)
	if err != nil {
		return fmt.Errorf("appending a %s: %w", e.Type, err)
	}
	return c.House.Wait(ctx, seq)
}

func (c *Controller) log(message, rollout string, args ...any) {
	if c.Logger != nil {
		c.Logger.Info(message, append([]any{"rollout", rollout}, args...)...)
	}
}
