package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/internal/natslog"
	"github.com/sluice-hq/sluice/internal/server"
)

// verifyCmd checks a running server, the data of a stopped one, or an exported
// log.
type verifyCmd struct {
	client
	output
	Data string `help:"Folder of a stopped server: checks its files too."`
	File string `help:"Log written by export: checks its hashes and the chain."`
}

// Run checks and prints what it found; what does not hold is an error.
func (c verifyCmd) Run(ctx context.Context) error {
	switch {
	case c.File != "":
		return c.exported()
	case c.Data != "":
		return c.stopped(ctx)
	}
	var v server.Verification
	if err := c.get(ctx, "/api/v1/verify", &v); err != nil {
		return err
	}
	return c.report(v)
}

// stopped checks the files as they lie there, then opens the log and checks
// the laws.
func (c verifyCmd) stopped(ctx context.Context) error {
	dir := filepath.Join(c.Data, "nats")
	if _, err := natslog.Verify(dir); err != nil {
		return err
	}
	s, err := natslog.Open(ctx, natslog.Config{Dir: dir})
	if err != nil {
		return err
	}
	v, err := server.Verify(ctx, s.Log, s.Blobs, event.Mark{})
	if err = errors.Join(err, s.Close(ctx)); err != nil {
		return err
	}
	return c.report(v)
}

// exported checks a copy, which needs nothing but the copy.
func (c verifyCmd) exported() error {
	f, err := os.Open(c.File)
	if err != nil {
		return err
	}
	defer f.Close()
	var chain event.Audit
	if err := eachLine(f, chain.Next); err != nil {
		return err
	}
	fmt.Printf("%d events, head %s: every hash and every link holds; %s\n", chain.Seq, chain.Head, sealed(chain.Seals.Last))
	return nil
}

func sealed(m event.Mark) string {
	if m.Seq == 0 {
		return "no seal yet"
	}
	return fmt.Sprintf("sealed up to event %d", m.Seq)
}

func (c verifyCmd) report(v server.Verification) error {
	err := c.write(v, func(w io.Writer) {
		fmt.Fprintf(w, "log\t%d events, head %s, %s\n", v.Seq, v.Head, sealed(v.Seal))
		fmt.Fprintf(w, "replay\t%s\n", holds(v.Replay))
		for _, l := range []struct {
			name string
			decisions.Law
		}{{"recompute", v.Report.Recompute}, {"cause", v.Report.Cause}, {"effect", v.Report.Effect}} {
			fmt.Fprintf(w, "%s\t%s (%d checked)\n", l.name, holds(failure(l.Failed)), l.Checked)
		}
	})
	if err == nil && !v.Whole {
		err = exit(exitError)
	}
	return err
}

func failure(f *decisions.Failure) string {
	if f == nil {
		return ""
	}
	return fmt.Sprintf("event %d (%s): %s", f.Seq, f.ID, f.Why)
}

func holds(fault string) string {
	if fault == "" {
		return "holds"
	}
	return "DOES NOT HOLD: " + fault
}
