package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"

	"github.com/sluice-hq/sluice/ingest"
	"github.com/sluice-hq/sluice/internal/server"
)

// unitFlags name one unit.
type unitFlags struct {
	Kind string `default:"user" help:"Of the unit."`
	ID   string `arg:"" help:"Of the unit; its keyed hash (hash:…), as lists have it; or - for a line of standard input, which no history of a shell keeps."`
}

// named returns the unit as the server is told.
func (f unitFlags) named(in io.Reader) (server.UnitNamed, error) {
	id := f.ID
	if id == "-" {
		line, err := bufio.NewReader(in).ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return server.UnitNamed{}, fmt.Errorf("reading the id of the unit: %w", err)
		}
		id = strings.TrimSpace(line)
	}
	if _, hashed := ingest.ParseUnit(id); hashed {
		return server.UnitNamed{Kind: f.Kind, Unit: id}, nil
	}
	return server.UnitNamed{Kind: f.Kind, ID: id}, nil
}

// unitExportCmd writes what is kept of a unit.
type unitExportCmd struct {
	client
	unitFlags
}

// Run prints it as JSON: it is for another program, or for the person.
func (c unitExportCmd) Run(ctx context.Context) error {
	named, err := c.named(os.Stdin)
	if err != nil {
		return err
	}
	var kept server.UnitExport
	if err := c.post(ctx, "/api/v1/units/exports", named, &kept); err != nil {
		return err
	}
	return output{"json"}.write(kept, nil)
}

// unitDeleteCmd deletes a unit's facts.
type unitDeleteCmd struct {
	client
	output
	unitFlags
	Comment string `short:"m" help:"Why, such as the number of a request; it stays on record and must not name the unit."`
	Yes     bool   `help:"Delete: without it nothing is deleted, and the number of events is told."`
}

// Run deletes, or says what would be deleted: there is no way back.
func (c unitDeleteCmd) Run(ctx context.Context) error {
	named, err := c.named(os.Stdin)
	if err != nil {
		return err
	}
	if !c.Yes {
		return c.ask(ctx, named)
	}
	body := struct {
		server.UnitNamed
		Comment string `json:"comment,omitempty"`
	}{named, c.Comment}
	var done server.DeletionView
	if err := c.post(ctx, "/api/v1/units/deletions", body, &done); err != nil {
		return err
	}
	return c.write(done, func(w io.Writer) {
		fmt.Fprintf(w, "The deletion of %s %s is recorded. It is carried out now; sluice units deletions says when it is done.\n", done.Kind, done.Unit)
		for _, m := range done.Mentions {
			fmt.Fprintf(w, "Still named in %s %s: %s.\n", m.Kind, m.Key, m.Place)
		}
		for _, text := range done.Remains {
			fmt.Fprintln(w, text)
		}
	})
}

// ask says what there is and how to go on.
func (c unitDeleteCmd) ask(ctx context.Context, named server.UnitNamed) error {
	var kept server.UnitExport
	if err := c.post(ctx, "/api/v1/units/exports", named, &kept); err != nil {
		return err
	}
	return c.write(kept, func(w io.Writer) {
		fmt.Fprintf(w, "%s %s: %d exposures, %d metric events, %d that wait, %d dead letters. Nothing was deleted; to delete them for good, add --yes.\n",
			kept.Kind, kept.Unit, len(kept.Exposures), len(kept.Metrics), len(kept.Waiting), len(kept.Letters))
	})
}

// unitDeletedCmd lists deletions.
type unitDeletedCmd struct {
	client
	output
}

// Run prints a line per unit.
func (c unitDeletedCmd) Run(ctx context.Context) error {
	all, err := list[ingest.Forgotten](ctx, c.client, "/api/v1/units/deletions", "deletions", url.Values{}, 0)
	if err != nil {
		return err
	}
	return c.write(all, func(w io.Writer) {
		if len(all) == 0 {
			fmt.Fprintln(w, "No unit was deleted.")
			return
		}
		fmt.Fprintln(w, "UNIT\tASKED\tBY\tSTATE\tCOMMENT")
		for _, f := range all {
			fmt.Fprintf(w, "%s %s\t%s\t%s\t%s\t%s\n", f.Kind, f.Unit, moment(f.Before), f.Actor, stateOf(f), cmp.Or(f.Comment, "-"))
		}
	})
}

func stateOf(f ingest.Forgotten) string {
	if f.Erased == nil {
		return "under way"
	}
	return fmt.Sprintf("%s rows and %d dead letters deleted %s", thousands(int64(f.Erased.Rows)), f.Erased.Letters, moment(f.Erased.At))
}
