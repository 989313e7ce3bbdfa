package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/internal/server"
)

// TestRollout_sendsWhatWasTyped: every command is the operation of its name, and
// one that moves a rollout on says which rollout was seen.
func TestRollout_sendsWhatWasTyped(t *testing.T) {
	var sent string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			body, _ := io.ReadAll(r.Body)
			sent = strings.TrimSpace(strings.TrimPrefix(r.URL.Path, "/api/v1/rollouts/production/a/1/") + " " + string(body) + " " + r.Header.Get("If-Match"))
		}
		hold := decisions.Verdict{Action: decisions.Hold}
		v := server.RolloutView{Rollout: decisions.Rollout{
			Standing: decisions.Standing{ID: "production/a/1", Seq: 12}, Decisions: []decisions.Decision{{ID: "d-1", Verdict: hold}, {ID: "d-2", Verdict: hold}},
		}}
		if err := json.NewEncoder(w).Encode(v); err != nil {
			t.Error(err)
		}
	}))
	defer s.Close()
	for args, want := range map[string]string{
		"start": `start {}`,
		"schedule --at 2026-12-01T09:00:00Z -m soon": `schedule {"comment":"soon","at":"2026-12-01T09:00:00Z"}`,
		"schedule --cancel":                          `unschedule {}`,
		"hold -m lunch":                              `hold {"comment":"lunch"}`,
		"resume":                                     `resume {}`,
		"approve --decision d-1":                     `approve {"decision":"d-1"}`,
		"approve -m fine":                            `approve {"comment":"fine","decision":"d-2"}`,
		"override -m so --check units":               `override {"comment":"so","checks":["units"]} "12"`,
		"advance -m so":                              `advance {"comment":"so"} "12"`,
		"ship -m so":                                 `ship {"comment":"so"} "12"`,
		"reject -m so":                               `reject {"comment":"so"} "12"`,
		"rollback -m so":                             `rollback {"comment":"so"}`,
		"explain -m so":                              `explain {"comment":"so"}`,
	} {
		sent = ""
		line := append([]string{"rollout"}, strings.Fields(args)...)
		if code := run(t.Context(), append(line, "production/a/1", "--server", s.URL)); code != 0 || sent != want {
			t.Errorf("sluice rollout %s: exit status %d, sent %s, want %s", args, code, sent, want)
		}
	}
	for _, args := range []string{"rollout fly production/a/1", "rollout schedule production/a/1", "rollout schedule production/a/1 --at soon", "rollout hold a -m so", "review -o xml"} {
		if code := run(t.Context(), append(strings.Fields(args), "--server", s.URL)); code != exitError {
			t.Errorf("sluice %s: exit status %d", args, code)
		}
	}
}

// TestStatus_exitCodes: a pipeline can tell how the rollout stands.
func TestStatus_exitCodes(t *testing.T) {
	for status, want := range map[decisions.Status]int{
		decisions.Planned: exitWaiting, decisions.Running: exitWaiting, decisions.Paused: exitWaiting, decisions.Observing: exitWaiting,
		decisions.CleanupDue: 0, decisions.RolledBack: exitRolledBack, decisions.Rejected: exitRolledBack,
	} {
		v := server.RolloutView{Rollout: decisions.Rollout{Standing: decisions.Standing{ID: "production/a/1", Status: status, Stage: -1}}}
		if got := code(statusCmd{output: output{"json"}}.one(v)); got != want {
			t.Errorf("%s: exit status %d, want %d", status, got, want)
		}
	}
}

// TestWatching tells each way a rollout stands once.
func TestWatching(t *testing.T) {
	var out strings.Builder
	w := watching{out: &out}
	v := server.RolloutView{Rollout: decisions.Rollout{Standing: decisions.Standing{ID: "production/a/1", Status: decisions.Running, Stage: -1}}}
	hold := decisions.Decision{Verdict: decisions.Verdict{Action: decisions.Hold, Reason: "units open", Text: "10 of 500 units"}}
	w.tell(v)
	w.tell(v)
	v.Rollout.Decisions = []decisions.Decision{hold}
	w.tell(v)
	v.Rollout.Decisions[0].Verdict.Text = "20 of 500 units"
	w.tell(v)
	want := "running  –  started; it is looked at in a moment\nrunning  –  10 of 500 units\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestReview_markdown: what people wrote stays on its line.
func TestReview_markdown(t *testing.T) {
	at := time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)
	v := server.ReviewView{Stale: []server.StaleFlag{{Key: "shop.old", Owner: "shop", Reasons: []string{"its last day was 2026-10-01"}}}}
	v.From, v.Until, v.Counts = at, at.AddDate(0, 0, 7), map[string]int{"hold": 3, "expand": 1}
	v.Decisions = []decisions.Deed{{At: at, Rollout: "production/a/1", What: "expand", Stage: "canary", By: "controller", Text: "Started by person:ana"}}
	v.Overrides = []decisions.Deed{{At: at, Rollout: "production/a/1", What: "ship", By: "person:lee", Rationale: "the old one\n# is down", Against: "hold: units open"}}
	want := `# Releases from 2026-11-02 to 2026-11-09

4 decisions: 1 expand, 3 hold.

## Decisions

- 2026-11-02 09:00 **expand to canary** production/a/1: Started by person:ana (controller)

## Against the recommendation

- 2026-11-02 09:00 **ship** production/a/1 by person:lee, against “hold: units open”: the old one # is down

## Incidents

None.

## Drills

None.

## Stale flags

- ` + "`shop.old` (shop): its last day was 2026-10-01\n"
	if diff := cmp.Diff(want, reviewMarkdown(v)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if got := fmt.Sprint(tallied(nil)); got != "Nothing was decided" {
		t.Errorf("got %q", got)
	}
}
