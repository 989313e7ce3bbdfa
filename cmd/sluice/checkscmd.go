package main

import (
	"context"
	"fmt"
	"time"

	"github.com/sluice-hq/sluice/internal/server"
)

// checkCmd reports how an external check came out, as the last step of whatever
// ran it.
type checkCmd struct {
	client
	Rollout string `arg:"" help:"environment/flag/number."`
	Check   string `arg:"" help:"Name of the check, as the plan's requires or conditions have it."`
	State   string `arg:"" enum:"pass,fail" help:"pass or fail."`
	For     string `help:"How long it is believed, such as 6h: 24h unless given, 30d at most."`
	Comment string `short:"m" help:"What was found."`
	Link    string `help:"To the run."`
}

// Run sends the report.
func (c checkCmd) Run(ctx context.Context) error {
	var v server.ReportView
	err := c.say(ctx, c.Rollout, "checks", &v, map[string]string{
		"check": c.Check, "state": c.State, "for": c.For, "text": c.Comment, "link": c.Link,
	})
	if err == nil {
		fmt.Printf("%s: %s is reported to %s, and believed until %s\n", v.Check, v.State, v.Rollout, v.Expires.Format(time.RFC3339))
	}
	return err
}

// confirmCmd confirms a manual condition of the present stage.
type confirmCmd struct {
	client
	Rollout string `arg:"" help:"environment/flag/number."`
	Owner   string `arg:"" help:"Who the plan asks; you have to be that person, or in that team."`
	When    string `enum:"advanceWhen,pauseWhen,rollbackWhen" default:"advanceWhen" help:"Which list of the stage: advanceWhen, pauseWhen or rollbackWhen."`
	Comment string `short:"m" required:"" help:"What you looked at; it stays on record."`
}

// Run sends the confirmation.
func (c confirmCmd) Run(ctx context.Context) error {
	var v server.RolloutView
	err := c.say(ctx, c.Rollout, "confirmations", &v, map[string]string{"owner": c.Owner, "when": c.When, "comment": c.Comment})
	if err == nil {
		fmt.Printf("%s: %s is confirmed; watch it with: sluice status -w %[1]s\n", v.Rollout.ID, c.When)
	}
	return err
}

// say posts what somebody says to the gate of a rollout, without what is empty.
func (c client) say(ctx context.Context, rollout, where string, answer any, body map[string]string) error {
	path, err := rolloutPath(rollout)
	if err != nil {
		return err
	}
	for name, text := range body {
		if text == "" {
			delete(body, name)
		}
	}
	return c.post(ctx, "/api/v1/rollouts/"+path+"/"+where, body, answer)
}
