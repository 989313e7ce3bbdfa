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
	v, err := a.give(ctx, op, to)
	if err == nil {
		fmt.Printf("%s is %s; watch it with: sluice status -w %s\n", v.Rollout.ID, v.Rollout.Status, v.Rollout.ID)
	}
	return err
}

func (a act) give(ctx context.Context, op decisions.Op, to string) (v server.RolloutView, err error) {
	path, err := rolloutPath(a.Rollout)
	if err != nil && op == decisions.OpRollback {
		return v, fmt.Errorf("%w; where there is none: sluice flag force FLAG -e ENVIRONMENT -m WHY", err)
	}
	if err != nil {
		return v, err
	}
	body := map[string]string{"comment": a.Comment}
	if to != "" {
		body["to"] = to
	}
	err = a.post(ctx, "/api/v1/rollouts/"+path+"/"+string(op), body, &v)
	return v, err
}

// The commands that people give, each by its own name.
type (
	startCmd    struct{ act }
	approveCmd  struct{ act }
	rollbackCmd struct{ act }
	decideCmd   struct {
		Op string `arg:"" enum:"start,hold,resume,approve,advance,rollback,explain,forward" help:"start, hold, resume, approve, advance, rollback, explain or forward."`
		act
	}
)

// Run starts a planned rollout.
func (c startCmd) Run(ctx context.Context) error { return c.do(ctx, decisions.OpStart) }

// Run approves what the newest decision asks for.
func (c approveCmd) Run(ctx context.Context) error { return c.do(ctx, decisions.OpApprove) }

// Run gives everybody the safe variant, now.
func (c rollbackCmd) Run(ctx context.Context) error { return c.do(ctx, decisions.OpRollback) }

// Run does any of these.
func (c decideCmd) Run(ctx context.Context) error { return c.do(ctx, decisions.Op(c.Op)) }
