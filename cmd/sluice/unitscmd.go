package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/url"
	"slices"

	"github.com/sluice-hq/sluice/ingest"
)

// unitsCmd is about single units.
type unitsCmd struct {
	TwoArms   twoArmsCmd     `cmd:"" help:"List the units that saw two arms of a rollout, and why they probably did."`
	Trace     unitTraceCmd   `cmd:"" help:"Follow one unit from its bucket to the rows of the analysis: what it gets and why, and what each of its events counts for."`
	Export    unitExportCmd  `cmd:"" help:"Write everything that is kept of one unit, as JSON."`
	Delete    unitDeleteCmd  `cmd:"" help:"Delete the facts of one unit."`
	Deletions unitDeletedCmd `cmd:"" help:"List the units whose facts were deleted, and how far that is."`
}

// twoArmsCmd lists what no number of a readout counts.
type twoArmsCmd struct {
	client
	output
	Rollout string `arg:"" help:"environment/flag/number."`
	Limit   int    `help:"At most so many; 0: all." default:"100"`
}

// Run prints how often each cause is likely, then unit by unit what it met.
func (c twoArmsCmd) Run(ctx context.Context) error {
	path, err := rolloutPath(c.Rollout)
	if err != nil {
		return err
	}
	units, err := list[ingest.TwoArms](ctx, c.client, "/api/v1/readouts/"+path+"/two-arms", "units", url.Values{}, c.Limit)
	if err != nil {
		return err
	}
	return c.write(units, func(w io.Writer) { twoArmsTable(w, units) })
}

func twoArmsTable(w io.Writer, units []ingest.TwoArms) {
	if len(units) == 0 {
		fmt.Fprintln(w, "No unit saw two arms in one epoch.")
		return
	}
	causes := map[ingest.Cause]int{}
	for _, u := range units {
		causes[u.Cause]++
	}
	for _, cause := range slices.Sorted(maps.Keys(causes)) {
		fmt.Fprintf(w, "%d\t%s\n", causes[cause], cause)
	}
	fmt.Fprintln(w, "\nEPOCH\tUNIT\tEXPOSURES\tLIKELY CAUSE\tWHY")
	for _, u := range units {
		fmt.Fprintf(w, "%d\t%s %s\t%d\t%s\t%s\n", u.Epoch, u.Kind, u.Unit, u.Exposures, u.Cause, u.Why)
	}
}
