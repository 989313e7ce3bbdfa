package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/internal/server"
)

// errOneOf says that a command takes a decision or a file of one.
var errOneOf = errors.New("name one decision, or a file that export wrote with --file")

// errAlone says that counts of today are asked of a server.
var errAlone = errors.New("a file holds the numbers of its decision alone; --today and --with-late take a decision of a server")

// decisionsVerifyCmd checks one decision, on the server or from a file.
type decisionsVerifyCmd struct {
	client
	output
	ID   string `arg:"" optional:"" help:"A decision, as lists and pages show it."`
	File string `help:"Check what export wrote as JSON; asks no server."`
}

// Run checks and prints what it found; what does not hold is an error.
func (c decisionsVerifyCmd) Run(ctx context.Context) error {
	if (c.ID == "") == (c.File == "") {
		return errOneOf
	}
	if c.File != "" {
		return c.file()
	}
	var p decisions.Proven
	if err := c.get(ctx, "/api/v1/decisions/"+url.PathEscape(c.ID)+"/verify", &p); err != nil {
		return err
	}
	err := c.write(p, func(w io.Writer) {
		fmt.Fprintf(w, "event\t%d, %s\n", p.Seq, p.Hash)
		fmt.Fprintf(w, "chain\t%s\n", holds(p.Chain))
		fmt.Fprintf(w, "record\t%s\n", personal(p.Person, holds(p.Record)))
		fmt.Fprintf(w, "effect\t%s\n", toCome(p.Pending, holds(p.Effect)))
	})
	return failed(err, p.OK())
}

// personal is how a record holds, if there is one: a person's decision follows
// from nothing.
func personal(person bool, otherwise string) string {
	if person {
		return "a person decided: there is nothing to recompute"
	}
	return otherwise
}

func toCome(waits bool, otherwise string) string {
	if waits {
		return "is still to come"
	}
	return otherwise
}

func failed(err error, ok bool) error {
	if err == nil && !ok {
		return exit(exitError)
	}
	return err
}

func (c decisionsVerifyCmd) file() error {
	r, err := fromFile(c.File)
	if err != nil {
		return err
	}
	found, err := r.Check()
	if err != nil {
		return err
	}
	err = c.write(found, func(w io.Writer) {
		fmt.Fprintf(w, "event\t%s\n", holds(found.Event))
		fmt.Fprintf(w, "record\t%s\n", holds(found.Document+found.Advice))
		fmt.Fprintf(w, "stages\t%s\n", holds(found.Stages))
		fmt.Fprintf(w, "approvals\t%s\n", holds(found.Approvals))
		fmt.Fprintf(w, "effect\t%s\n", holds(found.Effect))
		for _, what := range found.Unproven {
			fmt.Fprintf(w, "not proven\t%s\n", what)
		}
		fmt.Fprintf(w, "verdict\t%s\n", personal(found.Recomputed == nil, again(found.Recomputed)))
	})
	return failed(err, found.OK())
}

// again says how a decision that is made again compares.
func again(r *decisions.Recomputed) string {
	switch {
	case r == nil:
		return ""
	case !r.Same:
		return holds(r.Why)
	case len(r.Faults) > 0:
		return holds(r.Faults[0])
	}
	return fmt.Sprintf("the same: %s (%s)", r.Verdict.Action, r.Verdict.Reason)
}

// decisionsRecomputeCmd makes a decision again.
type decisionsRecomputeCmd struct {
	client
	output
	ID       string `arg:"" optional:"" help:"A decision, as lists and pages show it."`
	File     string `help:"Make what export wrote as JSON again; asks no server."`
	Today    bool   `help:"Also from today's data at the watermark of the record: the same numbers."`
	WithLate bool   `help:"Also with what has arrived since: what that makes different."`
}

// Run prints the verdict, and every number that came out otherwise. That the
// record gives another verdict, or its data other numbers, is an error; what came
// late is none.
func (c decisionsRecomputeCmd) Run(ctx context.Context) error {
	if (c.ID == "") == (c.File == "") {
		return errOneOf
	}
	if c.File != "" {
		if c.Today || c.WithLate {
			return errAlone
		}
		return decisionsVerifyCmd{output: c.output, File: c.File}.file()
	}
	q := url.Values{}
	for name, asked := range map[string]bool{"today": c.Today, "late": c.WithLate} {
		if asked {
			q.Set(name, "true")
		}
	}
	var v server.Recomputation
	if err := c.get(ctx, "/api/v1/decisions/"+url.PathEscape(c.ID)+"/recompute?"+q.Encode(), &v); err != nil {
		return err
	}
	err := c.write(v, func(w io.Writer) { recomputedTable(w, v) })
	return failed(err, v.Record.Same && (v.Today == nil || v.Today.Same))
}

func recomputedTable(w io.Writer, v server.Recomputation) {
	fmt.Fprintf(w, "recorded\t%s (%s)\n", v.Recorded.Action, v.Recorded.Reason)
	fmt.Fprintf(w, "from the record alone\t%s\n", again(&v.Record))
	if v.Today != nil {
		fmt.Fprintf(w, "from today's data at its watermark\t%s\n", recounted(*v.Today))
	}
	if v.Late != nil {
		fmt.Fprintf(w, "with what has come since\t%s\n", recounted(*v.Late))
	}
	if v.Forgot > 0 {
		fmt.Fprintf(w, "deleted since\t%d units, whose numbers are gone\n", v.Forgot)
	}
	for _, r := range []*decisions.Recounted{v.Today, v.Late} {
		if r != nil && !r.Same {
			differenceTable(w, *r)
		}
	}
}

func recounted(r decisions.Recounted) string {
	verdict := "the same verdict"
	if !r.SameVerdict {
		verdict = fmt.Sprintf("it would be: %s (%s)", r.Verdict.Action, r.Verdict.Reason)
	}
	if r.Same {
		return "the same numbers, " + verdict
	}
	return fmt.Sprintf("%d numbers differ, %s", len(r.Differences), verdict)
}

func differenceTable(w io.Writer, r decisions.Recounted) {
	now := "NOW"
	if r.Late {
		now = "WITH LATE"
	}
	fmt.Fprintf(w, "\nNUMBER\tRECORDED\t%s\tCHANGE\n", now)
	for _, d := range r.Differences {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", d.Of, d.Recorded, d.Now, d.Change)
	}
}
