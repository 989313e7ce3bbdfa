package main

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"time"

	"github.com/sluice-hq/sluice/flags"
)

// usageCmd tells how often a flag gave which answer.
type usageCmd struct {
	client
	output
	Key         string `arg:"" help:"Key of the flag."`
	Environment string `short:"e" help:"Environment." default:"production"`
	Days        int    `help:"Back from now." default:"14"`
}

// used is how a flag was used in an environment.
type used struct {
	Seen  flags.Seen    `json:"seen"`
	Usage []flags.Usage `json:"usage"`
}

// Run prints a line per day, variant and reason.
func (c usageCmd) Run(ctx context.Context) error {
	query := set(url.Values{}, "environment", c.Environment, "days", fmt.Sprint(c.Days))
	var u used
	if err := c.get(ctx, "/api/v1/flags/"+url.PathEscape(c.Key)+"/usage?"+query.Encode(), &u); err != nil {
		return err
	}
	return c.write(u, u.table)
}

func (u used) table(w io.Writer) {
	if len(u.Usage) > 0 {
		fmt.Fprintln(w, "DAY\tVARIANT\tREASON\tASKED\tLISTED\tEXPOSURES")
	}
	for _, d := range u.Usage {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", d.Day, orDash(d.Variant), d.Reason, thousands(d.Asked), thousands(d.Listed), thousands(d.Exposures))
	}
	fmt.Fprintf(w, "Last asked for: %s. Last among all flags: %s. Counted since: %s.\n",
		moment(u.Seen.Asked), moment(u.Seen.Listed), moment(u.Seen.Since))
}

// moment writes a time, and that there was none.
func moment(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.UTC().Format("2006-01-02 15:04 UTC")
}
