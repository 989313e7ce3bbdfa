package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
	"github.com/sluice-hq/sluice/internal/engine/enginetest"
	"github.com/sluice-hq/sluice/internal/server"
)

// goesWrong is a rollout that a new kind of failure ends.
const goesWrong = `apiVersion: sluice/v1
kind: Metric
key: checkout_errors
description: Units whose checkout failed
owner: shop-team
event: checkout_error
aggregate: events
direction: decrease
window: 1d
---
apiVersion: sluice/v1
kind: Flag
key: checkout.wrong
description: A change that goes wrong
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
flag: checkout.wrong
environment: production
owner: shop-team
unit: user
arms: {control: off, treatment: on}
metrics:
  guardrails: [{metric: checkout_errors, margin: 0%, onBreach: rollback}]
stages:
  - {name: canary, treatment: 5%, minWindow: 24h}
rollback: {to: safe, prove: {unsafeExposures: 5%, within: 20s}}
cleanup: {due: 30d, endState: remove}
`

// sdk is a connected SDK: it notes the newest revision that it was given.
type sdk struct{ holds atomic.Uint64 }

// connect opens streams as SDKs do, which end with the house.
func (s *standing) connect(n int) []*sdk {
	s.t.Helper()
	all := make([]*sdk, n)
	for i := range all {
		one := &sdk{}
		all[i] = one
		q, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, s.address()+"/api/v1/stream?environment=production", nil)
		if err != nil {
			s.t.Fatal(err)
		}
		q.Header.Set("Authorization", "Bearer "+s.token)
		answer, err := http.DefaultClient.Do(q)
		if err != nil {
			s.t.Fatal(err)
		}
		go func() {
			defer answer.Body.Close()
			lines := bufio.NewReader(answer.Body)
			for line, err := lines.ReadString('\n'); err == nil; line, err = lines.ReadString('\n') {
				if id, ok := strings.CutPrefix(strings.TrimSpace(line), "id: "); ok {
					revision, _ := strconv.ParseUint(id, 10, 64) // 0 for a line that is none: it holds nothing new
					one.holds.Store(max(revision, one.holds.Load()))
				}
			}
		}()
	}
	return all
}

func (s *standing) release() (r decisions.Rollout) {
	s.projection.View(func(uint64) { r, _ = s.folds.Rollouts.Newest("production", "checkout.wrong") })
	return r
}

// tell sends events of the rollout's units.
func (s *standing) tell(n int, text func(i int) string) {
	s.t.Helper()
	var events []string
	for i := range n {
		events = append(events, text(i))
	}
	s.want(http.StatusAccepted, fmt.Sprintf(`"accepted":%d`, n), "POST", "/v1/events?environment=production", "["+strings.Join(events, ",")+"]")
}

// TestBreachToSafe goes the whole way, with the engine and connected SDKs: units
// fail, the controller sees it, rolls back, every SDK holds the safe variant, and
// the record says how long that took. A drill before it measures the second half
// of the way on a flag of its own.
func TestBreachToSafe(t *testing.T) {
	s := stand(t, config{Data: t.TempDir(), Lib: enginetest.Library(t)})
	all := s.connect(20)
	s.want(200, "", "POST", "/api/v1/apply", goesWrong)
	s.want(200, "", "POST", "/api/v1/rollouts/production/checkout.wrong/1/start", "{}")
	within(t, "it is in its first stage", func() bool { return s.release().Stage == 0 })
	var f flags.Recorded
	s.projection.View(func(uint64) { f, _ = s.folds.Flags.Flag("checkout.wrong") })
	s.tell(200, func(i int) string {
		return fmt.Sprintf(`{"kind":"exposure","id":%q,"flag":"checkout.wrong","variant":%q,"unit":{"kind":"user","id":"u-%d"},"revision":%d,"enrolled":true,"reason":"SPLIT","at":%q}`,
			event.New(), []string{"on", "off"}[i%2], i, f.Revision, now().Format(time.RFC3339Nano))
	})
	s.want(200, "", "POST", "/api/v1/rollouts/production/checkout.wrong/1/drill", `{"comment":"before the breach"}`)
	within(t, "the drill is over", func() bool { return s.release().Drills[0].Archived })
	if d := s.release().Drills[0].Result; d.Why != "" || d.Streams != 20 || d.TimeToSafe <= 0 {
		t.Errorf("the drill measured %+v", d)
	}
	s.tell(15, func(i int) string {
		return fmt.Sprintf(`{"kind":"metric","id":%q,"name":"checkout_error","value":1,"units":{"user":"u-%d"},"at":%q}`, event.New(), 2*i, now().Format(time.RFC3339Nano))
	})
	breach := now()
	within(t, "it is rolled back", func() bool { return s.release().Return != nil })
	back := s.release().Return
	within(t, "every SDK holds it", func() bool {
		for _, one := range all {
			if one.holds.Load() < back.Revision {
				return false
			}
		}
		return true
	})
	t.Logf("from the breach in the data to the safe variant in all 20 SDKs: %s", now().Sub(breach).Round(time.Millisecond))
	within(t, "it is proven", func() bool { return s.release().Return.Proven != nil })
	if p := s.release().Return.Proven; p.Why != "" || p.Streams != 20 || p.TimeToSafe <= 0 || p.Unsafe != 0 || len(p.Queries) != 1 {
		t.Errorf("proven with %+v", p)
	}
	s.wants(`"command":"sluice rollback production/checkout.wrong/1 -m WHY"`, `"proven":{`)
}

// wants asks that the API and the status say the way back and how it went.
func (s *standing) wants(texts ...string) {
	s.t.Helper()
	_, body := s.ask("GET", "/api/v1/rollouts/production/checkout.wrong/1", "")
	for _, text := range texts {
		if !strings.Contains(body, text) {
			s.t.Errorf("the API does not say %s:\n%s", text, body)
		}
	}
	var v server.RolloutView
	var out bytes.Buffer
	if err := json.Unmarshal([]byte(body), &v); err != nil {
		s.t.Fatal(err)
	}
	ways(&out, v.Rollout)
	if !strings.Contains(out.String(), "held by 1 replica and 20 connected SDKs") || !strings.Contains(out.String(), "Locked until") {
		s.t.Errorf("the status says %s", &out)
	}
}

// An SDK that does not hear of a change keeps it from being held by everybody,
// and so does a replica.
func TestReach(t *testing.T) {
	s := stand(t, config{Data: t.TempDir(), Roles: roles{server.Flags}})
	s.want(200, "", "POST", "/api/v1/apply", aFlag)
	var revision uint64
	s.projection.View(func(uint64) { revision = s.folds.Flags.Revision() })
	within(t, "everybody holds the flag", func() bool {
		h, err := s.reach.Held(t.Context(), revision)
		return err == nil && !h.At.IsZero()
	})
	h, err := s.reach.Held(t.Context(), revision+1)
	if err != nil || !h.At.IsZero() || len(h.Behind) != 1 || h.Replicas != 1 {
		t.Errorf("of what is not there yet: %+v, %v", h, err)
	}
	alone := &reach{house: s.house}
	at := time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)
	for i, floor := range []uint64{3, 2, 7, 7} {
		alone.note(floor, at.Add(time.Duration(i)*time.Second))
	}
	for revision, want := range map[uint64]time.Time{1: at, 3: at, 4: at.Add(2 * time.Second), 8: {}} {
		if h, _ := alone.Held(t.Context(), revision); !h.At.Equal(want) {
			t.Errorf("revision %d was held at %v, want %v", revision, h.At, want)
		}
	}
}
