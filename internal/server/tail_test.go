package server

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/ingest"
)

const tails = "/api/v1/events/tail?environment=production"

// clocked opens a house whose clock goes, since writing has deadlines.
func clocked(t *testing.T) *house {
	t.Helper()
	h := newHouseWith(t, func(h *House) { h.Now, h.Tap = time.Now, h.Intake.(*ingest.Intake) })
	h.want("admin", "POST", "/api/v1/apply", documents, http.StatusOK, "created")
	return h
}

// listening opens a tail and waits until it listens.
func (h *house) listening(t *testing.T, who, target string) *tuned {
	t.Helper()
	l := h.tune(t, http.DefaultClient, who, target)
	if line, err := l.lines.ReadString('\n'); err != nil || line != ": listening\n" {
		t.Fatalf("%s: %d, %q, %v", target, l.StatusCode, line, err)
	}
	return l
}

func (l *tuned) heard() (h ingest.Heard) {
	l.t.Helper()
	_, data := l.next("heard")
	if err := json.Unmarshal([]byte(data), &h); err != nil {
		l.t.Fatal(err)
	}
	return h
}

func purchase(name string) string {
	return fmt.Sprintf(`{"kind":"metric","id":%q,"name":%q,"units":{"user":"u-1"}}`, event.New(), name)
}

func met(flag string) string {
	return fmt.Sprintf(`{"kind":"exposure","id":%q,"flag":%q,"variant":"on","unit":{"kind":"user","id":"u-1"}}`, event.New(), flag)
}

// TestTail: whoever listens hears events as they come, those that were refused
// before if he asks, and only what he asks for.
func TestTail(t *testing.T) {
	h := clocked(t)
	h.want("sdk", "POST", "/v1/events", "["+purchase("puchase")+","+met("shop.chekout")+"]", http.StatusAccepted, `"deadLetters":1`)
	all := h.listening(t, "viewer", tails)
	recent := h.listening(t, "viewer", tails+"&recent=true")
	unit := h.listening(t, "viewer", tails+"&unit=user=u-1&kind=exposure")
	if got := recent.heard(); got.Verdict != ingest.Buried || got.Name != "puchase" {
		t.Errorf("recent: got %+v", got)
	}
	if got := recent.heard(); got.Verdict != ingest.Turned || len(got.Notes) != 1 || !strings.Contains(got.Notes[0].String(), `flag "shop.chekout" is not a flag of production`) {
		t.Errorf("recent: got %+v", got)
	}
	h.want("sdk", "POST", "/v1/events", "["+purchase("purchase")+","+met("shop.checkout")+"]", http.StatusAccepted, `{"accepted":2}`)
	if got := unit.heard(); got.Kind != ingest.KindExposure || got.Name != "shop.checkout" || got.Verdict != ingest.Took {
		t.Errorf("one unit's exposures: got %+v", got)
	}
	for _, l := range []*tuned{all, recent} {
		if got := l.heard().Name + " " + l.heard().Name; got != "shop.checkout purchase" {
			t.Errorf("got %s", got)
		}
	}
}

// TestTail_ofKeys: whoever sees a few flags hears of their exposures alone.
func TestTail_ofKeys(t *testing.T) {
	h := clocked(t)
	h.issueKeys()
	shop, other := h.listening(t, "shop", tails), h.listening(t, "keys", tails)
	h.want("admin", "POST", "/api/v1/apply", strings.Replace(documents[strings.Index(documents, "---"):], "shop.checkout", "search.x", 1), http.StatusOK, "created")
	h.want("sdk", "POST", "/v1/events", "["+purchase("purchase")+","+met("shop.checkout")+","+met("search.x")+","+purchase("purchase")+"]", http.StatusAccepted, "")
	h.want("sdk", "POST", "/v1/events", "["+met("shop.checkout")+","+met("search.x")+"]", http.StatusAccepted, "")
	for key, l := range map[string]*tuned{"shop.checkout": shop, "search.x": other} {
		if got := l.heard().Name + " " + l.heard().Name; got != key+" "+key {
			t.Errorf("whoever sees %s hears of %s", key, got)
		}
	}
}

func TestTail_refuses(t *testing.T) {
	h := clocked(t)
	for query, want := range map[string]string{
		"&verdict=bad": "is no verdict", "&kind=purchase": "is not a kind of event", "&unit=u-1": "is not a unit", "&recent=yes": "is neither true nor false",
		"&verdict=x&kind=y": "kind \\\"y\\\"",
	} {
		h.want("viewer", "GET", tails+query, "", http.StatusBadRequest, want)
	}
	newHouse(t).want("viewer", "GET", tails, "", http.StatusNotFound, "takes no events")
	h.want("viewer", "GET", "/api/v1/events/tail?environment=moon", "", http.StatusBadRequest, "is not an environment")
	for range 32 {
		h.listening(t, "viewer", tails)
	}
	h.want("viewer", "GET", tails, "", http.StatusServiceUnavailable, "enough people listen")
}
