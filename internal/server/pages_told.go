package server

import (
	"context"

	"github.com/sluice-hq/sluice/dashboards"
	"github.com/sluice-hq/sluice/internal/notify"
)

// mostMessages is how many messages of a webhook a page lists.
const mostMessages = 5

// receivers lists who is told of what happens here, and how that goes, to whoever may
// read everything. What cannot be told is left out: incidents are opened on the
// same page, whatever becomes of messages.
func (s *server) receivers(ctx context.Context) []dashboards.Receiver {
	list, err := s.listWebhooks(ctx, &webhooksIn{})
	if err != nil {
		s.log.Debug("a page does not say who is told", "error", err)
		return nil
	}
	var all []dashboards.Receiver
	for _, v := range list.Body.Webhooks {
		all = append(all, dashboards.NewReceiver(s.deliveriesTo(ctx, v)))
	}
	return all
}

func (s *server) deliveriesTo(ctx context.Context, v WebhookView) dashboards.Deliveries {
	d := dashboards.Deliveries{Webhook: v.Key, Delivered: v.Delivered, GivenUp: v.GivenUp, Waiting: v.Waiting, Heard: v.Heard, Failing: v.Failing, Why: v.Why}
	if v.Suspended != nil {
		d.Suspended = v.Suspended.Why
	}
	in := &deliveriesIn{Webhook: v.Key}
	in.Limit = mostMessages
	newest, err := s.listDeliveries(ctx, in)
	if err != nil { // a replica that sends nothing has none to list
		return d
	}
	for _, one := range newest.Body.Deliveries {
		d.Newest = append(d.Newest, message(one))
	}
	return d
}

func message(d notify.Delivery) dashboards.Message {
	m := dashboards.Message{Mark: dashboards.Pending, At: d.At, Of: d.Type, About: d.Flag, Why: d.Why}
	if d.Flag != "" && d.Environment != "" {
		m.About += " in " + d.Environment
	}
	switch d.Standing {
	case notify.Delivered:
		m.Mark, m.Why = dashboards.Made, ""
	case notify.GivenUp:
		m.Mark = dashboards.Lapsed
	}
	return m
}
