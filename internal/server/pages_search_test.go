package server

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// TestSearch: words find what has all of them, the nearest first, and nothing
// that whoever asks may not see.
func TestSearch(t *testing.T) {
	h := shop(t)
	h.issueKeys()
	h.want("admin", "POST", "/api/v1/apply", shopPeople, http.StatusOK, "created")
	h.want("admin", "POST", "/api/v1/apply?start=true", plan, http.StatusOK, "created")
	h.look()
	for q, want := range map[string]string{
		"CHECKOUT shop": `"kind":"flags","total":1`, "buy something": `"key":"production/shop.checkout/1"`, "bought": `"kind":"metrics"`,
		"lee": `"kind":"people"`, "started experiment": `"kind":"decisions"`, "shop nowhere": `"found":[]`, "": `"found":[]`,
	} {
		h.want("viewer", "GET", "/api/v1/search?"+url.Values{"q": {q}}.Encode(), "", http.StatusOK, want)
	}
	if body := h.want("keys", "GET", "/api/v1/search?q=checkout", "", http.StatusOK, ""); strings.Contains(body, "shop.checkout") {
		t.Errorf("somebody who may not see it finds %s", body)
	}
}

// TestMatching: the key that was asked for comes before those that begin so, and
// those before what only speaks of it.
func TestMatching(t *testing.T) {
	all := []Hit{hit("about", "speaks of pay"), hit("express-pay", ""), hit("pay.now", ""), hit("Pay", "")}
	var got []string
	for _, h := range matching(all, "pay") {
		got = append(got, h.Key)
	}
	if want := "Pay pay.now express-pay about"; strings.Join(got, " ") != want {
		t.Errorf("got %v, want %s", got, want)
	}
}

// TestSearchPage: it says what was found, and what to do when nothing is.
func TestSearchPage(t *testing.T) {
	h := shop(t)
	if page := h.browse("viewer", "/search?q=checkout"); !strings.Contains(page, `href="/flags/shop.checkout"`) || !strings.Contains(page, `value="checkout"`) {
		t.Error("the flag is not found, or the words are forgotten")
	}
	if page := h.browse("viewer", "/search?q="+strings.Repeat("W", 10_000)); !strings.Contains(page, "Nothing is found") || strings.Count(page, "W") > 13_000 {
		t.Error("a long word breaks the page")
	}
}
