package decisions

import (
	"fmt"
	"time"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/stats"
)

// Rules is the version of the rules that new decisions are made by. Every
// version stays in the code: a decision of years ago is recomputed by the rules
// of its day.
const Rules = 2

// Input is everything that a verdict depends on. It is recorded whole with
// every decision.
type Input struct {
	Rules    int            `json:"rules"`
	Plan     Plan           `json:"plan"`
	State    Standing       `json:"state"`
	Evidence Evidence       `json:"evidence"`
	Now      time.Time      `json:"now"`
	Every    event.Duration `json:"every"` // how often the controller looks

	// Metrics are the definitions that the evidence was counted by. No verdict
	// asks them; whoever reads the record does.
	Metrics map[string]stats.Metric `json:"metrics,omitempty"`

	Build *Build `json:"build,omitempty"` // the program that looked; nil in records of before. No verdict asks it
}

// Evaluate turns evidence into a verdict. It depends on its argument alone and
// refuses nothing but rules that this version does not have: weak evidence is
// not an error but a verdict to hold.
func Evaluate(in Input) (Verdict, error) {
	switch in.Rules {
	case 1:
		return rules1(in), nil
	case 2:
		return rules2(in), nil
	}
	return Verdict{}, fmt.Errorf("rules version %d is not known to this version of Sluice", in.Rules)
}

// rules1 is version 1 of the rules: the checks in order, then the verdict.
func rules1(in Input) Verdict {
	g := gate{Input: in}
	stage, ok := (Rollout{Standing: in.State, Plan: in.Plan}).Now()
	if !ok {
		g.start()
		g.flag()
		return g.verdict(stage)
	}
	g.window(stage)
	g.flag()
	g.telemetry(stage)
	g.health()
	g.incidents()
	g.guardrails(stage)
	g.units(stage)
	g.exclusions(stage)
	g.success(stage)
	g.deadline(stage)
	g.approval(stage)
	return g.verdict(stage)
}

// rules2 is version 2: a stage has conditions of its own, an audience that is
// served has levels and failures, guardrails are asked within the values of an
// attribute, failures that nobody would report are missing, not none, and
// policies say when a stage may begin and who approves.
func rules2(in Input) Verdict {
	g := gate{Input: in}
	stage, ok := (Rollout{Standing: in.State, Plan: in.Plan}).Now()
	if !ok {
		g.start()
		g.flag()
		g.calm()
		g.closed(stage)
		g.approval(stage)
		return g.verdict(stage)
	}
	g.window(stage)
	g.flag()
	g.telemetry(stage)
	g.health()
	g.incidents()
	g.told(stage)
	g.guardrails(stage)
	g.judged(stage)
	g.units(stage)
	g.exclusions(stage)
	g.success(stage)
	g.deadline(stage)
	g.closed(stage)
	g.approval(stage)
	return g.verdict(stage)
}

// since reports whether the gate is asked by that version of the rules or a
// later one.
func (g *gate) since(version int) bool { return g.Rules >= version }

// gate collects the checks of one look.
type gate struct {
	Input
	checks  []Check
	streaks map[string]Streak
}

func (g *gate) add(c Check) {
	c = g.overruled(c)
	if g.since(2) && c.open() && c.Next.IsZero() && !c.forPeople() {
		c.Next = g.Now.Add(time.Duration(g.Every))
	}
	g.checks = append(g.checks, c)
}

// arms are the variants that the gate is about.
func (g *gate) arms() Arms { return Rollout{Standing: g.State, Plan: g.Plan}.Arms() }

// elapsed is how long the stage has been in effect.
func (g *gate) elapsed() time.Duration { return g.Now.Sub(g.State.Since) }

// anyOpen reports whether a check so far stands in the way.
func (g *gate) anyOpen() bool {
	for _, c := range g.checks {
		if c.open() {
			return true
		}
	}
	return false
}
