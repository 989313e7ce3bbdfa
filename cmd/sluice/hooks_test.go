package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/internal/access"
	"github.com/sluice-hq/sluice/internal/notify"
	doors "github.com/sluice-hq/sluice/internal/server"
)

// ears is a receiver that remembers what it was told: ids by the sequence of
// the event, and how often.
type ears struct {
	*httptest.Server
	mu    sync.Mutex
	ids   map[uint64]string
	times map[string]int
}

func newEars(t *testing.T, answer func(n int) int) *ears {
	e := &ears{ids: map[uint64]string{}, times: map[string]int{}}
	n := 0
	e.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		var m struct{ Data struct{ Sequence uint64 } }
		if err != nil || json.Unmarshal(body, &m) != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		e.mu.Lock()
		defer e.mu.Unlock()
		n++
		if code := answer(n); code != http.StatusOK {
			w.WriteHeader(code)
			return
		}
		id := r.Header.Get("webhook-id")
		if was, known := e.ids[m.Data.Sequence]; known && was != id {
			t.Errorf("event %d came as %s and as %s", m.Data.Sequence, was, id)
		}
		e.ids[m.Data.Sequence] = id
		e.times[id]++
	}))
	t.Cleanup(e.Close)
	return e
}

// heard returns how many events arrived, and how many messages more than that.
func (e *ears) heard() (events, again int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, n := range e.times {
		again += n - 1
	}
	return len(e.ids), again
}

func hookTo(url string) string {
	return "apiVersion: sluice/v1\nkind: Webhook\nkey: release\nurl: " + url + "\nevents: [flag.*]\n"
}

func toggle(i int) (path, body string) {
	return "/api/v1/flags/checkout.express/" + []string{"enable", "disable"}[i%2], `{"environment":"production","comment":"a test"}`
}

// TestWebhooks_killed: the program is killed over and over while it tells a
// receiver that often fails; nothing that happened is lost, and what comes
// twice comes under the same id.
func TestWebhooks_killed(t *testing.T) {
	p := self(t)
	t.Setenv("SLUICE_WEBHOOK_ALLOW", "127.0.0.1")
	var seed uint64 = 11
	t.Logf("seed %d", seed)
	chance := rand.New(rand.NewPCG(seed, 1))
	e := newEars(t, func(n int) int {
		if n%5 == 0 {
			return http.StatusServiceUnavailable
		}
		return http.StatusOK
	})
	data, token, changes := t.TempDir(), "", 0
	for round := range 6 {
		r := p.serve(t, data, token)
		if token = r.token; round == 0 {
			r.want(200, "created", "POST", "/api/v1/apply", hookTo(e.URL))
			r.want(200, "created", "POST", "/api/v1/apply", aFlag)
			changes++
		}
		for range 8 {
			path, body := toggle(changes)
			r.want(200, "", "POST", path, body)
			changes++
		}
		before, _ := e.heard()
		within(t, "something more is heard", func() bool { n, _ := e.heard(); return n >= min(before+1+chance.IntN(6), changes) })
		_ = r.cmd.Process.Kill()
		_ = r.cmd.Wait()
	}
	p.serve(t, data, token)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	end := time.After(2 * time.Minute) // a try that a kill cut short is made again after 45 s
	for n, _ := e.heard(); n < changes; n, _ = e.heard() {
		select {
		case <-tick.C:
		case <-end:
			t.Fatalf("%d of %d changes arrived", n, changes)
		}
	}
	n, again := e.heard()
	t.Logf("%d changes, %d heard, %d messages more than that, in 7 lives", changes, n, again)
}

// TestWebhooks_twoReplicas: both decide, one sends, and when it stops the other
// does: each event once.
func TestWebhooks_twoReplicas(t *testing.T) {
	allow, err := notify.ParseAllow("127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	sends := func(h *house) {
		h.Roles = roles{doors.Flags, doors.Ingest, doors.Decide}
		h.hooks.Doors = notify.Open(allow)
	}
	url, e := natsServer(t), newEars(t, func(int) int { return http.StatusOK })
	a := replicaOf(t, url, nil)
	b, c := replicaOf(t, url, a, sends), replicaOf(t, url, a, sends)
	a.want(200, "created", "POST", "/api/v1/apply", hookTo(e.URL))
	a.want(200, "created", "POST", "/api/v1/apply", aFlag)
	changes := 1
	change := func() {
		for range 10 {
			path, body := toggle(changes)
			a.want(200, "", "POST", path, body)
			changes++
		}
		settled := fmt.Sprintf(`"delivered":%d`, changes) // heard comes before it: who is stopped between the two leaves a message to be sent again
		within(t, "all is heard and settled", func() bool {
			_, answer := c.ask("GET", "/api/v1/webhooks/release", "")
			n, _ := e.heard()
			return n == changes && strings.Contains(answer, settled)
		})
	}
	change()
	b.stop()
	change()
	if n, again := e.heard(); n != changes || again != 0 {
		t.Errorf("of %d changes %d arrived, and %d messages more than that", changes, n, again)
	}
}

// TestTeller: the words for what happens to flags and to what they share, of
// all environments and of one.
func TestTeller(t *testing.T) {
	h := memoryHouse(t)
	admin, _, err := doors.IssueToken(t.Context(), h, access.Token{Class: access.Account, Role: access.Admin, Name: "admin"}, "test")
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("SLUICE_TOKEN", admin)
	for _, command := range []string{
		"apply testdata/shop -m 'first flags'", "flag disable shop.checkout -e production -m lunch", "flag enable shop.checkout -e production -m 'lunch is over'",
	} {
		if got := says(t, commandLine(command)); strings.Contains(got, "exit status") {
			t.Fatal(got)
		}
	}
	tell := teller{log: h.Log, projection: h.Projection, folds: h.Folds}
	var got []string
	for r, err := range h.Log.Read(t.Context(), event.Filter{}, 0) {
		if err != nil {
			t.Fatal(err)
		}
		a, ok := tell.About(r)
		if !ok {
			continue
		}
		for _, environments := range [][]string{nil, {"staging"}} {
			w, ok, err := tell.Say(t.Context(), r, environments)
			if err != nil {
				t.Fatal(err)
			}
			if ok {
				got = append(got, fmt.Sprintf("%v %v %v of %v: %s; %s", a.Types, a.Environments, a.Tags, environments, w.Title, strings.ReplaceAll(w.Text, "\n", " / ")))
			}
		}
	}
	const first = "; “first flags”"
	want := []string{
		"[metric.defined] [] [] of []: metric purchases defined; By person:admin",
		"[metric.defined] [] [] of [staging]: metric purchases defined; By person:admin",
		"[flag.changed] [] [] of []: shop.open: flag shop.open created" + first,
		"[flag.changed] [] [] of [staging]: shop.open: flag shop.open created" + first,
		"[flag.changed] [] [payments] of []: shop.checkout: flag shop.checkout created" + first,
		"[flag.changed] [] [payments] of [staging]: shop.checkout: flag shop.checkout created" + first,
		"[flag.changed] [production] [payments] of []: shop.checkout: production: disabled; “lunch”",
		"[flag.changed] [production] [payments] of []: shop.checkout: production: enabled; “lunch is over”",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
