package main

import (
	"context"
	"fmt"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/internal/server"
)

// act is what a person does about one rollout.
type act struct {
	client
	Rollout string `arg:"" help:"environment/flag/number."`
	Comment string `short:"m" help:"Why; it stays on record. Required to hold, advance, reduce, roll back, explain and roll forward."`
}

func (a act) do(ctx context.Context, op decisions.Op) error { return a.doTo(ctx, op, "") }

// doTo is do, with where to reduce to.
func (a act) doTo(ctx context.Context, op decisions.Op, to string) error {
	return a.told(a.give(ctx, op, to))
}

// told says how the rollout stands after a command.
func (a act) told(v server.RolloutView, err error) error {
	if err == nil {
		fmt.Printf("%s is %s; watch it with: sluice status -w %s\n", v.Rollout.ID, v.Rollout.Status, v.Rollout.ID)
	}
	return err
}

func (a act) give(ctx context.Context, op decisions.Op, to string) (v server.RolloutView, err error) {
	body := map[string]any{"comment": a.Comment}
	if to != "" {
		body["to"] = to
	}
	return a.send(ctx, op, body)
}

func (a act) send(ctx context.Context, op decisions.Op, body map[string]any) (v server.RolloutView, err error) {
	path, err := rolloutPath(a.Rollout)
	if err != nil && op == decisions.OpRollback {
		return v, fmt.Errorf("%w; where there is none: sluice flag force FLAG -e ENVIRONMENT -m WHY", err)
	}
	if err != nil {
		return v, err
	}
	err = a.post(ctx, "/api/v1/rollouts/"+path+"/"+string(op), body, &v)
	return v, err
}

// The commands that people give, each by its own name.
type (
	startCmd struct {
		act
		Anyway bool `help:"Start although something is lacking; say why with -m."`
	}
	approveCmd  struct{ act }
	rollbackCmd struct{ act }
	decideCmd   struct {
		Op string `arg:"" enum:"start,hold,resume,approve,advance,rollback,explain,forward" help:"start, hold, resume, approve, advance, rollback, explain or forward."`
		act
	}
)

// Run starts a planned rollout.
func (c startCmd) Run(ctx context.Context) error {
	v, err := c.send(ctx, decisions.OpStart, map[string]any{"comment": c.Comment, "anyway": c.Anyway})
	return c.told(v, err)
}

// Run approves what the newest decision asks for.
func (c approveCmd) Run(ctx context.Context) error { return c.do(ctx, decisions.OpApprove) }

// Run gives everybody the safe variant, now.
func (c rollbackCmd) Run(ctx context.Context) error { return c.do(ctx, decisions.OpRollback) }

// Run does any of these.
func (c decideCmd) Run(ctx context.Context) error { return c.do(ctx, decisions.Op(c.Op)) }
