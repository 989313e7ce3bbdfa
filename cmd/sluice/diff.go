package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/sluice-hq/sluice/internal/server"
)

// exitDiffers says that files are not what the house holds.
const exitDiffers = 2

// diffCmd says what apply would change.
type diffCmd struct {
	client
	output
	documents
}

// Run prints the differences. The exit status is 2 when there are any.
func (c diffCmd) Run(ctx context.Context) error {
	files, err := c.read()
	if err != nil {
		return err
	}
	done, err := c.applyFiles(ctx, files, c.query("dryRun", "true"))
	if err != nil {
		return err
	}
	done = slices.DeleteFunc(done, func(d server.Applied) bool { return d.Change == "unchanged" })
	if err := c.write(done, func(w io.Writer) { wouldChange(w, done) }); err != nil || len(done) == 0 {
		return err
	}
	return exit(exitDiffers)
}

// wouldChange writes what a dry run found.
func wouldChange(w io.Writer, done []server.Applied) {
	if len(done) == 0 {
		fmt.Fprintln(w, "Nothing would change.")
	}
	for _, d := range done {
		fmt.Fprintf(w, "%s %s would be %s\n", strings.ToLower(d.Kind), d.Key, d.Change)
		for _, difference := range append(d.Differences, d.Notes...) {
			fmt.Fprintf(w, "  %s\n", difference)
		}
	}
}
