package server

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/sluice-hq/sluice/decisions"
)

const readoutOfOne = "/readouts/production/shop.checkout/1"

// shows complains about another status, or a page without the text.
func (h *house) shows(path string, code int, texts ...string) string {
	h.t.Helper()
	got, body, _ := h.ask("viewer", "GET", path, "", "Accept", "text/html")
	if got != code {
		h.t.Errorf("%s: %d, want %d", path, got, code)
	}
	for _, text := range texts {
		if !strings.Contains(body, text) {
			h.t.Errorf("%s does not show %q:\n%s", path, text, body)
		}
	}
	return body
}

// TestReadoutPage: each tab shows what the API says, now and as it was.
func TestReadoutPage(t *testing.T) {
	h := withLooks(t)
	h.want("approver", "POST", "/api/v1/rollouts/production/shop.checkout/1/start", "{}", http.StatusOK, "running")
	h.shows(readoutOfOne, http.StatusOK, "shop.checkout", `hx-trigger="load`, "Look before", "purchases")
	h.shows(readoutOfOne+"?read=now", http.StatusOK, "Units of each arm over time", "5 were taken")
	h.shows(readoutOfOne+"?tab=segments&segment=browser&read=now", http.StatusOK, "By <bdi>browser</bdi>", "stands out", "by browser")
	h.shows(readoutOfOne+"?tab=health&read=now", http.StatusOK, "Units in two arms, and why", `href="/events/unit?environment=production&amp;flag=`, "login", "Sample ratio by day", "2026-11-01", "openfeature-go 1.4.2 gave 2 units on")
	h.shows(readoutOfOne+"?tab=days&days=2&read=now", http.StatusOK, "First 2 days of a unit", "fades")
	h.shows(readoutOfOne+"?tab=query", http.StatusOK, "SELECT 1", "units")
	at := url.QueryEscape(start.Add(150 * time.Second).Format(time.RFC3339))
	h.shows(readoutOfOne+"?at="+at, http.StatusOK, "As it was on", "2026-11-01 09:02:00", "/api/v1/readouts/production/shop.checkout/1?at=")
	h.shows(readoutOfOne+"?tab=health&read=now&at="+at, http.StatusOK, "A look keeps what the gates ask")
	h.shows(readoutOfOne+"?at="+url.QueryEscape(start.Add(-time.Hour).Format(time.RFC3339)), http.StatusNotFound, "a look at rollout")
	h.shows("/readouts/production/shop.checkout/2", http.StatusNotFound, "there is nothing of that name")
}

// TestReadoutPage_before: a rollout that nobody has looked at says how the
// first numbers come.
func TestReadoutPage_before(t *testing.T) {
	h := withReadouts(t, memLooks{})
	h.shows(readoutOfOne, http.StatusOK, "Nothing is measured yet", "sluice rollout start production/shop.checkout/1")
}

// slow is a warehouse that does not answer in time, and reads no part.
type slow struct{ memLooks }

func (slow) Readout(context.Context, decisions.Rollout, Closer, time.Time) (decisions.Evidence, Close, error) {
	return decisions.Evidence{}, Close{}, context.DeadlineExceeded
}

func (slow) LooksAt(context.Context, string, string, []time.Time) ([]decisions.Look, error) {
	return nil, errors.New("chdb: /var/lib/secret is gone")
}

// TestReadoutPage_late: what could not be read says so in its place; the rest of
// the page stands.
func TestReadoutPage_late(t *testing.T) {
	h := withReadouts(t, slow{fiveLooks()})
	path := readoutOfOne + "?tab=segments&segment=browser&read=now"
	h.shows(path, http.StatusServiceUnavailable, "did not answer within 20s", "Try again", "shop.checkout")
	if code, body, _ := h.ask("viewer", "GET", path, "", "Accept", "text/html", "HX-Request", "true"); code != http.StatusOK || !strings.Contains(body, "did not answer within 20s") {
		t.Errorf("as a part of an open page: %d", code)
	}
	if body := h.shows(readoutOfOne+"?read=now", http.StatusInternalServerError, "its log says why"); strings.Contains(body, "secret") {
		t.Error("the page tells of the server's folders")
	}
}

// TestReadoutPage_whoMay: a page is for those who may read in its environment.
func TestReadoutPage_whoMay(t *testing.T) {
	h := withLooks(t)
	for who, want := range map[string]int{"viewer": http.StatusOK, "home": http.StatusOK, "bound": http.StatusForbidden, "": http.StatusSeeOther} {
		if code, _, _ := h.ask(who, "GET", readoutOfOne, "", "Accept", "text/html"); code != want {
			t.Errorf("as %q: %d, want %d", who, code, want)
		}
	}
}
