package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/internal/server"
)

// outcomeCmd records the outcome of a rollout, or shows it.
type outcomeCmd struct {
	client
	output
	Rollout   string `arg:"" help:"environment/flag/number."`
	Changed   string `help:"What was released, to whom; else what the plan says."`
	Happened  string `help:"What the metrics and the customers did."`
	Confirmed string `help:"The plan's hypothesis: yes, no or unclear."`
	Why       string `help:"It came out so, as far as is known."`
	Next      string `help:"The next hypothesis."`
}

// Run records what was said, or shows what there is.
func (c outcomeCmd) Run(ctx context.Context) error {
	path, err := rolloutPath(c.Rollout)
	if err != nil {
		return err
	}
	path = "/api/v1/rollouts/" + path + "/outcome"
	if c.Changed+c.Happened+c.Confirmed+c.Why+c.Next != "" {
		var v server.RolloutView
		err := c.post(ctx, path, map[string]string{
			"changed": c.Changed, "happened": c.Happened, "confirmed": c.Confirmed, "why": c.Why, "next": c.Next,
		}, &v)
		if err != nil {
			return err
		}
	}
	var v server.OutcomeView
	if err := c.get(ctx, path, &v); err != nil {
		return err
	}
	return c.write(v, func(w io.Writer) { outcomeTable(w, v) })
}

func outcomeTable(w io.Writer, v server.OutcomeView) {
	line := func(name, text string) {
		if text != "" {
			fmt.Fprintf(w, "%s\t%s\n", name, text)
		}
	}
	line("hypothesis", v.Hypothesis)
	if o := v.Outcome; o != nil {
		line("changed", o.Changed)
		line("happened", o.Happened)
		line("confirmed", string(o.Confirmed))
		line("why", o.Why)
		line("next", o.Next)
		line("recorded", o.At.Format("2006-01-02 15:04:05")+" by "+o.By)
	} else {
		line("outcome", "nobody has recorded it; say --happened, --confirmed and --why")
		line("numbers", v.Numbers)
	}
	if f := v.Followed; f != nil {
		followedTable(w, *f)
	}
}

func followedTable(w io.Writer, f decisions.FollowUp) {
	fmt.Fprintf(w, "\nWhether it held, %d days later (%s)\n", int(time.Duration(f.After).Hours()/24), f.At.Format("2006-01-02"))
	for _, m := range f.Metrics {
		fmt.Fprintf(w, "%s\t%s\n", m.Held, m.Text)
	}
}
