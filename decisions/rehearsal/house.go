package rehearsal

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
)

// folding is a log in memory whose one projection folds every event as soon as
// it is appended: nobody else waits for it.
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

// house is the production code of one run: log, folds and controller, all in
// memory.
type house struct {
	ctx        context.Context // of the run: a house lives no longer
	log        folding
	blobs      *event.MemBlobs
	flags      *flags.State
	rollouts   *decisions.State
	facts      decisions.MemFacts
	controller *decisions.Controller
	looked     decisions.Look // the last one
	looks      int
	n          int // of commands so far
}

// newHouse opens a house that knows what a rehearsal does.
func newHouse(ctx context.Context, r Rehearsal) *house {
	h := &house{ctx: ctx, blobs: &event.MemBlobs{}, flags: flags.NewState()}
	k := r.known()
	k.Flag, k.Segment, k.FreeSlice = h.flags.Flag, h.flags.Segment, h.flags.FreeSlice
	h.rollouts = decisions.NewState(k)
	h.log = folding{event.NewMemLog(), event.NewProjection(h.flags, h.rollouts)}
	h.controller = &decisions.Controller{
		Log: h.log, Blobs: h.blobs, House: h.log.house, Flags: h.flags, State: h.rollouts, Every: r.Settings.every(),
		Looks: func(_ context.Context, l decisions.Look) error { h.looked = l; h.looks++; return nil },
	}
	return h
}

// write appends what a command became.
func (h *house) write(e event.Event, expect event.Expect, err error) error {
	if err != nil {
		return err
	}
	_, err = h.log.Append(h.ctx, e, expect)
	return err
}

// id is that of the next command.
func (h *house) id() event.ID { h.n++; return event.Derive("rehearsal", strconv.Itoa(h.n)) }

// author is who writes and starts the plan.
const author = "person:author"

// prepare defines what the plan names, and plans and starts it.
func (h *house) prepare(r Rehearsal, at time.Time) error {
	plan := r.Plan
	if err := h.surroundings(plan, at); err != nil {
		return err
	}
	f := bare(r.Flag, plan.Environment)
	err := h.write(h.flags.Handle(flags.Command{
		ID: h.id(), Key: f.Key, Expect: event.Any, At: at, Actor: author, Changes: []flags.Change{{Op: flags.Define, Flag: &f}},
	}))
	if err != nil {
		return fmt.Errorf("defining flag %s: %w", f.Key, err)
	}
	if err := h.person(plan, decisions.Command{Op: decisions.OpPlan, Plan: &plan}, author, at); err != nil {
		return err
	}
	return h.person(plan, decisions.Command{Op: decisions.OpStart}, author, at)
}

// surroundings defines the segments and the layer that a plan names. Who is in
// them is not asked: the traffic is of those who are.
func (h *house) surroundings(plan decisions.Plan, at time.Time) error {
	for _, key := range segments(plan) {
		s := flags.Segment{Key: key, Owner: plan.Owner, Unit: plan.Unit, Included: flags.UnitList{Units: []string{"rehearsal"}}}
		err := h.write(h.flags.HandleSegment(flags.SegmentCommand{
			Order: h.order(at), Key: key, Changes: []flags.SegmentChange{{Op: flags.SegmentDefine, Segment: &s}},
		}))
		if err != nil {
			return fmt.Errorf("defining segment %s: %w", key, err)
		}
	}
	if plan.Layer == nil {
		return nil
	}
	doc := flags.EnvironmentDoc{Key: plan.Environment, Order: 1, Layers: []flags.Layer{{Name: plan.Layer.Name, Unit: plan.Unit}}}
	err := h.write(h.flags.HandleEnvironment(flags.EnvironmentCommand{Order: h.order(at), Key: doc.Key, Environment: &doc}))
	if err != nil {
		return fmt.Errorf("defining environment %s: %w", doc.Key, err)
	}
	return nil
}

// order is what a definition of somebody begins with.
func (h *house) order(at time.Time) flags.Order {
	return flags.Order{ID: h.id(), Expect: event.Any, At: at, Actor: author}
}

// bare is the flag as the rehearsal has it: enabled in one environment, without
// what would answer before an allocation.
func bare(f flags.Flag, environment string) flags.Flag {
	f.Environments = map[string]flags.Environment{environment: {Enabled: true}}
	return f
}

// segments are those that a plan names.
func segments(p decisions.Plan) (keys []string) {
	seen := map[string]bool{"": true}
	add := func(key string) {
		if !seen[key] {
			seen[key] = true
			keys = append(keys, key)
		}
	}
	add(p.Eligible)
	for _, s := range p.Stages {
		add(s.To)
		for _, key := range s.When.Segments() {
			add(key)
		}
	}
	return keys
}

// person gives a command of a person.
func (h *house) person(p decisions.Plan, c decisions.Command, who string, at time.Time) error {
	c.ID, c.Environment, c.Flag, c.Expect, c.At, c.Actor = h.id(), p.Environment, p.Flag, event.Any, at, who
	return h.write(h.rollouts.Handle(c))
}

// rollout is the one that is rehearsed.
func (h *house) rollout(p decisions.Plan) decisions.Rollout {
	r, _ := h.rollouts.Newest(p.Environment, p.Flag)
	return r
}

// allocation is what the flag does to units just now: nothing while it is
// forced.
func (h *house) allocation(p decisions.Plan) *flags.Allocation {
	f, _ := h.flags.Flag(p.Flag)
	e := f.Environments[p.Environment]
	if e.Forced != nil || !e.Enabled {
		return nil
	}
	return e.Allocation
}
