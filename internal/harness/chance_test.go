package harness

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
	"github.com/sluice-hq/sluice/ingest"
	"github.com/sluice-hq/sluice/internal/access"
	"github.com/sluice-hq/sluice/internal/manifest"
	"github.com/sluice-hq/sluice/internal/server"
	"github.com/sluice-hq/sluice/stats"
)

// crowd is everybody who may command anything, at random: every room's every
// command, on few enough keys that they meet.
type crowd struct {
	server.Folds
	*rand.Rand
	now  time.Time
	n    int // commands so far
	plan decisions.Plan
}

func (c *crowd) pick(list ...string) string { return list[c.IntN(len(list))] }

// id is the next command's; also a repeat is recognised by it.
func (c *crowd) id() event.ID { c.n++; return event.Derive("crowd", fmt.Sprint(c.n)) }

func (c *crowd) who() string  { return "person:" + c.pick("ana", "ben", "cleo") }
func (c *crowd) flag() string { return fmt.Sprintf("shop.f%02d", c.IntN(40)) }
func (c *crowd) place() string {
	return c.pick("production", "production", "staging", "development", "canada")
}
func (c *crowd) unit() string { return fmt.Sprint("u-", c.IntN(50)) }

// command lets somebody want something.
func (c *crowd) command() (event.Event, event.Expect, error) {
	c.now = c.now.Add(time.Duration(c.IntN(60)) * time.Second)
	switch w := c.IntN(100); {
	case w < 62:
		return c.flagCommand()
	case w < 70:
		return c.segment()
	case w < 73:
		return c.environment()
	case w < 76:
		return c.policy()
	case w < 81:
		return c.metric()
	case w < 89:
		return c.principal()
	case w < 94:
		return c.incident()
	}
	return c.rollout()
}

// flagCommand gives a command in one of the ways there are: now, at a time, as
// a request, or about what waits.
func (c *crowd) flagCommand() (event.Event, event.Expect, error) {
	k := flags.Command{ID: c.id(), Key: c.flag(), Expect: event.Any, At: c.now, Actor: c.who(), Comment: c.pick("", "why not")}
	for range 1 + c.IntN(2) {
		k.Changes = append(k.Changes, c.change(k.Key))
	}
	switch way := c.IntN(20); {
	case way == 0:
		return c.Flags.Schedule(k, c.now.Add(time.Duration(c.IntN(30))*time.Minute))
	case way < 3:
		return c.Flags.Propose(k)
	case way < 5:
		return c.due(k)
	case way < 8:
		return c.waiting(k)
	}
	return c.Flags.Handle(k)
}

// due carries out what was written to happen by now, or says why it lapses.
func (c *crowd) due(otherwise flags.Command) (event.Event, event.Expect, error) {
	due := append(c.Flags.Due(c.now), c.Flags.Expired(c.now)...)
	if len(due) == 0 {
		return c.Flags.Handle(otherwise)
	}
	e, expect, err := c.Flags.Handle(due[0])
	if err != nil {
		return c.Flags.Lapse(due[0], err)
	}
	return e, expect, nil
}

// waiting does something about a schedule or a request, of the first flag from
// the command's on that has any: most wait only for a short while.
func (c *crowd) waiting(k flags.Command) (event.Event, event.Expect, error) {
	k.Changes = nil
	keys := c.Flags.Keys()
	at, _ := slices.BinarySearch(keys, k.Key)
	for _, k.Key = range slices.Concat(keys[at:], keys[:at]) {
		for _, s := range c.Flags.Schedules(k.Key) {
			if s.Standing == flags.Pending && c.IntN(8) == 0 {
				return c.Flags.Cancel(k, s.ID)
			}
		}
		for _, r := range c.Flags.Requests(k.Key) {
			if e, expect, err := c.answer(k, r); err == nil {
				return e, expect, nil
			}
		}
	}
	return event.Event{}, 0, flags.ErrEnded
}

// answer lets somebody do about a request what somebody may do. Who takes it
// back is who made it.
func (c *crowd) answer(k flags.Command, r flags.Request) (event.Event, event.Expect, error) {
	switch c.IntN(4) {
	case 0:
		return c.Flags.Approve(k, r.ID, []string{"approver"})
	case 1:
		return c.Flags.Enact(k, r.ID)
	case 2:
		return c.Flags.Reject(k, r.ID)
	}
	k.Actor = r.Author
	return c.Flags.Withdraw(k, r.ID)
}

// crowdOps are the changes of a flag that the crowd asks for: those of people
// and those of rollouts.
func crowdOps() []string {
	return append(flags.Ops(), string(flags.Force), string(flags.Unforce), string(flags.Allocate), string(flags.Deallocate), string(flags.Serve), string(flags.Unserve))
}

// change is one change of a flag, of any kind.
func (c *crowd) change(key string) flags.Change {
	ops := crowdOps()
	rule := c.rule()
	variant := c.pick("on", "off", "third")
	ch := flags.Change{
		Op: flags.Op(ops[c.IntN(len(ops))]), Environment: c.place(), Name: c.pick("r1", "r2", "r3", c.flag()), Reason: "because", Variant: variant,
		Description: c.pick("one", "another"), Owner: c.pick("shop", "search"), Purpose: flags.Purpose(c.pick("release", "operational", "kill-switch")),
		Tag: c.pick("pay", "risky"), Unit: c.pick("user", "user", "workspace"), Units: []string{c.unit()}, Value: json.RawMessage(c.pick("true", "false")),
		Place: c.IntN(2), Prerequisite: &flags.Prerequisite{Flag: c.flag(), Variant: "on"}, From: "staging", Rule: &rule,
		Dates: &flags.Dates{On: "2026-12-01"}, Cleanup: &flags.Cleanup{Due: event.Duration(720 * time.Hour), EndState: flags.Promote},
	}
	if f, _ := c.Flags.Flag(key); f.Archived && c.IntN(2) == 0 {
		return flags.Change{Op: flags.Restore}
	}
	if c.IntN(4) == 0 || ch.Op == flags.Define {
		f := c.define(key)
		ch.Op, ch.Flag, ch.Rule = flags.Define, &f, nil
	}
	if f, ok := c.Flags.Flag(key); ok {
		e := f.Environments[ch.Environment]
		switch { // what is moved or taken away is something that is there
		case (ch.Op == flags.MoveRule || ch.Op == flags.ChangeRule || ch.Op == flags.RemoveRule) && len(e.Rules) > 0:
			ch.Name = e.Rules[0].Name
		case ch.Op == flags.RemoveUnits && len(e.Targets) > 0:
			ch.Variant, ch.Units = e.Targets[0].Variant, e.Targets[0].Units[:1]
		case len(e.Prerequisites) > 0 && c.IntN(4) == 0:
			ch.Op, ch.Name = flags.RemovePrerequisite, e.Prerequisites[0].Flag
		}
	}
	ch.Environment = ch.Reaches() // a change of them all that names one can neither wait nor be proposed
	if ch.Op == flags.Allocate {
		ch.Allocation = &flags.Allocation{
			Rollout: ch.Environment + "/" + key + "/1", Stage: c.pick("canary", "ramp"), Epoch: 1, Salt: key, Unit: "user",
			Coverage: c.IntN(flags.Whole), Arms: flags.Even("on", "off"),
		}
	}
	return ch
}

func (c *crowd) rule() flags.Rule {
	r := flags.Rule{Name: c.pick("r1", "r2", "r3"), Serve: c.pick("on", "off"), When: &flags.Condition{Attribute: "plan", Op: flags.In, Values: []any{c.unit(), "gold"}}}
	switch c.IntN(4) {
	case 0:
		r.When = &flags.Condition{Op: flags.InSegment, Values: []any{c.pick("s1", "s2", "s3")}}
	case 1:
		r.Serve, r.Split = "", flags.Even("on", "off")
	case 2:
		r.Until = flags.Date(c.now.AddDate(0, 0, 1+c.IntN(2)).Format(time.DateOnly))
	}
	return r
}

func (c *crowd) define(key string) flags.Flag {
	f := flags.Flag{
		Key: key, Purpose: flags.KillSwitch, Owner: c.pick("shop", "search"), Type: flags.Boolean, Unit: "user", Default: "on", Safe: "off",
		Variants:     flags.Variants{"on": json.RawMessage("true"), "off": json.RawMessage("false")},
		Environments: map[string]flags.Environment{"production": {Enabled: c.IntN(3) > 0}, "staging": {Enabled: true}},
	}
	if c.IntN(2) == 0 {
		e := f.Environments["production"]
		e.Rules, e.Targets = []flags.Rule{c.rule()}, []flags.Target{{Variant: "on", Units: []string{c.unit()}}}
		f.Environments["production"], f.Tags = e, []string{"pay"}
	}
	return f
}

func (c *crowd) order() flags.Order {
	return flags.Order{ID: c.id(), Expect: event.Any, At: c.now, Actor: c.who(), Comment: "so it is"}
}

func (c *crowd) segment() (event.Event, event.Expect, error) {
	s := &flags.Segment{Key: c.pick("s1", "s2", "s3"), Owner: "shop", Included: flags.UnitList{Units: []string{c.unit(), "u-x"}}}
	ch := flags.SegmentChange{
		Op:   []flags.SegmentOp{flags.SegmentDefine, flags.SegmentDefine, flags.SegmentAdd, flags.SegmentAdd, flags.SegmentRemove, flags.SegmentDelete}[c.IntN(6)],
		List: flags.ListName(c.pick(string(flags.IncludedList), string(flags.ExcludedList))), Units: []string{c.unit()},
	}
	if ch.Op == flags.SegmentDefine {
		ch.Segment = s
	}
	return c.Flags.HandleSegment(flags.SegmentCommand{Order: c.order(), Key: s.Key, Changes: []flags.SegmentChange{ch}})
}

func (c *crowd) environment() (event.Event, event.Expect, error) {
	key := c.pick("canada", "staging", "brazil")
	doc := &flags.EnvironmentDoc{Key: key, Description: c.unit(), Order: 1 + c.IntN(5), Layers: []flags.Layer{{Name: "checkout", Holdout: 5000}}}
	if c.IntN(5) == 0 {
		doc = nil
	}
	return c.Flags.HandleEnvironment(flags.EnvironmentCommand{Order: c.order(), Key: key, Environment: doc})
}

func (c *crowd) policy() (event.Event, event.Expect, error) {
	p := &flags.Policy{Key: c.pick("p1", "p2"), Rank: c.IntN(3), Match: flags.Match{Keys: []string{"shop.f0*"}}, Flags: flags.Demands{Require: []flags.Required{flags.RequireWhy}}}
	if c.IntN(3) == 0 {
		p.Match.Keys, p.Flags.Approvals = []string{"shop.f1*"}, &flags.Approvals{Count: 1}
	}
	k := flags.PolicyCommand{Order: c.order(), Key: p.Key, Policy: p}
	if c.IntN(2) == 0 {
		k.Policy = nil
	}
	return c.Flags.HandlePolicy(k)
}

func (c *crowd) metric() (event.Event, event.Expect, error) {
	return c.Metrics.Handle(ingest.Define{ID: c.id(), Expect: event.Any, At: c.now, Actor: c.who(), Metric: ingest.Metric{
		Key: c.pick("latency", "orders", "returns"), Event: c.unit(), Owner: "shop", Aggregate: stats.Conversion, Direction: "increase", Description: "what it says",
	}})
}

// principal issues, rotates and ends tokens, and declares people and teams.
func (c *crowd) principal() (event.Event, event.Expect, error) {
	var random [access.Entropy]byte
	digest := sha256.Sum256([]byte(fmt.Sprint("token", c.n)))
	copy(random[:], digest[:])
	token := access.Token{Class: access.ServerSDK, Name: c.pick("shop", "search"), Environment: c.pick("production", "staging")}
	ids := []string{"none"}
	for _, t := range c.Access.Tokens() {
		ids = append(ids, t.ID)
	}
	by := c.who()
	switch c.IntN(6) {
	case 0:
		return c.Access.Declare(access.Declare{ID: c.id(), At: c.now, Actor: by, Person: &access.Person{Key: c.pick("ana", "ben"), Name: c.unit(), Teams: []string{"shop"}}})
	case 1:
		return c.Access.Declare(access.Declare{ID: c.id(), At: c.now, Actor: by, Team: &access.Team{Key: "shop", Description: c.unit()}})
	case 2:
		return c.Access.Revoke(access.Revoke{ID: c.id(), At: c.now, Actor: by, TokenID: c.pick(ids...)})
	case 3:
		_, token = access.Mint(token, random)
		return c.Access.Rotate(access.Rotate{ID: c.id(), At: c.now, Actor: by, TokenID: c.pick(ids...), Token: token, Overlap: time.Hour})
	}
	_, token = access.Mint(token, random)
	return c.Access.Issue(access.Issue{ID: c.id(), At: c.now, Actor: by, Token: token})
}

func (c *crowd) incident() (event.Event, event.Expect, error) {
	return c.Rollouts.HandleIncident(decisions.IncidentCommand{
		ID: c.id(), Environment: "production", Flag: c.flag(), Incident: fmt.Sprint("i", c.IntN(50)), Text: "it burns", At: c.now, Actor: "alerts",
		Severity: []decisions.Severity{decisions.Critical, decisions.Blocking, decisions.Minor}[c.IntN(3)], Resolve: c.IntN(2) == 0,
	})
}

// rollout plans one, does what people do to rollouts, or carries out what was
// decided.
func (c *crowd) rollout() (event.Event, event.Expect, error) {
	if pending := c.Rollouts.Pending(); len(pending) > 0 && c.IntN(3) > 0 {
		return c.effect(pending[0])
	}
	k := decisions.Command{ID: c.id(), Environment: "production", Flag: c.flag(), Expect: event.Any, At: c.now, Actor: c.who(), Comment: "so it is"}
	ops := []decisions.Op{
		decisions.OpPlan, decisions.OpPlan, decisions.OpStart, decisions.OpStart, decisions.OpHold, decisions.OpHold, decisions.OpResume, decisions.OpResume, decisions.OpResume,
		decisions.OpAdvance, decisions.OpRollback, decisions.OpExplain,
		decisions.OpSchedule, decisions.OpUnschedule, decisions.OpReject, decisions.OpShip, decisions.OpOverride,
	}
	k.Start = c.now.Add(time.Hour)
	if k.Op = ops[c.IntN(len(ops))]; k.Op == decisions.OpPlan {
		p := c.plan
		p.Flag, p.Hypothesis = k.Flag, c.unit()
		k.Plan = &p
		return c.Rollouts.Handle(k)
	}
	for _, r := range c.Rollouts.Rollouts() { // one that is there, if any
		if k.Flag = r.Plan.Flag; c.IntN(3) == 0 {
			break
		}
	}
	return c.Rollouts.Handle(k)
}

// effect is the flag change that a decision asks for, in its simplest form.
func (c *crowd) effect(d decisions.Decision) (event.Event, event.Expect, error) {
	r, _, _ := c.Rollouts.Decision(d.ID)
	return c.Flags.Handle(flags.Command{
		ID: c.id(), Key: r.Plan.Flag, Expect: event.Any, At: c.now, Actor: decisions.Controlling, Cause: d.ID, Comment: d.Verdict.Reason,
		Changes: []flags.Change{{Op: flags.Force, Environment: r.Plan.Environment, Reason: "decided", Decision: d.ID}},
	})
}

// aPlan is the plan of every rollout of the crowd.
func aPlan() (p decisions.Plan, err error) {
	docs, err := manifest.Split([]byte(`apiVersion: sluice/v1
kind: Rollout
flag: shop.f00
environment: production
owner: shop
unit: user
arms: {control: "off", treatment: "on"}
metrics:
  success: [{metric: orders, mde: 2%, onLoss: rollback}]
stages:
  - {name: canary, treatment: 5%, minUnits: 1000}
  - {name: experiment, treatment: 50%, maxWindow: 28d, decide: true}
rollback: {to: safe, owners: [shop], lockUntilExplained: true}
cleanup: {due: 30d, endState: promote}
`))
	if err == nil {
		err = docs[0].Decode(&p)
	}
	return p, err
}
