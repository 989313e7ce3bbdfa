package decisions

import (
	"errors"
	"fmt"
	"time"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
	"github.com/sluice-hq/sluice/stats"
)

// Errors of Handle that callers test with errors.Is, next to event.Invalids
// and event.ErrConflict.
var (
	// ErrUnknown says that the flag has no rollout in that environment.
	ErrUnknown = errors.New("there is no such rollout")
	// ErrRefused says that the rollout, as it stands, does not allow the command.
	ErrRefused = errors.New("the rollout does not allow that")
)

// Op names what a person wants of a rollout.
type Op string

// What people can do.
const (
	OpPlan     Op = "plan"     // Plan: a new rollout, or a new version of one that has not ended
	OpStart    Op = "start"    //
	OpHold     Op = "hold"     // Comment: pause it
	OpResume   Op = "resume"   // go on, over whatever paused it; until that ends, it holds and pauses no more. Comment where it still stands
	OpApprove  Op = "approve"  // Decision: that asks for it. Roles: the person's
	OpAdvance  Op = "advance"  // Comment: to the next stage, whatever the evidence says
	OpRollback Op = "rollback" // Comment: the safe variant for everybody, now
	OpExplain  Op = "explain"  // Comment: what happened; unlocks a flag that was rolled back
	OpReduce   Op = "reduce"   // To, Comment: an earlier stage or a smaller share; rules stay on
	OpForward  Op = "forward"  // Comment: take up a rollout that was rolled back and explained, with the same units
	OpDrill    Op = "drill"    // measure on a flag of its own how long it takes until everybody is safe

	OpSchedule   Op = "schedule"   // Start: when it is to be started
	OpUnschedule Op = "unschedule" // take that back
	OpShip       Op = "ship"       // Comment: the treatment for everybody, whatever the evidence says
	OpOverride   Op = "override"   // Comment: what the gate's evidence asks for no longer stands in the way. Decision: that recommends it
	OpReject     Op = "reject"     // Comment: the change is not to come; ends the rollout
)

// Command is what a person wants of the newest rollout of a flag.
type Command struct {
	ID          event.ID     // of the event; a repeat of the same ID is the same command
	Op          Op           //
	Environment string       //
	Flag        string       //
	Expect      event.Expect // last sequence of the rollout the person saw; event.Any when it does not matter
	At          time.Time    //
	Actor       string       // principal
	Comment     string       // why, for people; the rationale of advance and rollback
	Plan        *Plan        // of OpPlan; names flag and environment itself
	Doubts      []string     // of OpStart and OpSchedule: what spoke against it, or could not be told
	Anyway      bool         // of OpSchedule: start it although something is lacking
	Decision    string       // of OpApprove and OpOverride; empty: the newest
	Roles       []string     // of OpApprove: the actor's in that environment, each with those it includes, and TeamRole of his teams
	Start       time.Time    // of OpSchedule
	Checks      []string     // of OpOverride: which, as the decision names them; none: all that can be overruled
	To          string       // of OpReduce: name of an earlier stage, or a share such as 5%
	Report      *Reporting   // of OpReport
	Confirm     *Confirming  // of OpConfirm
}

// Handle turns a command into its one event and what the log must expect, or
// says why not: event.Invalids with every fault, ErrUnknown, ErrRefused, or
// event.ErrConflict when the rollout has moved on. It changes nothing.
func (s *State) Handle(c Command) (event.Event, event.Expect, error) {
	if c.Op == OpPlan && c.Plan != nil {
		c.Environment, c.Flag = c.Plan.Environment, c.Plan.Flag
	}
	subject := Subject(c.Environment, c.Flag)
	expect := event.Expect(s.last[subject])
	r, exists := s.Newest(c.Environment, c.Flag)
	if c.Expect != event.Any && c.Expect != expect {
		return event.Event{}, 0, fmt.Errorf("%w: %s is at %d, not %d%s", event.ErrConflict, subject, expect, c.Expect, r.faster())
	}
	if !exists && c.Op != OpPlan {
		return event.Event{}, 0, fmt.Errorf("%w: %s in %s", ErrUnknown, c.Flag, c.Environment)
	}
	kind, data, err := s.handle(r, c)
	if err != nil {
		return event.Event{}, 0, err
	}
	e, err := emit(c.ID, kind, subject, c.At, c.Actor, data)
	return e, expect, err
}

// handle returns the type and data of the command's event: of what begins a
// rollout, of what moves its exposure, or of what people say about it.
func (s *State) handle(r Rollout, c Command) (kind string, data any, err error) {
	switch c.Op {
	case OpPlan, OpStart, OpSchedule, OpUnschedule:
		return s.beginning(r, c)
	case OpAdvance, OpShip, OpRollback, OpReduce, OpForward, OpReject, OpDrill:
		return s.moving(r, c)
	case OpHold, OpResume, OpApprove, OpOverride, OpReport, OpConfirm, OpExplain:
		return s.saying(r, c)
	}
	return "", nil, event.Invalids{{Path: "op", Value: string(c.Op), Why: "is not a command",
		Fix: "use plan, start, schedule, unschedule, hold, resume, approve, override, advance, ship, reject, reduce, rollback, explain, forward, drill, report or confirm"}}
}

func (s *State) beginning(r Rollout, c Command) (kind string, data any, err error) {
	switch c.Op {
	case OpStart:
		return TypeStarted, noted{Rollout: r.ID, Comment: c.Comment, WayBack: s.wayBack(r), Doubts: c.Doubts}, first(r.startable(s.known), s.ungoverned(r))
	case OpSchedule:
		data, err = s.schedule(r, c)
		return TypeScheduled, data, err
	case OpUnschedule:
		data, err = r.unschedule(c)
		return TypeUnscheduled, data, err
	}
	if r.Open() {
		data, err = s.revision(r, c)
		return TypeRevised, data, err
	}
	data, err = s.plan(r, c)
	return TypePlanned, data, err
}

// moving is, but for a drill and for what exposes nobody, a person's decision.
func (s *State) moving(r Rollout, c Command) (kind string, data any, err error) {
	switch c.Op {
	case OpReject:
		return s.reject(r, c)
	case OpDrill:
		data, err = s.beginDrill(r, c)
		return TypeDrillBegun, data, err
	case OpAdvance:
		data, err = s.advance(r, c)
	case OpShip:
		data, err = s.ship(r, c)
	case OpRollback:
		data, err = s.rollback(r, c)
	case OpReduce:
		data, err = s.reduce(r, c)
	case OpForward:
		data, err = s.forward(r, c)
	}
	return TypeMade, data, err
}

func (s *State) saying(r Rollout, c Command) (kind string, data any, err error) {
	switch c.Op {
	case OpHold:
		return TypePaused, noted{Rollout: r.ID, Comment: c.Comment}, first(r.mustBe("be held", Running, Observing), said(c))
	case OpResume:
		return TypeResumed, noted{Rollout: r.ID, Comment: c.Comment, Acknowledged: r.pausing()}, r.resumable(c)
	case OpApprove:
		data, err = s.approvable(r, c)
		return TypeApproved, data, err
	case OpOverride:
		data, err = r.override(c)
		return TypeOverridden, data, err
	case OpReport:
		data, err = r.report(c)
		return TypeReported, data, err
	case OpConfirm:
		data, err = r.confirm(c, s.known)
		return TypeConfirmed, data, err
	}
	return TypeExplained, noted{Rollout: r.ID, Comment: c.Comment}, first(r.explainable(), said(c))
}

// plan records the plan with its defaults and the metrics as they are defined
// now, so that later definitions change nothing about it.
func (s *State) plan(r Rollout, c Command) (planned, error) {
	if c.Plan == nil {
		return planned{}, event.Invalids{{Path: "plan", Why: "is missing"}}
	}
	if err := c.Plan.Validate(s.known); err != nil {
		return planned{}, err
	}
	number, version := r.Number+1, 1
	switch {
	case r.Status == Planned:
		number, version = r.Number, r.Version+1
	case r.Locked:
		return planned{}, fmt.Errorf("%w: %s was rolled back, and nobody has explained why", ErrRefused, r.ID)
	}
	drawn := s.drawn(*c.Plan)
	return planned{
		Rollout: RolloutID(c.Environment, c.Flag, number), Number: number, Version: version,
		Plan: drawn.Plan, Metrics: drawn.Metrics, Comment: c.Comment,
	}, nil
}

// Draft returns the rollout that a plan would become, with its defaults and the
// metrics as they are defined now, or everything that is wrong with it. Nothing
// is recorded.
func (s *State) Draft(p Plan) (Rollout, error) {
	if err := p.Validate(s.known); err != nil {
		return Rollout{}, err
	}
	return s.drawn(p), nil
}

// drawn is a plan as it is recorded.
func (s *State) drawn(p Plan) Rollout {
	r := Rollout{Standing: Standing{Status: Planned, Stage: -1}, Plan: s.Filled(p), Metrics: map[string]stats.Metric{}}
	for _, key := range r.Plan.Measured() {
		if m, ok := s.known.metric(key); ok {
			r.Metrics[key] = m
		}
	}
	return r
}

// startable validates the plan once more: the flag may have changed since.
func (r Rollout) startable(k Known) error {
	if err := first(r.mustBe("be started", Planned), r.unramped(k)); err != nil {
		return err
	}
	return r.Plan.Validate(k)
}

// unramped refuses a plan while a ramp gives units a variant: its first stage
// would take it from them, and they would meet the comparison with a past.
func (r Rollout) unramped(k Known) error {
	f, _ := k.flag(r.Plan.Flag)
	a := f.Environments[r.Plan.Environment].Allocation
	if a == nil || !a.Ramp || f.Archived {
		return nil
	}
	return fmt.Errorf("%w: a ramp gives %g %% of the units the variant %s; end it first with: sluice ramp %s 0 -e %s",
		ErrRefused, float64(a.Coverage)*100/flags.Whole, a.Arms[0].Variant, r.Plan.Flag, r.Plan.Environment)
}

func (k Known) flag(key string) (flags.Recorded, bool) {
	if k.Flag == nil {
		return flags.Recorded{}, false
	}
	return k.Flag(key)
}

func (k Known) metric(key string) (stats.Metric, bool) {
	if k.Metric == nil {
		return stats.Metric{}, false
	}
	return k.Metric(key)
}

func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
