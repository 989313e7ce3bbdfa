package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
	"github.com/sluice-hq/sluice/internal/access"
)

const checkout = "/api/v1/flags/shop.checkout"

// shop returns a house with the documents of these tests applied.
func shop(t *testing.T, adjust ...func(*House)) *house {
	h := newHouseWith(t, func(house *House) {
		for _, f := range adjust {
			f(house)
		}
	})
	h.want("admin", "POST", "/api/v1/apply", documents, 200, "created")
	return h
}

// flag returns a flag as it is.
func (h *house) flag(key string) (f flags.Recorded) {
	h.Projection.View(func(uint64) { f, _ = h.Flags.Flag(key) })
	return f
}

// events counts the log.
func (h *house) events() uint64 {
	h.t.Helper()
	last, err := h.Log.Last(context.Background())
	if err != nil {
		h.t.Fatal(err)
	}
	return last
}

func (h *house) etag(key string) string { return fmt.Sprintf("%q", fmt.Sprint(h.flag(key).Revision)) }

func TestPatchIsOneEventAndAnswersWithTheFlag(t *testing.T) {
	h := shop(t)
	before := h.events()
	code, body, header := h.ask("editor", "PATCH", checkout, `{"comment":"beta","changes":[
		{"op":"add-rule","environment":"production","rule":{"name":"beta","when":{"attribute":"ring","op":"eq","value":"beta"},"serve":"on"},"place":1},
		{"op":"add-tag","tag":"payments"},
		{"op":"add-variant","variant":"slow","value":true}]}`)
	f := h.flag("shop.checkout")
	if code != 200 || h.events() != before+1 || f.Environments["production"].Rules[0].Name != "beta" || f.Comment != "beta" || string(f.Variants["slow"]) != "true" {
		t.Errorf("got %d %s\n%+v", code, body, f)
	}
	if header.Get("ETag") != h.etag("shop.checkout") || !strings.Contains(body, `"tags":["payments"]`) {
		t.Errorf("etag %s: %s", header.Get("ETag"), body)
	}
	h.want("editor", "PATCH", checkout, `{"changes":[{"op":"set-owner","owner":"shop-team"}]}`, 200, `"owner":"shop-team"`) // it is so already
	if h.events() != before+1 {
		t.Error("what changes nothing is an event")
	}
}

func TestPatchRefuses(t *testing.T) {
	h := shop(t)
	for _, c := range []struct {
		who, body string
		code      int
		text      string
	}{
		{"editor", `{"changes":[]}`, 400, `"path":"changes","why":"is missing"`},
		{"editor", `{"changes":[{"op":"force","environment":"production"}]}`, 400, `"path":"changes[0].op","value":"force","why":"is not a change that can be asked for here"`},
		{"editor", `{"changes":[{"op":"add-rule","environment":"moon"}]}`, 400, `"path":"changes[0].environment","value":"moon"`},
		{"editor", `{"changes":[{"op":"define","flag":{"key":"shop.checkout","purpose":"operational","owner":"a","type":"boolean","safe":"off","variants":{"off":false},"environments":{"moon":{"enabled":true}}}}]}`, 400, `changes[0].flag.environments.moon`},
		{"editor", `{"changes":[{"op":"add-tag","tags":"x"}]}`, 400, `unexpected property`},
		{"editor", `{"changes":[{"op":"disable","environment":"production"}]}`, 403, "may not do that"},
		{"editor", `{"changes":[{"op":"archive"}]}`, 403, "may not do that"},
		{"viewer", `{"changes":[{"op":"add-tag","tag":"x"}]}`, 403, "may not do that"},
		{"bound", `{"changes":[{"op":"add-tag","tag":"x"}]}`, 403, "bound to staging"},
		{"bound", `{"changes":[{"op":"remove-rule","environment":"production","name":"staff"}]}`, 403, "bound to staging"},
		{"home", `{"changes":[{"op":"copy","environment":"production","from":"staging"}]}`, 403, "bound to production"},
	} {
		h.want(c.who, "PATCH", checkout, c.body, c.code, c.text)
	}
	h.want("editor", "PATCH", "/api/v1/flags/moon", `{"changes":[{"op":"add-tag","tag":"x"}]}`, 404, "moon")
	h.want("home", "PATCH", checkout, `{"changes":[{"op":"remove-rule","environment":"production","name":"staff"}]}`, 200, `"actor":"person:home"`)
}

func TestCreateAndCopy(t *testing.T) {
	h := shop(t)
	const next = `{"key":"shop.next","purpose":"operational","owner":"shop-team","type":"boolean","variants":{"on":true,"off":false},"safe":"off","environments":{"production":{"enabled":true,"targets":[{"variant":"on","units":["u-1"]}]}}}`
	code, body, header := h.ask("editor", "POST", "/api/v1/flags?comment=new", next)
	if code != 201 || header.Get("Location") != "/api/v1/flags/shop.next" || header.Get("ETag") != h.etag("shop.next") || h.flag("shop.next").Comment != "new" {
		t.Errorf("got %d %s %v", code, body, header)
	}
	h.want("editor", "POST", "/api/v1/flags", next, 409, "is at revision")
	h.want("editor", "POST", "/api/v1/flags", `{"key":"shop.bad","purpose":"operational","owner":"","type":"boolean","variants":{"on":true},"safe":"off"}`, 400, `"path":"safe"`)
	h.want("bound", "POST", "/api/v1/flags", strings.Replace(next, "shop.next", "shop.other", 1), 403, "belongs to all environments")
	h.want("editor", "POST", "/api/v1/flags/shop.next/copy", `{"from":"production","to":"staging","comment":"alike"}`, 200, `"staging":{"enabled":true,"targets"`)
	h.want("editor", "POST", "/api/v1/flags/shop.next/copy", `{"from":"production","to":"moon"}`, 400, "is not an environment")
}

func TestIfMatch(t *testing.T) {
	const patch = `{"changes":[{"op":"set-description","description":"%d"}]}`
	h, n := shop(t), 0
	present := h.etag("shop.checkout")
	for _, c := range []struct {
		header string
		code   int
		text   string
	}{
		{present, 200, ""},
		{present, 412, "flag shop.checkout is at revision"},
		{`"1", "999"`, 412, "is at revision"},
		{"W/" + h.etag("shop.checkout"), 412, "is at revision"},
		{"*", 200, ""},
		{"", 200, ""},
		{"12", 400, "is not an entity tag"},
		{`"`, 400, "is not an entity tag"},
	} {
		n++
		code, body, _ := h.ask("editor", "PATCH", checkout, fmt.Sprintf(patch, n), "If-Match", c.header)
		if code != c.code || !strings.Contains(body, c.text) {
			t.Errorf("If-Match %s: got %d %s, want %d with %q", c.header, code, body, c.code, c.text)
		}
	}
	if code, body, _ := h.ask("editor", "PATCH", checkout, fmt.Sprintf(patch, 99), "If-Match", `"7", `+h.etag("shop.checkout")); code != 200 {
		t.Errorf("one of a list: %d %s", code, body)
	}
	if code, body, _ := h.ask("editor", "PATCH", "/api/v1/flags/moon", fmt.Sprintf(patch, 1), "If-Match", "*"); code != 412 {
		t.Errorf("* of no flag: %d %s", code, body)
	}
	if code, body, _ := h.ask("approver", "POST", checkout+"/disable", `{"environment":"production","comment":"off"}`, "If-Match", `"1"`); code != 412 {
		t.Errorf("a switch: %d %s", code, body)
	}
	if code, body, _ := h.ask("approver", "PATCH", "/v1/flags/shop.checkout/rollout", `{"environment":"production","percentage":5}`, "If-Match", `"1"`); code != 412 {
		t.Errorf("a ramp: %d %s", code, body)
	}
	// What a document expects stands beside its kind.
	document := "apiVersion: sluice/v1\nexpect: %d\n" + flagOf(documents)
	h.want("admin", "POST", "/api/v1/apply", fmt.Sprintf(document, 1), 412, "is at revision")
	h.want("admin", "POST", "/api/v1/apply", fmt.Sprintf(document, h.flag("shop.checkout").Revision), 200, "changed")
	h.want("admin", "POST", "/api/v1/apply", strings.Replace(fmt.Sprintf(document, 0), "shop.checkout", "shop.fresh", 1), 200, "created")
	h.want("admin", "POST", "/api/v1/apply", strings.Replace(fmt.Sprintf(document, 0), "shop.checkout", "shop.fresh", 1), 412, "is at revision")
}

// flagOf returns the flag's document from its kind on.
func flagOf(documents string) string { return documents[strings.Index(documents, "kind: Flag"):] }

// Every way to write, sent twice with one key: answered alike, done once; and
// refused when it asks for something else.
func TestARepeatedRequestIsDoneOnce(t *testing.T) {
	h := shop(t)
	h.want("editor", "POST", checkout+"/requests", `{"changes":[{"op":"set-description","description":"d"}]}`, 201, "pending")
	var request flags.Request
	h.Projection.View(func(uint64) { request = h.Flags.Requests("shop.checkout")[0] })
	for i, c := range []struct{ who, method, path, body, other string }{
		{"approver", "POST", checkout + "/requests/" + request.ID.String() + "/approve", `{}`, `{"comment":"yes"}`},
		{"editor", "PATCH", checkout, `{"changes":[{"op":"add-tag","tag":"a"}]}`, `{"changes":[{"op":"add-tag","tag":"b"}]}`},
		{"approver", "POST", checkout + "/disable", `{"environment":"production","comment":"off"}`, `{"environment":"production","comment":"on"}`},
		{"editor", "POST", "/api/v1/flags", `{"key":"shop.new","purpose":"operational","owner":"a","type":"boolean","variants":{"on":true},"safe":"on"}`, `{"key":"shop.newer","purpose":"operational","owner":"a","type":"boolean","variants":{"on":true},"safe":"on"}`},
		{"editor", "POST", checkout + "/schedules", `{"at":"2027-01-01T00:00:00Z","changes":[{"op":"add-tag","tag":"c"}]}`, `{"at":"2027-01-02T00:00:00Z","changes":[{"op":"add-tag","tag":"c"}]}`},
		{"editor", "POST", checkout + "/requests", `{"changes":[{"op":"add-tag","tag":"d"}]}`, `{"changes":[{"op":"add-tag","tag":"e"}]}`},
		{"editor", "POST", "/api/v1/apply", strings.ReplaceAll(documents, "shop.checkout", "shop.more"), strings.ReplaceAll(documents, "shop.checkout", "shop.less")},
		{"approver", "PATCH", "/v1/flags/shop.checkout/rollout", `{"environment":"production","percentage":10}`, `{"environment":"production","percentage":20}`},
	} {
		key := fmt.Sprintf("key-%d", i)
		first, body, header := h.ask(c.who, c.method, c.path, c.body, keyHeader, key)
		events := h.events()
		h.want("editor", "PATCH", checkout, fmt.Sprintf(`{"changes":[{"op":"set-owner","owner":"owner-%d"}]}`, i), 200, "") // the world moves on
		again, sameBody, sameHeader := h.ask(c.who, c.method, c.path, c.body, keyHeader, key)
		if first >= 300 || again != first || h.events() != events+1 {
			t.Errorf("%s %s: first %d %s\nagain %d %s, %d events", c.method, c.path, first, body, again, sameBody, h.events()-events)
		}
		if tag := header.Get("ETag"); tag != sameHeader.Get("ETag") || tag != "" && body != sameBody {
			t.Errorf("%s %s: first %s %s\nagain %s %s", c.method, c.path, header.Get("ETag"), body, sameHeader.Get("ETag"), sameBody)
		}
		if code, other, _ := h.ask(c.who, c.method, c.path, c.other, keyHeader, key); code != 422 || !strings.Contains(other, "used for another request") {
			t.Errorf("%s %s with something else: %d %s", c.method, c.path, code, other)
		}
		if code, other, _ := h.ask("admin", c.method, c.path, c.other, keyHeader, key); code == 422 {
			t.Errorf("%s %s of somebody else: %d %s", c.method, c.path, code, other)
		}
	}
}

func TestARepeatedRequestNeverTellsAnotherToken(t *testing.T) {
	h := newHouse(t)
	const body = `{"class":"sls","name":"shop","environment":"production"}`
	code, text, _ := h.ask("admin", "POST", "/api/v1/tokens", body, keyHeader, "k")
	var made struct{ ID, Token string }
	if err := json.Unmarshal([]byte(text), &made); err != nil || code != 200 {
		t.Fatal(code, text)
	}
	events := h.events()
	if code, text, _ := h.ask("admin", "POST", "/api/v1/tokens", body, keyHeader, "k"); code != 409 || strings.Contains(text, "sls_") {
		t.Errorf("got %d %s", code, text)
	}
	for range 2 {
		if code, text, _ := h.ask("admin", "DELETE", "/api/v1/tokens/"+made.ID, "", keyHeader, "gone"); code != 204 {
			t.Errorf("revoked: %d %s", code, text)
		}
	}
	if h.events() != events+1 {
		t.Errorf("%d events", h.events()-events)
	}
}

// One key comes to two replicas at once, with two requests: the log has taken
// one, and the other is refused.
func TestAKeyThatIsUsedTwiceAtOnce(t *testing.T) {
	h := shop(t)
	k := &repeatable{Request: event.Request{Key: event.Derive("k"), Hash: event.Sum([]byte("one"))}}
	id, _ := (&repeatable{Request: k.Request}).next()
	tag := func(name string) (event.Event, event.Expect, error) {
		return h.Flags.Handle(flags.Command{
			ID: event.New(), Key: "shop.checkout", Expect: event.Any, At: start, Actor: "person:ana", Changes: []flags.Change{{Op: flags.AddTag, Tag: name}},
		})
	}
	ctx := context.WithValue(context.Background(), askerKey{}, &asker{repeatable: k})
	err := h.House.record(ctx, func() (event.Event, event.Expect, error) {
		e, expect, err := tag("theirs") // another replica takes the key between the look and the append
		if err == nil {
			e.ID = id
			e, err = event.Requested(e, event.Request{Key: k.Key, Hash: event.Sum([]byte("two"))})
		}
		if err == nil {
			_, err = h.Log.Append(ctx, e, expect)
		}
		if err != nil {
			t.Fatal(err)
		}
		return tag("mine")
	})
	if !errors.Is(err, errReused) {
		t.Errorf("got %v", err)
	}
}

func TestBadKeys(t *testing.T) {
	h := shop(t)
	for _, key := range []string{strings.Repeat("k", 256), "\u00fc"} {
		if code, body, _ := h.ask("editor", "PATCH", checkout, `{"changes":[{"op":"add-tag","tag":"a"}]}`, keyHeader, key); code != http.StatusBadRequest || !strings.Contains(body, keyHeader) {
			t.Errorf("key %q: %d %s", key, code, body)
		}
	}
}

func TestSchedules(t *testing.T) {
	h := shop(t)
	h.want("editor", "POST", checkout+"/schedules", `{"at":"2026-11-01T08:00:00Z","changes":[{"op":"add-tag","tag":"a"}]}`, 400, `"path":"at","value":"2026-11-01T08:00:00Z","why":"is not in the future"`)
	h.want("editor", "POST", checkout+"/schedules", `{"at":"2027-01-01T00:00:00Z","changes":[{"op":"disable","environment":"production"}]}`, 403, "may not do that")
	h.want("editor", "POST", checkout+"/schedules", `{"at":"2027-01-01T00:00:00Z","comment":"new year","changes":[{"op":"remove-rule","environment":"production","name":"staff"}]}`, 201, `"standing":"pending"`)
	h.want("viewer", "GET", checkout, "", 200, `"schedules":[{"id":`)
	h.want("bound", "GET", checkout+"/schedules", "", 200, `"schedules":[]`) // it is of another environment
	h.want("viewer", "GET", "/api/v1/flags/moon/schedules", "", 404, "moon")
	var p flags.Schedule
	h.Projection.View(func(uint64) { p = h.Flags.Schedules("shop.checkout")[0] })
	path := checkout + "/schedules/" + p.ID.String()
	h.want("bound", "DELETE", path, "", 403, "bound to staging")
	h.want("editor", "DELETE", checkout+"/schedules/x", "", 404, "x")
	h.want("editor", "DELETE", checkout+"/schedules/"+event.Derive("no").String(), "", 404, "has no schedule")
	h.want("editor", "DELETE", path+"?comment=later", "", 200, `"standing":"cancelled","why":"later"`)
	h.want("editor", "DELETE", path, "", 409, "/problems/ended")
}

// A segment is no way around four eyes, by whichever door it comes.
func TestSegmentsOfGuardedFlags(t *testing.T) {
	h := shop(t)
	h.want("admin", "POST", "/api/v1/apply?comment=x", guild, 200, "created")
	const units = "/api/v1/segments/guild/units"
	h.want("editor", "PATCH", units, `{"list":"included","add":["w-5"]}`, 200, "w-5")
	h.want("admin", "POST", "/api/v1/apply", "apiVersion: sluice/v1\nkind: Policy\nkey: four-eyes\nmatch: {environments: [production]}\nflags: {approvals: {count: 1}}\n", 200, "created")
	const why = "1 approval (approver, production)"
	h.want("editor", "PATCH", units, `{"list":"included","add":["w-6"]}`, 409, why)
	h.want("editor", "PUT", units+"?list=included", "w-6\n", 409, why)
	document, _, _ := strings.Cut(guild, "---\n")
	h.want("editor", "POST", "/api/v1/apply", strings.Replace(document, "w-1, w-2", "w-6", 1), 409, why)
	h.want("approver", "PATCH", units, `{"list":"included","add":["w-6"]}`, 200, "w-6")
}

// Four eyes: what a policy guards is proposed, shown, approved by another and
// applied.
func TestChangeRequests(t *testing.T) {
	h := shop(t)
	h.want("admin", "POST", "/api/v1/apply", "apiVersion: sluice/v1\nkind: Policy\nkey: four-eyes\nmatch: {environments: [production]}\nflags: {approvals: {count: 1}}\n", 200, "created")
	const change = `{"comment":"nobody needs it","changes":[{"op":"remove-rule","environment":"production","name":"staff"}]}`
	refused := h.want("admin", "PATCH", checkout, change, 409, "/problems/approval")
	if !strings.Contains(refused, "POST /api/v1/flags/{key}/requests") {
		t.Errorf("it does not say how to ask: %s", refused)
	}
	h.want("admin", "POST", "/api/v1/apply", strings.Replace(documents, "internal", "beta", 1), 409, "/problems/approval")
	h.want("approver", "POST", checkout+"/force", `{"environment":"production","comment":"slow"}`, 200, "forced")
	h.want("approver", "POST", checkout+"/unforce", `{"environment":"production","comment":"fast"}`, 200, "rules")
	h.want("viewer", "POST", checkout+"/requests", change, 403, "may not do that")
	h.want("bound", "POST", checkout+"/requests", change, 403, "bound to staging")
	code, body, header := h.ask("editor", "POST", checkout+"/requests", change)
	path := header.Get("Location")
	if code != 201 || !strings.Contains(body, `"text":"production: rule staff removed`) || !strings.HasPrefix(path, checkout+"/requests/") {
		t.Fatalf("proposed: %d %s at %s", code, body, path)
	}
	h.want("viewer", "GET", checkout, "", 200, `"requests":[{"id":`)
	h.want("viewer", "GET", path, "", 200, `"standing":"pending"`)
	h.want("bound", "GET", path, "", 403, "may not do that")
	h.want("editor", "POST", path+"/apply", `{}`, 409, "still asks for 1 approval (approver, production), and has 0")
	h.want("editor", "POST", path+"/approve", `{}`, 403, "may not do that")
	h.want("bound", "POST", path+"/approve", `{}`, 403, "bound to staging")
	h.want("home", "POST", path+"/withdraw", `{}`, 409, "only person:editor can withdraw")
	h.want("home", "POST", path+"/approve", `{"comment":"fine"}`, 200, `"approvals":[{"actor":"person:home"`)
	h.want("editor", "POST", path+"/apply", `{}`, 200, `"standing":"done"`)
	f := h.flag("shop.checkout")
	if len(f.Environments["production"].Rules) != 0 || f.Actor != "person:editor" || f.Comment != "nobody needs it" {
		t.Errorf("applied: %+v", f)
	}
	h.want("editor", "POST", path+"/apply", `{}`, 409, "/problems/ended")
	h.want("editor", "GET", checkout+"/requests/"+event.Derive("no").String(), "", 404, "no change request")
}

func TestAuthorsDoNotApproveTheirOwn(t *testing.T) {
	h := shop(t)
	_, _, header := h.ask("admin", "POST", checkout+"/requests", `{"flag":{"key":"shop.checkout","purpose":"operational","owner":"web","type":"boolean","variants":{"on":true,"off":false},"safe":"off","environments":{"production":{"enabled":true}}}}`)
	h.want("admin", "POST", header.Get("Location")+"/approve", `{}`, 409, "own approval does not count")
	var err error
	h.tokens["ci"], _, err = IssueToken(context.Background(), h.House, access.Token{Class: access.Account, Kind: access.OfService, Role: access.Admin, Name: "ci"}, "test")
	if err != nil {
		t.Fatal(err)
	}
	h.want("ci", "POST", header.Get("Location")+"/approve", `{}`, 409, "only people approve, and this is the token of service:ci")
	h.want("approver", "POST", header.Get("Location")+"/reject", `{"comment":"no"}`, 200, `"standing":"rejected","why":"person:approver: no"`)
}
