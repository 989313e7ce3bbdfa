package server

import (
	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
	"github.com/sluice-hq/sluice/ingest"
	"github.com/sluice-hq/sluice/internal/access"
	"github.com/sluice-hq/sluice/internal/notify"
)

// Folds is the whole state of the house: every fold of the log, in the order
// in which their state is hashed.
type Folds struct {
	Flags    *flags.State
	Metrics  *ingest.Catalog
	Rollouts *decisions.State
	Access   *access.State
	Seals    *event.Seals
	Requests *event.Requests
	Orders   *ingest.Orders  // about dead letters
	Forgets  *ingest.Forgets // deletions of units
	Webhooks *notify.State
}

// NewFolds returns the state before the first event.
func NewFolds() Folds {
	f := Folds{Flags: flags.NewState(), Metrics: ingest.NewCatalog(), Access: access.NewState(), Seals: &event.Seals{}, Requests: &event.Requests{}, Orders: &ingest.Orders{}, Forgets: &ingest.Forgets{}, Webhooks: notify.NewState()}
	f.Rollouts = decisions.NewState(decisions.Known{
		Metric: f.Metrics.Metric, Flag: f.Flags.Flag, Segment: f.Flags.Segment, FreeSlice: f.Flags.FreeSlice,
		Policy: f.Flags.Releases, Owner: f.Access.Owner, Webhook: f.Webhooks.Why, Speaks: f.Access.Speaks,
	})
	f.Webhooks.Told = toldTypes()
	return f
}

// toldTypes are the types of events that webhooks can be told of, room by room.
// Tokens and people are not among them.
func toldTypes() []string {
	return append(decisions.ToldTypes(), flags.EventType, flags.SegmentEventType, flags.EnvironmentEventType, flags.PolicyEventType, ingest.MetricDefined)
}

// All returns the folds for a projection.
func (f Folds) All() []event.Fold {
	return []event.Fold{f.Flags, f.Metrics, f.Rollouts, f.Access, f.Seals, f.Requests, f.Orders, f.Forgets, f.Webhooks}
}
