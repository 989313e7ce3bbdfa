package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"time"

	"github.com/sluice-hq/sluice/ingest"
	"github.com/sluice-hq/sluice/internal/server"
)

// dlqCmd is everything about dead letters: events that were accepted and
// cannot be counted.
type dlqCmd struct {
	List   dlqListCmd   `cmd:"" help:"List those that wait, the newest first."`
	Show   dlqShowCmd   `cmd:"" help:"Show one with its event."`
	Replay dlqReplayCmd `cmd:"" help:"Send their events again, under the IDs they have, however old they are."`
	Purge  dlqPurgeCmd  `cmd:"" help:"Be done with them: they are no longer shown and never counted."`
	Orders dlqOrdersCmd `cmd:"" help:"List what was replayed and purged, by whom and with what outcome."`
}

// letterFlags select letters.
type letterFlags struct {
	Reason      string    `help:"Why they cannot be counted: unknown_metric, unreadable, rejected or lost; or why the door refused them when they were sent again: malformed, unknown_kind, unknown_flag or time_window."`
	Name        string    `help:"Name of the metric event."`
	Environment string    `short:"e" help:"Environment."`
	Unit        string    `help:"Kind and id of a unit: user/u-17; or its keyed hash (hash:…)."`
	Text        string    `help:"Somewhere in the event or in why it is dead."`
	Since       time.Time `help:"Time of the event, at the least (RFC 3339)."`
	Until       time.Time `help:"And before this."`
}

func (f letterFlags) pairs() []string {
	pairs := []string{"reason", f.Reason, "name", f.Name, "environment", f.Environment, "unit", f.Unit, "text", f.Text}
	for name, t := range map[string]time.Time{"since": f.Since, "until": f.Until} {
		if !t.IsZero() {
			pairs = append(pairs, name, t.UTC().Format(time.RFC3339))
		}
	}
	return pairs
}

type dlqListCmd struct {
	client
	output
	letterFlags
	Limit int `help:"At most so many." default:"50"`
}

// Run prints a line per letter.
func (c dlqListCmd) Run(ctx context.Context) error {
	all, err := list[server.LetterView](ctx, c.client, "/api/v1/dlq", "letters", set(url.Values{}, c.pairs()...), c.Limit)
	if err != nil {
		return err
	}
	return c.write(all, func(w io.Writer) { tableLetters(w, all) })
}

func tableLetters(w io.Writer, all []server.LetterView) {
	if len(all) == 0 {
		fmt.Fprintln(w, "No dead letters wait.")
		return
	}
	fmt.Fprintln(w, "LETTER\tREASON\tENVIRONMENT\tNAME\tTIME\tWHY")
	for _, l := range all {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", l.ID, l.Reason, orDash(l.Environment), orDash(l.Name), moment(l.At), l.Why)
	}
}

type dlqShowCmd struct {
	client
	output
	ID string `arg:"" help:"Of the letter, as the list shows it."`
}

// Run prints one letter.
func (c dlqShowCmd) Run(ctx context.Context) error {
	var l server.LetterView
	if err := c.get(ctx, "/api/v1/dlq/letters/"+url.PathEscape(c.ID), &l); err != nil {
		return err
	}
	return c.write(l, func(w io.Writer) { tableLetter(w, l) })
}

func tableLetter(w io.Writer, l server.LetterView) {
	fmt.Fprintf(w, "Letter\t%s\nReason\t%s\nWhy\t%s\nWhat to do\t%s\nEnvironment\t%s\nName\t%s\nEvent\t%s\nTime\t%s\n",
		l.ID, l.Reason, l.Why, l.Fix, orDash(l.Environment), orDash(l.Name), l.EventID, moment(l.At))
	switch {
	case len(l.Fact) > 0:
		fmt.Fprintf(w, "As sent\t%s\n", l.Fact)
	case len(l.Bytes) > 0:
		fmt.Fprintf(w, "Message\t%d bytes; -o json has them\n", len(l.Bytes))
	}
}

// orderFlags say what is to become of which letters.
type orderFlags struct {
	client
	output
	letterFlags
	IDs     []string `arg:"" optional:"" name:"letter" help:"Letters by their IDs."`
	All     bool     `help:"Every letter that waits."`
	Comment string   `short:"m" help:"Why; it stays on record."`
	DryRun  bool     `help:"Order nothing: say how many letters it would be about."`
}

// preview says what the order would be about.
func (f orderFlags) preview(ctx context.Context, replay bool) error {
	query := set(url.Values{"id": f.IDs, "replay": {strconv.FormatBool(replay)}}, f.pairs()...)
	var p server.OrderPreview
	if err := f.get(ctx, "/api/v1/dlq/preview?"+query.Encode(), &p); err != nil {
		return err
	}
	return f.write(p, func(w io.Writer) {
		fmt.Fprintf(w, "%s selected; the order would be about %s.\n", several(p.Selected, "letter"), thousands(int64(p.Letters)))
	})
}

// order records what is to be done.
func (f orderFlags) order(ctx context.Context, what string) (o ingest.Order, err error) {
	body := map[string]any{"ids": f.IDs, "all": f.All, "comment": f.Comment}
	for i, p := 0, f.pairs(); i < len(p); i += 2 {
		if p[i+1] != "" {
			body[p[i]] = p[i+1]
		}
	}
	return o, f.post(ctx, "/api/v1/dlq/"+what, body, &o)
}

type dlqReplayCmd struct {
	orderFlags
	Wait time.Duration `help:"How long to wait for the outcome." default:"1m"`
}

// Run orders a replay and waits until it is carried out.
func (c dlqReplayCmd) Run(ctx context.Context) error {
	if c.DryRun {
		return c.preview(ctx, true)
	}
	o, err := c.order(ctx, "replay")
	if err != nil {
		return err
	}
	ctx, stop := context.WithTimeout(ctx, c.Wait)
	defer stop()
	for o.Outcome == nil && sleep(ctx, 200*time.Millisecond) {
		if o, err = c.outcome(ctx, o); err != nil {
			return err
		}
	}
	if err := c.write(o, func(w io.Writer) { fmt.Fprintln(w, sayOrder(o)) }); err != nil || o.Outcome != nil {
		return err
	}
	return exit(exitWaiting)
}

// outcome asks how an order is. One that is further down than the first page
// has been there for long.
func (c client) outcome(ctx context.Context, o ingest.Order) (ingest.Order, error) {
	var page struct{ Orders []ingest.Order }
	if err := c.get(ctx, "/api/v1/dlq/orders", &page); err != nil {
		return o, err
	}
	for _, x := range page.Orders {
		if x.ID == o.ID {
			return x, nil
		}
	}
	return o, nil
}

func sayOrder(o ingest.Order) string {
	letters := several(o.Letters, "letter")
	switch {
	case !o.Replay:
		return "Purged " + letters + "."
	case o.Outcome == nil:
		return letters + ": being sent again."
	}
	said := letters + ": " + several(o.Outcome.Sent, "event") + " sent again"
	if o.Outcome.Dead > 0 {
		said += fmt.Sprintf(", %s of them dead again because no metric declares it", thousands(int64(o.Outcome.Dead)))
	}
	if o.Outcome.Refused > 0 {
		said += fmt.Sprintf(", %s refused and letters again", thousands(int64(o.Outcome.Refused)))
	}
	return said + "."
}

// several writes a number of things: 1 letter, 2 letters.
func several(n int, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return thousands(int64(n)) + " " + thing
}

type dlqPurgeCmd struct{ orderFlags }

// Run purges letters.
func (c dlqPurgeCmd) Run(ctx context.Context) error {
	if c.DryRun {
		return c.preview(ctx, false)
	}
	o, err := c.order(ctx, "purge")
	if err != nil {
		return err
	}
	return c.write(o, func(w io.Writer) { fmt.Fprintln(w, sayOrder(o)) })
}

type dlqOrdersCmd struct {
	client
	output
	Limit int `help:"At most so many." default:"50"`
}

// Run prints a line per order.
func (c dlqOrdersCmd) Run(ctx context.Context) error {
	all, err := list[ingest.Order](ctx, c.client, "/api/v1/dlq/orders", "orders", url.Values{}, c.Limit)
	if err != nil {
		return err
	}
	return c.write(all, func(w io.Writer) {
		fmt.Fprintln(w, "TIME\tBY\tLETTERS\tABOUT\tOUTCOME\tCOMMENT")
		for _, o := range all {
			about, _ := json.Marshal(o.Filter) // cannot fail: texts, numbers and times
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", moment(o.At), o.Actor, thousands(int64(o.Letters)), about, sayOrder(o), orDash(o.Comment))
		}
	})
}
