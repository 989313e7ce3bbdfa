package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/open-feature/go-sdk/openfeature"
	"github.com/open-feature/go-sdk/openfeature/isolated"

	"github.com/sluice-hq/sluice/bench/serving"
	"github.com/sluice-hq/sluice/internal/engine/enginetest"
	"github.com/sluice-hq/sluice/sdk"
)

var (
	kills = flag.Int("kills", 3, "how often the server is killed")
	rate  = flag.Int("rate", 200, "checkouts a second")
)

func TestMain(m *testing.M) { enginetest.Main(m) }

const documents = `apiVersion: sluice/v1
kind: Metric
key: purchases
description: Units that bought something
owner: shop-team
event: purchase
aggregate: conversion
direction: increase
window: 1d
---
apiVersion: sluice/v1
kind: Flag
key: shop.checkout
description: Fewer steps
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
flag: shop.checkout
environment: production
owner: shop-team
unit: user
arms: {control: off, treatment: on}
metrics:
  guardrails: [{metric: purchases, margin: 50%, onBreach: pause}]
stages:
  - {name: half, treatment: 50%, minWindow: 24h, exclude: {purchases: 30%}}
cleanup: {due: 30d, endState: remove}
`

// TestKills sells under load while the server is killed and started again. Every
// event is stored once, nobody's checkout changes, and no request waits.
func TestKills(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED, nothing was killed: it builds the program")
	}
	w := build(t)
	p, client := w.open(t, sdk.Config{URL: w.Address, Token: w.service, Dir: filepath.Join(w.dir, "shop")})
	crowd := &crowd{shop: httptest.NewServer(newShop(client, p)), ways: map[string]string{}}
	defer crowd.shop.Close()
	crowd.open(*rate)
	random := rand.New(rand.NewPCG(1, uint64(*kills)))
	for range *kills {
		pass(time.Duration(300+random.IntN(700)) * time.Millisecond)
		w.Kill()
		pass(time.Duration(random.IntN(500)) * time.Millisecond)
		if err := w.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	pass(time.Second)
	crowd.close()
	w.settle(t, p, crowd)
	if err := p.ShutdownWithContext(t.Context()); err != nil {
		t.Error(err)
	}
	w.Kill()
	w.coldStart(t, p, crowd)
}

// pass lets time pass in which others work: the server is another process.
func pass(d time.Duration) { <-time.After(d) }

// world is a server that can be killed.
type world struct {
	serving.Process
	dir     string
	service string // token
}

// build starts the program with a rollout under way.
func build(t *testing.T) *world {
	t.Helper()
	library := enginetest.Library(t)
	if absolute, err := filepath.Abs(library); err == nil {
		library = absolute
	}
	w := &world{dir: t.TempDir()}
	w.Binary, w.Log = os.Getenv("SLUICE_BINARY"), filepath.Join(w.dir, "log")
	if w.Binary == "" {
		w.Binary = filepath.Join(w.dir, "sluice")
		if out, err := exec.Command("go", "build", "-o", w.Binary, "../../cmd/sluice").CombinedOutput(); err != nil {
			t.Fatalf("building: %v\n%s", err, out)
		}
	}
	w.Args = []string{"--data", filepath.Join(w.dir, "data"), "--lib", library}
	if err := w.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Kill)
	w.ask(t, http.MethodPost, "/api/v1/apply", "application/yaml", documents, nil)
	w.ask(t, http.MethodPost, "/api/v1/rollouts/production/shop.checkout/1/start", "application/json", `{"comment":"a test of the service","anyway":true}`, nil)
	var made struct{ Token string }
	w.ask(t, http.MethodPost, "/api/v1/tokens", "application/json", `{"name":"shop","class":"sls","environment":"production"}`, &made)
	w.service = made.Token
	w.until(t, "the first stage is on", func() bool {
		var f struct {
			Environments map[string]struct{ Allocation json.RawMessage }
		}
		w.ask(t, http.MethodGet, "/api/v1/flags/shop.checkout", "", "", &f)
		return f.Environments["production"].Allocation != nil
	})
	return w
}

// ask sends one request as an administrator.
func (w *world) ask(t *testing.T, method, path, media, body string, into any) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, w.Address+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+w.Token)
	r.Header.Set("Content-Type", media)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode/100 != 2 {
		t.Fatalf("%s %s: %s %s %v", method, path, answer.Status, text, err)
	}
	if into != nil {
		if err := json.Unmarshal(text, into); err != nil {
			t.Fatalf("%s %s: %v", method, path, err)
		}
	}
}

// until asks again until something is so, for two minutes at most.
func (w *world) until(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(2 * time.Minute); !is(); pass(100 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s: not within two minutes", what)
		}
	}
}

// open initialises a provider with a client of its own.
func (w *world) open(t *testing.T, c sdk.Config) (*sdk.Provider, *openfeature.Client) {
	t.Helper()
	c.Wait, c.Report = time.Minute, -1
	p, err := sdk.New(c)
	if err != nil {
		t.Fatal(err)
	}
	api := isolated.NewAPI()
	if err := api.SetProviderAndWait(context.Background(), p); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ended, stop := context.WithCancel(context.Background())
		stop()
		_ = p.ShutdownWithContext(ended) // what it still has is of no interest
	})
	return p, api.NewClient()
}

// crowd buys.
type crowd struct {
	shop *httptest.Server
	stop context.CancelFunc
	done sync.WaitGroup

	mu      sync.Mutex
	ways    map[string]string // of each user
	sold    int
	strange []string // answers that were not the rollout's, or not those of before
	longest atomic.Int64
}

// open lets users come, some of them again, at a steady rate.
func (c *crowd) open(rate int) {
	ctx, stop := context.WithCancel(context.Background())
	c.stop = stop
	c.done.Go(func() {
		ticker := time.NewTicker(time.Second / time.Duration(rate))
		defer ticker.Stop()
		for n := 0; ctx.Err() == nil; n++ {
			c.done.Go(func() { c.buy(fmt.Sprint("u-", n*7919%3000)) })
			select {
			case <-ticker.C:
			case <-ctx.Done():
			}
		}
	})
}

func (c *crowd) close() { c.stop(); c.done.Wait() }

// buy sends one user through the checkout.
func (c *crowd) buy(user string) {
	began := time.Now()
	answer, err := http.Post(c.shop.URL+"/checkout?user="+user, "", nil)
	var got receipt
	if err == nil {
		err = json.NewDecoder(answer.Body).Decode(&got)
		_ = answer.Body.Close()
	}
	took := int64(time.Since(began))
	for last := c.longest.Load(); took > last && !c.longest.CompareAndSwap(last, took); last = c.longest.Load() {
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sold++
	if before, known := c.ways[user]; err != nil || got.Reason != "SPLIT" || known && before != got.Way {
		c.strange = append(c.strange, fmt.Sprintf("%s: %+v, before %q, %v", user, got, before, err))
	}
	c.ways[user] = got.Way
}

// settle compares what was sold with what the server has stored.
func (w *world) settle(t *testing.T, p *sdk.Provider, c *crowd) {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), 5*time.Minute)
	defer stop()
	if err := p.Flush(ctx); err != nil {
		t.Fatal(err)
	}
	s := p.Stats()
	t.Logf("%d kills: %d checkouts of %d users, the longest %v; %d exposures and %d purchases, %d requests repeated",
		*kills, c.sold, len(c.ways), time.Duration(c.longest.Load()).Round(time.Millisecond), s.Exposures, s.Tracked, s.Failures)
	if len(c.strange) > 0 {
		t.Errorf("%d of %d answers were interrupted, the first: %s", len(c.strange), c.sold, c.strange[0])
	}
	if s.Exposures < uint64(len(c.ways)) || s.Tracked != uint64(c.sold) || s.Added != s.Exposures+s.Tracked {
		t.Errorf("%d users, %d sold: %+v", len(c.ways), c.sold, s)
	}
	if s.Sent != s.Added || s.Dropped+s.Refused+s.Waiting+s.DeadLetters > 0 {
		t.Errorf("not everything was sent: %+v", s)
	}
	var f struct {
		Events, Reports, DeadLetters uint64
		Unaccounted                  int64
	}
	w.until(t, fmt.Sprintf("%d events are stored", s.Added), func() bool {
		w.ask(t, http.MethodGet, "/api/v1/facts", "", "", &f)
		return f.Events-f.Reports >= s.Added && f.Unaccounted == 0
	})
	if stored := f.Events - f.Reports; stored != s.Added || f.DeadLetters > 0 {
		t.Errorf("%d events are stored, and %d happened: %+v", stored, s.Added, f)
	}
}

// coldStart starts the service while the server is down: from its folder, and
// from what was shipped with it. Every user gets what he had.
func (w *world) coldStart(t *testing.T, last *sdk.Provider, c *crowd) {
	t.Helper()
	shipped, err := last.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	for source, config := range map[sdk.Source]sdk.Config{
		sdk.FromLastKnown: {Dir: filepath.Join(w.dir, "shop")}, sdk.FromBootstrap: {Bootstrap: shipped},
	} {
		config.URL, config.Token = w.Address, w.service
		began := time.Now()
		p, client := w.open(t, config)
		t.Logf("with everything down, ready from %s after %v", source, time.Since(began).Round(10*time.Microsecond))
		if got := p.Status(); got.Source != source {
			t.Errorf("from %s: %+v", source, got)
		}
		for user, way := range c.ways {
			value, err := client.BooleanValue(t.Context(), checkoutFlag, false, openfeature.NewEvaluationContext(user, nil))
			if err != nil || value != (way == "one step") {
				t.Fatalf("from %s: %s gets %v, %v", source, user, value, err)
			}
		}
	}
}
