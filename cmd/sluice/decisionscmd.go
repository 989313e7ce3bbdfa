package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"os"

	"github.com/sluice-hq/sluice/internal/server"
)

// decisionsCmd lists decisions or shows one.
type decisionsCmd struct {
	client
	output
	ID      string `arg:"" optional:"" help:"A decision; all of them when absent."`
	Rollout string `help:"Of this rollout alone: environment/flag/number."`
}

// Run prints the decisions.
func (c decisionsCmd) Run(ctx context.Context) error {
	if c.ID != "" {
		return c.one(ctx)
	}
	all, err := list[server.DecisionView](ctx, c.client, "/api/v1/decisions", "decisions", set(url.Values{}, "rollout", c.Rollout), 0)
	if err != nil {
		return err
	}
	return c.write(all, func(w io.Writer) {
		if len(all) == 0 {
			fmt.Fprintln(w, "Nothing is decided yet.")
			return
		}
		fmt.Fprintln(w, "TIME\tROLLOUT\tVERDICT\tBY\tWHY\tID")
		for _, d := range all {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", d.At.Format("2006-01-02 15:04:05"), d.Rollout, d.Verdict.Action, d.By, d.Verdict.Text, d.ID)
		}
	})
}

// one prints the record: a person reads its JSON as well as a program does.
func (c decisionsCmd) one(ctx context.Context) error {
	var record server.DecisionRecord
	if err := c.get(ctx, "/api/v1/decisions/"+url.PathEscape(c.ID), &record); err != nil {
		return err
	}
	return c.write(record, func(io.Writer) {
		e := json.NewEncoder(os.Stdout)
		e.SetIndent("", "  ")
		_ = e.Encode(record) // cannot fail but by the terminal
	})
}
