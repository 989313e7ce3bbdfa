package server

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/sluice-hq/sluice/event"
)

// plainFlag is a flag that is taken; each bad one differs from it in one word.
const plainFlag = `{"key":"shop.bad","purpose":"operational","owner":"shop-team","type":"number","variants":{"one":1,"two":2},"default":"one","safe":"one",
"environments":{"production":{"enabled":true,"prerequisites":[{"flag":"shop.base","variant":"on"}],"rules":[
{"name":"first","when":{"all":[{"attribute":"plan","op":"regex","value":"^pro"}]},"serve":"two"},
{"name":"second","split":[{"variant":"one","weight":60000},{"variant":"two","weight":40000}]}]}}}`

// badFlags are flags that must be refused when they are written, and the path
// of the field that each is refused for.
var badFlags = map[string]struct{ old, bad, path string }{
	"unknown operator":      {`"op":"regex"`, `"op":"resembles"`, "environments.production.rules[0].when.all[0].op"},
	"value of no operator":  {`"op":"regex","value":"^pro"`, `"op":"semver_gt","value":"new"`, "environments.production.rules[0].when.all[0].value"},
	"not RE2":               {`"^pro"`, `"^(?=pro)"`, "environments.production.rules[0].when.all[0].value"},
	"variant of wrong type": {`"two":2`, `"two":"2"`, "variants.two"},
	"missing variant":       {`"serve":"two"`, `"serve":"three"`, "environments.production.rules[0].serve"},
	"missing in a split":    {`"variant":"one","weight":60000`, `"variant":"three","weight":60000`, "environments.production.rules[1].split[0].variant"},
	"weights":               {`40000`, `50000`, "environments.production.rules[1].split"},
	"safe":                  {`"safe":"one"`, `"safe":"none"`, "safe"},
	"cycle":                 {`"flag":"shop.base","variant":"on"`, `"flag":"shop.bad","variant":"one"`, "environments.production.prerequisites[0].flag"},
	"key":                   {`"key":"shop.bad"`, `"key":"shop bad/1"`, "key"},
	"purpose":               {`"operational"`, `"fun"`, "purpose"},
	"cleanup":               {`"operational"`, `"release"`, "cleanup"},
	"type":                  {`"type":"number"`, `"type":"digits"`, "type"},
}

// TestBadFlags: what could not be evaluated is refused by every door that takes
// definitions, with the path of the field, and nothing of it is recorded.
func TestBadFlags(t *testing.T) {
	h := newHouse(t)
	const base = `{"key":"shop.base","purpose":"operational","owner":"shop-team","type":"boolean","variants":{"on":true,"off":false},"safe":"off","environments":{"production":{"enabled":true}}}`
	h.want("editor", "POST", "/api/v1/flags", base, http.StatusCreated, "")
	h.want("editor", "POST", "/api/v1/flags", strings.Replace(plainFlag, "shop.bad", "shop.good", 1), http.StatusCreated, "")
	before := h.events()
	for name, c := range badFlags {
		bad := strings.Replace(plainFlag, c.old, c.bad, 1)
		if bad == plainFlag {
			t.Fatalf("%s changes nothing", name)
		}
		key := "shop.bad"
		if name == "key" {
			key = "shop%20bad%2F1"
		}
		document := strings.Replace(bad, "{", `{"apiVersion":"sluice/v1","kind":"Flag",`, 1)
		h.refused(name, "POST", "/api/v1/apply", document, c.path)
		h.refused(name, "POST", "/api/v1/apply?dryRun=true", document, c.path)
		h.refused(name, "POST", "/api/v1/flags", bad, c.path)
		if name != "key" && name != "cycle" { // the path names the flag, which must be there
			other := strings.Replace(bad, key, "shop.good", 1)
			h.refused(name, "PATCH", "/api/v1/flags/shop.good", `{"changes":[{"op":"define","flag":`+other+`}]}`, c.path)
		}
	}
	if h.events() != before {
		t.Error("something was recorded")
	}
}

// TestBadFlags_cycleOfSeveral: the flag that would close a circle is refused.
func TestBadFlags_cycleOfSeveral(t *testing.T) {
	h := newHouse(t)
	h.want("admin", "POST", "/api/v1/apply", "apiVersion: sluice/v1\nkind: Policy\nkey: deep\nrank: 1\nflags: {maxPrerequisiteDepth: 5}\n", http.StatusOK, "created")
	flag := func(key, needs string) string {
		return `{"key":"` + key + `","purpose":"operational","owner":"a","type":"boolean","variants":{"on":true,"off":false},"safe":"off","environments":{"production":{"enabled":true` + needs + `}}}`
	}
	need := func(key string) string { return `,"prerequisites":[{"flag":"` + key + `","variant":"on"}]` }
	h.want("editor", "POST", "/api/v1/flags", flag("c", ""), http.StatusCreated, "")
	h.want("editor", "POST", "/api/v1/flags", flag("b", need("c")), http.StatusCreated, "")
	h.want("editor", "POST", "/api/v1/flags", flag("a", need("b")), http.StatusCreated, "")
	h.refused("a circle", "PATCH", "/api/v1/flags/c", `{"changes":[{"op":"define","flag":`+flag("c", need("a"))+`}]}`, "environments.production.prerequisites[0].flag")
	h.refused("a circle", "PATCH", "/api/v1/flags/c", `{"changes":[{"op":"add-prerequisite","environment":"production","prerequisite":{"flag":"a","variant":"on"}}]}`, "environments.production.prerequisites[0].flag")
}

// refused complains unless a request is refused for a field.
func (h *house) refused(name, method, path, body, field string) {
	h.t.Helper()
	code, answer, _ := h.ask("editor", method, path, body)
	var p struct {
		Type   string
		Errors []event.Invalid
	}
	if err := json.Unmarshal([]byte(answer), &p); err != nil {
		h.t.Errorf("%s: %s %s: got %d %s", name, method, path, code, answer)
		return
	}
	for _, f := range p.Errors {
		if f.Path == field && f.Why != "" && code == http.StatusBadRequest && p.Type == "/problems/invalid" {
			return
		}
	}
	h.t.Errorf("%s: %s %s: got %d %s\nwant a fault of %s", name, method, path, code, answer, field)
}

// TestBadContexts: 2 MiB of context are refused in the shape of each protocol
// that evaluates, and nothing is evaluated.
func TestBadContexts(t *testing.T) {
	h := shop(t)
	long := `{"context":{"targetingKey":"u","x":"` + strings.Repeat("y", 2<<20) + `"},"flagKey":"shop.checkout"}`
	for _, who := range []string{"sdk", "client"} {
		h.want(who, "POST", "/ofrep/v1/evaluate/flags/shop.checkout", long, http.StatusRequestEntityTooLarge,
			`{"key":"shop.checkout","errorCode":"PARSE_ERROR","errorDetails":"the context is larger than 262144 bytes`)
		h.want(who, "POST", "/ofrep/v1/evaluate/flags", long, http.StatusRequestEntityTooLarge, `"errorDetails":"the context is larger than 262144 bytes`)
		code, body, _ := h.ask(who, "POST", "/flagd.evaluation.v1.Service/ResolveBoolean", long, "Content-Type", "application/json")
		if code != http.StatusTooManyRequests || !strings.Contains(body, `"code":"resource_exhausted"`) {
			t.Errorf("Connect: got %d %s", code, body)
		}
	}
}
