package server

import (
	"encoding/json"
	"flag"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
)

var update = flag.Bool("update", false, "rewrite the committed API document")

// TestOpenAPI_isTheCommittedDocument makes every change of the API show up in
// a review.
func TestOpenAPI_isTheCommittedDocument(t *testing.T) {
	got, err := OpenAPI("v1")
	if err != nil {
		t.Fatal(err)
	}
	const file = "../../docs/openapi.yaml"
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Errorf("the API is not what %s says; look at the difference and run: go test ./internal/server -update", file)
	}
}

func TestPaths_thatAreNotInTheTable(t *testing.T) {
	h := newHouse(t)
	h.want("admin", "GET", "/nowhere", "", http.StatusNotFound, "/problems/not-found")
	h.want("admin", "DELETE", "/v1/events", "", http.StatusMethodNotAllowed, "/problems/method-not-allowed")
	code, _, _ := h.ask("", "GET", "/healthz/../api/v1/flags", "")
	if code == http.StatusOK {
		t.Error("a path with .. got past the guard")
	}
	h.want("", "GET", "/openapi.yaml", "", http.StatusUnauthorized, "")
	h.want("viewer", "GET", "/openapi.yaml", "", http.StatusOK, "openapi: 3.1")
}

func TestApply(t *testing.T) {
	h := newHouse(t)
	h.want("editor", "POST", "/api/v1/apply", documents, http.StatusOK, `"kind":"Flag","key":"shop.checkout","change":"created"`)
	h.want("editor", "POST", "/api/v1/apply", documents, http.StatusOK, `"kind":"Metric","key":"purchases","change":"unchanged"`)
	h.want("editor", "POST", "/api/v1/apply", strings.Replace(documents, "window: 1h", "window: 2h", 1), http.StatusOK,
		`"key":"purchases","change":"changed"`)
	h.want("viewer", "GET", "/api/v1/flags/shop.checkout", "", http.StatusOK, `"actor":"person:editor"`)
	h.want("viewer", "GET", "/api/v1/flags/other", "", http.StatusNotFound, "/problems/not-found")
}

func TestApply_refuses(t *testing.T) {
	h := newHouse(t)
	for name, c := range map[string]struct{ source, want string }{
		"nothing":               {"", "body is required"},
		"malformed":             {"a: [", "[1:"},
		"unknown kind":          {"apiVersion: sluice/v1\nkind: Flog\nkey: a\n", `kind \"Flog\" is not a kind of document`},
		"unknown field":         {strings.Replace(documents, "owner:", "ownr:", 1), `unknown field \"ownr\"`},
		"unknown operator":      {strings.Replace(documents, "op: eq", "op: equals", 1), "environments.production.rules[0].when"},
		"missing variant":       {strings.Replace(documents, "serve: on", "serve: maybe", 1), "environments.production.rules[0].serve"},
		"variant of wrong type": {strings.Replace(documents, "on: true", "on: 3", 1), "variants.on"},
		"bad window":            {strings.Replace(documents, "window: 1h", "window: soon", 1), "is not a length of time"},
	} {
		t.Run(name, func(t *testing.T) {
			h.t = t
			h.want("editor", "POST", "/api/v1/apply", c.source, http.StatusBadRequest, c.want)
		})
	}
	h.want("editor", "POST", "/api/v1/apply", strings.Repeat("# long\n", 1<<19), http.StatusRequestEntityTooLarge, "")
}

func TestApply_saysWhatWasDoneBeforeARefusal(t *testing.T) {
	h := newHouse(t)
	h.want("editor", "POST", "/api/v1/apply", strings.Replace(documents, "safe: off", "safe: none", 1), http.StatusBadRequest,
		"Metric purchases before it was created")
}

func TestOFREP(t *testing.T) {
	h := newHouse(t)
	h.want("editor", "POST", "/api/v1/apply", documents, http.StatusOK, "")
	const one, all = "/ofrep/v1/evaluate/flags/shop.checkout", "/ofrep/v1/evaluate/flags"
	h.want("sdk", "POST", one, `{"context":{"targetingKey":"u","ring":"internal"}}`, 200, `"value":true,"reason":"TARGETING_MATCH","variant":"on"`)
	h.want("sdk", "POST", one, `{"context":{"targetingKey":"u"}}`, 200, `"value":false`)
	h.want("client", "POST", one, "", 200, `"value":false`)
	h.want("sdk", "POST", "/ofrep/v1/evaluate/flags/none", `{"context":{}}`, 404, `"errorCode":"FLAG_NOT_FOUND"`)
	h.want("sdk", "POST", one, `{"context":[]}`, 400, `"errorCode":"INVALID_CONTEXT"`)
	h.want("sdk", "POST", one, `{"context"`, 400, `"errorCode":"PARSE_ERROR"`)
	h.want("sdk", "POST", one, `{"context":{"x":"`+strings.Repeat("y", maxContext)+`"}}`, 413, `"errorCode":"PARSE_ERROR"`)
	h.want("foreign", "POST", one, `{}`, 200, `"disabled":true`)
	h.want("sdk", "POST", one+"?environment=staging", `{}`, 403, "")
	h.want("editor", "POST", one, `{}`, 400, "environment")
	h.want("editor", "POST", one+"?environment=nowhere", `{}`, 400, "is not an environment")
	h.want("sdk", "POST", all+"/", `{}`, 200, `{"flags":[{"key":"shop.checkout"`)
}

// TestOFREP_bulkTagDependsOnTheAnswer guards against a tag over the flags
// alone, which answers 304 to another context.
func TestOFREP_bulkTagDependsOnTheAnswer(t *testing.T) {
	h := newHouse(t)
	h.want("editor", "POST", "/api/v1/apply", documents, http.StatusOK, "")
	const all = "/ofrep/v1/evaluate/flags"
	_, _, header := h.ask("sdk", "POST", all, `{"context":{"targetingKey":"u"}}`)
	tag := header.Get("ETag")
	if tag == "" {
		t.Fatal("there is no entity tag")
	}
	if code, body, _ := h.ask("sdk", "POST", all, `{"context":{"targetingKey":"u"}}`, "If-None-Match", `"x", W/`+tag); code != 304 || body != "" {
		t.Errorf("the same context: got %d %s, want 304", code, body)
	}
	if code, _, _ := h.ask("sdk", "POST", all, `{"context":{"targetingKey":"u","ring":"internal"}}`, "If-None-Match", tag); code != 200 {
		t.Errorf("another context: got %d, want 200", code)
	}
	h.want("editor", "POST", "/api/v1/apply", strings.Replace(documents, "default: off", "default: on", 1), 200, "changed")
	if code, _, _ := h.ask("sdk", "POST", all, `{"context":{"targetingKey":"u"}}`, "If-None-Match", tag); code != 200 {
		t.Errorf("another flag: got %d, want 200", code)
	}
}

func TestEvents(t *testing.T) {
	h := newHouse(t)
	h.want("editor", "POST", "/api/v1/apply", documents, http.StatusOK, "")
	const good = `{"kind":"metric","id":"01a19656-4a80-7000-8000-000000000001","name":"purchase","units":{"user":"u"}}`
	h.want("sdk", "POST", "/v1/events", "["+good+"]", 202, `"accepted":1`)
	h.want("sdk", "POST", "/v1/events", good+"\n"+strings.Replace(good, `"metric"`, `"wish"`, 1), 202, `"rejected":[{"index":1`)
	h.want("sdk", "POST", "/v1/events", "["+strings.Replace(good, "purchase", "sale", 1)+"]", 202, `"undeclared":["sale"]`)
	for name, c := range map[string]struct {
		body string
		code int
		want string
	}{
		"nothing":       {"", 400, "holds no event"},
		"not JSON":      {"hello", 400, "/problems/invalid"},
		"nothing good":  {`[{"kind":"wish"}]`, 400, "kind"},
		"unknown flag":  {`[{"kind":"exposure","id":"01a19656-4a80-7000-8000-000000000002","flag":"none","variant":"on","unit":{"kind":"user","id":"u"}}]`, 400, "none"},
		"clock far off": {strings.Replace("["+good+"]", "01a19656", "02a19656", 1), 400, "time_window"},
		"wrong type":    {strings.Replace("["+good+"]", `"units":{"user":"u"}`, `"units":"u"`, 1), 400, "units"},
		"too many":      {strings.Repeat(good+"\n", 1001), 413, ""},
		"too long":      {`[{"kind":"` + strings.Repeat("x", 1<<20) + `"}]`, 413, ""},
	} {
		t.Run(name, func(t *testing.T) {
			h.t = t
			h.want("sdk", "POST", "/v1/events", c.body, c.code, c.want)
		})
	}
	const readings = `{"kind":"reading","id":"01a19656-4a80-7000-8000-000000000003","name":"queue_depth","value":1}` + "\n" +
		`{"kind":"deployment","id":"01a19656-4a80-7000-8000-000000000004","service":"shop","version":"2"}`
	h.want("client", "POST", "/v1/events", readings+"\n"+good, 202, `"reason":"not_allowed"`)
	h.want("client", "POST", "/v1/events", readings, 400, "anybody can read in a page or an app")
	h.want("sdk", "POST", "/v1/events", readings, 202, `"accepted":2`)
	if code, body, _ := h.ask("sdk", "POST", "/v1/events", "[]", "Content-Type", "text/csv"); code != 415 {
		t.Errorf("a foreign media type: got %d %s", code, body)
	}
	last, err := h.facts.Last(t.Context())
	if err != nil || last != 5 {
		t.Errorf("the stream has %d messages (%v); only the five accepted requests may be there", last, err)
	}
}

func TestTokens(t *testing.T) {
	h := newHouse(t)
	answer := h.want("admin", "POST", "/api/v1/tokens", `{"class":"sls","name":"shop","environment":"production"}`, 200, `"token":"sls_`)
	var made struct{ ID, Token string }
	if err := json.Unmarshal([]byte(answer), &made); err != nil {
		t.Fatal(err)
	}
	h.tokens["new"] = made.Token
	h.want("new", "POST", "/ofrep/v1/evaluate/flags", `{}`, 200, "flags")
	if list := h.want("admin", "GET", "/api/v1/tokens", "", 200, made.ID); strings.Contains(list, made.Token) || strings.Contains(list, "hash") {
		t.Errorf("the list of tokens shows a token, or its hash: %s", list)
	}
	h.want("admin", "DELETE", "/api/v1/tokens/"+made.ID, "", 204, "")
	h.want("new", "POST", "/ofrep/v1/evaluate/flags", `{}`, 401, "")
	h.want("admin", "DELETE", "/api/v1/tokens/"+made.ID, "", 404, "")
	h.want("admin", "POST", "/api/v1/tokens", `{"class":"sls","name":"shop"}`, 400, "environment is missing")
}

func TestVerify(t *testing.T) {
	h := newHouse(t)
	h.want("editor", "POST", "/api/v1/apply", documents, http.StatusOK, "")
	h.want("viewer", "GET", "/api/v1/verify", "", 200, `"whole":true`)

	running, err := h.Projection.Mark()
	if err != nil {
		t.Fatal(err)
	}
	running.State = event.Sum([]byte("another state"))
	v, err := Verify(t.Context(), h.Log, h.Blobs, running)
	if err != nil || v.Whole || !strings.Contains(v.Replay, "the running state has state") {
		t.Errorf("a state that differs: got %+v, %v", v, err)
	}
}

func TestAudit_isALogThatCanBeChecked(t *testing.T) {
	h := newHouse(t)
	h.want("editor", "POST", "/api/v1/apply", documents, http.StatusOK, "")
	lines := strings.Split(h.want("admin", "GET", "/api/v1/audit", "", 200, `"type":"flag.changed"`), "\n")
	check := func(lines []string) error {
		var chain event.Chain
		for _, l := range lines {
			var r event.Recorded
			if err := json.Unmarshal([]byte(l), &r); err != nil {
				return err
			}
			if err := chain.Next(r); err != nil {
				return err
			}
		}
		return nil
	}
	if err := check(lines); err != nil {
		t.Errorf("the copy does not hold: %v", err)
	}
	last := len(lines) - 1
	lines[last] = strings.Replace(lines[last], "shop-team", "shop-tean", 1)
	if err := check(lines); err == nil || !strings.Contains(err.Error(), "is not what was written") {
		t.Errorf("a changed byte: got %v", err)
	}
	h.want("admin", "GET", "/api/v1/audit?after=x", "", 400, "after")
}

func TestPages(t *testing.T) {
	h := newHouse(t)
	code, _, header := h.ask("", "GET", "/", "", "Accept", "text/html")
	if code != 303 || header.Get("Location") != "/sign-in?next=%2F" {
		t.Errorf("without a token: got %d to %q, want 303 to the sign-in that leads back", code, header.Get("Location"))
	}
	h.want("", "GET", "/sign-in", "", 200, "<form")
	h.want("viewer", "GET", "/", "", 200, "sluice apply")
	h.want("viewer", "GET", "/rollouts/production/none/1", "", 404, "<html")
	h.want("viewer", "GET", "/decisions/none", "", 404, "<html")
	form := func(body string) (int, http.Header) {
		code, _, header := h.ask("", "POST", "/sign-in", body, "Content-Type", "application/x-www-form-urlencoded")
		return code, header
	}
	if code, header := form("token=" + h.tokens["sdk"]); code != 403 || header.Get("Set-Cookie") != "" {
		t.Errorf("an SDK token signs in: %d %v", code, header)
	}
	code, header = form("token=" + h.tokens["viewer"] + "&next=//evil.example")
	got := header.Get("Set-Cookie")
	if code != 303 || header.Get("Location") != "/" || !strings.Contains(got, "HttpOnly") || !strings.Contains(got, "SameSite=Lax") {
		t.Errorf("signing in: got %d to %q with cookie %q", code, header.Get("Location"), got)
	}
	code, body, header := h.ask("", "GET", "/", "", "Cookie", strings.Split(got, ";")[0])
	if code != 200 || !strings.Contains(header.Get("Content-Security-Policy"), "default-src 'self'") {
		t.Errorf("with the cookie: got %d %.80s", code, body)
	}
	for _, headers := range [][]string{{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Origin", "https://evil.example"}} {
		headers = append(headers, "Cookie", strings.Split(got, ";")[0])
		if code, body, _ := h.ask("", "POST", "/sign-out", "", headers...); code != 403 || !strings.Contains(body, "/problems/forbidden") {
			t.Errorf("a form of another site (%v): got %d %s, want 403", headers, code, body)
		}
	}
}

// TestLocal: after signing in a browser stays here, however the way back is
// dressed up.
func TestLocal(t *testing.T) {
	for next, want := range map[string]string{
		"": "/", "/rollouts/production/a.b/1": "/rollouts/production/a.b/1", "/?q=a%20b#x": "/?q=a%20b#x",
		"//evil.example": "/", "/\\evil.example": "/", "/\t/evil.example": "/", "/\n/evil.example": "/", "https://evil.example": "/",
		"https:/evil.example": "/", "javascript:alert(1)": "/", "evil.example": "/", "/\x00": "/", " //evil.example": "/",
	} {
		if got := local(next); got != want {
			t.Errorf("local(%q) = %q, want %q", next, got, want)
		}
	}
}

// TestPages_thatDoNotExist: a person gets a page, a program a problem, and
// whoever is not known learns nothing of what there is.
func TestPages_thatDoNotExist(t *testing.T) {
	h := newHouse(t)
	code, body, header := h.ask("viewer", "GET", "/no/such/page", "", "Accept", "text/html")
	if code != 404 || !strings.Contains(body, "<html") || header.Get("Content-Security-Policy") == "" {
		t.Errorf("as viewer: got %d %.60s", code, body)
	}
	if code, _, header := h.ask("", "GET", "/no/such/page", "", "Accept", "text/html"); code != 303 || !strings.HasPrefix(header.Get("Location"), "/sign-in") {
		t.Errorf("as nobody: got %d to %q, want the way to sign in", code, header.Get("Location"))
	}
	h.want("", "GET", "/no/such/page", "", 401, "/problems/unauthorized")
	h.want("", "PUT", "/api/v1/tokens", "", 401, "/problems/unauthorized")
	if code, body, _ := h.ask("sdk", "GET", "/", "", "Accept", "text/html"); code != 403 || !strings.Contains(body, "<html") {
		t.Errorf("a token that may not read: got %d %.60s, want a page", code, body)
	}
}

func TestCalculate(t *testing.T) {
	h := newHouse(t)
	h.want("viewer", "POST", "/api/v1/stats/compare",
		`{"control":{"type":"proportion","n":44700,"sum":8502},"treatment":{"type":"proportion","n":45489,"sum":8279}}`, 200, `"estimate"`)
	h.want("viewer", "POST", "/api/v1/stats/compare", `{`, 400, `"error"`)
	h.want("viewer", "POST", "/api/v1/stats/divine", `{}`, 404, "/problems/not-found")
}

func TestSwitch(t *testing.T) {
	h := newHouse(t)
	h.want("editor", "POST", "/api/v1/apply", documents, http.StatusOK, "")
	const flag = "/api/v1/flags/shop.checkout/"
	const body = `{"environment":"production","comment":"support is flooded"}`
	h.want("editor", "POST", flag+"force", body, 403, "")
	h.want("approver", "POST", flag+"force", `{"environment":"production"}`, 400, "comment")
	h.want("approver", "POST", flag+"explode", body, 400, "")
	h.want("approver", "POST", "/api/v1/flags/none/force", body, 404, "")
	h.want("approver", "POST", flag+"force", strings.Replace(body, "production", "nowhere", 1), 400, "nowhere")
	h.want("approver", "POST", flag+"force", body, 200, `"forced":{"reason":"support is flooded"`)
	h.want("sdk", "POST", "/ofrep/v1/evaluate/flags/shop.checkout", `{"context":{"ring":"internal"}}`, 200, `"value":false,"reason":"STATIC"`)
	h.want("approver", "POST", flag+"unforce", body, 200, `"shop.checkout"`)
	h.want("sdk", "POST", "/ofrep/v1/evaluate/flags/shop.checkout", `{"context":{"ring":"internal"}}`, 200, `"value":true`)
}

// TestSwitch_endsARollback guards against a flag that stays forced for ever,
// and against one that is let go before anybody has said why, or with an
// allocation that nobody watches.
func TestSwitch_endsARollback(t *testing.T) {
	h := newHouse(t)
	h.want("editor", "POST", "/api/v1/apply", documents+rolloutOfAll, 200, `"kind":"Rollout"`)
	controller := decisions.Controller{
		Log: h.Log, Blobs: h.Blobs, House: h.Projection, Flags: h.Flags, State: h.Rollouts, Facts: &decisions.MemFacts{},
	}
	const rollout, flag = "/api/v1/rollouts/production/shop.checkout/1/", "/api/v1/flags/shop.checkout"
	const why = `{"environment":"production","comment":"it was slow"}`
	step := func() {
		t.Helper()
		if err := controller.Step(t.Context(), start); err != nil {
			t.Fatal(err)
		}
	}
	h.want("approver", "POST", rollout+"start", `{}`, 200, `"running"`)
	step()
	h.want("viewer", "GET", flag, "", 200, `"allocation"`)
	h.want("approver", "POST", rollout+"rollback", `{"comment":"it was slow"}`, 200, `"rollback"`)
	step()
	h.want("viewer", "GET", flag, "", 200, `"forced"`)
	h.want("approver", "POST", flag+"/unforce", why, 409, "sluice decide explain production/shop.checkout/1")
	h.want("approver", "POST", rollout+"explain", `{"comment":"it was slow"}`, 200, "")
	got := h.want("approver", "POST", flag+"/unforce", why, 200, "shop.checkout")
	if strings.Contains(got, `"forced"`) || strings.Contains(got, `"allocation":{`) {
		t.Errorf("after the end of the rollback: %s", got)
	}
}

// Everything about going back has a door: reducing, rolling back, saying why,
// rolling forward and drilling; what cannot be is refused with what to do.
func TestRollback_doors(t *testing.T) {
	h := newHouse(t)
	h.want("editor", "POST", "/api/v1/apply", documents+rolloutOfAll, 200, `"kind":"Rollout"`)
	controller := decisions.Controller{
		Log: h.Log, Blobs: h.Blobs, House: h.Projection, Flags: h.Flags, State: h.Rollouts, Facts: &decisions.MemFacts{}, Witness: &decisions.MemWitness{},
	}
	const rollout = "/api/v1/rollouts/production/shop.checkout/1"
	do := func(op, body string, status int, want string) {
		t.Helper()
		h.want("approver", "POST", rollout+"/"+op, body, status, want)
		if err := controller.Step(t.Context(), start); err != nil {
			t.Fatal(err)
		}
	}
	do("start", `{}`, 200, `"command":"sluice rollback production/shop.checkout/1 -m WHY"`)
	do("reduce", `{"comment":"busy"}`, 400, `"path":"to"`)
	do("reduce", `{"comment":"busy","to":"moon"}`, 400, "is not a stage of the plan")
	do("reduce", `{"to":"2%"}`, 400, "comment")
	do("reduce", `{"comment":"busy","to":"2%"}`, 200, `"share":"2%"`)
	do("drill", `{}`, 200, `"flag":"shop.checkout.drill-1-1"`)
	do("rollback", `{"comment":"slow"}`, 200, `"action":"rollback"`)
	do("forward", `{"comment":"fast"}`, 409, "nobody has explained why")
	do("explain", `{"comment":"a cable"}`, 200, `"explanation":"a cable"`)
	do("forward", `{"comment":"plugged in"}`, 200, "")
	h.want("viewer", "GET", "/api/v1/flags/shop.checkout", "", 200, `"allocation":{`)
	if got := h.want("viewer", "GET", rollout, "", 200, `"drills":[{`); !strings.Contains(got, `"timeToSafe":`) && !strings.Contains(got, `"defined":`) {
		t.Errorf("the drill is not told: %s", got)
	}
	h.want("editor", "POST", rollout+"/reduce", `{"comment":"busy","to":"1%"}`, 403, "")
}

// An audience that a rollout served does not come back with the end of its
// rollback: nobody watches it any more.
func TestUnforceEndsAudiences(t *testing.T) {
	h := shop(t)
	err := h.House.record(t.Context(), func() (event.Event, event.Expect, error) {
		return h.Flags.Handle(flags.Command{
			ID: event.New(), Key: "shop.checkout", Expect: event.Any, At: start, Actor: "controller", Cause: "a decision", Changes: []flags.Change{
				{Op: flags.Serve, Environment: "production", Rule: &flags.Rule{Name: "rollout-1.staff", Serve: "on"}},
				{Op: flags.Force, Environment: "production", Reason: "it was slow"},
			},
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	got := h.want("approver", "POST", checkout+"/unforce", `{"environment":"production","comment":"it is fast"}`, 200, "shop.checkout")
	if strings.Contains(got, `"forced"`) || strings.Contains(got, "rollout-1.staff") {
		t.Errorf("got %s", got)
	}
}

// TestVerify_sealOfTheSamePlace guards against a seal that hides what the
// running state says of the place it seals.
func TestVerify_sealOfTheSamePlace(t *testing.T) {
	h := newHouse(t)
	running, err := h.Projection.Mark()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Log.Append(t.Context(), event.Sealed(running, start), 0); err != nil {
		t.Fatal(err)
	}
	if v, err := Verify(t.Context(), h.Log, h.Blobs, running); err != nil || !v.Whole {
		t.Fatalf("got %+v, %v", v, err)
	}
	running.State = event.Sum([]byte("another state"))
	if v, err := Verify(t.Context(), h.Log, h.Blobs, running); err != nil || v.Whole {
		t.Errorf("a running state that differs at a sealed place: got %+v, %v", v, err)
	}
}
