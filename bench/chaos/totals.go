package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"time"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/internal/natslog"
	"github.com/sluice-hq/sluice/internal/server"
	"github.com/sluice-hq/sluice/internal/warehouse"
)

const (
	rolloutID  = "production/" + flagKey + "/1"
	generation = "1" // of the program's tables
)

// recall waits until looks see everything that was loaded, and remembers what
// the rollout asks.
func (o *oracle) recall(ctx context.Context) error {
	var page struct{ Rollout decisions.Rollout }
	if err := o.get(ctx, "/api/v1/rollouts/"+rolloutID, &page); err != nil {
		return err
	}
	if o.rollout = page.Rollout; !o.rollout.Open() {
		return fmt.Errorf("the rollout is %s: no totals are kept of it, and this run proves nothing of them", o.rollout.Status)
	}
	for end := time.Now().Add(time.Minute); time.Now().Before(end) && ctx.Err() == nil; pause(ctx, 200*time.Millisecond) {
		var v server.ReadoutView
		if o.get(ctx, "/api/v1/readouts/"+rolloutID, &v) == nil && o.sees(v.Evidence.Watermark) {
			return nil
		}
	}
	return errors.New("they do not hold what is loaded after a minute")
}

func (o *oracle) get(ctx context.Context, path string, v any) error {
	answer, err := o.call(ctx, http.MethodGet, o.admin, path, nil)
	if err != nil {
		return err
	}
	return json.Unmarshal(answer, v)
}

func (o *oracle) sees(watermark map[string]decisions.Place) bool {
	for shard, done := range o.loaded {
		if watermark[shard].Seq < done {
			return false
		}
	}
	return len(o.loaded) > 0
}

// recount holds the totals that the stopped victim left against its raw events.
func (o *oracle) recount(ctx context.Context, v *victim, w *warehouse.Warehouse, f *findings) (err error) {
	s, err := natslog.Open(ctx, natslog.Config{Dir: filepath.Join(v.data, "nats")})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close(ctx)) }()
	t := &warehouse.Totals{Warehouse: w, KV: s.KV, Generation: generation}
	for shard := range o.loaded {
		t.Shards = append(t.Shards, shard)
	}
	a, err := bothWays(ctx, t, o.question())
	for _, c := range a.Units {
		f.totals += int(c.N)
	}
	return err
}

// question is what a gate of the rollout asks.
func (o *oracle) question() warehouse.Question {
	r := o.rollout
	q := warehouse.Question{
		Environment: r.Plan.Environment, Flag: r.Plan.Flag, Rollout: r.ID, UnitKind: r.Plan.Unit, Gate: true,
		Control: r.Plan.Arms.Control, Treatments: []string{r.Plan.Arms.Treatment}, Until: time.Now(),
	}
	for _, key := range r.Plan.Measured() {
		q.Metrics = append(q.Metrics, r.Metrics[key])
	}
	return q
}

// bothWays asks the totals and, as of the same messages, the raw events, and
// returns the totals' answer when it is that of the raw events bit for bit.
func bothWays(ctx context.Context, t *warehouse.Totals, q warehouse.Question) (warehouse.Answer, error) {
	kept, err := t.Kept(ctx)
	if err != nil {
		return warehouse.Answer{}, err
	}
	a, err := t.Readout(ctx, q, kept)
	if err != nil {
		return a, err
	}
	if !fromTotals(a) {
		return a, errors.New("nothing was compared: the totals hold none of what is asked")
	}
	q.Watermark = kept.Watermark
	raw, err := t.Warehouse.Readout(ctx, q)
	if err == nil {
		err = differ(raw, a)
	}
	if err != nil {
		return a, fmt.Errorf("the totals are not those of the raw events, which come first: %w", err)
	}
	return a, nil
}

func fromTotals(a warehouse.Answer) bool {
	for _, q := range a.Queries {
		if strings.Contains(q.SQL, "FROM unit_totals") {
			return true
		}
	}
	return false
}
