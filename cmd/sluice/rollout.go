package main

import (
	"context"
	"time"

	"github.com/alecthomas/kong"

	"github.com/sluice-hq/sluice/decisions"
)

// rolloutCmd is everything that a person does about a rollout, by name.
type rolloutCmd struct {
	Start    startCmd          `cmd:"" help:"Start a planned rollout."`
	Schedule rolloutSchedule   `cmd:"" help:"Have a planned rollout started at a time, or take that back."`
	Hold     rolloutOp         `cmd:"" help:"Pause it: its exposure stays as it is until a person resumes."`
	Resume   rolloutOp         `cmd:"" help:"Go on with a rollout that is paused."`
	Approve  rolloutDecisionOp `cmd:"" help:"Agree to what the newest decision asks for."`
	Override rolloutOverride   `cmd:"" help:"Decide against the recommendation: what the evidence lacks no longer stands in the way."`
	Advance  rolloutOp         `cmd:"" help:"Go to the next stage, whatever the evidence says."`
	Ship     rolloutOp         `cmd:"" help:"Give everybody the treatment, whatever the evidence says."`
	Reject   rolloutOp         `cmd:"" help:"Say no to the change: the rollout ends, and nobody keeps the treatment."`
	Rollback rolloutOp         `cmd:"" help:"Give everybody the safe variant, now."`
	Explain  rolloutOp         `cmd:"" help:"Say why it was rolled back, which unlocks the flag."`
	Outcome  outcomeCmd        `cmd:"" help:"Record what was learnt from a rollout that is over, or show it."`
}

// rolloutOp is one of them that takes a rollout and a comment. The name of the
// command is that of the operation.
type rolloutOp struct{ act }

// Run does it.
func (c rolloutOp) Run(ctx context.Context, k *kong.Context) error {
	return c.do(ctx, decisions.Op(k.Selected().Name))
}

// rolloutDecisionOp is one that is about a decision.
type rolloutDecisionOp struct {
	act
	Decision string `help:"The decision that you have looked at; refused when it is no longer the newest." placeholder:"ID"`
}

// Run does it.
func (c rolloutDecisionOp) Run(ctx context.Context, k *kong.Context) error {
	return c.order(ctx, decisions.Op(k.Selected().Name), order{Decision: c.Decision})
}

// rolloutOverride decides against what a decision recommends.
type rolloutOverride struct {
	rolloutDecisionOp
	Check []string `help:"Overrule these checks alone, as the decision names them." placeholder:"NAME" sep:"none"`
}

// Run does it.
func (c rolloutOverride) Run(ctx context.Context) error {
	return c.order(ctx, decisions.OpOverride, order{Decision: c.Decision, Checks: c.Check})
}

// rolloutSchedule has a rollout started at a time.
type rolloutSchedule struct {
	act
	At     time.Time `xor:"when" required:"" help:"When, such as 2026-12-01T09:00:00Z."`
	Cancel bool      `xor:"when" required:"" help:"Take the start back."`
	Anyway bool      `help:"Schedule it although something is lacking; say why with -m."`
}

// Run schedules the start, or takes it back.
func (c rolloutSchedule) Run(ctx context.Context) error {
	if c.Cancel {
		return c.do(ctx, decisions.OpUnschedule)
	}
	return c.order(ctx, decisions.OpSchedule, order{At: &c.At, Anyway: c.Anyway})
}
