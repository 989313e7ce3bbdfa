package server

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/sluice-hq/sluice/ingest"
)

// unheard are dead letters of two names.
type unheard struct{ Letters }

func (unheard) Page(_ context.Context, f ingest.LetterFilter, _ string, _ int) (ingest.LetterPage, error) {
	if f.Reason != ingest.UnknownMetric {
		return ingest.LetterPage{}, nil
	}
	letter := func(name string, events uint64) ingest.Letter {
		return ingest.Letter{Name: name, Environment: "production", Events: events, At: start, Reason: ingest.UnknownMetric}
	}
	return ingest.LetterPage{Letters: []ingest.Letter{letter("vist", 1), letter("puchase", 2), letter("puchase", 3)}, Total: 3}, nil
}

// TestCatalogue tells where a metric is used, what rollouts that are over did to
// it, and which events nobody declared.
func TestCatalogue(t *testing.T) {
	h := newHouseWith(t, func(h *House) { h.Letters = unheard{} })
	h.want("editor", "POST", "/api/v1/apply", documents+"---\n"+plan, http.StatusOK, "created")
	list := decode[struct {
		Metrics    []CatalogueEntry
		Undeclared []Undeclared
	}](h, "viewer", "/api/v1/catalogue")
	if len(list.Metrics) != 1 || len(list.Metrics[0].Uses) != 1 || list.Metrics[0].Past != nil {
		t.Errorf("the metrics are %+v", list.Metrics)
	}
	if len(list.Undeclared) != 2 || list.Undeclared[0].Name != "puchase" || list.Undeclared[0].Events != 5 {
		t.Errorf("undeclared are %+v", list.Undeclared)
	}
	one := decode[CatalogueDetail](h, "viewer", "/api/v1/catalogue/purchases")
	if len(one.History) != 1 || one.History[0].Actor != "person:editor" || one.Effects == nil {
		t.Errorf("purchases: %+v", one)
	}
	h.want("viewer", "GET", "/api/v1/catalogue/none", "", http.StatusNotFound, "metric none")
	h.shows("/catalogue", http.StatusOK, "Units that bought something", "/catalogue/purchases", "puchase", "/events/letters?name=puchase")
	h.shows("/catalogue/purchases", http.StatusOK, "production/shop.checkout/1", "Version 1", "Change it", "sluice apply metric.yaml")
	h.shows("/catalogue/none", http.StatusNotFound, "metric none")
}

// TestMetricForm declares and changes a metric, says what would be refused while
// it is written, and does not undo what somebody else did meanwhile.
func TestMetricForm(t *testing.T) {
	h := newHouse(t)
	text := strings.Replace(newMetric, "owner: ", "owner: shop-team", 1)
	fields := url.Values{"document": {text}, "comment": {"we need it"}, formKey: {"k1"}}
	if code, body, _ := h.send("editor", "/catalogue?check=true", fields); code != http.StatusOK || !strings.Contains(body, "This can be saved.") {
		t.Errorf("to look ahead: %d\n%s", code, body)
	}
	if _, known := h.Metrics.Declaration("checkout_completed"); known {
		t.Fatal("looking ahead declared it")
	}
	for range 2 { // pressed twice
		if code, body, header := h.send("editor", "/catalogue", fields); code != http.StatusSeeOther || header.Get("Location") != "/catalogue/checkout_completed" {
			t.Fatalf("to declare: %d to %q\n%s", code, header.Get("Location"), body)
		}
	}
	page := "/catalogue/checkout_completed"
	_, body, _ := h.ask("editor", "GET", page, "", asBrowser...)
	if !strings.Contains(body, "we need it") || !strings.Contains(body, "expect: ") || !strings.Contains(body, "<textarea") {
		t.Errorf("the page of the metric:\n%s", body)
	}
	bad := url.Values{"document": {strings.Replace(strings.Replace(text, "expect: 0\n", "", 1), "conversion", "avarage", 1)}}
	for path, want := range map[string]int{page: http.StatusBadRequest, page + "?check=true": http.StatusOK} {
		if code, body, _ := h.send("editor", path, bad); code != want || !strings.Contains(body, "is not an aggregate") || !strings.Contains(body, "avarage") {
			t.Errorf("%s: %d\n%s", path, code, body)
		}
	}
	old := url.Values{"document": {strings.Replace(text, "increase", "decrease", 1)}} // expects that there is none yet
	if code, body, _ := h.send("editor", page, old); code != http.StatusPreconditionFailed && code != http.StatusConflict || !strings.Contains(body, "is at revision") {
		t.Errorf("what was seen is old: %d", code)
	}
	for why, document := range map[string]string{"is the key of another metric": strings.Replace(text, "key: checkout_completed", "key: other", 1), "is not one document of kind Metric": documents, "apiVersion": "kind: Metric"} {
		if code, body, _ := h.send("editor", page, url.Values{"document": {document}}); code != http.StatusBadRequest || !strings.Contains(body, why) {
			t.Errorf("%s: %d\n%s", why, code, body)
		}
	}
	for who, want := range map[string]int{"viewer": http.StatusForbidden, "home": http.StatusForbidden, "": http.StatusSeeOther} {
		if code, _, _ := h.send(who, page, fields); code != want && code != http.StatusUnauthorized {
			t.Errorf("as %q: %d, want %d", who, code, want)
		}
	}
}
