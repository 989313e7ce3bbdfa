package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/sluice-hq/sluice/internal/notify"
	"github.com/sluice-hq/sluice/internal/server"
)

// webhooksCmd is everything about webhooks but for declaring them, which apply
// does.
type webhooksCmd struct {
	List       webhooksListCmd       `cmd:"" help:"List the webhooks and how their deliveries go."`
	Show       webhooksShowCmd       `cmd:"" help:"Show one, and why it is not reached."`
	Test       webhooksTestCmd       `cmd:"" help:"Send a test now, and say what became of it."`
	Secret     webhooksSecretCmd     `cmd:"" help:"Print the secret that its receiver checks signatures with."`
	Deliveries webhooksDeliveriesCmd `cmd:"" help:"List what a webhook was told and what waits, or show one delivery."`
	Redeliver  webhooksRedeliverCmd  `cmd:"" help:"Send a delivery again, under the id that it has; or any event, by its sequence."`
	Resume     webhooksResumeCmd     `cmd:"" help:"Send to a suspended webhook again, beginning with what it missed."`
	Remove     webhooksRemoveCmd     `cmd:"" help:"Tell a webhook nothing more."`
	Listen     webhooksListenCmd     `cmd:"" help:"Be a receiver: check signatures and print what comes, to try webhooks out."`
}

func webhookPath(key string) string { return "/api/v1/webhooks/" + url.PathEscape(key) }

type webhooksListCmd struct {
	client
	output
}

// Run prints a line per webhook.
func (c webhooksListCmd) Run(ctx context.Context) error {
	all, err := list[server.WebhookView](ctx, c.client, "/api/v1/webhooks", "webhooks", url.Values{}, 0)
	if err != nil {
		return err
	}
	return c.write(all, func(w io.Writer) {
		if len(all) == 0 {
			fmt.Fprintln(w, "There are no webhooks.")
			return
		}
		fmt.Fprintln(w, "WEBHOOK\tFORMAT\tEVENTS\tSTATE\tWAITING\tDELIVERED\tGIVEN UP")
		for _, v := range all {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%d\t%d\t%d\n", v.Key, webhookFormat(v), strings.Join(v.Events, ", "), webhookState(v), v.Waiting, v.Delivered, v.GivenUp)
		}
	})
}

func webhookFormat(v server.WebhookView) notify.Format {
	if v.Format == "" {
		return notify.Standard
	}
	return v.Format
}

func webhookState(v server.WebhookView) string {
	switch {
	case v.Suspended != nil:
		return "suspended"
	case v.Failing != nil:
		return "failing since " + day(v.Failing, "")
	case v.Heard != nil:
		return "well"
	}
	return "–"
}

type webhooksShowCmd struct {
	client
	output
	Key string `arg:"" help:"Of the webhook."`
}

// Run prints one webhook.
func (c webhooksShowCmd) Run(ctx context.Context) error {
	var v server.WebhookView
	if err := c.get(ctx, webhookPath(c.Key), &v); err != nil {
		return err
	}
	return c.write(v, func(w io.Writer) { tableWebhook(w, v) })
}

func tableWebhook(w io.Writer, v server.WebhookView) {
	fmt.Fprintf(w, "Webhook\t%s\nFormat\t%s\nAddress\t%s\nSecret\t%s\nEvents\t%s\nEnvironments\t%s\nTags\t%s\n",
		v.Key, webhookFormat(v), orDash(v.URL), webhookSecret(v), strings.Join(v.Events, ", "), orAll(v.Environments), orAll(v.Tags))
	fmt.Fprintf(w, "State\t%s\nWaiting\t%d\nDelivered\t%d\nGiven up\t%d\nLast heard\t%s\n", webhookState(v), v.Waiting, v.Delivered, v.GivenUp, day(v.Heard, "never"))
	switch {
	case v.Suspended != nil:
		fmt.Fprintf(w, "Why\t%s\nTo go on\tsluice webhooks resume %s\n", v.Suspended.Why, v.Key)
	case v.Why != "":
		fmt.Fprintf(w, "Why\t%s\n", v.Why)
	}
}

func webhookSecret(v server.WebhookView) string {
	if v.Secret != "" {
		return "kept by the operator as " + v.Secret
	}
	return "sluice webhooks secret " + v.Key
}

func orAll(names []string) string {
	if len(names) == 0 {
		return "all"
	}
	return strings.Join(names, ", ")
}

type webhooksTestCmd struct {
	client
	output
	Key string `arg:"" help:"Of the webhook."`
}

// Run sends a test; the exit status is 1 when it did not arrive.
func (c webhooksTestCmd) Run(ctx context.Context) error {
	var t notify.Trial
	if err := c.post(ctx, webhookPath(c.Key)+"/test", nil, &t); err != nil {
		return err
	}
	err := c.write(t, func(w io.Writer) {
		if t.OK {
			fmt.Fprintf(w, "%s took the test: %d %s\n", c.Key, t.Status, http.StatusText(t.Status))
		}
	})
	if err == nil && !t.OK {
		return fmt.Errorf("%s did not take the test: %s", c.Key, t.Why)
	}
	return err
}

type webhooksSecretCmd struct {
	client
	Key string `arg:"" help:"Of the webhook."`
}

// Run prints the secret.
func (c webhooksSecretCmd) Run(ctx context.Context) error {
	var out struct {
		Secret string `json:"secret"`
	}
	err := c.get(ctx, webhookPath(c.Key)+"/secret", &out)
	if err == nil {
		fmt.Println(out.Secret)
	}
	return err
}

type webhooksDeliveriesCmd struct {
	client
	output
	Key   string `arg:"" help:"Of the webhook."`
	ID    string `arg:"" optional:"" help:"Of one delivery, or the sequence of its event: show what is sent."`
	Limit int    `help:"At most so many." default:"50"`
}

// Run prints a line per delivery, or one whole.
func (c webhooksDeliveriesCmd) Run(ctx context.Context) error {
	if c.ID != "" {
		return c.one(ctx)
	}
	all, err := list[notify.Delivery](ctx, c.client, webhookPath(c.Key)+"/deliveries", "deliveries", url.Values{}, c.Limit)
	if err != nil {
		return err
	}
	return c.write(all, func(w io.Writer) {
		if len(all) == 0 {
			fmt.Fprintln(w, "There are no deliveries.")
			return
		}
		fmt.Fprintln(w, "DELIVERY\tEVENT\tTYPE\tSTATE\tTRIES\tANSWER\tWHY")
		for _, d := range all {
			fmt.Fprintf(w, "%s\t%d\t%s\t%s\t%d\t%s\t%s\n", d.ID, d.Seq, d.Type, d.Standing, d.Tries, answerOf(d), orDash(d.Why))
		}
	})
}

func answerOf(d notify.Delivery) string {
	if d.Status == 0 {
		return "–"
	}
	return fmt.Sprint(d.Status)
}

func (c webhooksDeliveriesCmd) one(ctx context.Context) error {
	var d server.DeliveryView
	if err := c.get(ctx, webhookPath(c.Key)+"/deliveries/"+url.PathEscape(c.ID), &d); err != nil {
		return err
	}
	return c.write(d, func(w io.Writer) { tableDelivery(w, d) })
}

func tableDelivery(w io.Writer, d server.DeliveryView) {
	fmt.Fprintf(w, "Delivery\t%s\nEvent\t%d, %s of %s\nState\t%s after %d tries\nAnswer\t%s\n", d.ID, d.Seq, d.Type, d.At.Format(time.RFC3339), d.Standing, d.Tries, answerOf(d.Delivery))
	if d.Why != "" {
		fmt.Fprintf(w, "Why\t%s\n", d.Why)
	}
	if !d.Next.IsZero() {
		fmt.Fprintf(w, "Next try\t%s\n", d.Next.Format(time.RFC3339))
	}
	if d.Body != nil {
		pretty, err := json.MarshalIndent(d.Body, "", "  ")
		if err == nil { // it came as JSON
			fmt.Fprintf(w, "\n%s\n", pretty)
		}
	}
}

type webhooksRedeliverCmd struct {
	client
	Key string `arg:"" help:"Of the webhook."`
	ID  string `arg:"" help:"Of the delivery, or the sequence of the event."`
}

// Run has it sent again.
func (c webhooksRedeliverCmd) Run(ctx context.Context) error {
	var d server.DeliveryView
	err := c.post(ctx, webhookPath(c.Key)+"/deliveries/"+url.PathEscape(c.ID)+"/redeliver", nil, &d)
	if err == nil {
		fmt.Printf("event %d is sent to %s again, as %s\n", d.Seq, c.Key, d.ID)
	}
	return err
}

type webhooksResumeCmd struct {
	client
	Key     string `arg:"" help:"Of the webhook."`
	Comment string `short:"m" help:"Why; it stays on record."`
}

// Run resumes a webhook.
func (c webhooksResumeCmd) Run(ctx context.Context) error {
	var v server.WebhookView
	err := c.post(ctx, webhookPath(c.Key)+"/resume?"+set(url.Values{}, "comment", c.Comment).Encode(), nil, &v)
	if err == nil {
		fmt.Printf("%s is sent to again, beginning with what it missed\n", v.Key)
	}
	return err
}

type webhooksRemoveCmd struct {
	client
	Key     string `arg:"" help:"Of the webhook."`
	Comment string `short:"m" help:"Why; it stays on record."`
}

// Run removes a webhook.
func (c webhooksRemoveCmd) Run(ctx context.Context) error {
	return c.do(ctx, http.MethodDelete, webhookPath(c.Key)+"?"+set(url.Values{}, "comment", c.Comment).Encode(), "", nil, nil)
}
