package server

import (
	"bytes"
	"context"
	"crypto/rand"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/ingest"
	"github.com/sluice-hq/sluice/internal/access"
)

// house is a server on memory parts, with a token of every kind.
type house struct {
	House
	*httptest.Server
	t      testing.TB
	facts  *ingest.MemStream
	tokens map[string]string // by who: admin, approver, editor, viewer, sdk, client, foreign
}

var start = time.Date(2026, 11, 1, 9, 0, 0, 0, time.UTC)

func newHouse(t testing.TB) *house {
	t.Helper()
	return newHouseWith(t, func(*House) {})
}

// newHouseWith opens a house with other parts.
func newHouseWith(t testing.TB, adjust func(*House)) *house {
	t.Helper()
	h := &house{t: t, facts: &ingest.MemStream{}, tokens: map[string]string{}}
	folds := NewFolds()
	h.House = House{
		Log: event.NewMemLog(), Blobs: &event.MemBlobs{}, Projection: event.NewProjection(folds.All()...), Folds: folds,
		Now: func() time.Time { return start }, Entropy: rand.Reader, Version: "test",
		Looks: func(string) (decisions.Look, bool) { return decisions.Look{}, false },
	}
	door := Door{Projection: h.Projection, Folds: folds}
	h.Intake = &ingest.Intake{
		Door:    &ingest.Door{Flags: door, Metrics: door, Privacy: door, Past: door, Key: []byte("a key of the test")},
		Packers: []*ingest.Packer{ingest.NewPacker(h.facts, ingest.NewCodec(), "test")},
	}
	adjust(&h.House) // before anybody reads what it changes
	log := h.Log     // as it is now: tests may put another in its place later
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- h.Projection.Run(ctx, log) }()
	h.Server = httptest.NewServer(New(h.House))
	t.Cleanup(func() {
		h.Close()
		stop()
		if err := <-ended; err != nil {
			t.Errorf("the projection ended: %v", err)
		}
	})
	for who, token := range map[string]access.Token{
		"admin": {Class: access.Account, Role: access.Admin}, "approver": {Class: access.Account, Role: access.Approver},
		"editor": {Class: access.Account, Role: access.Editor}, "viewer": {Class: access.Account, Role: access.Viewer},
		"sdk": {Class: access.ServerSDK, Environment: "production"}, "client": {Class: access.ClientSDK, Environment: "production"},
		"reporter": {Class: access.Account, Role: access.Reporter, Kind: access.OfService},
		"foreign":  {Class: access.ServerSDK, Environment: "staging"},
		"home":     {Class: access.Account, Role: access.Admin, Environment: "production"},
		"bound":    {Class: access.Account, Role: access.Admin, Environment: "staging"},
	} {
		h.issue(who, token)
	}
	return h
}

// issue gives somebody a token.
func (h *house) issue(who string, token access.Token) access.Token {
	h.t.Helper()
	token.Name = who
	text, token, err := IssueToken(context.Background(), h.House, token, "test")
	if err != nil {
		h.t.Fatal(err)
	}
	h.tokens[who] = text
	return token
}

// issueKeys adds two whose grants reach as far as a key prefix.
func (h *house) issueKeys() {
	h.t.Helper()
	for who, prefix := range map[string]string{"shop": "shop.", "keys": "search."} {
		h.issue(who, access.Token{Class: access.Account, Grants: []access.Grant{{Role: access.Admin, Keys: []string{prefix}}}})
	}
}

// ask sends a request as somebody and returns status, body and headers.
func (h *house) ask(who, method, path, body string, headers ...string) (int, string, http.Header) {
	h.t.Helper()
	r, err := http.NewRequest(method, h.URL+path, strings.NewReader(body))
	if err != nil {
		h.t.Fatal(err)
	}
	if token := h.tokens[who]; token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	answer, err := client.Do(r)
	if err != nil {
		h.t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		h.t.Fatal(err)
	}
	return answer.StatusCode, string(bytes.TrimSpace(text)), answer.Header
}

// want asks and complains about another status, or a body without the text.
func (h *house) want(who, method, path, body string, code int, text string) string {
	h.t.Helper()
	got, answer, _ := h.ask(who, method, path, body)
	if got != code || !strings.Contains(answer, text) {
		h.t.Errorf("%s %s as %s: got %d %s\nwant %d with %q", method, path, who, got, answer, code, text)
	}
	return answer
}

const documents = `apiVersion: sluice/v1
kind: Metric
key: purchases
description: Units that bought something
owner: shop-team
event: purchase
aggregate: conversion
direction: increase
window: 1h
---
apiVersion: sluice/v1
kind: Flag
key: shop.checkout
purpose: operational
owner: shop-team
type: boolean
variants: {on: true, off: false}
default: off
safe: off
environments:
  production:
    enabled: true
    rules:
      - {name: staff, when: {attribute: ring, op: eq, value: internal}, serve: on}
`
