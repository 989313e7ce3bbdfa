package server

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/sluice-hq/sluice/decisions"
)

// Totals are what the events of every unit add up to, kept so that a look need
// not read the events.
type Totals interface {
	// State says how far they are.
	State(ctx context.Context) (TotalsView, error)
	// Check compares those of a rollout with its raw events.
	Check(ctx context.Context, r decisions.Rollout) (TotalsCheck, error)
	// Rebuild orders to make all of them anew and returns the number of the order.
	Rebuild(ctx context.Context) (uint64, error)
}

// TotalsView says how far the totals are.
type TotalsView struct {
	Order  uint64        `json:"order" doc:"number of the newest order to make them anew; 0: there was none"`
	Shards []TotalsShard `json:"shards"`
}

// TotalsShard is how far the totals of one shard are.
type TotalsShard struct {
	Shard    string `json:"shard" example:"facts-0"`
	Done     uint64 `json:"done" doc:"sequence of the last message whose events are in them"`
	Rebuilt  uint64 `json:"rebuilt" doc:"number of the newest order that was carried out"`
	Measures int    `json:"measures" doc:"how many are kept: one for each event, window and condition of an open rollout's metrics"`
	Leaves   int    `json:"leaves" doc:"parts that they are kept in"`
	Rows     uint64 `json:"rows"`
}

// TotalsCheck says whether the totals of a rollout are what its raw events add
// up to.
type TotalsCheck struct {
	Rollout    string             `json:"rollout"`
	Watermark  map[string]uint64  `json:"watermark" doc:"by shard, the last message whose events both sides are made of"`
	Kept       []string           `json:"kept" doc:"metrics that the totals hold, and that were compared"`
	Raw        []string           `json:"raw" doc:"metrics that they do not hold: readouts take those from the raw events"`
	Rebuilding bool               `json:"rebuilding" doc:"an order to make the totals anew is not carried out yet"`
	Differs    []TotalsDifference `json:"differs" doc:"empty: every number is equal, bit for bit"`
}

// TotalsDifference is a number that is not what the raw events say.
type TotalsDifference struct {
	Of     string          `json:"of" doc:"units, twoArms, exposures, newestExposure, or the key of a metric"`
	Totals json.RawMessage `json:"totals" doc:"what the totals say"`
	Raw    json.RawMessage `json:"raw" doc:"what the raw events say"`
}

func (s *server) totalsHere() (Totals, error) {
	if s.Totals == nil {
		return nil, fmt.Errorf("this replica knows no totals: %w", errNoSuch)
	}
	return s.Totals, nil
}

type totalsOut struct{ Body TotalsView }

func (s *server) getTotals(ctx context.Context, _ *struct{}) (*totalsOut, error) {
	t, err := s.totalsHere()
	if err != nil {
		return nil, err
	}
	v, err := t.State(ctx)
	return &totalsOut{v}, err
}

// rebuildTotals orders and does not wait: whoever loads carries it out, and the
// totals as they are answer meanwhile.
func (s *server) rebuildTotals(ctx context.Context, _ *struct{}) (*totalsOut, error) {
	t, err := s.totalsHere()
	if err != nil {
		return nil, err
	}
	if _, err := t.Rebuild(ctx); err != nil {
		return nil, err
	}
	v, err := t.State(ctx)
	return &totalsOut{v}, err
}

type checkTotalsOut struct{ Body TotalsCheck }

func (s *server) checkTotals(ctx context.Context, in *RolloutPath) (*checkTotalsOut, error) {
	v, err := s.view(in.String())
	if err != nil {
		return nil, err
	}
	t, err := s.totalsHere()
	if err != nil {
		return nil, err
	}
	c, err := t.Check(ctx, v.Rollout)
	return &checkTotalsOut{c}, err
}
