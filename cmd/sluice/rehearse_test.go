package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// rehearsed is a release with everything that a rehearsal asks, in one file.
const rehearsed = `apiVersion: sluice/v1
kind: Metric
key: returns
description: came back
owner: games
aggregate: conversion
direction: increase
gateWindow: 1h
---
apiVersion: sluice/v1
kind: Flag
key: gate
purpose: release
owner: games
type: boolean
variants: {on: true, off: false}
default: off
safe: off
unit: user
cleanup: {due: 30d, endState: promote}
environments: {production: {enabled: true}}
---
apiVersion: sluice/v1
kind: Rollout
flag: gate
environment: production
owner: games
hypothesis: A later gate keeps players
unit: user
arms: {control: off, treatment: on}
metrics:
  guardrails: [{metric: returns, margin: 10%, onBreach: rollback}]
stages:
  - {name: canary, treatment: 5%, exclude: {returns: 60%}}
  - {name: week, treatment: 50%, minWindow: 2d, maxWindow: 7d, decide: true}
cleanup: {due: 30d, endState: promote}
`

const rehearsalDocument = `apiVersion: sluice/v1
kind: Rehearsal
units: 40000
metrics: {returns: {mean: 0.3}}
settings: {every: 4h}
scenarios:
  - {kind: healthy}
  - {kind: breach, metric: returns, by: 50%, stage: week}
expected: ["breach: rollback within 3d", "healthy: no rollback"]
`

func fileOf(t *testing.T, name, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// TestRehearse_alone carries a plan out without a server, in each form.
func TestRehearse_alone(t *testing.T) {
	plan, how := fileOf(t, "plan.yaml", rehearsed), fileOf(t, "rehearsal.yaml", rehearsalDocument)
	table := said(t, 0, "rehearse", plan, how, "--offline", "--seeds", "2")
	for _, want := range []string{"gate in production: 2 runs each, from seed 1", "rolledBack 100.0 %", "as expected", "expand to week"} {
		if !strings.Contains(table, want) {
			t.Errorf("the table does not say %q:\n%s", want, table)
		}
	}
	if again := said(t, 0, "rehearse", plan, how, "--offline", "--seeds", "2"); again != table {
		t.Errorf("the same seeds tell another story:\n%s", again)
	}
	if page := said(t, 0, "rehearse", plan, how, "--offline", "--seeds", "1", "-o", "md"); !strings.HasPrefix(page, "# Rehearsal of gate in production") || !strings.Contains(page, "| healthy |") {
		t.Errorf("the page: %s", page)
	}
	if doc := said(t, 0, "rehearse", plan, how, "--offline", "--seeds", "1", "-o", "json"); !strings.Contains(doc, `"expect": "breach: rollback within 3d"`) {
		t.Errorf("the document: %.400s", doc)
	}
}

// TestRehearse_policies holds a plan against policies in files: what they ask is
// answered, late or never.
func TestRehearse_policies(t *testing.T) {
	plan, how := fileOf(t, "plan.yaml", rehearsed), fileOf(t, "rehearsal.yaml", rehearsalDocument)
	policies := fileOf(t, "policies.yaml", "apiVersion: sluice/v1\nkind: Policy\nkey: careful\nrollouts: {approvals: {count: 2}, requires: [load-test]}\n")
	args := []string{"rehearse", plan, how, "--offline", "--policies", policies, "--seeds", "1", "-s"}
	if text := said(t, 0, append(args, "unconfirmed", "--expect", "no ship")...); !strings.Contains(text, "unanswered 100.0 %") || !strings.Contains(text, "0 of 2") {
		t.Errorf("nobody answers:\n%s", text)
	}
	if text := said(t, 0, append(args, "breach", "--by", "50%", "--answer", "1d", "--expect", "rollback within 5d")...); !strings.Contains(text, "as expected") {
		t.Errorf("a day later:\n%s", text)
	}
	said(t, exitError, "rehearse", plan, how, "--policies", policies) // a server has its own
}

// TestRehearse_forPipelines ends with status 2 where something is not as
// expected, and with 1 where nothing could be carried out.
func TestRehearse_forPipelines(t *testing.T) {
	plan, how := fileOf(t, "plan.yaml", rehearsed), fileOf(t, "rehearsal.yaml", rehearsalDocument)
	if text := said(t, exitWaiting, "rehearse", plan, how, "--offline", "--seeds", "1", "-s", "breach", "--by", "50%", "--expect", "ship"); !strings.Contains(text, "NOT AS EXPECTED") {
		t.Errorf("what is not as expected is not said:\n%s", text)
	}
	said(t, exitError, "rehearse", plan, "--offline", "--seeds", "1")                                      // nobody says what units are like
	said(t, exitError, "rehearse", plan, how, "--offline", "-s", "fire")                                   // no such scenario
	said(t, exitError, "rehearse", plan, how, "--offline", "--by", "a lot")                                // no such size
	said(t, exitError, "rehearse", plan, how, "--offline", "--expect", "fire")                             // no such outcome
	said(t, exitError, "rehearse", how, "--offline")                                                       // no plan
	said(t, exitError, "rehearse", plan, how, "--offline", "--events", filepath.Join(t.TempDir(), "none")) // no recording
}

// TestRehearse_onARecording takes lines of JSON, and rows with a mapping.
func TestRehearse_onARecording(t *testing.T) {
	plan, how := fileOf(t, "plan.yaml", rehearsed), fileOf(t, "rehearsal.yaml", rehearsalDocument)
	var lines, rows strings.Builder
	rows.WriteString("user,at,variant,returned\n")
	for i := range 3000 {
		variant, back := "off", i%3 == 0
		if i%2 == 0 {
			variant, back = "on", i%20 == 0
		}
		at := time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC).Add(time.Duration(i) * 30 * time.Second).Format(time.RFC3339)
		fmt.Fprintf(&lines, `{"kind":"exposure","flag":"gate","variant":%q,"unit":{"kind":"user","id":"u-%d"},"at":%q}`+"\n", variant, i, at)
		if back {
			fmt.Fprintf(&lines, `{"kind":"metric","name":"returns","units":{"user":"u-%d"},"at":%q}`+"\n", i, at)
		}
		fmt.Fprintf(&rows, "u-%d,%s,%s,%t\n", i, at, variant, back)
	}
	by := fileOf(t, "map.yaml", `apiVersion: sluice/v1
kind: Import
source: test
at: {column: at}
events:
  - {kind: exposure, flag: gate, variant: {column: variant}, units: {user: {column: user}}}
  - {kind: metric, name: returns, units: {user: {column: user}}, when: [{column: returned, in: ["true"]}]}
`)
	events, csv := fileOf(t, "events.jsonl", lines.String()), fileOf(t, "rows.csv", rows.String())
	one := said(t, 0, "rehearse", plan, how, "--offline", "--seeds", "1", "-s", "healthy", "--expect", "no ship", "--events", events)
	other := said(t, 0, "rehearse", plan, how, "--offline", "--seeds", "1", "-s", "healthy", "--expect", "no ship", "--events", csv, "--map", by)
	if one != other || !strings.Contains(one, "returns") {
		t.Errorf("lines of JSON tell\n%s\nand rows\n%s", one, other)
	}
	if text := said(t, exitError, "rehearse", plan, how, "--offline", "--events", fileOf(t, "bad.jsonl", "no event\n")); text != "" {
		t.Errorf("what is no event was taken: %s", text)
	}
}

// TestRehearse_asksTheServer for flag and metrics that it has.
func TestRehearse_asksTheServer(t *testing.T) {
	memoryHouse(t)
	documents, plan, _ := strings.Cut(rehearsed, "---\napiVersion: sluice/v1\nkind: Rollout")
	said(t, 0, "apply", fileOf(t, "flag.yaml", documents))
	only := fileOf(t, "plan.yaml", "apiVersion: sluice/v1\nkind: Rollout"+plan)
	text := said(t, 0, "rehearse", only, fileOf(t, "rehearsal.yaml", rehearsalDocument), "--seeds", "1")
	if !strings.Contains(text, "as expected") {
		t.Errorf("%s", text)
	}
	said(t, exitError, "rehearse", only) // the server has no past, and nobody says what units are like
	said(t, exitError, "rehearse", fileOf(t, "flag.yaml", documents))
}
