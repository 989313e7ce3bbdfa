package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"time"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/internal/server"
)

// cleanupCmd is about how flags end.
type cleanupCmd struct {
	List   cleanupListCmd   `cmd:"" default:"withargs" help:"List the flags that have to end some time, and what speaks against it."`
	Show   cleanupShowCmd   `cmd:"" help:"How far the end of one is, and what speaks against it."`
	Do     cleanupDoCmd     `cmd:"" help:"Carry out the end state: promote, remove, keep or convert."`
	Ticket cleanupTicketCmd `cmd:"" help:"What to delete where: the text of a ticket, in Markdown."`
	Close  cleanupCloseCmd  `cmd:"" help:"Say that nothing is left to do; archiving the flag says it too."`
	Debt   cleanupDebtCmd   `cmd:"" help:"How many flags should have been ended, week by week."`
}

// cleanupListCmd lists cleanups.
type cleanupListCmd struct {
	client
	output
	Environment string `short:"e" help:"Of one environment alone."`
	State       string `help:"open, waiting, due or closed alone."`
}

// Run prints the cleanups.
func (c cleanupListCmd) Run(ctx context.Context) error {
	q := set(url.Values{}, "environment", c.Environment, "state", c.State)
	all, err := list[server.CleanupView](ctx, c.client, "/api/v1/cleanup", "cleanups", q, 0)
	if err != nil {
		return err
	}
	return c.write(all, func(w io.Writer) {
		if len(all) == 0 {
			fmt.Fprintln(w, "There is no flag to end.")
			return
		}
		fmt.Fprintln(w, "ROLLOUT\tSTATE\tDUE\tEND STATE\tREADINESS\tOWNER")
		for _, v := range all {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", v.Rollout, v.State, dueText(v), v.EndState, v.Readiness.State, v.Owner)
		}
	})
}

func dueText(v server.CleanupView) string {
	if v.Due == nil {
		return ""
	}
	return v.Due.Format(time.DateOnly)
}

// cleanupOf is a command about one cleanup.
type cleanupOf struct {
	client
	Rollout string `arg:"" help:"environment/flag/number."`
}

func (c cleanupOf) path(what string) (string, error) {
	path, err := rolloutPath(c.Rollout)
	return "/api/v1/cleanup/" + path + what, err
}

// cleanupShowCmd shows one.
type cleanupShowCmd struct {
	cleanupOf
	output
}

// Run prints it.
func (c cleanupShowCmd) Run(ctx context.Context) error {
	path, err := c.path("")
	if err != nil {
		return err
	}
	var v server.CleanupView
	if err := c.get(ctx, path, &v); err != nil {
		return err
	}
	return c.write(v, func(w io.Writer) { cleanupTable(w, v) })
}

func cleanupTable(w io.Writer, v server.CleanupView) {
	fmt.Fprintf(w, "rollout\t%s\nowner\t%s\nstate\t%s\n", v.Rollout, v.Owner, v.State)
	if v.Due != nil {
		fmt.Fprintf(w, "due\t%s\n", dueText(v))
	}
	fmt.Fprintf(w, "end state\t%s: everybody gets %s\n", v.EndState, v.Winner)
	if v.Ticket != "" {
		fmt.Fprintf(w, "ticket\t%s\n", v.Ticket)
	}
	if d := v.Carried; d != nil {
		fmt.Fprintf(w, "carried out\t%s by %s, event %d\n", d.At.Format("2006-01-02 15:04:05"), d.By, d.Seq)
	}
	if d := v.Closed; d != nil {
		fmt.Fprintf(w, "closed\t%s by %s: %s\n", d.At.Format("2006-01-02 15:04:05"), d.By, cmp.Or(d.Comment, string(d.How)))
	}
	readinessLines(w, v.Readiness)
}

func readinessLines(w io.Writer, ready decisions.Readiness) {
	fmt.Fprintf(w, "readiness\t%s\n", ready.State)
	for _, r := range ready.Reasons {
		fix := ""
		if r.Fix != "" {
			fix = "; " + r.Fix
		}
		fmt.Fprintf(w, "  %s (%s)\t%s%s\n", r.State, r.Step, r.Why, fix)
	}
}

// cleanupDoCmd carries out an end state.
type cleanupDoCmd struct {
	cleanupOf
	output
	EndState string `help:"promote, remove, keep or convert; else what the plan says."`
	Purpose  string `help:"Of convert: operational, permission or kill-switch."`
	Why      string `help:"Of keep and convert: why the flag stays."`
	Review   string `help:"Of keep and convert: when that is asked again, such as 2027-06-30."`
	Reason   string `help:"Why it is done although the readiness is blocked."`
	Comment  string `short:"m" help:"Why; it stays on record."`
}

// Run carries it out and prints what there is then.
func (c cleanupDoCmd) Run(ctx context.Context) error {
	path, err := c.path("/do")
	if err != nil {
		return err
	}
	var v server.CleanupView
	err = c.post(ctx, path, map[string]string{
		"endState": c.EndState, "purpose": c.Purpose, "why": c.Why, "review": c.Review, "reason": c.Reason, "comment": c.Comment,
	}, &v)
	if err != nil {
		return err
	}
	return c.write(v, func(w io.Writer) { cleanupTable(w, v) })
}

// cleanupTicketCmd writes the text of a ticket.
type cleanupTicketCmd struct{ cleanupOf }

// Run prints it.
func (c cleanupTicketCmd) Run(ctx context.Context) error {
	path, err := c.path("/ticket")
	if err != nil {
		return err
	}
	var text []byte
	if err := c.client.do(ctx, http.MethodGet, path, "", nil, &text); err != nil {
		return err
	}
	_, err = terminal{os.Stdout}.Write(text)
	return err
}

// cleanupCloseCmd closes a cleanup by hand.
type cleanupCloseCmd struct {
	cleanupOf
	Comment string `short:"m" help:"Why nothing is left to do; it stays on record." required:""`
}

// Run closes it.
func (c cleanupCloseCmd) Run(ctx context.Context) error {
	path, err := c.path("/close")
	if err != nil {
		return err
	}
	var v server.CleanupView
	if err := c.post(ctx, path, map[string]string{"comment": c.Comment}, &v); err != nil {
		return err
	}
	fmt.Printf("the cleanup of %s is closed\n", v.Rollout)
	return nil
}

// cleanupDebtCmd tells the flag debt over time.
type cleanupDebtCmd struct {
	client
	output
	Weeks int `help:"Back from now." default:"12"`
}

// Run prints it.
func (c cleanupDebtCmd) Run(ctx context.Context) error {
	var v server.DebtView
	if err := c.get(ctx, "/api/v1/cleanup/debt?weeks="+strconv.Itoa(c.Weeks), &v); err != nil {
		return err
	}
	return c.write(v, func(w io.Writer) {
		fmt.Fprintln(w, "WEEK UNTIL\tPAST DUE\tCAME\tWENT\tOLDEST\tMEAN")
		for _, k := range v.Weeks {
			fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d days\t%.0f days\n", k.Until.Format(time.DateOnly), k.Flags, k.Came, k.Went, k.Oldest, k.Mean)
		}
		if len(v.Debts) > 0 {
			fmt.Fprintln(w, "\nFLAG\tENVIRONMENT\tDUE\tENDED\tOWNER\tWHY")
		}
		for _, d := range v.Debts {
			ended := ""
			if !d.Until.IsZero() {
				ended = d.Until.Format(time.DateOnly)
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", d.Flag, d.Environment, d.Since.Format(time.DateOnly), ended, d.Owner, d.Why)
		}
	})
}
