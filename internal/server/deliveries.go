package server

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/sluice-hq/sluice/internal/notify"
)

// deliveriesOf returns what knows the deliveries of a webhook that whoever asks
// may see, if this replica has it.
func (s *server) deliveriesOf(ctx context.Context, key string) (Deliveries, error) {
	if _, err := s.webhook(ctx, key); err != nil {
		return nil, err
	}
	if s.Deliveries == nil {
		return nil, fmt.Errorf("this replica sends nothing: %w", errNoSuch)
	}
	return s.Deliveries, nil
}

type trialOut struct{ Body notify.Trial }

// testWebhook sends a test at once: whoever gets here waits for the receiver.
func (s *server) testWebhook(ctx context.Context, in *webhookIn) (*trialOut, error) {
	d, err := s.deliveriesOf(ctx, in.Webhook)
	if err != nil {
		return nil, err
	}
	t, err := d.Test(ctx, in.Webhook, who(ctx).Name)
	return &trialOut{t}, err
}

type secretOut struct {
	Body struct {
		Secret string `json:"secret" doc:"what the receiver checks signatures with; nobody keeps it, it follows from the installation's key" example:"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"`
	}
}

func (s *server) revealSecret(ctx context.Context, in *webhookIn) (*secretOut, error) {
	d, err := s.deliveriesOf(ctx, in.Webhook)
	if err != nil {
		return nil, err
	}
	out := &secretOut{}
	out.Body.Secret, err = d.Reveal(in.Webhook)
	return out, err
}

type deliveriesIn struct {
	Page
	Webhook string `path:"webhook" doc:"key"`
}

type deliveriesOut struct {
	Link string `header:"Link" doc:"the next page"`
	Body struct {
		Deliveries []notify.Delivery `json:"deliveries" doc:"all that wait and the newest that ended, by event, the newest first"`
		Next       string            `json:"next,omitempty" doc:"cursor of the next page"`
	}
}

func (s *server) listDeliveries(ctx context.Context, in *deliveriesIn) (*deliveriesOut, error) {
	d, err := s.deliveriesOf(ctx, in.Webhook)
	if err != nil {
		return nil, err
	}
	b, err := d.Outbox(ctx, in.Webhook)
	if err != nil {
		return nil, err
	}
	all := slices.Concat(b.Waiting, b.Ended)
	slices.SortFunc(all, func(a, b notify.Delivery) int { return int(b.Seq) - int(a.Seq) })
	out := &deliveriesOut{}
	page, next, err := cut(in.Page, newest("deliveries", func(d notify.Delivery) uint64 { return d.Seq }), all)
	out.Body.Deliveries, out.Body.Next, out.Link = page, next.cursor, next.link
	return out, err
}

type deliveryIn struct {
	Webhook string `path:"webhook" doc:"key"`
	ID      string `path:"id" doc:"of a delivery, or the sequence of the event, also of one that was never delivered"`
}

// DeliveryView is a delivery with what is sent.
type DeliveryView struct {
	notify.Delivery
	Body json.RawMessage `json:"body,omitempty" doc:"as it is sent; absent: the event says nothing to this webhook"`
}

type deliveryOut struct{ Body DeliveryView }

func (s *server) getDelivery(ctx context.Context, in *deliveryIn) (*deliveryOut, error) {
	d, err := s.deliveriesOf(ctx, in.Webhook)
	if err != nil {
		return nil, err
	}
	out := &deliveryOut{}
	if out.Body.Delivery, err = d.Find(ctx, in.Webhook, in.ID); err != nil {
		return nil, err
	}
	out.Body.Body, err = d.Body(ctx, in.Webhook, out.Body.Delivery)
	return out, err
}

// redeliver has a delivery sent again, under the id that it has, by whichever
// replica sends.
func (s *server) redeliver(ctx context.Context, in *deliveryIn) (*deliveryOut, error) {
	d, err := s.deliveriesOf(ctx, in.Webhook)
	if err != nil {
		return nil, err
	}
	found, err := d.Find(ctx, in.Webhook, in.ID)
	if err == nil {
		err = d.Redeliver(ctx, in.Webhook, found)
	}
	if err != nil {
		return nil, err
	}
	return s.getDelivery(ctx, &deliveryIn{in.Webhook, found.ID.String()})
}
