package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/ingest"
	"github.com/sluice-hq/sluice/internal/engine/enginetest"
	"github.com/sluice-hq/sluice/internal/server"
)

// gateDocuments are a metric, a flag and a rollout of it whose first stage
// compares all units.
const gateDocuments = `apiVersion: sluice/v1
kind: Metric
key: wins
description: Units that won
owner: game-team
event: win
aggregate: conversion
direction: increase
window: 1h
gateWindow: 1ms
---
apiVersion: sluice/v1
kind: Flag
key: gate
purpose: operational
owner: game-team
type: boolean
variants: {on: true, off: false}
default: off
safe: off
environments: {production: {enabled: true}}
---
apiVersion: sluice/v1
kind: Rollout
flag: gate
environment: production
owner: game-team
hypothesis: More units win
unit: user
arms: {control: off, treatment: on}
metrics:
  success: [{metric: wins, mde: 2%, onLoss: rollback, onInconclusive: review}]
stages:
  - {name: experiment, treatment: 50%, maxWindow: 28d, decide: true}
rollback: {to: safe, owners: [game-team]}
cleanup: {due: 30d, endState: promote}
`

// said runs a command and returns what it prints.
func said(t *testing.T, code int, args ...string) string {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	old := os.Stdout
	os.Stdout = w
	out := make(chan string)
	go func() { b, _ := io.ReadAll(r); out <- string(b) }()
	got := run(t.Context(), args)
	os.Stdout = old
	_ = w.Close()
	text := <-out
	if got != code {
		t.Errorf("sluice %s: status %d, want %d: %s", strings.Join(args, " "), got, code, text)
	}
	return text
}

// awaits asks again and again until the answer is as it should be.
func (s *standing) awaits(path string, so func(body string) bool) string {
	s.t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); ; {
		answer, body := s.ask("GET", path, "")
		if answer.StatusCode == http.StatusOK && so(body) {
			return body
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("%s stays %s %s", path, answer.Status, body)
		}
		sleep(s.t.Context(), 20*time.Millisecond)
	}
}

// TestReadoutsAndUnits tells one rollout from its first exposure to the
// deletion of a unit: looks come back as they were, a default in code and a
// unit in two arms are found, and a deleted unit is gone, stays gone after a
// start, and is missed by nobody who accounts for the events.
func TestReadoutsAndUnits(t *testing.T) {
	library := enginetest.Library(t)
	dir := t.TempDir()
	h := stand(t, config{Data: dir, Lib: library})
	if answer, body := h.ask("POST", "/api/v1/apply?start=true&comment=x", gateDocuments); answer.StatusCode != http.StatusOK {
		t.Fatal(body)
	}
	revision := revisionOf(t, h)
	expose := func(id string, more string) string {
		return fmt.Sprintf(`{"kind":"exposure","id":%q,"flag":"gate","unit":{"kind":"user","id":%q},"revision":%d,%s}`, event.New(), id, revision, more)
	}
	win := func(id, name string) string {
		return fmt.Sprintf(`{"kind":"metric","id":%q,"name":%q,"units":{"user":%q}}`, event.New(), name, id)
	}
	const on, off = `"variant":"on","reason":"SPLIT","attributes":{"browser":"firefox"}`, `"variant":"off","reason":"SPLIT","attributes":{"browser":"firefox"}`
	send := func(lines ...string) {
		t.Helper()
		if answer, body := h.ask("POST", "/v1/events?environment=production", strings.Join(lines, "\n")); answer.StatusCode != http.StatusAccepted {
			t.Fatalf("%s %s", answer.Status, body)
		}
	}
	send(expose("u-1", on), expose("u-2", off), expose("u-3", on), win("u-1", "win"), win("u-3", "win"), win("u-3", "wni"),
		expose("u-4", on), expose("u-4", off), expose("u-4", on), expose("u-4", off),
		expose("u-5", `"variant":"on","reason":"ERROR","sdk":{"name":"openfeature-go","version":"1.4.2"}`))

	const readout = "/api/v1/readouts/production/gate/1"
	h.awaits(readout, func(body string) bool { return strings.Contains(body, `"exposures":7,`) })
	var looks struct{ Looks []server.LookView }
	h.awaits(readout+"/looks", func(body string) bool {
		return json.Unmarshal([]byte(body), &looks) == nil && len(looks.Looks) > 0 && looks.Looks[0].Units == 3
	})
	look := looks.Looks[0]

	t.Setenv("SLUICE_SERVER", h.address())
	t.Setenv("SLUICE_TOKEN", h.token)
	if text := said(t, 0, "readout", "production/gate/1"); !strings.Contains(text, "Warning: openfeature-go 1.4.2 gave 1 units on where evaluations failed") {
		t.Errorf("the readout does not warn: %s", text)
	}
	if text := said(t, 0, "readout", "production/gate/1", "--sql"); !strings.Contains(text, "-- units\n") || !strings.Contains(text, "wins") || !strings.Contains(text, "SET param_rollout = 'production/gate/1';") {
		t.Errorf("the queries: %s", text)
	}
	if text := said(t, 0, "readout", "production/gate/1", "--sql", "--by", "browser", "--days", "2"); !strings.Contains(text, "-- wins, by browser\n") || !strings.Contains(text, "-- wins, by day\n") {
		t.Errorf("the queries of segments and days: %s", text)
	}
	if text := said(t, 0, "readout", "production/gate/1"); !strings.Contains(text, "Units that saw two arms and are left out: 1") {
		t.Errorf("the readout does not say what it leaves out: %s", text)
	}
	text := said(t, 0, "readout", "production/gate/1", "--by", "browser", "--days", "2", "--largest")
	for _, want := range []string{"By browser, exploratory", "wins    firefox", "wins: whether it differs between segments is not known", "wins by day since first exposure: there are no data"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in the closer readout:\n%s", want, text)
		}
	}
	said(t, exitError, "readout", "production/gate/1", "--days", "1")
	if text := said(t, 0, "readout", "production/gate/1", "--history"); !strings.Contains(text, "3 units") {
		t.Errorf("the looks: %s", text)
	}
	if text := said(t, 0, "units", "two-arms", "production/gate/1"); !strings.Contains(text, "1  unstableUnitId") || !strings.Contains(text, "changed 3 times") {
		t.Errorf("units in two arms: %s", text)
	}
	trace := func(unit string) string {
		return said(t, 0, "units", "trace", unit, "-e", "production", "--flag", "gate", "plan=pro")
	}
	if text := trace("u-4"); !strings.Contains(text, "two arms") || !strings.Contains(text, "the unit saw 2 arms in this epoch, and is kept out") {
		t.Errorf("the trace of a unit in two arms: %s", text)
	}
	if text := trace("u-3"); !strings.Contains(text, "exposure to on") || !strings.Contains(text, "1      wins") || !strings.Contains(text, "unknown_metric") {
		t.Errorf("the trace of a unit: %s", text)
	}
	h.assistantReads()
	if text := said(t, 0, "dlq", "purge", "--name", "wni", "--dry-run"); text != "1 letter selected; the order would be about 1.\n" {
		t.Errorf("what would be purged: %s", text)
	}

	for _, args := range [][]string{{"totals", "check"}, {"totals", "rebuild"}, {"totals", "check", "production/gate/1"}} {
		want := "production/gate/1  equal  units and exposures, wins\n"
		if args[1] == "rebuild" {
			want = "up to date"
		}
		if text := said(t, 0, args...); !strings.Contains(text, want) {
			t.Errorf("%v: %s", args, text)
		}
	}
	said(t, exitError, "totals", "check", "production/gate/9")
	if text := said(t, 0, "totals", "show"); !strings.Contains(text, "facts-0") || strings.Contains(text, "anew") {
		t.Errorf("the totals: %s", text)
	}

	if text := said(t, 0, "units", "delete", "u-3"); !strings.Contains(text, "1 exposures, 1 metric events, 0 that wait, 1 dead letters. Nothing was deleted") {
		t.Errorf("what would be deleted: %s", text)
	}
	if text := said(t, 0, "units", "delete", "u-3", "--yes", "-m", "case 4711"); !strings.Contains(text, "recorded") || strings.Contains(text, "u-3") {
		t.Errorf("deleting: %s", text)
	}
	var done struct{ Deletions []ingest.Forgotten }
	h.awaits("/api/v1/units/deletions", func(body string) bool {
		return json.Unmarshal([]byte(body), &done) == nil && len(done.Deletions) == 1 && done.Deletions[0].Erased != nil
	})
	if e := done.Deletions[0].Erased; e.Rows != 2 || e.Letters != 1 {
		t.Errorf("erased %+v", e)
	}
	if text := said(t, 0, "units", "deletions"); !strings.Contains(text, "2 rows and 1 dead letters deleted") || !strings.Contains(text, "case 4711") {
		t.Errorf("deletions: %s", text)
	}
	gone := func(h *standing) {
		t.Helper()
		var now, then server.ReadoutView
		if err := json.Unmarshal([]byte(h.awaits(readout, func(string) bool { return true })), &now); err != nil {
			t.Fatal(err)
		}
		at := look.At.Format(time.RFC3339Nano)
		if err := json.Unmarshal([]byte(h.awaits(readout+"?at="+at, func(string) bool { return true })), &then); err != nil {
			t.Fatal(err)
		}
		if n := now.Evidence.UnitsOf("", "on"); n != 1 || now.Evidence.Exposures != 6 || now.Evidence.Unaccounted != 0 {
			t.Errorf("now: %d units, %+v", n, now.Evidence)
		}
		if n := then.Evidence.UnitsOf("", "on"); n != 2 || then.Asked != look.Asked || !then.Look.At.Equal(look.At) {
			t.Errorf("then: %d units, %+v", n, then)
		}
		if text := said(t, 0, "units", "export", "u-3"); !strings.Contains(text, `"exposures": []`) || !strings.Contains(text, `"letters": []`) {
			t.Errorf("what is kept of a deleted unit: %s", text)
		}
		h.awaits("/api/v1/facts", func(body string) bool { return strings.Contains(body, `"unaccounted":0`) })
	}
	gone(h)
	h.stop()
	again := stand(t, config{Data: dir, Lib: library})
	again.token = h.token
	t.Setenv("SLUICE_SERVER", again.address())
	again.awaits(readout, func(string) bool { return true })
	gone(again)
}

// revisionOf waits until the rollout has its allocation and returns the
// revision that SDKs get.
func revisionOf(t *testing.T, h *standing) (revision uint64) {
	t.Helper()
	var flag struct {
		Revision     uint64
		Environments map[string]struct{ Allocation json.RawMessage }
	}
	h.awaits("/api/v1/flags/gate", func(body string) bool {
		return json.Unmarshal([]byte(body), &flag) == nil && flag.Environments["production"].Allocation != nil
	})
	return flag.Revision
}
