package server

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/sluice-hq/sluice/flags"
	"github.com/sluice-hq/sluice/internal/access"
)

// wholeFlag are changes of the whole flag. That one names an environment makes it no
// smaller.
var wholeFlag = map[string]string{
	"define":          `"flag":{"key":"shop.checkout","purpose":"operational","owner":"thief","type":"boolean","variants":{"on":true,"off":false},"default":"on","safe":"on","environments":{"production":{"enabled":true}}}`,
	"archive":         `"reason":"x"`,
	"restore":         `"reason":"x"`,
	"set-description": `"description":"x"`,
	"set-owner":       `"owner":"thief"`,
	"set-purpose":     `"purpose":"permission"`,
	"set-unit":        `"unit":"workspace"`,
	"set-default":     `"variant":"on"`,
	"set-safe":        `"variant":"on"`,
	"set-dates":       `"dates":{"on":"2027-01-01"}`,
	"set-cleanup":     `"cleanup":{"due":"30d","endState":"keep"}`,
	"add-tag":         `"tag":"x"`,
	"remove-tag":      `"tag":"x"`,
	"add-variant":     `"variant":"slow","value":true`,
	"change-variant":  `"variant":"off","value":true`,
	"remove-variant":  `"variant":"on"`,
}

// TestChanges_ofTheWholeFlag: a token that is bound to staging changes nothing
// that production answers by, whatever environment its change names, through
// none of the doors that take changes.
func TestChanges_ofTheWholeFlag(t *testing.T) {
	h := shop(t)
	for _, op := range flags.Ops() {
		_, listed := wholeFlag[op]
		if reaches := (flags.Change{Op: flags.Op(op), Environment: "staging"}).Reaches(); listed != (reaches == "") {
			t.Errorf("%s reaches %q; in wholeFlag: %t", op, reaches, listed)
		}
	}
	before := h.events()
	for op, rest := range wholeFlag {
		change := fmt.Sprintf(`{"changes":[{"op":%q,"environment":"staging",%s}],"comment":"x","at":"2027-01-01T00:00:00Z"}`, op, rest)
		patch := strings.Replace(change, `,"at":"2027-01-01T00:00:00Z"`, "", 1)
		h.want("bound", "PATCH", checkout, patch, http.StatusForbidden, "bound to staging")
		h.want("bound", "POST", checkout+"/requests", patch, http.StatusForbidden, "bound to staging")
		h.want("bound", "POST", checkout+"/schedules", change, http.StatusForbidden, "bound to staging")
		// Whoever may change it is told that it is no change of staging alone.
		h.want("admin", "PATCH", checkout, patch, http.StatusBadRequest, `"path":"changes[0].environment","value":"staging","why":"does not fit a change of the whole flag"`)
		h.want("admin", "POST", checkout+"/requests", patch, http.StatusBadRequest, "changes[0].environment")
		h.want("admin", "POST", checkout+"/schedules", change, http.StatusBadRequest, "changes[0].environment")
	}
	if h.events() != before {
		t.Error("something was recorded")
	}
}

// TestChanges_keepTheirKey: a definition that comes by the path of one flag is
// that flag's.
func TestChanges_keepTheirKey(t *testing.T) {
	h := shop(t)
	h.issueKeys()
	h.want("shop", "PATCH", checkout, `{"changes":[{"op":"define",`+strings.Replace(wholeFlag["define"], "shop.checkout", "search.x", 1)+`}]}`, http.StatusBadRequest, "key")
	h.want("shop", "POST", "/api/v1/flags", strings.Replace(wholeFlag["define"], `"flag":`, "", 1), http.StatusConflict, "")
	h.want("keys", "POST", "/api/v1/flags", strings.Replace(wholeFlag["define"], `"flag":`, "", 1), http.StatusForbidden, "on search.")
	h.want("keys", "PATCH", checkout, `{"changes":[{"op":"add-tag","tag":"x"}]}`, http.StatusForbidden, "on search.")
}

// TestWaiting_isNobodyElses: whoever is bound to one environment learns nothing
// of what waits in another, and answers none of it, though he knows its ID.
func TestWaiting_isNobodyElses(t *testing.T) {
	h := shop(t)
	h.issueKeys()
	const change = `{"changes":[{"op":"disable","environment":"production"}],"comment":"quiet","at":"2027-01-01T00:00:00Z"}`
	h.want("home", "POST", checkout+"/schedules", change, http.StatusCreated, "quiet")
	h.want("home", "POST", checkout+"/requests", strings.Replace(change, `,"at":"2027-01-01T00:00:00Z"`, "", 1), http.StatusCreated, "quiet")
	schedule := checkout + "/schedules/" + h.flagged(func(h *house) string { return h.Flags.Schedules("shop.checkout")[0].ID.String() })
	request := checkout + "/requests/" + h.flagged(func(h *house) string { return h.Flags.Requests("shop.checkout")[0].ID.String() })
	for _, who := range []string{"bound", "keys"} {
		for _, path := range []string{checkout, checkout + "/schedules", checkout + "/requests", checkout + "/history", "/api/v1/flags"} {
			if _, body, _ := h.ask(who, "GET", path, ""); strings.Contains(body, "quiet") {
				t.Errorf("GET %s tells %s: %s", path, who, body)
			}
		}
		h.want(who, "GET", request, "", http.StatusForbidden, "")
		h.want(who, "DELETE", schedule, "", http.StatusForbidden, "")
		for _, op := range []string{"approve", "reject", "withdraw", "apply"} {
			h.want(who, "POST", request+"/"+op, `{}`, http.StatusForbidden, "")
		}
	}
	// An ID is looked for under its own flag alone.
	h.want("keys", "DELETE", strings.Replace(schedule, "shop.checkout", "search.none", 1), "", http.StatusNotFound, "")
	h.want("keys", "POST", strings.Replace(request, "shop.checkout", "search.none", 1)+"/reject", `{}`, http.StatusNotFound, "")
}

// flagged reads the state of the house.
func (h *house) flagged(read func(*house) string) (text string) {
	h.Projection.View(func(uint64) { text = read(h) })
	return text
}

// TestPruning_takesLeaveOfEachFlag: a set may hold flags of several prefixes.
func TestPruning_takesLeaveOfEachFlag(t *testing.T) {
	h := shop(t)
	h.issueKeys()
	other := strings.Replace(documents[strings.Index(documents, "---"):], "shop.checkout", "search.x", 1)
	h.want("admin", "POST", "/api/v1/apply?set=all", documents+other, http.StatusOK, "search.x")
	h.want("keys", "POST", "/api/v1/apply?set=all&prune=true", other, http.StatusForbidden, "pruning flag shop.checkout")
	h.want("keys", "POST", "/api/v1/apply?set=all&prune=true&dryRun=true", other, http.StatusForbidden, "pruning flag shop.checkout")
	if h.flag("shop.checkout").Archived {
		t.Error("a flag of others was archived")
	}
}

// TestDependencies_ofOthers: what flags need each other is told of those that
// may be read.
func TestDependencies_ofOthers(t *testing.T) {
	h := shop(t)
	h.issueKeys()
	flag := strings.Replace(documents[strings.Index(documents, "---"):], "shop.checkout", "search.secret", 1)
	h.want("admin", "POST", "/api/v1/apply", flag+"    prerequisites: [{flag: shop.checkout, variant: on}]\n", http.StatusOK, "created")
	const path = checkout + "/dependencies?environment=production"
	h.want("viewer", "GET", path, "", http.StatusOK, `"neededBy":["search.secret"]`)
	h.want("shop", "GET", path, "", http.StatusOK, `"neededBy":[]`)
}

// TestTokens_thatHaveEnded open nothing, by whichever header they come.
func TestTokens_thatHaveEnded(t *testing.T) {
	now := start
	h := newHouseWith(t, func(h *House) { h.Now = func() time.Time { return now } })
	h.dead()
	h.want("admin", "POST", "/api/v1/apply", "apiVersion: sluice/v1\nkind: Person\nkey: bob\nname: Bob\n", http.StatusOK, "created")
	text, _, err := IssueToken(t.Context(), h.House, access.Token{Class: access.Account, Role: access.Admin, Name: "bob"}, "test")
	if err != nil {
		t.Fatal(err)
	}
	h.tokens["bob"] = text
	h.want("bob", "GET", "/api/v1/flags", "", http.StatusOK, "")
	h.want("admin", "DELETE", "/api/v1/people/bob", "", http.StatusNoContent, "")
	now = start.Add(time.Hour)
	for _, who := range []string{"expired", "revoked", "bob"} {
		for header, value := range map[string]string{"Authorization": "Bearer " + h.tokens[who], "X-API-Key": h.tokens[who], "Cookie": cookie + "=" + h.tokens[who]} {
			if code, body, _ := h.ask("", "GET", "/api/v1/flags", "", header, value); code != http.StatusUnauthorized {
				t.Errorf("%s in %s: got %d %s", who, header, code, body)
			}
		}
		h.want(who, "POST", "/sign-in", "", http.StatusForbidden, "")
	}
}

// TestTokens_shownTwice: one header decides, and no weaker one helps out when
// it holds nothing valid.
func TestTokens_shownTwice(t *testing.T) {
	h := newHouse(t)
	for _, c := range []struct {
		bearer, key, cookie string
		want                int
	}{
		{"admin", "viewer", "", http.StatusOK},
		{"viewer", "admin", "admin", http.StatusForbidden},
		{"nonsense", "admin", "admin", http.StatusUnauthorized},
		{"", "admin", "viewer", http.StatusOK},
		{"", "nonsense", "admin", http.StatusUnauthorized},
	} {
		var headers []string
		if c.bearer != "" {
			headers = append(headers, "Authorization", "bearer "+h.tokens[c.bearer]) // the scheme is in no case (RFC 9110, section 11.1)
		}
		headers = append(headers, "X-API-Key", h.tokens[c.key], "Cookie", cookie+"="+h.tokens[c.cookie])
		if c.bearer == "nonsense" {
			headers[1] = "Bearer nonsense"
		}
		if c.key == "nonsense" {
			headers[1] = "nonsense"
		}
		if code, body, _ := h.ask("", "GET", "/api/v1/tokens", "", headers...); code != c.want {
			t.Errorf("%+v: got %d %s", c, code, body)
		}
	}
}
