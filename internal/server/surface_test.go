package server

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/flags"
	"github.com/sluice-hq/sluice/ingest"
)

// decode reads an answer that must have been given.
func decode[T any](h *house, who, path string) (v T) {
	h.t.Helper()
	if err := json.Unmarshal([]byte(h.want(who, "GET", path, "", http.StatusOK, "")), &v); err != nil {
		h.t.Fatalf("%s: %v", path, err)
	}
	return v
}

// switches writes a flag of that key, owner and purpose that production has.
func switches(key, owner, purpose string) string {
	return fmt.Sprintf(`apiVersion: sluice/v1
kind: Flag
key: %s
purpose: %s
owner: %s
tags: [%s]
type: boolean
variants: {on: true, off: false}
safe: off
environments: {production: {enabled: true}, staging: {enabled: false}}
---
`, key, purpose, owner, owner)
}

type flagPage struct {
	Flags []struct {
		Key       string     `json:"key"`
		Lifecycle flags.Life `json:"lifecycle"`
	} `json:"flags"`
	Next string `json:"next"`
}

func (p flagPage) keys() string {
	var keys []string
	for _, f := range p.Flags {
		keys = append(keys, f.Key)
	}
	return strings.Join(keys, " ")
}

// TestPages_areStable: what is created while somebody turns pages is neither
// shown twice nor shifts what he has not seen.
func TestPages_areStable(t *testing.T) {
	h := newHouse(t)
	apply := func(keys ...string) {
		var docs strings.Builder
		for _, key := range keys {
			docs.WriteString(switches(key, "shop", "operational"))
		}
		h.want("editor", "POST", "/api/v1/apply", docs.String(), http.StatusOK, "created")
	}
	apply("b", "d", "f", "h")
	first := decode[flagPage](h, "viewer", "/api/v1/flags?limit=2")
	apply("a", "c", "e")
	second := decode[flagPage](h, "viewer", "/api/v1/flags?limit=2&cursor="+first.Next)
	third := decode[flagPage](h, "viewer", "/api/v1/flags?limit=2&cursor="+second.Next)
	if got := first.keys() + " | " + second.keys() + " | " + third.keys(); got != "b d | e f | h" || third.Next != "" {
		t.Errorf("got %s, and next %q", got, third.Next)
	}
	_, _, header := h.ask("viewer", "GET", "/api/v1/flags?limit=2&owner=shop", "")
	link := header.Get("Link")
	address, _, ok := strings.Cut(strings.TrimPrefix(link, "<"), `>; rel="next"`)
	if !ok || !strings.Contains(address, "owner=shop") || decode[flagPage](h, "viewer", address).keys() != "c d" {
		t.Errorf("the header is %q", link)
	}
	if _, _, header := h.ask("viewer", "GET", "/api/v1/flags", ""); header.Get("Link") != "" {
		t.Errorf("the last page links to %q", header.Get("Link"))
	}
}

func TestPages_refuse(t *testing.T) {
	h := newHouse(t)
	h.want("editor", "POST", "/api/v1/apply", switches("a", "shop", "operational")+switches("b", "shop", "operational"), http.StatusOK, "")
	next := decode[flagPage](h, "viewer", "/api/v1/flags?limit=1").Next
	for path, want := range map[string]string{
		"/api/v1/flags?cursor=nonsense":                       `cursor \"nonsense\" is not a cursor of this list`,
		"/api/v1/metrics?cursor=" + next:                      "is not a cursor of this list",
		"/api/v1/rollouts?cursor=" + next:                     "is not a cursor of this list",
		"/api/v1/decisions?cursor=" + next:                    "is not a cursor of this list",
		"/api/v1/flags/a/history?cursor=*":                    "is not a cursor of this list",
		"/api/v1/flags?limit=1001":                            "query.limit",
		"/api/v1/flags?limit=-1":                              "query.limit",
		"/api/v1/flags?stale=maybe":                           "query.stale",
		"/api/v1/flags?purpose=fun":                           "query.purpose",
		"/api/v1/flags?lifecycle=over":                        "query.lifecycle",
		"/api/v1/flags?state=half":                            "query.state",
		"/api/v1/flags?environment=prodution":                 `environment \"prodution\" is not an environment`,
		"/api/v1/flags/a?at=soon":                             `at \"soon\" is not a revision or a time`,
		"/api/v1/flags/a?at=999":                              `at \"999\" is in the future`,
		"/api/v1/flags/a?at=2030-01-01":                       `at \"2030-01-01\" is in the future`,
		"/api/v1/flags/b?at=1":                                `at \"1\" is before flag b was created`,
		"/api/v1/flags/a/explain":                             "environment is missing",
		"/api/v1/flags/a/explain?environment=production&at=1": "is before flag a was created",
		"/api/v1/flags/a/explain?environment=production&attribute.x=1&attribute.x=2": "stands twice",
		"/api/v1/flags/a/explain?environment=production&attribute.=1":                "names no attribute",
		"/api/v1/flags/a/explain?environment=production&attribute.user=u&unit=u":     "stands beside attribute.user",
	} {
		h.want("viewer", "GET", path, "", http.StatusBadRequest, want)
	}
	for _, path := range []string{"/api/v1/flags/none/history", "/api/v1/flags/none?at=1", "/api/v1/flags/none/explain?environment=production", "/api/v1/flags/none/explain?environment=production&at=1"} {
		h.want("viewer", "GET", path, "", http.StatusNotFound, "/problems/not-found")
	}
}

func TestFlags_filters(t *testing.T) {
	h := newHouse(t)
	old := strings.Replace(switches("shop.old", "shop", "release"), "safe:", "dates: {off: 2026-10-01}\ncleanup: {due: 30d, endState: remove}\nsafe:", 1)
	off := strings.Replace(switches("pay.draft", "payments", "operational"), "enabled: true", "enabled: false", 1)
	h.want("editor", "POST", "/api/v1/apply", old+off+switches("pay.forced", "payments", "kill-switch")+switches("pay.gone", "payments", "operational"), http.StatusOK, "")
	h.want("approver", "POST", "/api/v1/flags/pay.forced/force", `{"environment":"production","comment":"slow"}`, http.StatusOK, "")
	h.want("approver", "POST", "/api/v1/flags/pay.gone/archive", `{"comment":"over"}`, http.StatusOK, "")
	for query, want := range map[string]string{
		"":                                      "pay.draft pay.forced pay.gone shop.old",
		"owner=shop":                            "shop.old",
		"tag=payments&purpose=operational":      "pay.draft pay.gone",
		"archived=true":                         "pay.gone",
		"archived=false":                        "pay.draft pay.forced shop.old",
		"lifecycle=archived":                    "pay.gone",
		"lifecycle=draft":                       "pay.draft",
		"lifecycle=cleanupDue":                  "shop.old",
		"lifecycle=live":                        "pay.forced",
		"stale=true":                            "",
		"stale=false&q=OLD":                     "shop.old",
		"q=payments":                            "pay.draft pay.forced pay.gone",
		"state=forced":                          "pay.forced",
		"state=enabled&environment=production":  "pay.gone shop.old",
		"state=disabled&environment=production": "pay.draft",
		"environment=staging&q=shop":            "shop.old",
	} {
		if got := decode[flagPage](h, "viewer", "/api/v1/flags?"+query).keys(); got != want {
			t.Errorf("%s: got %q, want %q", query, got, want)
		}
	}
}

// TestLists_inPages turns the pages of the other lists.
func TestLists_inPages(t *testing.T) {
	h := newHouseWith(t, withLetters)
	h.want("editor", "POST", "/api/v1/apply", documents+"---\n"+strings.Replace(strings.Split(documents, "---")[0], "key: purchases", "key: orders", 1), http.StatusOK, "")
	h.want("editor", "POST", "/api/v1/apply", plan, http.StatusOK, "")
	type list struct {
		Metrics   []ingest.Declaration
		Letters   []ingest.Letter
		Rollouts  []RolloutView
		Decisions []DecisionView
		History   []flags.Entry
		Next      string
	}
	turn := func(path string, name func(list) string) string {
		var seen []string
		for next, first := "", true; next != "" || first; first = false {
			page := decode[list](h, "viewer", path+"?limit=1&cursor="+next)
			seen, next = append(seen, name(page)), page.Next
		}
		return strings.Join(seen, " ")
	}
	if got := turn("/api/v1/metrics", func(l list) string { return l.Metrics[0].Metric.Key }); got != "orders purchases" {
		t.Errorf("metrics: %s", got)
	}
	if got := turn("/api/v1/dlq", func(l list) string { return l.Letters[0].ID }); got != "c b a" {
		t.Errorf("dead letters: %s", got)
	}
	if got := turn("/api/v1/rollouts", func(l list) string { return l.Rollouts[0].Rollout.ID }); got != "production/shop.checkout/1" {
		t.Errorf("rollouts: %s", got)
	}
	h.want("approver", "POST", "/api/v1/flags/shop.checkout/disable", `{"environment":"production","comment":"night"}`, http.StatusOK, "")
	if got := turn("/api/v1/flags/shop.checkout/history", func(l list) string { return l.History[0].Differences[0].Text }); got != "production: disabled flag shop.checkout created" {
		t.Errorf("history: %s", got)
	}
}

// TestHistory_ofABoundToken: it learns nothing of another environment, now or
// in the past.
func TestHistory_ofABoundToken(t *testing.T) {
	h := newHouse(t)
	h.want("editor", "POST", "/api/v1/apply", switches("a", "shop", "operational"), http.StatusOK, "")
	h.want("approver", "POST", "/api/v1/flags/a/force", `{"environment":"production","comment":"a secret of production"}`, http.StatusOK, "")
	for _, path := range []string{"/api/v1/flags/a", "/api/v1/flags/a?at=11", "/api/v1/flags", "/api/v1/flags/a/history"} {
		if body := h.want("bound", "GET", path, "", http.StatusOK, `"staging"`); strings.Contains(body, "production") {
			t.Errorf("%s tells a token of staging %s", path, body)
		}
	}
	h.want("home", "GET", "/api/v1/flags/a/history", "", http.StatusOK, "a secret of production")
	h.want("bound", "GET", "/api/v1/flags?environment=production", "", http.StatusForbidden, "bound to staging")
	h.want("bound", "GET", "/api/v1/flags/a/explain?environment=production", "", http.StatusForbidden, "bound to staging")
	h.want("bound", "GET", "/api/v1/flags/a/explain", "", http.StatusOK, `"environment":"staging"`)
	h.want("sdk", "GET", "/api/v1/flags/a/explain?environment=production", "", http.StatusForbidden, "may not do that")
}

// TestPast answers a flag as it was at a revision and at a time.
func TestPast(t *testing.T) {
	now := start
	h := newHouseWith(t, func(h *House) { h.Now = func() time.Time { return now } })
	h.want("editor", "POST", "/api/v1/apply", documents, http.StatusOK, "created")
	created := decode[flags.Recorded](h, "viewer", "/api/v1/flags/shop.checkout")
	now = now.Add(time.Hour)
	h.want("editor", "POST", "/api/v1/apply", strings.Replace(documents, "owner: shop-team\ntype", "owner: pay-team\ntype", 1), http.StatusOK, "changed")
	for _, at := range []string{fmt.Sprint(created.Revision), start.Format(time.RFC3339), start.Add(59 * time.Minute).Format(time.RFC3339)} {
		if diff := cmp.Diff(created, decode[flags.Recorded](h, "viewer", "/api/v1/flags/shop.checkout?at="+at)); diff != "" {
			t.Errorf("at %s: then -, now +\n%s", at, diff)
		}
	}
	if f := decode[flags.Recorded](h, "viewer", "/api/v1/flags/shop.checkout?at="+now.Format(time.RFC3339)); f.Owner != "pay-team" {
		t.Errorf("an hour later: got %+v", f)
	}
}

func TestExplain(t *testing.T) {
	h := newHouse(t)
	h.want("editor", "POST", "/api/v1/apply", documents, http.StatusOK, "created")
	h.want("approver", "PATCH", "/v1/flags/shop.checkout/rollout", `{"percentage":50}`, http.StatusOK, "")
	const path = "/api/v1/flags/shop.checkout/explain?environment=production"
	x := decode[ExplanationView](h, "viewer", path+"&unit=u-1&attribute.ring=public&attribute.age=30")
	if x.Result.UnitID != "u-1" || len(x.Buckets) != 2 || x.Buckets[0].Bucket != flags.Bucket("shop.checkout:enrol:u-1") {
		t.Errorf("got %+v", x)
	}
	if look := x.Looks[0]; look.Name != "staff" || string(look.Condition.Is) != `"public"` {
		t.Errorf("got %+v", look)
	}
	// Text that looks like JSON is typed, other text is text, and the unit may
	// differ from the targeting key.
	x = decode[ExplanationView](h, "viewer", path+"&unit=u-1&targetingKey=t-1&attribute.ring=internal")
	if x.Result.UnitID != "u-1" || x.Result.Rule != "staff" {
		t.Errorf("got %+v", x)
	}
	for text, want := range map[string]any{"30": 30.0, "true": true, `"30"`: "30", `["a"]`: []any{"a"}, "1.2.3": "1.2.3", "": ""} {
		if diff := cmp.Diff(want, attributeValue(text)); diff != "" {
			t.Errorf("%q: %s", text, diff)
		}
	}
}

// TestExplain_answersAsThen: whatever was changed since, also of a flag that it
// needs, the past explains the answer that the evaluation gave then.
func TestExplain_answersAsThen(t *testing.T) {
	h, rng := newHouse(t), rand.New(rand.NewPCG(7, 7))
	needs := strings.Replace(switches("shop.needs", "shop", "operational"), "production: {enabled: true}",
		"production: {enabled: true, prerequisites: [{flag: shop.checkout, variant: on}]}", 1)
	h.want("editor", "POST", "/api/v1/apply", documents+"---\n"+needs, http.StatusOK, "created")
	given := map[uint64]string{}
	for i := range 40 {
		key, comment := []string{"shop.checkout", "shop.needs"}[rng.IntN(2)], fmt.Sprintf(`{"environment":"production","comment":"%d"}`, i)
		op := []string{"enable", "enable", "unforce", "unforce", "unforce", "force", "disable"}[rng.IntN(7)]
		if rng.IntN(3) > 0 {
			h.ask("approver", "PATCH", "/v1/flags/"+key+"/rollout", fmt.Sprintf(`{"percentage":%d,"environment":"production"}`, 40+rng.IntN(61)))
		} else {
			h.ask("approver", "POST", "/api/v1/flags/"+key+"/"+op, comment)
		}
		for unit := range 3 {
			answer := h.want("sdk", "POST", "/ofrep/v1/evaluate/flags/shop.needs", fmt.Sprintf(`{"context":{"targetingKey":"u-%d"}}`, unit), http.StatusOK, "")
			given[h.Projection.Seq()] += answer + "\n"
		}
	}
	steps := map[flags.Step]int{}
	for seq, answers := range given {
		answers := strings.Split(strings.TrimSpace(answers), "\n")
		for i, answer := range answers {
			var then struct{ Variant, Reason string }
			if err := json.Unmarshal([]byte(answer), &then); err != nil {
				t.Fatal(err)
			}
			query := url.Values{"environment": {"production"}, "unit": {fmt.Sprintf("u-%d", i%3)}, "at": {fmt.Sprint(seq)}}
			x := decode[ExplanationView](h, "viewer", "/api/v1/flags/shop.needs/explain?"+query.Encode())
			steps[x.Result.Step]++
			reason := x.Result.Reason
			if reason == flags.Disabled {
				reason = flags.Static // as OFREP has it beside a value
			}
			if x.Result.Variant != then.Variant || string(reason) != then.Reason {
				t.Errorf("at %d for unit %d: answered %s, explained %+v", seq, i%3, answer, x.Result)
			}
		}
	}
	if len(steps) < 4 {
		t.Errorf("the history was too plain to prove anything: %v", steps)
	}
}

func TestRamp(t *testing.T) {
	h := newHouse(t)
	h.want("editor", "POST", "/api/v1/apply", documents, http.StatusOK, "created")
	const path = "/v1/flags/shop.checkout/rollout"
	h.want("editor", "PATCH", path, `{"percentage":5}`, http.StatusForbidden, "may not do that")
	h.want("bound", "PATCH", path, `{"percentage":5,"environment":"production"}`, http.StatusForbidden, "bound to staging")
	h.want("approver", "PATCH", path, `{"percentage":12.345,"comment":"from a script"}`, http.StatusOK, `"variant":"on","percentage":12.345`)
	h.want("approver", "PATCH", path, `{"percentage":12.345}`, http.StatusOK, `"changed":false`)
	h.want("home", "PATCH", path, `{"percentage":100}`, http.StatusOK, `"percentage":100`)
	h.want("sdk", "POST", "/ofrep/v1/evaluate/flags/shop.checkout", `{"context":{"targetingKey":"u"}}`, http.StatusOK, `"value":true`)
	h.want("viewer", "GET", "/api/v1/flags/shop.checkout/history?limit=2", "", http.StatusOK, `"comment":"from a script"`)
	h.want("viewer", "GET", "/api/v1/flags/shop.checkout/history", "", http.StatusOK, `"actor":"person:approver"`)
	h.want("approver", "POST", "/api/v1/flags/shop.checkout/disable", `{"environment":"production","comment":"night"}`, http.StatusOK, "")
	h.want("approver", "PATCH", path, `{"percentage":50}`, http.StatusOK, "disabled in production")
	h.want("approver", "PATCH", path, `{"percentage":0}`, http.StatusOK, `"percentage":0`)
	for body, want := range map[string]string{
		`{"percentage":100.001}`:                   `percentage \"100.001\" is not between 0 and 100`,
		`{"percentage":-1}`:                        `percentage \"-1\" is not between 0 and 100`,
		`{"percentage":0.0005}`:                    "has more than three decimals",
		`{"percentage":5,"environment":"nowhere"}`: "is not an environment of the flag",
		`{"percentage":5,"variant":"maybe"}`:       `variant \"maybe\" is not a variant`,
		`{}`:                                       "percentage",
	} {
		h.want("approver", "PATCH", path, body, http.StatusBadRequest, want)
	}
	h.want("approver", "PATCH", "/v1/flags/none/rollout", `{"percentage":5}`, http.StatusNotFound, "/problems/not-found")
	h.want("editor", "POST", "/api/v1/apply", switches("two", "shop", "operational"), http.StatusOK, "")
	h.want("approver", "PATCH", "/v1/flags/two/rollout", `{"percentage":5}`, http.StatusBadRequest, "environment is missing")
}

// TestRamp_yieldsToAPlan: while a plan is open it says who gets what, and its
// way out is named. A unit of a ramp is no rollout's.
func TestRamp_yieldsToAPlan(t *testing.T) {
	h := newHouse(t)
	h.want("editor", "POST", "/api/v1/apply", documents+"---\n"+plan, http.StatusOK, "created")
	const path, rollout = "/v1/flags/shop.checkout/rollout", "/api/v1/rollouts/production/shop.checkout/1"
	h.want("approver", "PATCH", path, `{"percentage":100}`, http.StatusOK, `"changed":true`)
	revision := decode[flags.Recorded](h, "viewer", "/api/v1/flags/shop.checkout").Revision
	door := Door{Projection: h.Projection, Folds: h.Folds}
	if a, ok := door.Assigned("production", "shop.checkout", revision, "on"); ok {
		t.Errorf("an exposure of the ramp is counted for %+v", a)
	}
	h.want("approver", "POST", rollout+"/start", `{}`, http.StatusConflict, "sluice ramp shop.checkout 0 -e production")
	h.want("approver", "PATCH", path, `{"percentage":0}`, http.StatusOK, "")
	h.want("approver", "POST", rollout+"/start", `{}`, http.StatusOK, `"status":"running"`)
	h.want("approver", "PATCH", path, `{"percentage":5}`, http.StatusConflict, "sluice decide advance production/shop.checkout/1")
}

// TestSwitch_whatIsSo: what is already as somebody wants it is no change.
func TestSwitch_whatIsSo(t *testing.T) {
	h := newHouse(t)
	h.want("admin", "POST", "/api/v1/apply", documents, http.StatusOK, "created")
	for _, op := range []string{"enable", "unforce", "restore", "disable", "force", "archive"} {
		path, body := "/api/v1/flags/shop.checkout/"+op, `{"environment":"production","comment":"again"}`
		h.want("admin", "POST", path, body, http.StatusOK, "shop.checkout")
		before := h.Projection.Seq()
		h.want("admin", "POST", path, body, http.StatusOK, "shop.checkout")
		if after := h.Projection.Seq(); after != before {
			t.Errorf("%s for the second time is event %d", op, after)
		}
	}
}
