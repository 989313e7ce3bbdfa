package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/internal/access"
	"github.com/sluice-hq/sluice/internal/manifest"
	"github.com/sluice-hq/sluice/internal/notify"
)

// Deliveries knows what webhooks were told: *notify.Sender.
type Deliveries interface {
	Outbox(ctx context.Context, key string) (notify.Outbox, error)
	Find(ctx context.Context, key, text string) (notify.Delivery, error)
	Body(ctx context.Context, key string, d notify.Delivery) (json.RawMessage, error)
	Redeliver(ctx context.Context, key string, d notify.Delivery) error
	Test(ctx context.Context, key, by string) (notify.Trial, error)
	Reveal(key string) (string, error)
}

// applyWebhook takes an administrator: a webhook carries what happens here to
// somewhere else.
func (s *server) applyWebhook(ctx context.Context, d manifest.Document, in *applyIn) (Applied, error) {
	var w notify.Webhook
	if err := d.Decode(&w); err != nil {
		return Applied{}, err
	}
	if err := mayTouch(ctx, access.Manage, access.AnyEnvironment, access.AnyKey); err != nil {
		return Applied{}, fmt.Errorf("%w, and a Webhook is declared by admins", err)
	}
	var faults event.Invalids
	for i, e := range w.Environments {
		s.check(fmt.Sprintf("environments[%d]", i), e, &faults)
	}
	if err := faults.Err(); err != nil {
		return Applied{}, err
	}
	var before notify.Hook
	seq, err := s.recorded(ctx, func() (event.Event, event.Expect, error) {
		before, _ = s.Webhooks.Hook(w.Key)
		if err := expects(d, w.Key, before.Revision); err != nil {
			return event.Event{}, 0, err
		}
		return s.Webhooks.Handle(notify.Command{
			ID: event.New(), Op: notify.Define, Key: w.Key, Webhook: &w, At: s.Now(), Actor: who(ctx).Name, Comment: in.Comment,
		})
	})
	if errors.Is(err, notify.ErrUnchanged) {
		return Applied{Kind: d.Kind, Key: w.Key, Change: unchanged, Revision: before.Revision}, nil
	}
	if err != nil {
		return Applied{}, err
	}
	done, err := s.done(ctx, before.Revision, seq)
	return Applied{Kind: d.Kind, Key: w.Key, Change: done, Revision: seq}, err
}

// WebhookView is a webhook and how its deliveries go.
type WebhookView struct {
	notify.Hook
	Waiting   int        `json:"waiting" doc:"deliveries that wait for their next try"`
	Delivered uint64     `json:"delivered" doc:"deliveries that the receiver took, in all"`
	GivenUp   uint64     `json:"givenUp" doc:"deliveries that were given up, in all"`
	Heard     *time.Time `json:"heard,omitempty" doc:"when the receiver last took one"`
	Failing   *time.Time `json:"failing,omitempty" doc:"since when every try has failed; absent: the last one did not"`
	Why       string     `json:"why,omitempty" doc:"the newest try failed"`
}

func (s *server) webhookView(ctx context.Context, h notify.Hook) (WebhookView, error) {
	v := WebhookView{Hook: h}
	if s.Deliveries == nil {
		return v, nil
	}
	b, err := s.Deliveries.Outbox(ctx, h.Key)
	if err != nil {
		return v, err
	}
	v.Waiting, v.Delivered, v.GivenUp, v.Heard, v.Failing = len(b.Waiting), b.Delivered, b.GivenUp, moment(b.Heard), moment(b.Failing)
	if v.Failing != nil {
		v.Why = lastWhy(b)
	}
	return v, nil
}

// lastWhy says why the newest try failed.
func lastWhy(b notify.Outbox) string {
	var last notify.Delivery
	for _, d := range slices.Concat(b.Waiting, b.Ended) {
		if d.Last.After(last.Last) {
			last = d
		}
	}
	return last.Why
}

func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// webhook returns a webhook to whoever may read everything: it is told of what
// happens everywhere, and its address is nobody else's business.
func (s *server) webhook(ctx context.Context, key string) (h notify.Hook, err error) {
	known := false
	s.Projection.View(func(uint64) { h, known = s.Webhooks.Hook(key) })
	if !known || !sees(ctx, access.AnyEnvironment, access.AnyKey) {
		return h, fmt.Errorf("webhook %s: %w", key, errNoSuch)
	}
	return h, nil
}

type webhooksIn struct{ Page }

type webhooksOut struct {
	Link string `header:"Link" doc:"the next page"`
	Body struct {
		Webhooks []WebhookView `json:"webhooks" doc:"by key"`
		Next     string        `json:"next,omitempty" doc:"cursor of the next page"`
	}
}

func (s *server) listWebhooks(ctx context.Context, in *webhooksIn) (*webhooksOut, error) {
	var all []notify.Hook
	if sees(ctx, access.AnyEnvironment, access.AnyKey) {
		s.Projection.View(func(uint64) { all = s.Webhooks.Hooks() })
	}
	page, next, err := cut(in.Page, rising("webhooks", func(h notify.Hook) string { return h.Key }), all)
	if err != nil {
		return nil, err
	}
	out := &webhooksOut{Link: next.link}
	out.Body.Next, out.Body.Webhooks = next.cursor, make([]WebhookView, len(page))
	for i, h := range page {
		if out.Body.Webhooks[i], err = s.webhookView(ctx, h); err != nil {
			return nil, err
		}
	}
	return out, nil
}

type webhookIn struct {
	Webhook string `path:"webhook" doc:"key" example:"release"`
}

type webhookOut struct {
	ETag string `header:"ETag" doc:"the webhook's revision"`
	Body WebhookView
}

func (s *server) getWebhook(ctx context.Context, in *webhookIn) (*webhookOut, error) {
	h, err := s.webhook(ctx, in.Webhook)
	if err != nil {
		return nil, err
	}
	v, err := s.webhookView(ctx, h)
	return &webhookOut{ETag: fmt.Sprintf("%q", fmt.Sprint(h.Revision)), Body: v}, err
}

type webhookCommand struct {
	Webhook string `path:"webhook" doc:"key"`
	Comment string `query:"comment" doc:"why, for the history"`
}

// removeWebhook ends a webhook, unless somebody relies on its being told.
func (s *server) removeWebhook(ctx context.Context, in *webhookCommand) (*struct{}, error) {
	return nil, s.record(ctx, func() (event.Event, event.Expect, error) {
		for _, r := range s.Rollouts.Under() {
			if slices.Contains(r.Plan.Rollback.Webhooks(), in.Webhook) {
				return event.Event{}, 0, fmt.Errorf("%w: it is told when %s is rolled back, and that is under way", notify.ErrRefused, r.ID)
			}
		}
		return s.Webhooks.Handle(s.webhookOp(ctx, notify.Remove, in))
	})
}

func (s *server) resumeWebhook(ctx context.Context, in *webhookCommand) (*webhookOut, error) {
	err := s.record(ctx, func() (event.Event, event.Expect, error) {
		return s.Webhooks.Handle(s.webhookOp(ctx, notify.Resume, in))
	})
	if err != nil {
		return nil, err
	}
	return s.getWebhook(ctx, &webhookIn{in.Webhook})
}

func (s *server) webhookOp(ctx context.Context, op notify.Op, in *webhookCommand) notify.Command {
	return notify.Command{ID: event.New(), Op: op, Key: in.Webhook, At: s.Now(), Actor: who(ctx).Name, Comment: in.Comment}
}
