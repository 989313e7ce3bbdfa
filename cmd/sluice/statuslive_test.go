package main

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/internal/server"
)

// underWay is a rollout in its first of two stages, with a gate.
func underWay(id string, status decisions.Status, next time.Time, checks ...decisions.Check) server.RolloutView {
	v := server.RolloutView{Rollout: decisions.Rollout{
		Standing: decisions.Standing{ID: id, Status: status}, Plan: decisions.Plan{Stages: []decisions.Stage{{Name: "canary"}, {Name: "full"}}},
	}}
	if checks != nil {
		v.Look = &decisions.Look{Verdict: decisions.Verdict{Text: "every check passed", Next: next, Checks: checks}}
	}
	return v
}

func TestLiveView(t *testing.T) {
	at := time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)
	pass, fail := decisions.Check{Name: "window", State: decisions.Pass}, decisions.Check{Name: "incidents", State: decisions.Fail, Text: "it \x1b[31mburns"}
	wait, none := decisions.Check{Name: "guardrail", Metric: "latency", State: decisions.Wait, Text: "10 of 20 units"}, decisions.Check{Name: "success", State: decisions.NotApplicable}
	a := func(checks ...decisions.Check) server.RolloutView {
		return underWay("production/a/1", decisions.Running, at.Add(5*time.Second), checks...)
	}
	var out bytes.Buffer
	v := &liveView{out: &out, seen: map[string]bool{}}
	look := func(after time.Duration, all ...server.RolloutView) string {
		t.Helper()
		out.Reset()
		if err := v.draw(all, at.Add(after)); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	want := "09:00:00  2 under way\n" +
		"ROLLOUT         STATUS   STAGE            GATE                                       NEXT LOOK\n" +
		"production/a/1  running  canary (1 of 2)  1 of 3, incidents: it \ufffd[31mburns           in 5s\n" +
		"production/b/1  paused   canary (1 of 2)  0 of 1, guardrail latency: 10 of 20 units  –\n"
	b := underWay("production/b/1", decisions.Paused, time.Time{}, wait)
	old := underWay("production/old/1", decisions.RolledBack, time.Time{})
	if diff := cmp.Diff(want, look(0, a(pass, fail, wait, none), b, old)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if got := look(2*time.Second, a(pass, fail, wait, none), b, old); got != "" {
		t.Errorf("nothing has changed but the time, and it says %s", got)
	}
	if got := look(9*time.Second, a(pass), b); !strings.Contains(got, "1 of 1, every check passed  ") || !strings.Contains(got, "  now\n") {
		t.Errorf("the gate has changed: %s", got)
	}
	b.Rollout.Status = decisions.CleanupDue
	if got := look(0, underWay("production/a/1", decisions.RolledBack, at, fail), b); !strings.Contains(got, "0 under way") || v.under != 0 {
		t.Errorf("all have ended: %s", got)
	}
	if err := v.end(); !errors.Is(err, exit(exitRolledBack)) {
		t.Errorf("one was rolled back while it looked: %v", err)
	}
	if err := (&liveView{}).end(); err != nil {
		t.Errorf("nothing was under way: %v", err)
	}
	v.terminal = true
	if got := look(0, b); !strings.HasPrefix(got, "\x1b[H\x1b[2J09:00:00  0 under way\n") {
		t.Errorf("on a terminal: %q", got)
	}
}
