package main

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"strings"

	"github.com/sluice-hq/sluice/flags"
)

// historyCmd tells who changed a flag.
type historyCmd struct {
	client
	output
	Key   string `arg:"" help:"Key of the flag."`
	Limit int    `help:"At most so many; 0: all." default:"20"`
}

// Run prints the history, the newest change first.
func (c historyCmd) Run(ctx context.Context) error {
	entries, err := list[flags.Entry](ctx, c.client, "/api/v1/flags/"+url.PathEscape(c.Key)+"/history", "history", url.Values{}, c.Limit)
	if err != nil {
		return err
	}
	return c.write(entries, func(w io.Writer) {
		for _, e := range entries {
			why := strings.TrimSpace(e.Comment)
			if e.Cause != "" {
				why += " (because of " + e.Cause + ")"
			}
			fmt.Fprintf(w, "revision %d\t%s\t%s\t%s\n", e.Revision, e.At.Format("2006-01-02 15:04:05"), e.Actor, strings.TrimSpace(why))
			if e.Type != flags.EventType {
				fmt.Fprintf(w, "\t%s\n", e.Type)
			}
			for _, d := range e.Differences {
				fmt.Fprintf(w, "\t%s\n", d.Text)
			}
		}
	})
}
