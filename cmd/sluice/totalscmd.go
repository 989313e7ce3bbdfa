package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	"github.com/sluice-hq/sluice/internal/server"
)

// totalsCmd is everything about the totals of units, which looks read instead
// of the raw events.
type totalsCmd struct {
	Show    totalsShowCmd    `cmd:"" help:"Show how far they are."`
	Check   totalsCheckCmd   `cmd:"" help:"Count rollouts twice, from the totals and from the raw events, and compare."`
	Rebuild totalsRebuildCmd `cmd:"" help:"Have all of them made anew from the raw events. Looks read the old ones meanwhile."`
}

type totalsShowCmd struct {
	client
	output
}

// Run prints a line per shard.
func (c totalsShowCmd) Run(ctx context.Context) error {
	var v server.TotalsView
	if err := c.get(ctx, "/api/v1/totals", &v); err != nil {
		return err
	}
	return c.write(v, func(w io.Writer) { tableTotals(w, v) })
}

func tableTotals(w io.Writer, v server.TotalsView) {
	fmt.Fprintln(w, "SHARD\tMESSAGES\tMEASURES\tROWS\tREBUILT")
	for _, s := range v.Shards {
		rebuilt := "up to date"
		if s.Rebuilt < v.Order {
			rebuilt = "being made anew"
		}
		fmt.Fprintf(w, "%s\t%s\t%d\t%s\t%s\n", s.Shard, thousands(int64(s.Done)), s.Measures, thousands(int64(s.Rows)), rebuilt)
	}
}

type totalsCheckCmd struct {
	client
	output
	Rollouts []string `arg:"" optional:"" name:"rollout" help:"<environment>/<flag>/<n>; none: those that are open."`
}

var errTotalsDiffer = errors.New("the totals are not what the raw events add up to: sluice totals rebuild makes them anew")

// Run prints what it found; totals that differ are an error.
func (c totalsCheckCmd) Run(ctx context.Context) error {
	ids, err := c.rollouts(ctx)
	if err != nil {
		return err
	}
	checked, differ := []server.TotalsCheck{}, false
	for _, id := range ids {
		path, err := rolloutPath(id)
		if err != nil {
			return err
		}
		var v server.TotalsCheck
		if err := c.get(ctx, "/api/v1/readouts/"+path+"/totals", &v); err != nil {
			return err
		}
		checked, differ = append(checked, v), differ || len(v.Differs) > 0
	}
	if err := c.write(checked, func(w io.Writer) { tableChecked(w, checked) }); err != nil || !differ {
		return err
	}
	return errTotalsDiffer
}

// rollouts returns those that are named, else those that are open, which are
// the ones that totals are kept of.
func (c totalsCheckCmd) rollouts(ctx context.Context) ([]string, error) {
	if len(c.Rollouts) > 0 {
		return c.Rollouts, nil
	}
	all, err := list[server.RolloutView](ctx, c.client, "/api/v1/rollouts", "rollouts", url.Values{}, 0)
	var open []string
	for _, v := range all {
		if v.Rollout.Open() {
			open = append(open, v.Rollout.ID)
		}
	}
	return open, err
}

func tableChecked(w io.Writer, checked []server.TotalsCheck) {
	if len(checked) == 0 {
		fmt.Fprintln(w, "No rollout is open.")
	}
	for _, v := range checked {
		for _, d := range v.Differs {
			fmt.Fprintf(w, "%s\t%s differs\ttotals %s\traw events %s\n", v.Rollout, d.Of, d.Totals, d.Raw)
		}
		if len(v.Differs) == 0 {
			fmt.Fprintf(w, "%s\tequal\t%s\n", v.Rollout, compared(v))
		}
	}
}

// compared says which metrics were compared, and why some were not.
func compared(v server.TotalsCheck) string {
	what := "units and exposures"
	if len(v.Kept) > 0 {
		what += ", " + strings.Join(v.Kept, ", ")
	}
	if len(v.Raw) > 0 {
		what += "; not in the totals: " + strings.Join(v.Raw, ", ")
	}
	if v.Rebuilding {
		what += "; they are being made anew"
	}
	return what
}

type totalsRebuildCmd struct {
	client
	output
	Wait time.Duration `help:"How long to wait until it is done." default:"10m"`
}

// Run orders a rebuild and waits until every shard has carried it out.
func (c totalsRebuildCmd) Run(ctx context.Context) error {
	var v server.TotalsView
	if err := c.post(ctx, "/api/v1/totals/rebuild", nil, &v); err != nil {
		return err
	}
	order := v.Order
	ctx, stop := context.WithTimeout(ctx, c.Wait)
	defer stop()
	for !rebuilt(v, order) && sleep(ctx, 200*time.Millisecond) {
		if err := c.get(ctx, "/api/v1/totals", &v); err != nil {
			return err
		}
	}
	if err := c.write(v, func(w io.Writer) { tableTotals(w, v) }); err != nil || rebuilt(v, order) {
		return err
	}
	return exit(exitWaiting)
}

// rebuilt reports whether every shard has carried out an order.
func rebuilt(v server.TotalsView, order uint64) bool {
	for _, s := range v.Shards {
		if s.Rebuilt < order {
			return false
		}
	}
	return true
}
