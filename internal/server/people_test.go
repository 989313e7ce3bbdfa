package server

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/sluice-hq/sluice/internal/access"
)

const people = `apiVersion: sluice/v1
kind: Team
key: shop-team
description: Everything between cart and receipt
contact: "#shop"
---
apiVersion: sluice/v1
kind: Person
key: ana
name: Ana Lind
email: ana@example.com
teams: [shop-team]
`

// TestPeople: people and teams are declared by admins, and from then on nobody
// else owns anything.
func TestPeople(t *testing.T) {
	h := newHouse(t)
	foreign := strings.Replace(documents, "owner: shop-team", "owner: someone", 1)
	h.want("editor", "POST", "/api/v1/apply", foreign, http.StatusOK, "created")
	h.want("approver", "POST", "/api/v1/apply", people, http.StatusForbidden, "declared by admins")
	h.want("bound", "POST", "/api/v1/apply", people, http.StatusForbidden, "bound to staging")
	h.want("admin", "POST", "/api/v1/apply", people, http.StatusOK, `{"kind":"Person","key":"ana","change":"created"`)
	h.want("admin", "POST", "/api/v1/apply", people, http.StatusOK, `{"kind":"Team","key":"shop-team","change":"unchanged","revision"`)
	h.want("viewer", "GET", "/api/v1/people", "", http.StatusOK, `"name":"Ana Lind"`)
	h.want("viewer", "GET", "/api/v1/teams", "", http.StatusOK, `"members":["ana"]`)

	h.want("editor", "POST", "/api/v1/apply", foreign, http.StatusBadRequest, `owner \"someone\" is neither a declared person nor a declared team; declare it`)
	h.want("editor", "POST", "/api/v1/apply", documents, http.StatusOK, "changed")
	h.want("editor", "POST", "/api/v1/apply", strings.Replace(plan, "owners: [shop-team]", "owners: [shop-team, nobody]", 1),
		http.StatusBadRequest, `rollback.owners[1] \"nobody\" is neither`)
	h.want("editor", "POST", "/api/v1/apply", strings.Replace(plan, "owner: shop-team", "owner: ana", 1), http.StatusOK, "created")

	h.want("admin", "POST", "/api/v1/tokens", `{"class":"sla","role":"editor","name":"bo"}`, http.StatusBadRequest, "is not a person")
	var made struct{ Token string }
	answer := h.want("admin", "POST", "/api/v1/tokens", `{"class":"sla","role":"editor","name":"ana"}`, http.StatusOK, "sla_")
	if err := json.Unmarshal([]byte(answer), &made); err != nil {
		t.Fatal(err)
	}
	h.tokens["ana"] = made.Token
	h.want("ana", "GET", "/api/v1/people", "", http.StatusOK, "ana")
	h.want("admin", "DELETE", "/api/v1/people/ana", "", http.StatusNoContent, "")
	h.want("ana", "GET", "/api/v1/people", "", http.StatusUnauthorized, "")
	h.want("admin", "DELETE", "/api/v1/people/ana", "", http.StatusNotFound, "none of that name")
	h.want("admin", "DELETE", "/api/v1/teams/shop-team", "", http.StatusNoContent, "")
	h.want("editor", "POST", "/api/v1/apply", foreign, http.StatusOK, "") // nobody is declared any more
}

// TestPeople_namedByTheirTeam: whichever of both names the other, one apply
// declares them, and a team has no members that are gone.
func TestPeople_namedByTheirTeam(t *testing.T) {
	h := newHouse(t)
	const team = "apiVersion: sluice/v1\nkind: Team\nkey: web\nmembers: [bo, cy]\n---\n"
	const both = "apiVersion: sluice/v1\nkind: Person\nkey: bo\nname: Bo\n---\napiVersion: sluice/v1\nkind: Person\nkey: cy\nname: Cy\n"
	h.want("admin", "POST", "/api/v1/apply", team+both, http.StatusOK, `"kind":"Team","key":"web","change":"created"`)
	h.want("viewer", "GET", "/api/v1/teams", "", http.StatusOK, `"members":["bo","cy"]`)
	h.want("admin", "DELETE", "/api/v1/people/bo", "", http.StatusNoContent, "")
	h.want("viewer", "GET", "/api/v1/teams", "", http.StatusOK, `"members":["cy"]`)
}

// TestOwners_throughEveryDoor: whoever creates or changes a flag names an owner
// that is declared, by whichever door.
func TestOwners_throughEveryDoor(t *testing.T) {
	h := shop(t)
	h.want("admin", "POST", "/api/v1/apply", people, http.StatusOK, "created")
	const flag = `{"key":"shop.checkout","purpose":"operational","owner":"nobody","type":"boolean","variants":{"on":true,"off":false},"safe":"off"}`
	const is = `"value":"nobody","why":"is neither a declared person nor a declared team"`
	h.want("editor", "POST", "/api/v1/flags", strings.Replace(flag, "checkout", "next", 1), http.StatusBadRequest, `"path":"owner",`+is)
	for path, at := range map[string]string{"": "", "/requests": "", "/schedules": `"at":"2027-01-01T00:00:00Z",`} {
		method := "POST"
		if path == "" {
			method = "PATCH"
		}
		h.want("editor", method, checkout+path, `{`+at+`"changes":[{"op":"set-owner","owner":"nobody"}]}`, http.StatusBadRequest, `"path":"changes[0].owner",`+is)
		h.want("editor", method, checkout+path, `{`+at+`"changes":[{"op":"define","flag":`+flag+`}]}`, http.StatusBadRequest, `"path":"changes[0].flag.owner",`+is)
	}
	h.want("editor", "PATCH", checkout, `{"changes":[{"op":"set-owner","owner":"ana"}]}`, http.StatusOK, `"owner":"ana"`)
}

// TestKeys: a token that is bound to keys changes and sees what has them, and
// nothing else.
func TestKeys(t *testing.T) {
	h := newHouse(t)
	h.issueKeys()
	other := strings.NewReplacer("shop.checkout", "search.box", "key: purchases", "key: search.found").Replace(documents)
	h.want("shop", "POST", "/api/v1/apply", documents, http.StatusForbidden, "bound to admin on shop.")
	h.want("editor", "POST", "/api/v1/apply", documents, http.StatusOK, "created")
	h.want("shop", "POST", "/api/v1/apply", other, http.StatusForbidden, "bound to admin on shop.")
	h.want("keys", "POST", "/api/v1/apply", other, http.StatusOK, `"key":"search.box","change":"created"`)
	h.want("shop", "POST", "/api/v1/apply", plan, http.StatusOK, "created")
	h.want("keys", "POST", "/api/v1/apply?start=true", plan, http.StatusForbidden, "bound to")

	const force = `{"environment":"production","comment":"x"}`
	h.want("shop", "POST", "/api/v1/flags/shop.checkout/force", force, http.StatusOK, "forced")
	h.want("keys", "POST", "/api/v1/flags/shop.checkout/force", force, http.StatusForbidden, "bound to admin on search.")
	for path, mine := range map[string]string{"/api/v1/flags": "shop.checkout", "/api/v1/rollouts": "production/shop.checkout/1"} {
		h.want("shop", "GET", path, "", http.StatusOK, mine)
		if list := h.want("keys", "GET", path, "", http.StatusOK, ""); strings.Contains(list, mine) {
			t.Errorf("%s shows another's %s", path, mine)
		}
	}
	h.want("keys", "GET", "/api/v1/metrics", "", http.StatusOK, `"metrics":[{"metric":{"key":"search.found"`)
	h.want("keys", "GET", "/api/v1/flags/shop.checkout", "", http.StatusForbidden, "bound to")
	h.want("keys", "GET", "/api/v1/decisions?rollout=production/shop.checkout/1", "", http.StatusForbidden, "bound to")
}

// TestTokens_ofOnePrincipal: several live at once, are listed by page, rotated
// and told apart by when they were used.
func TestTokens_ofOnePrincipal(t *testing.T) {
	h := newHouseWith(t, func(h *House) { h.Used = &access.Used{} })
	type made struct{ ID, Token string }
	issue := func(path, body string) made {
		t.Helper()
		var m made
		if err := json.Unmarshal([]byte(h.want("admin", "POST", path, body, http.StatusOK, "")), &m); err != nil {
			t.Fatal(err)
		}
		return m
	}
	const ci = `{"class":"sla","kind":"service","name":"ci","grants":[{"role":"editor","environments":["staging"],"keys":["shop."]},{"role":"viewer"}]}`
	first, second := issue("/api/v1/tokens", ci), issue("/api/v1/tokens", ci)
	h.tokens["first"], h.tokens["second"] = first.Token, second.Token
	h.want("first", "GET", "/api/v1/flags", "", http.StatusOK, "")
	const used = `"lastUsed":"2026-11-01T09:00:00Z"`
	list := h.want("admin", "GET", "/api/v1/tokens?principal=service:ci", "", http.StatusOK, `"grants":[{"role":"editor","environments":["staging"],"keys":["shop."]}`)
	if strings.Count(list, used) != 1 || !strings.Contains(list, `"issued":"2026-11-01T09:00:00Z"`) {
		t.Errorf("one of two tokens was used, and both were issued: %s", list)
	}

	third := issue("/api/v1/tokens/"+first.ID+"/rotate", `{"overlap":"1h"}`)
	h.tokens["third"] = third.Token
	h.want("first", "GET", "/api/v1/flags", "", http.StatusOK, "")
	h.want("third", "GET", "/api/v1/flags", "", http.StatusOK, "")
	fourth := issue("/api/v1/tokens/"+second.ID+"/rotate", `{}`)
	h.want("second", "GET", "/api/v1/flags", "", http.StatusUnauthorized, "")
	h.want("admin", "POST", "/api/v1/tokens/"+second.ID+"/rotate", `{}`, http.StatusNotFound, "")
	h.want("admin", "POST", "/api/v1/tokens/"+fourth.ID+"/rotate", `{"overlap":"800h"}`, http.StatusBadRequest, "30 days")

	var ids []string
	for cursor := ""; ; {
		var page struct {
			Tokens []struct{ ID string }
			Next   string
		}
		answer := h.want("admin", "GET", "/api/v1/tokens?principal=service:ci&limit=3&cursor="+cursor, "", http.StatusOK, "")
		if err := json.Unmarshal([]byte(answer), &page); err != nil {
			t.Fatal(err)
		}
		for _, token := range page.Tokens {
			ids = append(ids, token.ID)
		}
		if cursor = page.Next; cursor == "" {
			break
		}
	}
	if len(ids) != 4 || !(ids[0] < ids[1] && ids[1] < ids[2] && ids[2] < ids[3]) {
		t.Errorf("the pages hold %v; want four tokens by id", ids)
	}
}

func TestTokens_refuses(t *testing.T) {
	h := newHouse(t)
	for body, want := range map[string]string{
		`{"class":"sla","name":"a","grants":[{"role":"editor","environments":["nowhere"]}]}`: "grants[0].environments[0]",
		`{"class":"slc","name":"a","environment":"production","origins":["*"]}`:              "origins[0]",
		`{"class":"sls","name":"a","environment":"production","origins":["https://a.b"]}`:    "origins fit client tokens alone",
		`{"class":"sla","name":"a","role":"editor","kind":"robot"}`:                          "kind",
	} {
		h.want("admin", "POST", "/api/v1/tokens", body, http.StatusBadRequest, want)
	}
	h.want("admin", "GET", "/api/v1/tokens?limit=0", "", http.StatusBadRequest, "limit")
}
