package server

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/internal/meter"
)

// fixed are accounts that say the same always.
type fixed FactsView

func (f fixed) Facts(context.Context) (FactsView, error) { return FactsView(f), nil }

// withInflow gives a house measurements, accounts, letters, and a clock that the
// test turns.
func withInflow(now *time.Time) func(*House) {
	return func(h *House) {
		withLetters(h)
		h.Now = func() time.Time { return *now }
		h.Accounts = fixed{Events: 90}
		h.Looks = func(string) (decisions.Look, bool) {
			return decisions.Look{Evidence: decisions.Evidence{TwoArms: 3}}, true
		}
		acks := meter.NewHistogram(0.005, 0.01, 1)
		for range 100 {
			acks.Observe(0.004)
		}
		h.Measure = func(context.Context) []meter.Family {
			rejected := meter.Family{Name: "sluice_events_rejected_total"}
			rejected.Add(4, "reason", "unknown_flag")
			lag := meter.Family{Name: "sluice_loader_lag_seconds"}
			lag.Add(2.5, "shard", "facts-0")
			return []meter.Family{
				meter.One("sluice_events_accepted_total", "", meter.Counter, 100*now.Sub(start).Seconds()), acks.Family("sluice_event_ack_seconds", ""),
				meter.One("sluice_events_stored", "", meter.Gauge, 93, "shard", "facts-0"), rejected, lag,
			}
		}
	}
}

// TestInflow: each number is what the house knows of it, of what may be seen.
func TestInflow(t *testing.T) {
	now := start
	h := shop(t, withInflow(&now))
	if v := decode[InflowView](h, "viewer", "/api/v1/events/inflow"); v.PerSecond != nil {
		t.Errorf("a rate over no time: %v", *v.PerSecond)
	}
	h.want("approver", "POST", "/api/v1/apply?start=true", plan, http.StatusOK, "created")
	now = now.Add(20 * time.Second)
	v := decode[InflowView](h, "viewer", "/api/v1/events/inflow?environment=production")
	if *v.PerSecond != 100 || v.Over != 20 || *v.Accepted != 2000 || *v.Ack99 != 0.005 || *v.Behind != 2.5 || v.Rejected["unknown_flag"] != 4 || *v.Repeats != 3 {
		t.Errorf("measured is %+v", v)
	}
	if *v.DeadLetters != 1 || *v.Undeclared != 1 || v.UnitsTwoArms != 3 {
		t.Errorf("counted is %+v", v)
	}
	now = now.Add(time.Second)
	if v := decode[InflowView](h, "viewer", "/api/v1/events/inflow"); *v.PerSecond != 100 || v.Over != 20 || *v.DeadLetters != 3 {
		t.Errorf("a second later: %+v", v)
	}
	if v := decode[InflowView](h, "bound", "/api/v1/events/inflow"); *v.DeadLetters != 1 || v.UnitsTwoArms != 0 {
		t.Errorf("staging sees %+v", v)
	}
	h.want("viewer", "GET", "/api/v1/events/inflow?environment=moon", "", http.StatusBadRequest, "is not an environment")
	h.want("bound", "GET", "/api/v1/events/inflow?environment=production", "", http.StatusForbidden, "bound to staging")
	if v := decode[InflowView](newHouse(t), "viewer", "/api/v1/events/inflow"); v.PerSecond != nil || v.DeadLetters != nil {
		t.Errorf("without measurements: %+v", v)
	}
}
