package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/sluice-hq/sluice/bench/serving"
	view "github.com/sluice-hq/sluice/internal/server"
)

// server is a process that takes events.
type server struct {
	serving.Process
	sdk      string // token
	revision uint64 // of the flag, with its rollout
}

// documents are what the events are about. The rollout stays in its first
// stage, whose units are never enough.
const documents = `apiVersion: sluice/v1
kind: Metric
key: purchases
description: Units that buy
owner: shop-team
event: purchase
aggregate: conversion
direction: increase
window: 1d
gateWindow: 1s          # a unit counts a second after it was exposed
---
apiVersion: sluice/v1
kind: Metric
key: revenue
description: What a unit spends
owner: shop-team
event: purchase
aggregate: sum
direction: increase
window: 1d
gateWindow: 1s          # a unit counts a second after it was exposed
---
apiVersion: sluice/v1
kind: Flag
key: shop.checkout
description: The new checkout
purpose: experiment
owner: shop-team
type: string
variants: {on1: new, off: old}
default: off
safe: off
unit: user
cleanup: {due: 30d, endState: promote}
environments:
  production: {enabled: true}
---
apiVersion: sluice/v1
kind: Rollout
flag: shop.checkout
environment: production
owner: shop-team
hypothesis: The new checkout sells more
unit: user
arms: {control: off, treatment: on1}
metrics:
  success: [{metric: revenue, mde: 2%, onLoss: review, onInconclusive: review}]
  diagnostics: [{metric: purchases}]
health:
  srm: {alpha: 0.001, onFail: pause}
  telemetry: {maxLag: 10m, onMissing: pause}
stages:
  - {name: experiment, treatment: 50%, minWindow: 7d, maxWindow: 28d, decide: true}
rollback: {to: safe, owners: [shop-team], lockUntilExplained: true}
cleanup: {due: 30d, endState: promote}
`

const rolloutID = "production/shop.checkout/1"

// sluice starts a Sluice with roles on new data, and prepares it.
func (o options) sluice(ctx context.Context, roles string) (s *server, end func(), err error) {
	dir, err := os.MkdirTemp("", "sluice-events-")
	if err != nil {
		return nil, nil, err
	}
	s = &server{Process: serving.Process{Binary: o.binary, Args: []string{"--data", filepath.Join(dir, "data"), "--roles", roles}}}
	end = func() { s.Kill(); _ = os.RemoveAll(dir) }
	if err = s.Start(ctx); err == nil {
		err = s.prepare(ctx)
	}
	if err != nil {
		end()
		return nil, nil, err
	}
	return s, end, nil
}

// prepare makes the flag with its rollout and a token for the senders.
func (s *server) prepare(ctx context.Context) error {
	if err := s.call(ctx, s.Token, "/api/v1/apply?start=true", documents, nil); err != nil {
		return err
	}
	var issued struct{ Token string }
	if err := s.call(ctx, s.Token, "/api/v1/tokens", `{"class":"sls","name":"bench","environment":"production"}`, &issued); err != nil {
		return err
	}
	s.sdk = issued.Token
	return s.started(ctx)
}

// started waits until the rollout serves its arms, which it does when the
// controller has looked at it.
func (s *server) started(ctx context.Context) error {
	for ; ctx.Err() == nil; time.Sleep(50 * time.Millisecond) {
		var e struct {
			Metadata struct {
				Revision uint64
				Enrolled bool
			}
		}
		if err := s.call(ctx, s.sdk, "/ofrep/v1/evaluate/flags/shop.checkout", `{"context":{"targetingKey":"u-1"}}`, &e); err != nil {
			return err
		}
		if s.revision = e.Metadata.Revision; e.Metadata.Enrolled {
			return nil
		}
	}
	return ctx.Err()
}

// settled says when everything was loaded and read back, and when it was in the
// totals, which is what looks see, and how many events that are.
type settled struct {
	loaded, looked time.Time
	events         int
	worked         work // up to then, without counting them
}

// settle waits for both, then counts the events: that is a pass over all of
// them, which would cost the engine more than the waiting does.
func (s *server) settle(ctx context.Context) (t settled, err error) {
	for behind := 1.0; behind > 0; {
		if behind, err = s.gauge(ctx, "sluice_loader_behind_messages"); err != nil {
			return t, err
		}
		t.loaded = time.Now()
		time.Sleep(100 * time.Millisecond)
	}
	t.looked = time.Now()
	end, err := s.gauge(ctx, "sluice_loader_sequence")
	for seen := -1.0; err == nil && seen < end; {
		time.Sleep(max(200*time.Millisecond, 3*time.Since(t.looked))) // a look costs the engine something
		t.looked = time.Now()
		seen, err = s.watermark(ctx)
	}
	if err != nil {
		return t, err
	}
	t.worked = s.worked()
	var f view.FactsView
	err = s.call(ctx, s.Token, "/api/v1/facts", "", &f)
	t.events = int(f.Events)
	return t, err
}

// gauge returns the sum of a metric over the shards of facts.
func (s *server) gauge(ctx context.Context, name string) (sum float64, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.Address+"/metrics", nil)
	if err != nil {
		return 0, err
	}
	r.Header.Set("Authorization", "Bearer "+s.Token)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	found := false
	for lines := bufio.NewScanner(answer.Body); lines.Scan(); {
		labels, value, _ := strings.Cut(lines.Text(), " ")
		if !strings.HasPrefix(labels, name+`{shard="facts-`) {
			continue
		}
		v, err := strconv.ParseFloat(value, 64)
		if err != nil {
			return 0, fmt.Errorf("reading %s: %w", name, err)
		}
		sum, found = sum+v, true
	}
	if !found {
		return 0, fmt.Errorf("/metrics does not say %s: %s", name, answer.Status)
	}
	return sum, nil
}

// watermark returns the sum of the sequences up to which looks see the shards.
func (s *server) watermark(ctx context.Context) (sum float64, err error) {
	var v view.ReadoutView
	err = s.call(ctx, s.Token, "/api/v1/readouts/"+rolloutID, "", &v)
	for _, p := range v.Evidence.Watermark {
		sum += float64(p.Seq)
	}
	return sum, err
}

// readout is the statistics of the rollout and how long they took.
type readout struct {
	units, exposures int64
	took             time.Duration
}

func (s *server) readout(ctx context.Context) (r readout, err error) {
	asked := time.Now()
	var v view.ReadoutView
	if err := s.call(ctx, s.Token, "/api/v1/readouts/"+rolloutID, "", &v); err != nil {
		return r, err
	}
	r.took, r.exposures = time.Since(asked), v.Evidence.Exposures
	for _, c := range v.Evidence.Units {
		r.units += c.N
	}
	if r.units == 0 {
		return r, errors.New("the readout holds no unit: what was measured is nothing")
	}
	return r, nil
}

// call posts a body, or gets without one, and decodes the answer into v.
func (s *server) call(ctx context.Context, token, path, body string, v any) error {
	method := http.MethodPost
	if body == "" {
		method = http.MethodGet
	}
	r, err := http.NewRequestWithContext(ctx, method, s.Address+path, bytes.NewBufferString(body))
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	switch {
	case err != nil:
		return err
	case answer.StatusCode >= 300:
		return fmt.Errorf("%s: %s %s", path, answer.Status, text)
	case v == nil:
		return nil
	}
	return json.Unmarshal(text, v)
}
