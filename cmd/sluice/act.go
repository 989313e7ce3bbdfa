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
	Comment string `short:"m" help:"Why; it stays on record. Required to hold, advance, roll back and explain."`
}

func (a act) do(ctx context.Context, op decisions.Op) error {
	path, err := rolloutPath(a.Rollout)
	if err != nil && op == decisions.OpRollback {
		return fmt.Errorf("%w; where there is none: sluice flag force FLAG -e ENVIRONMENT -m WHY", err)
	}
	if err != nil {
		return err
	}
	var v server.RolloutView
	if err := a.post(ctx, "/api/v1/rollouts/"+path+"/"+string(op), map[string]string{"comment": a.Comment}, &v); err != nil {
		return err
	}
	fmt.Printf("%s is %s; watch it with: sluice status -w %s\n", v.Rollout.ID, v.Rollout.Status, v.Rollout.ID)
	return nil
}

// The commands that people give, each by its own name.
type (
	startCmd    struct{ act }
	approveCmd  struct{ act }
	rollbackCmd struct{ act }
	decideCmd   struct {
		Op string `arg:"" enum:"start,hold,resume,approve,advance,rollback,explain" help:"start, hold, resume, approve, advance, rollback or explain."`
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
