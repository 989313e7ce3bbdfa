package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/sluice-hq/sluice/event"
)

// failing is a rollout whose guardrail is a failure that nobody ever had, as
// teams have it in their canary. The proof takes seconds here, not minutes.
const failing = `apiVersion: sluice/v1
kind: Metric
key: checkout_errors
description: Units whose checkout failed
owner: shop-team
event: checkout_error
aggregate: events
direction: decrease
window: 1d
---
apiVersion: sluice/v1
kind: Flag
key: %[1]s
description: A change that goes wrong
purpose: release
owner: shop-team
type: boolean
variants: {on: true, off: false}
default: off
safe: off
unit: user
cleanup: {due: 30d, endState: remove}
environments:
  production: {enabled: true}
---
apiVersion: sluice/v1
kind: Rollout
flag: %[1]s
environment: production
owner: shop-team
unit: user
arms: {control: off, treatment: on}
metrics:
  guardrails: [{metric: checkout_errors, margin: 0%%, onBreach: rollback}]
stages:
  - {name: canary, treatment: 5%%, minWindow: 24h}
rollback: {to: safe, prove: {unsafeExposures: 1%%, within: 20s}}
cleanup: {due: 30d, endState: remove}
`

const (
	armUnits     = 200 // exposed in each arm before anything fails
	failingUnits = 20
	limit        = 30 * time.Second // from the breach in the data to the safe variant
)

// trial is one rollout that goes wrong.
type trial struct {
	s        *server
	key, id  string
	revision uint64 // of its flag
}

// view is what the server says of a rollout.
type view struct {
	Rollout struct {
		Stage  int    `json:"stage"`
		Status string `json:"status"`
		Return *struct {
			Decided  time.Time `json:"decided"`
			Revision uint64    `json:"revision"`
			Proven   *proof    `json:"proven"`
			Unproven *proof    `json:"unproven"`
		} `json:"return"`
		Drills []struct {
			Result *proof `json:"result"`
		} `json:"drills"`
	} `json:"rollout"`
	Look *struct {
		Evidence struct {
			Exposures int `json:"exposures"`
		} `json:"evidence"`
	} `json:"look"`
}

type proof struct {
	TimeToSafe event.Duration `json:"timeToSafe"`
	Streams    int            `json:"streams"`
	Why        string         `json:"why"`
}

// spans are what one breach took, in order.
type spans struct {
	decided time.Duration   // until the decision to roll back
	safe    []time.Duration // until each client held the safe variant
	proven  time.Duration   // from the decision, as the server recorded it
}

// breaking lets rollout after rollout go wrong and says how long each step took.
func breaking(ctx context.Context, s *server, c *crowd, breaches int, every time.Duration) error {
	var decided, safe, proven []time.Duration
	for i := range breaches {
		t := &trial{s: s, key: fmt.Sprintf("shop.breach-%d", i+1)}
		if err := t.begin(ctx); err != nil {
			return fmt.Errorf("starting rollout %d: %w", i+1, err)
		}
		if i == 0 {
			if err := t.drill(ctx); err != nil {
				return err
			}
		}
		time.Sleep(rand.N(every)) // a breach comes at any time between two looks
		took, err := t.breach(ctx, c)
		if err != nil {
			return fmt.Errorf("breach %d: %w", i+1, err)
		}
		decided, safe, proven = append(decided, took.decided), append(safe, took.safe...), append(proven, took.proven)
	}
	fmt.Printf("%d breaches to %d clients, from before the failures were sent:\n", breaches, len(c.clients))
	fmt.Printf("  decided to roll back   %s\n", spread(decided))
	fmt.Printf("  safe variant in an SDK %s (limit of p99: %s)\n", spread(safe), limit)
	fmt.Printf("  as the record has it, from the decision: %s\n", spread(proven))
	if share(safe, 0.99) > limit {
		return errors.New("a rollback takes too long")
	}
	return nil
}

// share returns the duration that a share of all do not exceed.
func share(all []time.Duration, at float64) time.Duration {
	slices.Sort(all)
	return all[int(at*float64(len(all)-1))]
}

func spread(all []time.Duration) string {
	ms := func(at float64) time.Duration { return share(all, at).Round(time.Millisecond) }
	return fmt.Sprintf("p50 %s, p99 %s, max %s", ms(0.5), ms(0.99), ms(1))
}

// begin starts the rollout and exposes units to both of its arms.
func (t *trial) begin(ctx context.Context) error {
	t.id = "production/" + t.key + "/1"
	if _, err := t.s.post(ctx, "/api/v1/apply", "application/yaml", fmt.Sprintf(failing, t.key)); err != nil {
		return err
	}
	if _, err := t.s.post(ctx, "/api/v1/rollouts/"+t.id+"/start", "application/json", "{}"); err != nil {
		return err
	}
	if err := t.until(ctx, "it has its first stage", func(v view) bool { return v.Rollout.Stage == 0 }); err != nil {
		return err
	}
	body, err := t.s.ask(ctx, http.MethodGet, "/api/v1/flags/"+t.key, "", "")
	if err != nil {
		return err
	}
	var f struct {
		Revision uint64 `json:"revision"`
	}
	if err := json.Unmarshal(body, &f); err != nil {
		return err
	}
	t.revision = f.Revision
	var events []string
	for i := range 2 * armUnits {
		events = append(events, t.exposure(i))
	}
	if err := t.send(ctx, events); err != nil {
		return err
	}
	return t.until(ctx, "its exposures are counted", func(v view) bool { return v.Look != nil && v.Look.Evidence.Exposures == 2*armUnits })
}

// drill prints what a drill of the rollout measures.
func (t *trial) drill(ctx context.Context) error {
	if _, err := t.s.post(ctx, "/api/v1/rollouts/"+t.id+"/drill", "application/json", "{}"); err != nil {
		return err
	}
	var d *proof
	err := t.until(ctx, "its drill is over", func(v view) bool { d = v.Rollout.Drills[0].Result; return d != nil })
	if err != nil || d.Why != "" {
		return errors.Join(err, fmt.Errorf("the drill: %+v", d))
	}
	fmt.Printf("a drill before: from its command until %d clients held the safe variant %s\n", d.Streams, time.Duration(d.TimeToSafe))
	return nil
}

// breach lets treated units fail and waits until every client is safe, and the
// server has proven it.
func (t *trial) breach(ctx context.Context, c *crowd) (spans, error) {
	var events []string
	for i := range failingUnits {
		events = append(events, fmt.Sprintf(`{"kind":"metric","id":%q,"name":"checkout_error","value":1,"units":{"user":"%s-%d"},"at":%q}`,
			event.New(), t.key, 2*i, time.Now().UTC().Format(time.RFC3339Nano)))
	}
	var took spans
	begin := time.Now()
	if err := t.send(ctx, events); err != nil {
		return took, err
	}
	var last view
	if err := t.until(ctx, "it is rolled back", func(v view) bool { last = v; return v.Rollout.Return != nil }); err != nil {
		return took, err
	}
	r := last.Rollout.Return
	took.decided = r.Decided.Sub(begin)
	if err := c.wait(ctx, r.Revision); err != nil {
		return took, err
	}
	for _, one := range c.clients {
		took.safe = append(took.safe, one.reached().Sub(begin))
	}
	err := t.until(ctx, "its rollback is proven", func(v view) bool { last = v; return v.Rollout.Return.Proven != nil || v.Rollout.Return.Unproven != nil })
	if err != nil {
		return took, err
	}
	if u := last.Rollout.Return.Unproven; u != nil {
		return took, fmt.Errorf("its rollback is not proven: %s", u.Why)
	}
	took.proven = time.Duration(last.Rollout.Return.Proven.TimeToSafe)
	return took, nil
}

// exposure is that of one unit; every second one is treated.
func (t *trial) exposure(i int) string {
	return fmt.Sprintf(`{"kind":"exposure","id":%q,"flag":%q,"variant":%q,"unit":{"kind":"user","id":"%s-%d"},"revision":%d,"enrolled":true,"reason":"SPLIT","at":%q}`,
		event.New(), t.key, []string{"on", "off"}[i%2], t.key, i, t.revision, time.Now().UTC().Format(time.RFC3339Nano))
}

func (t *trial) send(ctx context.Context, events []string) error {
	answer, err := t.s.post(ctx, "/v1/events?environment=production", "application/json", "["+strings.Join(events, ",")+"]")
	if err == nil && !strings.Contains(string(answer), fmt.Sprintf(`"accepted":%d`, len(events))) {
		err = fmt.Errorf("not all %d events were taken: %s", len(events), answer)
	}
	return err
}

// until asks for the rollout until something holds of it.
func (t *trial) until(ctx context.Context, what string, so func(view) bool) error {
	ctx, stop := context.WithTimeout(ctx, time.Minute)
	defer stop()
	for ; ctx.Err() == nil; time.Sleep(20 * time.Millisecond) {
		body, err := t.s.ask(ctx, http.MethodGet, "/api/v1/rollouts/"+t.id, "", "")
		if err != nil {
			return err
		}
		var v view
		if err := json.Unmarshal(body, &v); err != nil {
			return err
		}
		if so(v) {
			return nil
		}
	}
	return fmt.Errorf("waited in vain until %s", what)
}
