package server

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/internal/access"
)

// What the senders themselves give as examples:
//
//   - alertmanager.json: crate alertmanager-webhook-types 0.1.0,
//     assets/sample-v4-payload.json, as docs.rs shows it
//   - grafana.json: repository grafana/grafana at da9f4781a39a, "Configure the
//     webhook notifier for Alerting", docs/sources/alerting/configure-notifications/
//     manage-contact-points/integrations/webhook-notifier.md; its message is shortened
func payload(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile("testdata/hooks/" + name + ".json")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// labelled adds labels to every alert of a payload, as a user does who wants
// them to be about a flag.
func labelled(payload string, labels string) string {
	return strings.ReplaceAll(payload, `{"alertname":`, `{`+labels+`, "alertname":`)
}

// hookHouse is a house with a flag, and reporters of all and of staging.
func hookHouse(t *testing.T) *house {
	h := newHouse(t)
	h.want("editor", "POST", "/api/v1/apply", documents, http.StatusOK, "")
	h.issue("abroad", access.Token{Class: access.Account, Kind: access.OfService, Role: access.Reporter, Environment: "staging"})
	h.issue("local", access.Token{Class: access.Account, Kind: access.OfService, Role: access.Reporter, Environment: "production"})
	return h
}

// hooked posts as somebody, and returns the answer.
func (h *house) hooked(who, path, body string) (a HookAnswer) {
	h.t.Helper()
	if err := json.Unmarshal([]byte(h.want(who, "POST", path, body, http.StatusOK, "")), &a); err != nil {
		h.t.Fatal(err)
	}
	return a
}

// listed returns the incidents of a query, newest first.
func (h *house) listed(query string) []decisions.Reported {
	h.t.Helper()
	return decode[struct {
		Incidents []decisions.Reported `json:"incidents"`
	}](h, "viewer", "/api/v1/incidents"+query).Incidents
}

const aboutCheckout = `"flag": "shop.checkout", "environment": "production"`

// compact brings both payloads to one form of labels.
func compact(t *testing.T, name string) string {
	return strings.ReplaceAll(payload(t, name), "{\n        \"alertname\":", `{"alertname":`)
}

func TestHook_alertmanager(t *testing.T) {
	h := hookHouse(t)
	body := labelled(compact(t, "alertmanager"), aboutCheckout)
	const name = "1a30ba71cca2921f-20230206T130845.828Z"
	want := HookAnswer{Opened: 1, Alerts: []HookedAlert{{
		Outcome: "opened", Alert: "ProbeFailure", Environment: "production", Flag: "shop.checkout", Incident: name, Severity: decisions.Critical,
	}}}
	if diff := cmp.Diff(want, h.hooked("reporter", "/hooks/alertmanager", body)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	began := time.Date(2023, 2, 6, 13, 8, 45, 828e6, time.UTC)
	reported := []decisions.Reported{{
		Environment: "production", Flag: "shop.checkout", By: "service:reporter", Seq: h.Projection.Seq(),
		Incident: decisions.Incident{
			ID: name, Severity: decisions.Critical, Since: start, Text: "ProbeFailure: BlackBox Probe Failure: https://server.example.org",
			Particulars: decisions.Particulars{
				Source: "alertmanager", Fingerprint: "1a30ba71cca2921f", Began: began, Link: "http://prometheus.example.org:9090/graph?g0.expr=probe_success+%3D%3D+0&g0.tab=1",
			},
		},
	}}
	if diff := cmp.Diff(reported, h.listed("")); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	before := h.Projection.Seq()
	if a := h.hooked("reporter", "/hooks/alertmanager", body); a.Unchanged != 1 || h.Projection.Seq() != before {
		t.Errorf("a repeat: %+v, and %d events", a, h.Projection.Seq()-before)
	}
	end := strings.ReplaceAll(body, `"status": "firing"`, `"status": "resolved"`)
	if a := h.hooked("reporter", "/hooks/alertmanager", end); a.Resolved != 1 || len(h.listed("?open=true")) != 0 {
		t.Errorf("the end: %+v", a)
	}
	if a := h.hooked("reporter", "/hooks/alertmanager", end); a.Unchanged != 1 || !strings.Contains(a.Alerts[0].Note, "known already") {
		t.Errorf("the end once more: %+v", a)
	}
}

// Alertmanagers of before 2019 name neither state nor fingerprint of an alert.
func TestHook_oldAlertmanager(t *testing.T) {
	h := hookHouse(t)
	body := labelled(compact(t, "alertmanager"), aboutCheckout)
	body = strings.Replace(body, `      "status": "firing",`, "", 1)
	body = strings.Replace(body, `&g0.tab=1",`, `&g0.tab=1"`, 1)
	body = strings.Replace(body, `      "fingerprint": "1a30ba71cca2921f"`, "", 1)
	a := h.hooked("reporter", "/hooks/alertmanager", body)
	if got := h.listed(""); a.Opened != 1 || len(got) != 1 || len(got[0].Fingerprint) != 16 || got[0].Fingerprint == "1a30ba71cca2921f" {
		t.Errorf("%+v, %+v; the labels are not those of the fingerprint that was left out", a, got)
	}
}

func TestHook_grafana(t *testing.T) {
	h := hookHouse(t)
	body := labelled(payload(t, "grafana"), `"flag_key": "shop.checkout", "segment": "guild"`)
	for _, path := range []string{"/hooks/grafana?environment=production", "/hooks/alertmanager?environment=production"} {
		a := h.hooked("reporter", path, body)
		if a.Opened+a.Unchanged != 2 || a.Alerts[1].Incident != "bc97ff14869b13e3-20211012T075603.157Z" {
			t.Errorf("%s: %+v", path, a)
		}
	}
	got := h.listed("?source=grafana")
	if len(got) != 2 || got[1].ID != "c6eadffa33fcdf37-20211012T075103.157Z" || got[1].Severity != decisions.Blocking || got[1].Segment != "guild" ||
		got[1].Text != "High memory usage: This alert was triggered for zone us-1" {
		t.Errorf("%+v", got)
	}
	if a := h.hooked("local", "/hooks/grafana", strings.ReplaceAll(body, "2021-10-12", "2021-10-13")); a.Opened != 2 ||
		a.Alerts[0].Note != "it has no severity, and is taken as blocking" {
		t.Errorf("in the token's own environment: %+v", a)
	}
}

func TestHook_slo(t *testing.T) {
	h := hookHouse(t)
	const firing = `{"labels": {` + aboutCheckout + `, "severity": "purple"}, "metric": "checkout_error_ratio", "value": 0.053, "window": "1h"}`
	a := h.hooked("reporter", "/hooks/slo-alert", firing)
	if a.Opened != 1 || a.Alerts[0].Note != `the severity "purple" is not known, and is taken as blocking` {
		t.Errorf("%+v", a)
	}
	if got := h.listed(""); len(got) != 1 || got[0].Text != "checkout_error_ratio is 0.053, past its objective" || got[0].Source != "slo-alert" {
		t.Errorf("%+v", got)
	}
	if a := h.hooked("reporter", "/hooks/slo-alert", strings.Replace(firing, "0.053", "0.061", 1)); a.Unchanged != 1 {
		t.Errorf("a repeat with another value: %+v", a)
	}
	if a := h.hooked("reporter", "/hooks/slo-alert", strings.Replace(firing, "error_ratio", "latency", 1)); a.Opened != 1 {
		t.Errorf("another metric: %+v", a)
	}
	if a := h.hooked("reporter", "/hooks/slo-alert", strings.Replace(firing, `"metric"`, `"status": "resolved", "metric"`, 1)); a.Resolved != 1 || len(h.listed("?open=true")) != 1 {
		t.Errorf("the end: %+v", a)
	}
}

// What is wrong with one alert keeps no other from being taken, and the answer
// says which were. A request of which nothing can be taken is refused.
func TestHook_refuses(t *testing.T) {
	h := hookHouse(t)
	h.want("reporter", "POST", "/hooks/grafana", payload(t, "grafana"), 400, `alerts[1].labels.flag`) // as published: about no flag
	for name, c := range map[string]struct{ who, path, body, want string }{
		"unknown flag":        {"reporter", "/hooks/alertmanager", labelled(compact(t, "alertmanager"), `"flag": "shop.chekout", "environment": "production"`), `"path":"alerts[0].labels.flag","value":"shop.chekout","why":"is not known"`},
		"unknown environment": {"reporter", "/hooks/alertmanager?environment=moon", labelled(compact(t, "alertmanager"), `"flag": "shop.checkout"`), `"path":"alerts[0].labels.environment","value":"moon"`},
		"no environment":      {"reporter", "/hooks/alertmanager", labelled(compact(t, "alertmanager"), `"flag": "shop.checkout"`), `alerts[0].labels.environment`},
		"foreign environment": {"abroad", "/hooks/alertmanager", labelled(compact(t, "alertmanager"), aboutCheckout), "is not this token's to report in production"},
		"unknown version":     {"reporter", "/hooks/alertmanager", strings.Replace(payload(t, "alertmanager"), `"version": "4"`, `"version": "5"`, 1), "is not a version of the payload"},
		"no alert":            {"reporter", "/hooks/alertmanager", `{"version": "4", "status": "firing", "alerts": []}`, "alerts are missing"},
		"odd state":           {"reporter", "/hooks/alertmanager", strings.ReplaceAll(payload(t, "alertmanager"), `"status": "firing"`, `"status": "snoozed"`), `alerts[0].status`},
		"no metric":           {"reporter", "/hooks/slo-alert", `{"labels": {` + aboutCheckout + `}, "metric": ""}`, "metric"},
		"a long fingerprint":  {"reporter", "/hooks/alertmanager", strings.ReplaceAll(labelled(compact(t, "alertmanager"), aboutCheckout), "1a30ba71cca2921f", strings.Repeat("f", 250)), `"path":"alerts[0].fingerprint"`},
		"SLO of no flag":      {"reporter", "/hooks/slo-alert", `{"labels": {"environment": "production"}, "metric": "x"}`, `"path":"labels.flag"`},
		"no JSON":             {"reporter", "/hooks/alertmanager", `hello`, "/problems/invalid"},
	} {
		if code, answer, _ := h.ask(c.who, "POST", c.path, c.body); code != 400 || !strings.Contains(answer, c.want) {
			t.Errorf("%s: %d %s, want 400 with %s", name, code, answer, c.want)
		}
	}
	h.want("viewer", "POST", "/hooks/alertmanager", payload(t, "alertmanager"), 403, "")
	half := strings.Replace(payload(t, "grafana"), `{"alertname": "High CPU`, `{`+aboutCheckout+`, "alertname": "High CPU`, 1)
	a := h.hooked("reporter", "/hooks/grafana", strings.Replace(half, `"truncatedAlerts": 0`, `"truncatedAlerts": 3`, 1))
	if a.Opened != 1 || a.Refused != 1 || a.Truncated != 3 || a.Alerts[0].Outcome != "refused" || len(a.Alerts[0].Errors) != 2 || a.Alerts[1].Outcome != "opened" {
		t.Errorf("%+v", a)
	}
}

// An alert in a state that nobody knows keeps no other of its request from being
// taken.
func TestHook_oddStateOfOne(t *testing.T) {
	h := hookHouse(t)
	body := labelled(payload(t, "grafana"), aboutCheckout)
	a := h.hooked("reporter", "/hooks/grafana", strings.Replace(body, `"status": "firing",
      "labels"`, `"status": "snoozed",
      "labels"`, 1))
	if a.Opened != 1 || a.Refused != 1 || a.Alerts[0].Outcome != "refused" || len(a.Alerts[0].Errors) != 1 || a.Alerts[0].Errors[0].Path != "status" {
		t.Errorf("%+v", a)
	}
}

// Senders that name their alerts themselves may have one that grows worse. What
// is worse than what is open is an incident of its own, and the end ends both.
func TestHook_worse(t *testing.T) {
	h := hookHouse(t)
	alert := func(status, severity string) HookAnswer {
		h.t.Helper()
		return h.hooked("reporter", "/hooks/alertmanager", `{"version": "4", "alerts": [{"status": "`+status+`", "labels": {`+aboutCheckout+`, "severity": "`+severity+`"},
			"annotations": {"summary": "x"}, "startsAt": "2026-11-01T08:00:00Z", "fingerprint": "slow"}]}`)
	}
	const name = "slow-20261101T080000.000Z"
	if a := alert("firing", "warning"); a.Opened != 1 || a.Alerts[0].Incident != name {
		t.Fatalf("%+v", a)
	}
	for range 2 {
		a := alert("firing", "critical")
		if a.Alerts[0].Incident != name+"-critical" || a.Alerts[0].Severity != decisions.Critical || len(h.listed("?severity=critical")) != 1 {
			t.Errorf("%+v", a)
		}
	}
	if a := alert("resolved", "warning"); a.Resolved != 1 || len(h.listed("?open=true")) != 0 {
		t.Errorf("the end: %+v, and %+v", a, h.listed("?open=true"))
	}
	if a := alert("firing", "critical"); a.Unchanged != 1 {
		t.Errorf("a repeat that comes late: %+v", a)
	}
}

// fickleLog is a log that may be told to take nothing.
type fickleLog struct {
	event.Log
	broken atomic.Bool
}

func (l *fickleLog) Append(ctx context.Context, e event.Event, expect event.Expect) (uint64, error) {
	if l.broken.Load() {
		return 0, event.ErrReadOnly
	}
	return l.Log.Append(ctx, e, expect)
}

// A house that cannot write says so with a status upon which senders come
// again: Alertmanager repeats a request that got a 5xx, and no other.
func TestHook_cannotWrite(t *testing.T) {
	log := &fickleLog{}
	h := newHouseWith(t, func(h *House) { log.Log, h.Log = h.Log, log })
	h.want("editor", "POST", "/api/v1/apply", documents, http.StatusOK, "")
	body := labelled(compact(t, "alertmanager"), aboutCheckout)
	log.broken.Store(true)
	h.want("reporter", "POST", "/hooks/alertmanager", body, http.StatusServiceUnavailable, "/problems/read-only")
	log.broken.Store(false)
	if a := h.hooked("reporter", "/hooks/alertmanager", body); a.Opened != 1 {
		t.Errorf("when it comes again: %+v", a)
	}
}

func TestIncidents_byPeople(t *testing.T) {
	h := hookHouse(t)
	const body = `{"flag": "shop.checkout", "environment": "production", "severity": "critical", "text": "customers call", "incident": "OPS-7", "segment": "guild"}`
	h.want("approver", "POST", "/v1/incidents", body, 201, `"id":"OPS-7"`)
	h.want("approver", "POST", "/v1/incidents", body, 200, `"by":"person:approver"`)
	h.want("approver", "POST", "/v1/incidents", strings.Replace(body, "critical", "minor", 1), 400, "is not that of OPS-7, which is open and critical")
	h.want("editor", "POST", "/v1/incidents", body, 403, "")
	h.want("abroad", "POST", "/v1/incidents", body, 403, "staging")
	h.want("local", "POST", "/v1/incidents", strings.Replace(strings.Replace(body, `"environment": "production", `, "", 1), "OPS-7", "OPS-8", 1), 201, `"environment":"production"`)
	h.want("viewer", "GET", "/api/v1/flags/shop.checkout", "", 200, `"health":{"production":{"state":"critical","source":"incident OPS-7","since":"2026-11-01T09:00:00Z","text":"customers call"}}`)
	const resolve = "/v1/incidents/production/shop.checkout/OPS-7/resolve"
	h.want("approver", "POST", resolve, `{}`, 400, "comment is missing")
	h.want("approver", "POST", resolve, `{"comment": "rolled the cache back"}`, 200, `"resolvedBy":"person:approver","comment":"rolled the cache back"`)
	h.want("approver", "POST", resolve, `{"comment": "again"}`, 200, `"comment":"rolled the cache back"`)
	h.want("approver", "POST", "/v1/incidents", body, 409, "that incident is over")
	h.want("approver", "POST", strings.Replace(resolve, "OPS-7", "OPS-9", 1), `{"comment": "x"}`, 404, "no such incident")
	for want, c := range map[string]string{
		"text is missing":   `{"flag": "shop.checkout", "environment": "production", "severity": "minor", "text": " "}`,
		"severity":          `{"flag": "shop.checkout", "environment": "production", "severity": "huge", "text": "x"}`,
		"is not known":      `{"flag": "shop.chekout", "environment": "production", "severity": "minor", "text": "x"}`,
		"that the flag":     `{"flag": "shop.checkout", "environment": "moon", "severity": "minor", "text": "x"}`,
		"environment":       `{"flag": "shop.checkout", "severity": "minor", "text": "x"}`,
		`the character '/'`: `{"flag": "shop.checkout", "environment": "production", "severity": "minor", "text": "x", "incident": "a/b"}`,
	} {
		h.want("approver", "POST", "/v1/incidents", c, 400, want)
	}
	h.want("viewer", "GET", "/api/v1/incidents?environment=moon", "", 400, "is not an environment")
}

// A request that is sent again under its key opens one incident.
func TestIncidents_repeatedRequest(t *testing.T) {
	h := hookHouse(t)
	const body = `{"flag": "shop.checkout", "environment": "production", "severity": "minor", "text": "x"}`
	var ids []string
	for range 2 {
		_, answer, _ := h.ask("approver", "POST", "/v1/incidents", body, "Idempotency-Key", "one")
		var r decisions.Reported
		if err := json.Unmarshal([]byte(answer), &r); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, r.ID)
	}
	h.want("approver", "POST", "/v1/incidents", body, 201, "")
	if all := h.listed(""); ids[0] == "" || ids[0] != ids[1] || len(all) != 2 {
		t.Errorf("named %v, and there are %d", ids, len(all))
	}
}

// The list has filters and pages, and shows what whoever asks may see.
func TestIncidents_list(t *testing.T) {
	h := hookHouse(t)
	h.want("editor", "POST", "/api/v1/apply", switches("search.index", "search", "operational"), http.StatusOK, "created")
	open := func(flag, environment, severity, name string) {
		h.want("admin", "POST", "/v1/incidents", `{"flag": "`+flag+`", "environment": "`+environment+`", "severity": "`+severity+`", "text": "x", "incident": "`+name+`"}`, 201, "")
	}
	open("shop.checkout", "production", "critical", "a")
	open("search.index", "production", "minor", "b")
	open("search.index", "staging", "minor", "c")
	open("search.index", "staging", "blocking", "d")
	h.want("admin", "POST", "/v1/incidents/staging/search.index/c/resolve", `{"comment": "x"}`, 200, "")
	for query, want := range map[string]string{
		"": "d c b a", "?open=true": "d b a", "?open=false": "c", "?flag=search.index": "d c b", "?severity=minor": "c b", "?environment=production": "b a",
		"?source=alertmanager": "", "?source=api&limit=1": "d",
	} {
		var names []string
		for _, r := range h.listed(query) {
			names = append(names, r.ID)
		}
		if got := strings.Join(names, " "); got != want {
			t.Errorf("%s: %s, want %s", query, got, want)
		}
	}
	type page struct {
		Incidents []decisions.Reported `json:"incidents"`
		Next      string               `json:"next"`
	}
	first := decode[page](h, "viewer", "/api/v1/incidents?limit=3")
	open("shop.checkout", "production", "minor", "e")
	if rest := decode[page](h, "viewer", "/api/v1/incidents?limit=3&cursor="+first.Next); len(rest.Incidents) != 1 || rest.Incidents[0].ID != "a" || rest.Next != "" {
		t.Errorf("the rest: %+v", rest)
	}
	if bound := decode[page](h, "bound", "/api/v1/incidents"); len(bound.Incidents) != 2 {
		t.Errorf("a token of staging sees %+v", bound.Incidents)
	}
	h.want("reporter", "GET", "/api/v1/incidents", "", 403, "")
}
