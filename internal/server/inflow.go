package server

import (
	"context"
	"errors"
	"math"
	"sync"
	"time"

	"github.com/sluice-hq/sluice/ingest"
	"github.com/sluice-hq/sluice/internal/meter"
)

// InflowView is how events come in: what this replica took, how far that is, and
// what of it counts nowhere. What is absent is not measured here.
type InflowView struct {
	Environment string `json:"environment,omitempty" doc:"that letters and units are counted of; empty: all that may be seen"`

	Accepted  *uint64  `json:"accepted,omitempty" doc:"events that this replica took since it began"`
	PerSecond *float64 `json:"perSecond,omitempty" doc:"of these, a second, over the last while"`
	Over      float64  `json:"overSeconds,omitempty" doc:"that while"`
	Ack99     *float64 `json:"ack99Seconds,omitempty" doc:"99 of 100 requests with events were on disk within this time, to the bound of a bucket; absent as well when it is beyond all of them"`
	Behind    *float64 `json:"behindSeconds,omitempty" doc:"age of the newest event that can be counted while more waits for that, of the shard that is furthest behind"`

	Rejected     map[string]uint64 `json:"rejected,omitempty" doc:"events that this replica did not take since it began, by reason"`
	Repeats      *uint64           `json:"repeats,omitempty" doc:"events that are stored and were there already, by their ID: each counts once"`
	DeadLetters  *int              `json:"deadLetters,omitempty" doc:"that wait"`
	Undeclared   *int              `json:"undeclared,omitempty" doc:"of these: events that no metric declares"`
	UnitsTwoArms int64             `json:"unitsInTwoArms" doc:"units that met two arms of rollouts under way, and are in no other number"`
}

type inflowIn struct {
	Environment string `query:"environment" doc:"of one environment alone"`
}

type inflowOut struct{ Body InflowView }

// getInflow tells how events come in.
func (s *server) getInflow(ctx context.Context, in *inflowIn) (*inflowOut, error) {
	if err := s.mayList(ctx, in.Environment); err != nil {
		return nil, err
	}
	out := &inflowOut{InflowView{Environment: in.Environment}}
	v := &out.Body
	if err := s.buried(ctx, v); err != nil {
		return nil, err
	}
	for _, r := range s.views(ctx, in.Environment) {
		if r.Look != nil && r.Rollout.Open() {
			v.UnitsTwoArms += r.Look.Evidence.TwoArms
		}
	}
	if s.Measure == nil {
		return out, nil
	}
	ctx, stop := context.WithTimeout(ctx, measureTime)
	defer stop()
	families := s.Measure(ctx)
	s.measured(v, families)
	if s.Accounts != nil {
		if facts, err := s.Accounts.Facts(ctx); err == nil { // what does not answer is absent
			repeats := meter.Find(families, "sluice_events_stored").Sum() - float64(facts.Events)
			v.Repeats = whole64(max(repeats, 0)) // the two are counted one behind the other
		}
	}
	return out, nil
}

// buried counts the dead letters that whoever asks may see.
func (s *server) buried(ctx context.Context, v *InflowView) error {
	if s.Letters == nil {
		return nil
	}
	for _, of := range []struct {
		reason ingest.Reason
		count  **int
	}{{"", &v.DeadLetters}, {ingest.UnknownMetric, &v.Undeclared}} {
		in := &lettersIn{Page: Page{Limit: 1}, Selection: Selection{Environment: v.Environment, Reason: string(of.reason)}}
		out, err := s.listLetters(ctx, in)
		switch {
		case errors.As(err, new(Unavailable)):
			return nil
		case err != nil:
			return err
		}
		*of.count = &out.Body.Total
	}
	return nil
}

// measured fills in what this replica measures of itself.
func (s *server) measured(v *InflowView, families []meter.Family) {
	accepted := meter.Find(families, "sluice_events_accepted_total")
	if len(accepted.Samples) > 0 {
		v.Accepted = whole64(accepted.Sum())
		if rate, over, ok := s.pace.at(s.Now(), accepted.Sum()); ok {
			v.PerSecond, v.Over = &rate, over.Seconds()
		}
	}
	if ack, ok := meter.Find(families, "sluice_event_ack_seconds").Quantile(0.99); ok && !math.IsInf(ack, 1) {
		v.Ack99 = &ack
	}
	if lag := meter.Find(families, "sluice_loader_lag_seconds"); len(lag.Samples) > 0 {
		behind := lag.Most()
		v.Behind = &behind
	}
	for _, sample := range meter.Find(families, "sluice_events_rejected_total").Samples {
		if v.Rejected == nil {
			v.Rejected = map[string]uint64{}
		}
		v.Rejected[sample.Labels[1]] += uint64(sample.Value) // its one label is the reason
	}
}

func whole64(n float64) *uint64 {
	v := uint64(n)
	return &v
}

// paceSpan is the shortest time that a rate is told of: of a shorter one it
// says little.
const paceSpan = 10 * time.Second

// pace tells how fast a counter grows, from one time that it is asked to the
// next. It is safe for concurrent use.
type pace struct {
	mu   sync.Mutex
	from time.Time // since when the counter grew
	n    float64   // what it was then

	rate float64
	over time.Duration // 0: there was no time yet
}

// at returns what a counter grew by, a second, and over which time; false: it
// was not watched for long enough.
func (p *pace) at(now time.Time, n float64) (perSecond float64, over time.Duration, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if d := now.Sub(p.from); d >= paceSpan {
		p.rate, p.over = (n-p.n)/d.Seconds(), d
		p.from, p.n = now, n
	}
	return p.rate, p.over, p.over > 0
}
