package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/internal/manifest"
	"github.com/sluice-hq/sluice/internal/tabular"
)

// eventsImportCmd imports events of any age.
type eventsImportCmd struct {
	client
	output
	File        string        `arg:"" help:"Rows as CSV, lines of JSON or Parquet, the first two also with gzip; - for standard input."`
	Map         string        `required:"" short:"f" help:"Document of kind Import: which events a row becomes." placeholder:"FILE"`
	Environment string        `short:"e" help:"Environment, for tokens that are bound to none."`
	Format      string        `help:"csv, jsonl or parquet; else the file's name tells." placeholder:"FORMAT"`
	DryRun      bool          `help:"Read everything, have the server judge it, and keep nothing."`
	Rejected    string        `help:"Write every row that became no event, and why, to this file: one JSON object a line." placeholder:"FILE"`
	State       string        `help:"Where to note how far it is; default: beside the file." placeholder:"FILE"`
	StopAfter   int           `help:"Rejected rows after which to stop; 0: never." default:"1000"`
	AtOnce      int           `help:"Requests at once." default:"4"`
	Patience    time.Duration `help:"How long to try while the server has no room or does not answer." default:"5m"`
}

// Help says what a repeat does.
func (eventsImportCmd) Help() string {
	return "The ids of the events follow from the rows: importing a file again changes nothing, and an import that was interrupted goes on where it was. Takes the role approver."
}

// Run imports the file and says what became of it.
func (c eventsImportCmd) Run(ctx context.Context) error {
	m, source, err := c.mapping()
	if err != nil {
		return err
	}
	in, err := c.open()
	if err != nil {
		return err
	}
	defer in.close()
	rows, err := tabular.Open(in.File, in.format, m)
	if err != nil {
		return fmt.Errorf("opening %s: %w", c.File, err)
	}
	if err := c.get(ctx, "/healthz", nil); err != nil {
		return err
	}
	im, err := c.importer(m, rows, in, source)
	if err != nil {
		return err
	}
	err = errors.Join(im.run(ctx, c.AtOnce), im.rejected.close())
	if err != nil && !errors.Is(err, errEnough) {
		return im.stopped(err)
	}
	verb := "accepted"
	if c.DryRun {
		verb = "would be accepted"
	}
	written := c.write(im.total, func(w io.Writer) {
		fmt.Fprintf(w, "%s read. ", counted(int(im.total.Rows), "row"))
		im.total.table(w, verb)
	})
	if err != nil || written != nil {
		return errors.Join(err, written)
	}
	return im.total.err()
}

// mapping reads the document that says what a row becomes.
func (c eventsImportCmd) mapping() (m tabular.Mapping, source []byte, err error) {
	if source, err = os.ReadFile(c.Map); err != nil {
		return m, nil, fmt.Errorf("reading the mapping: %w", err)
	}
	docs, err := manifest.Split(source)
	if err != nil {
		return m, nil, fmt.Errorf("%s: %w", c.Map, err)
	}
	if len(docs) != 1 || docs[0].Kind != "Import" {
		return m, nil, fmt.Errorf("%s holds %s; a mapping is one, of kind Import", c.Map, counted(len(docs), "document"))
	}
	if err = docs[0].Decode(&m); err == nil {
		err = docs[0].Annotate(m.Validate())
	}
	if err != nil {
		return m, nil, fmt.Errorf("%s: %w", c.Map, err)
	}
	return m, source, nil
}

// opened is the file that is imported.
type opened struct {
	tabular.File
	format tabular.Format
	mark   []byte // what tells the file from others: its size and how it begins; nil: it is a pipe
	close  func()
}

func (c eventsImportCmd) open() (in opened, err error) {
	in.format, in.Gzip, err = tabular.FormatOf(c.File)
	switch tabular.Format(c.Format) {
	case "":
	case tabular.CSV, tabular.JSONL, tabular.Parquet:
		in.format, err = tabular.Format(c.Format), nil
	default:
		err = event.Invalid{Path: "--format", Value: c.Format, Why: "is not known", Fix: "write csv, jsonl or parquet"}
	}
	if err != nil {
		return in, err
	}
	in.close = func() {}
	if c.File == "-" {
		in.Reader = os.Stdin
		return in, nil
	}
	f, err := os.Open(c.File)
	if err != nil {
		return in, fmt.Errorf("opening rows: %w", err)
	}
	in.Reader, in.ReaderAt, in.close = f, f, func() { _ = f.Close() } // it was read alone
	info, err := f.Stat()
	if err != nil {
		return in, fmt.Errorf("opening rows: %w", err)
	}
	in.Size = info.Size()
	begins := make([]byte, 64<<10)
	n, err := f.ReadAt(begins, 0)
	if err != nil && err != io.EOF {
		return in, fmt.Errorf("reading %s: %w", c.File, err)
	}
	in.mark = append(begins[:n], fmt.Sprint(in.Size)...)
	return in, nil
}

// importer makes what carries out the import, from where an earlier one was
// interrupted.
func (c eventsImportCmd) importer(m tabular.Mapping, rows tabular.Rows, in opened, source []byte) (*importer, error) {
	im := &importer{
		client: c.client, mapping: m, rows: rows, patience: c.Patience, stopAfter: c.StopAfter, check: c.DryRun,
		path: eventsPath("/api/v1/events/import", c.Environment), progress: newProgress(os.Stderr),
	}
	if c.DryRun {
		im.path = eventsPath("/api/v1/events/import", c.Environment, "check", "true")
	}
	if in.mark != nil && !c.DryRun {
		im.place = openPlace(c.statePath(), [][]byte{source, []byte(c.Environment), []byte(c.Server), in.mark})
		im.total = im.place.was
	}
	var err error
	im.rejected, err = openRejects(c.Rejected, im.total.Rows > 0)
	return im, err
}

func (c eventsImportCmd) statePath() string {
	if c.State != "" {
		return c.State
	}
	return c.File + ".import"
}
