package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/internal/server"
)

// act is what a person does about one rollout.
type act struct {
	client
	Rollout string `arg:"" help:"environment/flag/number."`
	Comment string `short:"m" help:"Why; it stays on record. Required to hold, override, advance, ship, reject, reduce, roll back, explain and roll forward."`
}

func (a act) do(ctx context.Context, op decisions.Op) error { return a.order(ctx, op, order{}) }

// order is what a command says besides its comment.
type order struct {
	Comment  string     `json:"comment,omitempty"`
	Decision string     `json:"decision,omitempty"`
	At       *time.Time `json:"at,omitempty"`
	Checks   []string   `json:"checks,omitempty"`
	Anyway   bool       `json:"anyway,omitempty"`
	To       string     `json:"to,omitempty"`
}

// order gives a command and says how the rollout is then.
func (a act) order(ctx context.Context, op decisions.Op, o order) error {
	v, err := a.give(ctx, op, o)
	if err == nil {
		fmt.Printf("%s is %s%s; watch it with: sluice status -w %s\n", v.Rollout.ID, v.Rollout.Status, consequence(v.Rollout), v.Rollout.ID)
	}
	return err
}

// give gives a command. One that moves the rollout on says which rollout it is
// about, as it was a moment ago, and an approval which decision: when somebody
// else moves it on meanwhile, it is refused.
func (a act) give(ctx context.Context, op decisions.Op, o order) (v server.RolloutView, err error) {
	path, err := rolloutPath(a.Rollout)
	if err != nil && op == decisions.OpRollback {
		return v, fmt.Errorf("%w; where there is none: sluice flag force FLAG -e ENVIRONMENT -m WHY", err)
	}
	if err != nil {
		return v, err
	}
	seen, err := a.seen(ctx, op, &o)
	if err != nil {
		return v, err
	}
	o.Comment = a.Comment
	body, err := json.Marshal(o)
	if err != nil {
		return v, fmt.Errorf("encoding the request: %w", err)
	}
	err = a.client.do(ctx, http.MethodPost, "/api/v1/rollouts/"+path+"/"+string(op), "application/json", body, &v, seen...)
	return v, err
}

// seen adds to an order what it is about, where it is about the rollout as it
// stands, and returns the header that says so.
func (a act) seen(ctx context.Context, op decisions.Op, o *order) ([]string, error) {
	approves := op == decisions.OpApprove && o.Decision == ""
	if !approves && op != decisions.OpAdvance && op != decisions.OpShip && op != decisions.OpOverride && op != decisions.OpReject {
		return nil, nil
	}
	was, err := a.rollout(ctx, a.Rollout)
	if err != nil {
		return nil, err
	}
	if approves {
		d, _ := was.Rollout.Last()
		o.Decision = d.ID
		return nil, nil
	}
	return []string{"If-Match", fmt.Sprintf("%q", fmt.Sprint(was.Rollout.Seq))}, nil
}

// consequence says what else came of a command: when it starts, or against what a
// person has decided.
func consequence(r decisions.Rollout) string {
	d, ok := r.Last()
	switch {
	case r.Status == decisions.Planned && r.Schedule != nil:
		return " and starts at " + r.Schedule.At.Format(time.RFC3339)
	case ok && !d.ByController() && d.Against != "":
		return fmt.Sprintf("; the recommendation was to %s", d.Against)
	}
	return ""
}

// The commands that people give, each by its own name.
type (
	startCmd struct {
		act
		Anyway bool `help:"Start although something is lacking; say why with -m."`
	}
	approveCmd  struct{ rolloutDecisionOp }
	rollbackCmd struct{ act }
	decideCmd   struct {
		Op string `arg:"" enum:"start,hold,resume,approve,override,advance,ship,reject,rollback,explain,forward" help:"start, hold, resume, approve, override, advance, ship, reject, rollback, explain or forward."`
		act
	}
)

// Run starts a planned rollout.
func (c startCmd) Run(ctx context.Context) error {
	return c.order(ctx, decisions.OpStart, order{Anyway: c.Anyway})
}

// Run approves what a decision asks for: the one that was named, else the newest
// as it is when the command is given.
func (c approveCmd) Run(ctx context.Context) error {
	return c.order(ctx, decisions.OpApprove, order{Decision: c.Decision})
}

// Run gives everybody the safe variant, now.
func (c rollbackCmd) Run(ctx context.Context) error { return c.do(ctx, decisions.OpRollback) }

// Run does any of these.
func (c decideCmd) Run(ctx context.Context) error { return c.do(ctx, decisions.Op(c.Op)) }
