package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/ingest"
	"github.com/sluice-hq/sluice/internal/server"
)

const (
	flagKey  = "game.progression.first-gate"
	senders  = 3   // connections
	visitors = 120 // of one request
)

// oracle knows what was acknowledged.
type oracle struct {
	address, admin, sdk string
	done                chan struct{}

	mu       sync.Mutex
	acked    map[event.ID]bool
	requests int // that were acknowledged
	resends  int // of batches that were acknowledged before
	failures int // requests without an answer, or refused for the moment
	changes  int // control events that were acknowledged

	settled uint64            // last control event when everything was loaded
	loaded  map[string]uint64 // by shard, the last message then
	rollout decisions.Rollout // at the end
}

func newOracle() *oracle {
	return &oracle{acked: map[event.ID]bool{}, done: make(chan struct{}, senders+1)}
}

// prepare creates flag, metrics and plan, and a token for the senders.
func (o *oracle) prepare(ctx context.Context, v *victim, documents string) error {
	o.address, o.admin = v.Address, v.Token
	source, err := os.ReadFile(documents)
	if err != nil {
		return err
	}
	if _, err := o.post(ctx, o.admin, "/api/v1/apply?start=true", source); err != nil {
		return err
	}
	answer, err := o.post(ctx, o.admin, "/api/v1/tokens", []byte(`{"class":"sls","name":"chaos","environment":"production"}`))
	if err != nil {
		return err
	}
	var issued struct {
		Token string `json:"token"`
	}
	err = json.Unmarshal(answer, &issued)
	o.sdk = issued.Token
	return err
}

// send starts the senders and whoever changes things, and returns how many
// they are.
func (o *oracle) send(ctx context.Context, seed uint64, rest time.Duration) int {
	for i := range senders {
		go func() {
			defer func() { o.done <- struct{}{} }()
			o.sender(ctx, i, rand.New(rand.NewPCG(seed, uint64(100+i))), rest)
		}()
	}
	go func() {
		defer func() { o.done <- struct{}{} }()
		o.changer(ctx)
	}()
	return senders + 1
}

// sender sends batch after batch; each until it is acknowledged, some twice.
func (o *oracle) sender(ctx context.Context, number int, r *rand.Rand, rest time.Duration) {
	var last []byte
	for n := 0; ctx.Err() == nil; n++ {
		facts := o.batch(ctx, fmt.Sprintf("v-%d-%d", number, n), r)
		body, err := json.Marshal(facts)
		if err != nil || len(facts) == 0 {
			continue
		}
		if !o.deliver(ctx, body) {
			return
		}
		o.note(facts)
		if r.IntN(10) == 0 && last != nil && o.deliver(ctx, last) {
			o.mu.Lock()
			o.resends++
			o.mu.Unlock()
		}
		last = body
		pause(ctx, rest)
	}
}

// deliver sends a body until it is acknowledged. A batch that is under way
// when the torment ends is delivered too.
func (o *oracle) deliver(ctx context.Context, body []byte) bool {
	last, stop := context.WithTimeout(context.WithoutCancel(ctx), 90*time.Second)
	defer stop()
	for last.Err() == nil {
		if _, err := o.post(last, o.sdk, "/v1/events", body); err == nil {
			return true
		}
		o.mu.Lock()
		o.failures++
		o.mu.Unlock()
		pause(last, 50*time.Millisecond)
	}
	return false
}

// note remembers what a 202 promised.
func (o *oracle) note(facts []any) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.requests++
	for _, f := range facts {
		switch f := f.(type) {
		case ingest.Exposure:
			o.acked[f.ID] = true
		case ingest.MetricEvent:
			o.acked[f.ID] = true
		}
	}
}

// batch evaluates visitors and makes their events: exposures of the enrolled,
// returns, and now and then an event that no metric declares.
func (o *oracle) batch(ctx context.Context, name string, r *rand.Rand) (facts []any) {
	for i := range visitors {
		unit := fmt.Sprintf("%s-%d", name, i)
		answer, err := o.post(ctx, o.sdk, "/ofrep/v1/evaluate/flags/"+flagKey, []byte(`{"context":{"targetingKey":"`+unit+`"}}`))
		if err != nil {
			pause(ctx, 20*time.Millisecond)
			continue
		}
		var e struct {
			Variant, Reason string
			Metadata        struct {
				Revision uint64
				Enrolled bool
			}
		}
		if json.Unmarshal(answer, &e) != nil {
			continue
		}
		at := time.Now().UTC()
		facts = append(facts, ingest.Exposure{
			Kind: ingest.KindExposure, ID: event.New(), Flag: flagKey, Variant: e.Variant, Unit: ingest.Unit{Kind: "user", ID: unit},
			Revision: e.Metadata.Revision, Enrolled: e.Metadata.Enrolled, Reason: e.Reason, At: at,
		})
		for name, p := range map[string]float64{"day_1_return": 0.45, "day_7_return": 0.19, "nobody_declared_this": 0.05} {
			if r.Float64() < p {
				facts = append(facts, ingest.MetricEvent{
					Kind: ingest.KindMetric, ID: event.New(), Name: name, Units: map[string]string{"user": unit}, At: at,
				})
			}
		}
	}
	return facts
}

// changer writes to the control log.
func (o *oracle) changer(ctx context.Context) {
	for n := 0; ctx.Err() == nil; n++ {
		body := fmt.Sprintf(`{"class":"sls","name":"chaos-%d","environment":"staging"}`, n)
		if _, err := o.post(ctx, o.admin, "/api/v1/tokens", []byte(body)); err == nil {
			o.mu.Lock()
			o.changes++
			o.mu.Unlock()
		}
		pause(ctx, 30*time.Millisecond)
	}
}

// stalled is how long nothing may be loaded before the loader is taken to be
// stuck. What a run leaves to be loaded takes as long as it takes.
const stalled = 3 * time.Minute

// settle waits until everything that was acknowledged is loaded.
func (o *oracle) settle(ctx context.Context, v *victim) error {
	var last server.FactsView
	for end := time.Now().Add(stalled); time.Now().Before(end) && ctx.Err() == nil; pause(ctx, 200*time.Millisecond) {
		var f server.FactsView
		answer, err := o.call(ctx, http.MethodGet, o.admin, "/api/v1/facts", nil)
		if err != nil || json.Unmarshal(answer, &f) != nil {
			continue
		}
		if behind(f) == 0 {
			o.settled, o.loaded = f.Control.Last, map[string]uint64{}
			for _, s := range f.Shards {
				o.loaded[s.Shard] = s.Done
			}
			return nil
		}
		if behind(f) != behind(last) {
			last, end = f, time.Now().Add(stalled)
		}
	}
	return fmt.Errorf("%d messages are not loaded, and none has been for %s; see %s", behind(last), stalled, v.Log)
}

// behind is how many messages are acknowledged and not loaded.
func behind(f server.FactsView) uint64 {
	n := f.Control.Last - f.Control.Done
	for _, s := range f.Shards {
		n += s.Last - s.Done
	}
	return n
}

func (o *oracle) post(ctx context.Context, token, path string, body []byte) ([]byte, error) {
	return o.call(ctx, http.MethodPost, token, path, body)
}

func (o *oracle) call(ctx context.Context, method, token, path string, body []byte) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, method, o.address+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode >= 300 {
		err = fmt.Errorf("%s: %d %s", path, answer.StatusCode, text)
	}
	return text, err
}
