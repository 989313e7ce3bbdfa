package warehouse

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/sluice-hq/sluice/stats"
)

// Checked says whether the totals of a rollout are what its raw events add up
// to.
type Checked struct {
	Watermark  map[string]uint64 // by shard, the last message whose events both are made of
	Kept       []string          // metrics that the totals hold
	Raw        []string          // metrics that they do not hold: readouts take those from the raw events
	Rebuilding bool              // an order to make the totals anew is not carried out yet
	Differs    []Difference      // none: all is well
}

// Difference is a number that is not what it should be, as JSON.
type Difference struct {
	Of     string          `json:"of" doc:"units, twoArms, exposures, strays, newestExposure, or the key of a metric"`
	Totals json.RawMessage `json:"totals" doc:"what the totals say"`
	Raw    json.RawMessage `json:"raw" doc:"what the raw events say"`
}

// checks is how often Check begins again because leaves were folded together
// while it read them.
const checks = 5

// Check counts what a question asks twice, from the totals and from the raw
// events, at the watermark of the totals, and compares the answers bit for bit.
// Units count however young they are. It costs what a readout of raw events
// costs.
func (t *Totals) Check(ctx context.Context, q Question) (c Checked, err error) {
	q.Until = time.UnixMilli(forever)
	for range checks {
		if c, err = t.check(ctx, q); !errors.Is(err, errGone) {
			return c, err
		}
	}
	return c, fmt.Errorf("checking the totals of %s: %w", q.Rollout, err)
}

func (t *Totals) check(ctx context.Context, q Question) (c Checked, err error) {
	k, err := t.Kept(ctx)
	if err != nil {
		return c, err
	}
	order, _, err := readOrder(ctx, t.KV, t.Generation)
	if err != nil {
		return c, err
	}
	done, err := t.Rebuilt(ctx, order)
	if err != nil {
		return c, err
	}
	c.Watermark, c.Rebuilding = k.Watermark, !done
	kept, err := t.fromKept(ctx, q, k)
	if err != nil {
		return c, err
	}
	q.Watermark = k.Watermark
	raw, err := t.Warehouse.Readout(ctx, q)
	if err != nil {
		return c, err
	}
	for _, m := range q.Metrics {
		if _, ok := k.numbers(q.measure(m)); ok {
			c.Kept = append(c.Kept, m.Key)
		} else {
			c.Raw = append(c.Raw, m.Key)
		}
	}
	c.Differs, err = differences(q.Metrics, kept, raw)
	return c, err
}

// differences compares two answers to one question.
func differences(metrics []stats.Metric, kept, raw Answer) (all []Difference, err error) {
	add := func(of string, x, y any) {
		if reflect.DeepEqual(x, y) || err != nil {
			return
		}
		d := Difference{Of: of}
		if d.Totals, err = json.Marshal(x); err == nil {
			d.Raw, err = json.Marshal(y)
		}
		all = append(all, d)
	}
	add(OfUnits, kept.Units, raw.Units)
	add("twoArms", kept.TwoArms, raw.TwoArms)
	add("exposures", kept.Exposures, raw.Exposures)
	add("strays", kept.Strays, raw.Strays)
	add("newestExposure", kept.NewestExposure, raw.NewestExposure)
	for _, m := range metrics {
		add(m.Key, kept.of(m.Key), raw.of(m.Key))
	}
	return all, err
}

// said is what an answer says of one metric.
type said struct {
	Samples []Sample  `json:"samples"`
	Newest  time.Time `json:"newest,omitzero"`
	Caps    *Caps     `json:"caps,omitempty"`
}

func (a Answer) of(metric string) said {
	s := said{Samples: []Sample{}, Newest: a.NewestEvent[metric]}
	for _, x := range a.Samples {
		if x.Metric == metric {
			s.Samples = append(s.Samples, x)
		}
	}
	if caps, ok := a.Caps[metric]; ok {
		s.Caps = &caps
	}
	return s
}

// State says how far the totals are.
type State struct {
	Order  uint64 // the newest order to make them anew; 0: there was none
	Shards []ShardState
}

// ShardState is how far the totals of one shard are.
type ShardState struct {
	Shard    string
	Done     uint64 // the last message whose events are in them
	Rebuilt  uint64 // the newest order that was carried out
	Measures int    // that are kept
	Leaves   int
	Rows     uint64
}

// State returns what the keepers have written down last.
func (t *Totals) State(ctx context.Context) (s State, err error) {
	if s.Order, _, err = readOrder(ctx, t.KV, t.Generation); err != nil {
		return s, err
	}
	for _, shard := range t.Shards {
		m, _, err := readManifest(ctx, t.KV, t.Generation, shard)
		if err != nil {
			return s, err
		}
		one := ShardState{Shard: shard, Done: m.Done, Rebuilt: m.Rebuilt, Measures: len(m.Measures), Leaves: len(m.Leaves)}
		for _, l := range m.Leaves {
			one.Rows += l.Rows
		}
		s.Shards = append(s.Shards, one)
	}
	return s, nil
}
