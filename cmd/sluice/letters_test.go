package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/internal/engine/enginetest"
)

const aMetric = `apiVersion: sluice/v1
kind: Metric
key: purchases
description: Users who bought
owner: payments
event: purchase
aggregate: conversion
direction: increase
window: 1h
`

// TestDlq sends an event that no metric declares, finds it by command, declares
// it, replays it, and finds it stored; another one is purged.
func TestDlq(t *testing.T) {
	s := stand(t, config{Data: t.TempDir(), Lib: enginetest.Library(t)})
	t.Setenv("SLUICE_SERVER", s.address())
	t.Setenv("SLUICE_TOKEN", s.token)
	s.want(200, "", "POST", "/api/v1/apply", aFlag)
	for _, name := range []string{"purchase", "tpyo"} {
		s.want(202, `"deadLetters":1`, "POST", "/v1/events?environment=production",
			fmt.Sprintf(`[{"kind":"metric","id":%q,"name":%q,"units":{"user":"u-1"}}]`, event.New(), name))
	}
	within(t, "both are dead letters", func() bool { return strings.Count(says(t, commandLine("dlq list")), "unknown_metric") == 2 })
	if got := says(t, commandLine("dlq list --unit user/u-1 --name tpyo -o json")); strings.Contains(got, "u-1") || !strings.Contains(got, "tpyo") {
		t.Errorf("found by unit: %s", got)
	}
	if got := says(t, commandLine("dlq replay")); !strings.Contains(got, "selects every letter there is") {
		t.Errorf("a replay of everything: %s", got)
	}
	s.want(200, "created", "POST", "/api/v1/apply", aMetric)
	if got := says(t, commandLine("dlq replay --name purchase -m declared")); got != "1 letter: 1 event sent again.\n" {
		t.Errorf("the replay: %s", got)
	}
	within(t, "it is stored", func() bool {
		_, answer := s.ask("GET", "/api/v1/facts", "")
		return strings.Contains(answer, `"unaccounted":0`) && !strings.Contains(answer, `"events":0`)
	})
	if got := says(t, commandLine("dlq purge --reason unknown_metric -m typo")); got != "Purged 1 letter.\n" {
		t.Errorf("the purge: %s", got)
	}
	if got := says(t, commandLine("dlq list")); got != "No dead letters wait.\n" {
		t.Errorf("afterwards: %s", got)
	}
	if got := says(t, commandLine("dlq orders")); !strings.Contains(got, "declared") || !strings.Contains(got, "typo") {
		t.Errorf("what was ordered: %s", got)
	}
	if got := says(t, commandLine("dlq show facts-0.1.0")); !strings.Contains(got, "nothing of that name") {
		t.Errorf("a letter that is gone: %s", got)
	}
}
