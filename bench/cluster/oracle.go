package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/ingest"
)

const (
	flagKey   = "game.progression.first-gate"
	metric    = "day_1_return"
	senders   = 4   // connections, each to one replica
	perBatch  = 200 // events of a request
	breath    = 20 * time.Millisecond
	patience  = 2 * time.Minute // of one request
	sayAtMost = 5               // different refusals that are told
)

// oracle sends, and knows what was acknowledged.
type oracle struct {
	replicas   []string
	admin, sdk string
	wait       sync.WaitGroup

	mu       sync.Mutex
	acked    []event.ID
	changes  int // of the log, acknowledged
	refusals int // requests that were answered otherwise, or not at all
	said     []string
	lasts    map[string]time.Time // of each sender, its last acknowledgement
	longest  time.Duration
	slow     []time.Duration // of every acknowledged request of events
}

// prepare creates flag, metrics and plan, and a token for the senders.
func (o *oracle) prepare(ctx context.Context, documents string) error {
	source, err := os.ReadFile(documents)
	if err != nil {
		return err
	}
	if status, answer, err := call(ctx, http.MethodPost, o.replicas[0]+"/api/v1/apply?start=true", o.admin, source); err != nil || status != http.StatusOK {
		return fmt.Errorf("applying %s: %d %s, %w", documents, status, answer, err)
	}
	_, answer, err := call(ctx, http.MethodPost, o.replicas[0]+"/api/v1/tokens", o.admin, []byte(`{"class":"sls","name":"cluster","environment":"production"}`))
	if err != nil {
		return err
	}
	var issued struct {
		Token string `json:"token"`
	}
	err = json.Unmarshal(answer, &issued)
	o.sdk = issued.Token
	for _, r := range o.replicas { // a replica learns of a token a moment after it was made
		for known := false; !known && err == nil; pause(ctx, breath) {
			var status int
			status, _, err = call(ctx, http.MethodPost, r+"/ofrep/v1/evaluate/flags", o.sdk, []byte(`{"context":{"targetingKey":"u"}}`))
			known = status == http.StatusOK
		}
	}
	return err
}

// send starts the senders and who changes things; o.wait says when they ended.
func (o *oracle) send(ctx context.Context) {
	o.lasts = map[string]time.Time{}
	for i := range senders {
		o.wait.Go(func() { o.sender(ctx, i) })
	}
	o.wait.Go(func() { o.changer(ctx) })
}

func (o *oracle) sender(ctx context.Context, number int) {
	name, to := fmt.Sprintf("sender %d", number), o.replicas[number%len(o.replicas)]
	for n := 0; ctx.Err() == nil; n++ {
		facts, ids := batch(number, n)
		body, err := json.Marshal(facts)
		if err != nil {
			panic(err) // unreachable unless an event has no JSON
		}
		began := time.Now()
		if !o.insist(ctx, name, to+"/v1/events", o.sdk, body, http.StatusAccepted) {
			return
		}
		o.mu.Lock()
		o.acked = append(o.acked, ids...)
		o.slow = append(o.slow, time.Since(began))
		o.mu.Unlock()
		pause(ctx, breath)
	}
}

// batch makes events of a declared metric, of units that nobody has seen.
func batch(sender, n int) (facts []ingest.MetricEvent, ids []event.ID) {
	at := time.Now().UTC()
	for i := range perBatch {
		f := ingest.MetricEvent{
			Kind: ingest.KindMetric, ID: event.New(), Name: metric, Units: map[string]string{"user": fmt.Sprintf("u-%d-%d-%d", sender, n, i)}, At: at,
		}
		facts, ids = append(facts, f), append(ids, f.ID)
	}
	return facts, ids
}

// changer writes to the control log.
func (o *oracle) changer(ctx context.Context) {
	for n := 0; ctx.Err() == nil; n++ {
		body := fmt.Appendf(nil, `{"class":"sls","name":"cluster-%d","environment":"staging"}`, n)
		if !o.insist(ctx, "changer", o.replicas[n%len(o.replicas)]+"/api/v1/tokens", o.admin, body, http.StatusOK) {
			return
		}
		o.mu.Lock()
		o.changes++
		o.mu.Unlock()
		pause(ctx, 5*breath)
	}
}

// insist sends a request until it is acknowledged, also when the torment ends
// meanwhile, and counts what else is answered.
func (o *oracle) insist(ctx context.Context, who, url, token string, body []byte, want int) bool {
	last, stop := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer stop()
	for last.Err() == nil {
		status, answer, err := call(last, http.MethodPost, url, token, body)
		if err == nil && status == want {
			o.acknowledged(who)
			return true
		}
		o.refused(who, fmt.Sprintf("%d %.500s %v", status, answer, err))
		pause(last, 100*time.Millisecond)
	}
	return false
}

func (o *oracle) refused(who, why string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.refusals++
	if why = who + ": " + why; len(o.said) < sayAtMost && !slices.Contains(o.said, why) {
		o.said = append(o.said, why)
	}
}

func (o *oracle) acknowledged(who string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if last, ok := o.lasts[who]; ok {
		o.longest = max(o.longest, time.Since(last))
	}
	o.lasts[who] = time.Now()
}

// gaps returns the longest time that any sender was without an
// acknowledgement since the last call, the one that lasts still among them.
func (o *oracle) gaps() time.Duration {
	o.mu.Lock()
	defer o.mu.Unlock()
	longest := o.longest
	for _, last := range o.lasts {
		longest = max(longest, time.Since(last))
	}
	o.longest = 0
	return longest
}

// call sends one request.
func call(ctx context.Context, method, url, token string, body []byte) (status int, answer []byte, err error) {
	r, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/json")
	a, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, nil, err
	}
	defer a.Body.Close()
	answer, err = io.ReadAll(a.Body)
	return a.StatusCode, answer, err
}
