package main

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/internal/server"
)

// statusCmd shows every rollout, or one. Its exit status tells a pipeline how
// the one stands.
type statusCmd struct {
	client
	output
	Rollout string `arg:"" optional:"" help:"environment/flag/number; then the exit status is 0 shipped, 2 waiting, 3 rolled back or rejected."`
	Watch   bool   `short:"w" help:"Wait until the rollout is over; without one, show those under way until none is."`
}

// Run prints the rollouts, and waits for one if asked to.
func (c statusCmd) Run(ctx context.Context) error {
	switch {
	case c.Rollout == "" && c.Watch:
		return c.live(ctx)
	case c.Rollout == "":
		return c.all(ctx)
	}
	said := &watching{out: os.Stderr}
	for {
		v, err := c.rollout(ctx, c.Rollout)
		if err != nil {
			return err
		}
		if !c.Watch || !v.Rollout.Open() && v.Rollout.Status != decisions.Planned {
			return c.one(v)
		}
		said.tell(v)
		select {
		case <-ctx.Done():
			return c.one(v)
		case <-time.After(2 * time.Second):
		}
	}
}

func (c client) rollout(ctx context.Context, id string) (v server.RolloutView, err error) {
	path, err := rolloutPath(id)
	if err == nil {
		err = c.get(ctx, "/api/v1/rollouts/"+path, &v)
	}
	return v, err
}

// rolloutPath checks a rollout's ID and escapes it for a URL.
func rolloutPath(id string) (string, error) {
	environment, flag, n, err := decisions.SplitID(id)
	return fmt.Sprintf("%s/%s/%d", url.PathEscape(environment), url.PathEscape(flag), n), err
}

func (c statusCmd) all(ctx context.Context) error {
	all, err := list[server.RolloutView](ctx, c.client, "/api/v1/rollouts", "rollouts", url.Values{}, 0)
	if err != nil {
		return err
	}
	return c.write(all, func(w io.Writer) {
		if len(all) == 0 {
			fmt.Fprintln(w, "There is no rollout yet; write a plan and run: sluice apply --start rollout.yaml")
			return
		}
		fmt.Fprintln(w, "ROLLOUT\tSTATUS\tSTAGE\tWHY")
		for _, v := range all {
			line(w, v)
		}
	})
}

func (c statusCmd) one(v server.RolloutView) error {
	err := c.write(v, func(w io.Writer) {
		line(w, v)
		ways(w, v.Rollout)
		asking(w, v.Ask)
		if v.Look == nil {
			return
		}
		fmt.Fprintln(w)
		for _, check := range v.Look.Verdict.Checks {
			fmt.Fprintf(w, "%s\t%s\t%s\n", mark(check.State), strings.TrimSpace(string(check.Name)+" "+check.Metric), check.Text)
		}
	})
	if err != nil {
		return err
	}
	switch {
	case v.Rollout.Status == decisions.RolledBack, v.Rollout.Status == decisions.Rejected:
		return exit(exitRolledBack)
	case v.Rollout.Open(), v.Rollout.Status == decisions.Planned:
		return exit(exitWaiting)
	}
	return nil
}

func line(w io.Writer, v server.RolloutView) {
	fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", v.Rollout.ID, v.Rollout.Status, stage(v.Rollout), why(v))
}

func stage(r decisions.Rollout) string {
	s, ok := r.Now()
	if !ok {
		return "–"
	}
	return fmt.Sprintf("%s (%d of %d)", s.Name, r.Stage+1, len(r.Plan.Stages))
}

// why gives the newest look's sentence, else the newest decision's.
func why(v server.RolloutView) string {
	d, decided := v.Rollout.Last()
	switch {
	case v.Look != nil && v.Rollout.Open():
		return v.Look.Verdict.Text
	case decided:
		return d.Verdict.Text
	case v.Rollout.Open():
		return "started; it is looked at in a moment"
	case v.Rollout.Status == decisions.Rejected:
		return v.Rollout.Explanation
	}
	if p := v.Rollout.Schedule; p != nil && p.Lapsed == "" && p.Delayed != nil {
		return "was to start at " + p.At.Format(time.RFC3339) + " and waits: " + p.Delayed.Why
	} else if p != nil && p.Lapsed == "" {
		return "starts at " + p.At.Format(time.RFC3339) + ", scheduled by " + p.By
	} else if p != nil {
		return "was not started at " + p.At.Format(time.RFC3339) + ": " + p.Lapsed
	}
	return "not started; start it with: sluice start " + v.Rollout.ID
}

func mark(s decisions.CheckState) string {
	switch s {
	case decisions.Pass:
		return "✓ pass"
	case decisions.Fail:
		return "✗ fail"
	case decisions.Wait:
		return "◌ wait"
	case decisions.Overruled:
		return "! over"
	}
	return "– n/a"
}
