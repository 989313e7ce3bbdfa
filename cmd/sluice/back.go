package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/internal/server"
)

// reduceCmd takes a rollout back gently.
type reduceCmd struct {
	act
	To string `required:"" help:"An earlier stage, or a smaller share of the units, such as 5%."`
}

// Run reduces the rollout.
func (c reduceCmd) Run(ctx context.Context) error {
	return c.order(ctx, decisions.OpReduce, order{To: c.To})
}

// drillCmd measures how long a rollback takes to reach everybody. Its exit
// status is 0 when everybody was safe in the time that the plan gives.
type drillCmd struct {
	act
	output
}

// drillPause is how often the drill is asked how far it is.
const drillPause = 500 * time.Millisecond

// Run begins a drill and waits for its end.
func (c drillCmd) Run(ctx context.Context) error {
	v, err := c.give(ctx, decisions.OpDrill, order{})
	for err == nil {
		d := v.Rollout.Drills[len(v.Rollout.Drills)-1]
		if d.Result != nil {
			return c.tell(v, d)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(drillPause):
			v, err = c.rollout(ctx, c.Rollout)
		}
	}
	return err
}

func (c drillCmd) tell(v server.RolloutView, d decisions.Drill) error {
	err := c.write(d, func(w io.Writer) {
		fmt.Fprintf(w, "drill of %s with the flag %s: %s\n", v.Rollout.ID, d.Flag, d.Result.Text())
	})
	if err == nil && d.Result.Why != "" {
		return exit(exitError)
	}
	return err
}

// ways tells how a rollout goes back, and how the last time went.
func ways(w io.Writer, r decisions.Rollout) {
	if b := r.WayBack; b != nil && r.Open() {
		fmt.Fprintf(w, "\nTo give everybody %s%s: %s\n", b.Safe, since(b.Was), b.Command)
	}
	if t := r.Return; t != nil {
		fmt.Fprintf(w, "\nWent back at %s: %s\n", t.Effective.Format(time.RFC3339), safety(*t))
	}
	if n := len(r.Drills); n > 0 && r.Drills[n-1].Result != nil {
		d := r.Drills[n-1]
		fmt.Fprintf(w, "\nDrilled at %s: %s\n", d.At.Format(time.RFC3339), d.Result.Text())
	}
	if r.Locked {
		fmt.Fprintf(w, "\nLocked until somebody says what happened: sluice decide explain %s -m WHY\n", r.ID)
	}
}

// since says that the safe variant is another than when the way back was agreed
// upon.
func since(was string) string {
	if was == "" {
		return ""
	}
	return " (safe was " + was + " when it was agreed upon)"
}

// safety says how far a return has come.
func safety(t decisions.Return) string {
	switch {
	case t.Proven != nil:
		return t.Proven.Text()
	case t.Unproven != nil:
		return t.Unproven.Text()
	}
	return "not proven yet"
}
