package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"

	"github.com/sluice-hq/sluice/flags"
)

// changeAnswer names what waits.
type changeAnswer struct {
	client
	Key     string `arg:"" help:"Key of the flag."`
	ID      string `arg:"" optional:"" help:"Which, as the list shows it; default: the only one that waits."`
	Comment string `short:"m" help:"Why; it stays on record."`
}

// Each answer to a change request by its own name.
type (
	changeApproveCmd  struct{ changeAnswer }
	changeRejectCmd   struct{ changeAnswer }
	changeWithdrawCmd struct{ changeAnswer }
	changeApplyCmd    struct{ changeAnswer }
	changeCancelCmd   struct{ changeAnswer }
)

// Run agrees.
func (c changeApproveCmd) Run(ctx context.Context) error { return c.answer(ctx, "approve") }

// Run says no.
func (c changeRejectCmd) Run(ctx context.Context) error { return c.answer(ctx, "reject") }

// Run takes a request back.
func (c changeWithdrawCmd) Run(ctx context.Context) error { return c.answer(ctx, "withdraw") }

// Run makes the change that was asked for.
func (c changeApplyCmd) Run(ctx context.Context) error { return c.answer(ctx, "apply") }

// Run takes a schedule back.
func (c changeCancelCmd) Run(ctx context.Context) error {
	id, err := c.only(ctx, func(w waiting) []string {
		return pending(w.Schedules, func(p flags.Schedule) (flags.Standing, string) { return p.Standing, p.ID.String() })
	})
	if err != nil {
		return err
	}
	path := flagPath(c.Key) + "/schedules/" + url.PathEscape(id) + "?" + url.Values{"comment": {c.Comment}}.Encode()
	if err := c.do(ctx, http.MethodDelete, path, "", nil, nil); err != nil {
		return err
	}
	fmt.Printf("flag %s: %s is cancelled\n", c.Key, id)
	return nil
}

// answer does something about a request and prints how it stands.
func (c changeAnswer) answer(ctx context.Context, op string) error {
	id, err := c.only(ctx, func(w waiting) []string {
		return pending(w.Requests, func(q request) (flags.Standing, string) { return q.Standing, q.ID.String() })
	})
	if err != nil {
		return err
	}
	var q request
	if err := c.post(ctx, flagPath(c.Key)+"/requests/"+url.PathEscape(id)+"/"+op, map[string]string{"comment": c.Comment}, &q); err != nil {
		return err
	}
	fmt.Printf("flag %s: %s is %s, %s; it asks for %s\n", c.Key, id, q.Standing, approved(q.Request), q.Asks())
	return nil
}

// only returns the ID that was given, or that of the only one that waits.
func (c changeAnswer) only(ctx context.Context, ids func(waiting) []string) (string, error) {
	if c.ID != "" {
		return c.ID, nil
	}
	w, err := c.waiting(ctx, c.Key)
	if err != nil {
		return "", err
	}
	switch all := ids(w); len(all) {
	case 0:
		return "", fmt.Errorf("nothing of that kind waits for flag %s", c.Key)
	case 1:
		return all[0], nil
	}
	return "", fmt.Errorf("more than one wait for flag %s; name one that this shows: sluice change list %s", c.Key, c.Key)
}

// pending returns the IDs of what waits.
func pending[T any](list []T, of func(T) (flags.Standing, string)) []string {
	var ids []string
	for _, v := range list {
		if standing, id := of(v); standing == flags.Pending {
			ids = append(ids, id)
		}
	}
	return ids
}
