package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
)

// guild is a segment, an environment, a policy and a flag that asks for the
// segment.
const guild = `apiVersion: sluice/v1
kind: Segment
key: guild
description: workspaces of the guild
unit: workspace
included: [w-1, w-2]
excluded: [w-2]
---
apiVersion: sluice/v1
kind: Environment
key: moon
order: 9
rules:
  - {tags: [space], name: vacuum, when: {attribute: air, op: eq, value: none}, serve: off}
layers:
  - {name: experiments, unit: workspace, holdout: 5%}
---
apiVersion: sluice/v1
kind: Policy
key: moon
match: {environments: [moon], tags: [space]}
flags: {require: [why], maxPrerequisiteDepth: 2}
---
apiVersion: sluice/v1
kind: Flag
key: shop.guild
purpose: operational
owner: shop-team
tags: [space]
type: boolean
variants: {on: true, off: false}
default: off
safe: off
unit: workspace
environments:
  production:
    enabled: true
    rules:
      - {name: members, when: {op: segment, value: guild}, serve: on}
  moon:
    enabled: true
    rules:
      - {name: members, when: {op: segment, value: guild}, serve: on}
`

// member asks what a workspace gets for shop.guild.
func (h *house) member(id string) string {
	h.t.Helper()
	_, answer, _ := h.ask("sdk", "POST", "/ofrep/v1/evaluate/flags/shop.guild", `{"context":{"workspace":"`+id+`"}}`)
	return answer
}

func TestModel_isApplied(t *testing.T) {
	h := newHouse(t)
	apply := "/api/v1/apply?comment=the+guild"
	h.want("editor", "POST", apply, guild, http.StatusForbidden, "(Segment guild before it was created)")
	h.want("admin", "POST", apply, guild, http.StatusOK, `"kind":"Environment","key":"moon","change":"created"`)
	h.want("admin", "POST", apply, guild, http.StatusOK, `"kind":"Policy","key":"moon","change":"unchanged"`)
	h.want("bound", "POST", apply, strings.Split(guild, "---")[0], http.StatusForbidden, "a Segment belongs to all environments")
	h.want("admin", "POST", "/api/v1/apply", strings.Replace(guild, "default: off", "default: on", 1), http.StatusBadRequest, "a policy asks for it")
	if got := h.member("w-1"); !strings.Contains(got, `"value":true`) {
		t.Error(got)
	}
	if got := h.member("w-2"); !strings.Contains(got, `"value":false`) {
		t.Error(got)
	}
	h.want("editor", "POST", "/ofrep/v1/evaluate/flags/shop.guild?environment=moon", `{"context":{"workspace":"w-3","air":"none"}}`, http.StatusOK, `"reason":"TARGETING_MATCH"`)
	h.want("viewer", "GET", "/api/v1/flags/shop.guild/explain?environment=production&unit=w-2", "", http.StatusOK, `workspace \"w-2\" is excluded`)
	h.want("viewer", "GET", "/api/v1/segments", "", http.StatusOK, `"excluded":{"units":["w-2"]}`)
	h.want("viewer", "GET", "/api/v1/segments/guild", "", http.StatusOK, `"usedBy":[{"environment":"moon","flag":"shop.guild","rule":"members"}`)
	h.want("home", "GET", "/api/v1/segments/guild", "", http.StatusOK, `"usedBy":[{"environment":"production"`)
	h.want("viewer", "GET", "/api/v1/environments", "", http.StatusOK, `"holdout":"5%"`)
	h.want("viewer", "GET", "/api/v1/policies", "", http.StatusOK, `"require":["why"]`)
	h.want("viewer", "GET", "/api/v1/flags/shop.guild/dependencies?environment=moon", "", http.StatusOK, `"rules":["vacuum"]`)
	h.want("viewer", "GET", "/api/v1/flags/shop.none/dependencies?environment=moon", "", http.StatusNotFound, "shop.none")
	h.want("viewer", "GET", "/api/v1/segments/none", "", http.StatusNotFound, "segment none")
}

func TestModel_isTakenAway(t *testing.T) {
	h := newHouse(t)
	h.want("admin", "POST", "/api/v1/apply?comment=x", guild, http.StatusOK, "created")
	h.want("editor", "DELETE", "/api/v1/segments/guild", "", http.StatusBadRequest, "is refused: it is used by rule members of flag shop.guild in moon")
	h.want("editor", "DELETE", "/api/v1/environments/moon", "", http.StatusForbidden, "may not do that")
	h.want("admin", "DELETE", "/api/v1/environments/moon", "", http.StatusBadRequest, "is an environment of shop.guild")
	h.want("approver", "POST", "/api/v1/flags/shop.guild/archive", `{"comment":"over"}`, http.StatusOK, `"archived":true`)
	h.want("editor", "DELETE", "/api/v1/segments/guild?comment=over", "", http.StatusNoContent, "")
	h.want("editor", "DELETE", "/api/v1/segments/guild", "", http.StatusNotFound, "guild")
	h.want("admin", "DELETE", "/api/v1/policies/moon", "", http.StatusNoContent, "")
	h.want("admin", "DELETE", "/api/v1/policies/moon", "", http.StatusNotFound, "moon")
}

func TestUnits_areBrought(t *testing.T) {
	h := newHouse(t)
	h.want("admin", "POST", "/api/v1/apply?comment=x", guild, http.StatusOK, "created")
	const units = "/api/v1/segments/guild/units"
	h.want("editor", "PUT", units, "w-7\n\"w-8\"\r\n\n  w-7  \n", http.StatusOK, `"included":{"units":["w-7","w-8"]}`)
	h.want("editor", "PUT", units, "w-8\nw-7", http.StatusOK, `"revision"`) // the same list: nothing is recorded, and it is no fault
	if got := h.member("w-8"); !strings.Contains(got, `"value":true`) {
		t.Error(got)
	}
	h.want("editor", "PATCH", units, `{"list":"included","add":["w-9"],"remove":["w-8"]}`, http.StatusOK, `"included":{"units":["w-7","w-9"]}`)
	h.want("viewer", "GET", units, "", http.StatusOK, "w-7\nw-9")
	h.want("viewer", "GET", units+"?list=excluded", "", http.StatusOK, "w-2")
	h.want("editor", "PUT", units+"?list=excluded", "", http.StatusOK, `"included":{"units":["w-7","w-9"]}`)
	h.want("viewer", "GET", units+"?list=excluded", "", http.StatusOK, "")
	h.want("editor", "PUT", units+"?list=none", "", http.StatusBadRequest, "is not a list of a segment")
	h.want("viewer", "GET", units+"?list=none", "", http.StatusBadRequest, "is not a list of a segment")
	h.want("editor", "PUT", "/api/v1/segments/none/units", "w-1", http.StatusNotFound, "none")
	h.want("editor", "PUT", units, "w-1\n\"w-2\nw\x01\n", http.StatusBadRequest, `line 2`)
	h.want("editor", "PUT", units, strings.Repeat("x", 9000), http.StatusBadRequest, "has a line that is too long for an id")
	h.want("editor", "PATCH", units, `{"list":"included"}`, http.StatusBadRequest, "ask for at least one change")
	h.want("viewer", "PATCH", units, `{"list":"included","add":["w-9"]}`, http.StatusForbidden, "may not do that")
}

// many returns n ids, one a line.
func many(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "workspace-%07d\n", i)
	}
	return b.String()
}

// A list that is larger than what other routes read: its bulk is a document of
// its own, and is loaded before flags are compiled.
func TestUnits_aLargeList(t *testing.T) {
	h := newHouse(t)
	h.want("admin", "POST", "/api/v1/apply?comment=x", guild, http.StatusOK, "created")
	const n = 150_000
	body := many(n)
	if len(body) < maxBody {
		t.Fatalf("the list of %d bytes proves nothing", len(body))
	}
	h.want("editor", "PUT", "/api/v1/segments/guild/units", body, http.StatusOK, fmt.Sprintf(`"count":%d`, n))
	h.want("editor", "PATCH", "/api/v1/segments/guild/units", `{"list":"included","add":["w-1"],"remove":["workspace-0000001"]}`, http.StatusOK, `"without":["workspace-0000001"]`)
	for id, want := range map[string]string{"workspace-0149999": "true", "w-1": "true", "workspace-0000001": "false", "workspace-0150000": "false"} {
		if got := h.member(id); !strings.Contains(got, `"value":`+want) {
			t.Errorf("%s: %s", id, got)
		}
	}
	_, got, _ := h.ask("viewer", "GET", "/api/v1/segments/guild/units", "")
	if lines := strings.Count(got, "\n") + 1; lines != n || strings.Contains(got, "workspace-0000001\n") {
		t.Errorf("%d lines", lines)
	}
	doc, _ := h.Flags.Segment("guild")
	packed := h.want("sdk", "GET", "/api/v1/lists/"+doc.Included.Bulk.SHA256.String(), "", http.StatusOK, "workspace-0000001\n")
	if u, err := flags.ReadUnits([]byte(packed + "\n")); err != nil || u.Len() != n {
		t.Errorf("the list of an SDK: %d, %v", u.Len(), err)
	}
	_, _, header := h.ask("sdk", "GET", "/api/v1/lists/"+doc.Included.Bulk.SHA256.String(), "")
	if got, size := header.Get("Cache-Control"), header.Get("Content-Length"); !strings.Contains(got, "immutable") || size != fmt.Sprint(doc.Included.Bulk.Size) {
		t.Errorf("Cache-Control: %s, Content-Length: %s", got, size)
	}
	h.want("foreign", "GET", "/api/v1/lists/"+doc.Included.Bulk.SHA256.String(), "", http.StatusNotFound, "of staging")
	h.want("foreign", "GET", "/api/v1/lists/"+doc.Included.Bulk.SHA256.String()+"?environment=production", "", http.StatusForbidden, "bound to staging")
	h.want("admin", "GET", "/api/v1/lists/"+doc.Included.Bulk.SHA256.String()+"?environment=nowhere", "", http.StatusBadRequest, "is not an environment")
	h.want("sdk", "GET", "/api/v1/lists/none", "", http.StatusNotFound, "none")
	h.want("client", "GET", "/api/v1/lists/none", "", http.StatusForbidden, "may not do that")
}

func TestUnits_tooMany(t *testing.T) {
	if _, err := readUnits(strings.NewReader(many(flags.MaxUnits + 1))); err == nil || !strings.Contains(err.Error(), "is more than 1000000 ids") {
		t.Errorf("got %v", err)
	}
	_, err := readUnits(strings.NewReader(strings.Repeat("a\x01\n", 100)))
	var faults event.Invalids
	if !errors.As(err, &faults) || len(faults) != maxFaults {
		t.Errorf("of 100 wrong lines, %d are told", len(faults))
	}
	if _, err := readUnits(iotest.ErrReader(errSlow)); !errors.Is(err, errSlow) {
		t.Errorf("a body that does not arrive: %v", err)
	}
	w, r := httptest.NewRecorder(), httptest.NewRequest("PUT", "/", strings.NewReader(many(10)))
	r.Body = bounded{http.MaxBytesReader(w, r.Body, 10), arriving{r.Body}}
	if ids, err := readUnits(wide(w, r, 1<<20)); err != nil || len(ids) != 10 {
		t.Errorf("%d ids, %v", len(ids), err)
	}
}

// Large lists stand in documents, too: what is above the bound of the log is
// packed, and a bulk that a document names must be there.
func TestModel_aListInADocument(t *testing.T) {
	h := newHouse(t)
	head := strings.Replace(strings.Split(guild, "---")[0], "included: [w-1, w-2]\n", "", 1)
	list := strings.ReplaceAll(strings.TrimSpace(many(2000)), "\n", ", ")
	h.want("editor", "POST", "/api/v1/apply", head+"included: ["+list+"]\n", http.StatusOK, "created")
	doc, _ := h.Flags.Segment("guild")
	if b := doc.Included.Bulk; b == nil || b.Count != 2000 {
		t.Fatalf("got %+v", doc.Included)
	}
	bulk := doc.Included.Bulk
	h.want("editor", "POST", "/api/v1/apply", head+fmt.Sprintf("included: {bulk: {sha256: %s, size: %d, count: %d}}\n", bulk.SHA256, bulk.Size, bulk.Count), http.StatusOK, "unchanged")
	h.want("editor", "POST", "/api/v1/apply", head+fmt.Sprintf("included: {bulk: {sha256: %s, size: %d, count: 5}}\n", bulk.SHA256, bulk.Size), http.StatusBadRequest, "included.bulk")
	h.want("editor", "POST", "/api/v1/apply", head+`included: {bulk: {sha256: "`+strings.Repeat("ab", 32)+`", size: 5, count: 5}}`, http.StatusBadRequest, "cannot be used")
	h.want("editor", "POST", "/api/v1/apply", head+"included: ["+list+", \"a\\tb\"]\n", http.StatusBadRequest, "has a control character")
	h.want("editor", "POST", "/api/v1/apply", head+"included: {unit: [w-1]}\n", http.StatusBadRequest, "unit")
}

// lossy is a store of documents that can lose what it has.
type lossy struct {
	event.Blobs
	lost bool
}

func (l *lossy) Load(ctx context.Context, name event.Blob) ([]byte, error) {
	if l.lost {
		return nil, event.ErrNotFound
	}
	return l.Blobs.Load(ctx, name)
}

// A list that cannot be loaded leaves flags as they were, and says so.
func TestSets_withoutAList(t *testing.T) {
	now, blobs := start, &lossy{Blobs: &event.MemBlobs{}}
	h := newHouseWith(t, func(h *House) { h.Blobs, h.Now = blobs, func() time.Time { return now } })
	h.want("admin", "POST", "/api/v1/apply?comment=x", guild, http.StatusOK, "created")
	if got := h.member("w-1"); !strings.Contains(got, `"value":true`) {
		t.Error(got)
	}
	blobs.lost = true
	h.want("editor", "PUT", "/api/v1/segments/guild/units", many(2000), http.StatusOK, `"count":2000`)
	for id, want := range map[string]string{"w-1": "true", "workspace-0000001": "false"} {
		if got := h.member(id); !strings.Contains(got, `"value":`+want) {
			t.Errorf("%s while the list is away: %s", id, got)
		}
	}
	h.want("approver", "POST", "/api/v1/flags/shop.guild/force", `{"environment":"production","comment":"x"}`, http.StatusOK, "forced")
	if got := h.member("w-1"); !strings.Contains(got, `"value":false`) {
		t.Errorf("rolled back while the list is away: %s", got)
	}
	h.want("approver", "POST", "/api/v1/flags/shop.guild/unforce", `{"environment":"production","comment":"x"}`, http.StatusOK, "")
	h.want("viewer", "GET", "/readyz", "", http.StatusServiceUnavailable, "a list of units that flags ask for cannot be loaded")
	blobs.lost = false
	h.want("viewer", "GET", "/readyz", "", http.StatusServiceUnavailable, "cannot be loaded") // it is not tried again at every request
	now = now.Add(loadPause)
	h.want("viewer", "GET", "/readyz", "", http.StatusOK, `"lists of units":"ok"`)
	for id, want := range map[string]string{"w-1": "false", "workspace-0000001": "true"} {
		if got := h.member(id); !strings.Contains(got, `"value":`+want) {
			t.Errorf("%s when the list is back: %s", id, got)
		}
	}
}

// A replica that starts without a list says that it cannot answer the flag that
// asks for it, rather than something wrong.
func TestSets_withoutAListFromTheStart(t *testing.T) {
	blobs := &lossy{Blobs: &event.MemBlobs{}}
	h := newHouseWith(t, func(h *House) { h.Blobs = blobs })
	h.want("admin", "POST", "/api/v1/apply?comment=x", guild, http.StatusOK, "created")
	h.want("editor", "PUT", "/api/v1/segments/guild/units", many(2000), http.StatusOK, `"count":2000`)
	blobs.lost = true
	h.Server.Config.Handler = New(h.House) // what was compiled is forgotten
	code, answer, _ := h.ask("viewer", "GET", "/debug/flags/shop.guild?environment=production", "")
	if code != http.StatusOK || !strings.Contains(answer, `"errorCode":"GENERAL"`) {
		t.Errorf("got %d %s", code, answer)
	}
}

// The documents of docs/model.md can be applied as they stand.
func TestModel_isAsDocumented(t *testing.T) {
	text, err := os.ReadFile("../../docs/model.md")
	if err != nil {
		t.Fatal(err)
	}
	h := newHouse(t)
	blocks := strings.Split(string(text), "```yaml\n")[1:]
	if len(blocks) != 3 {
		t.Errorf("%d documents", len(blocks))
	}
	for _, b := range blocks {
		doc, _, _ := strings.Cut(b, "```")
		h.want("admin", "POST", "/api/v1/apply", doc, http.StatusOK, "created")
	}
}

// counting is a store of documents that counts how often it is asked.
type counting struct {
	event.Blobs
	loads int
}

func (c *counting) Load(ctx context.Context, name event.Blob) ([]byte, error) {
	c.loads++
	return c.Blobs.Load(ctx, name)
}

// A list that several revisions of a segment share is loaded once.
func TestLists_areLoadedOnce(t *testing.T) {
	blobs := &counting{Blobs: &event.MemBlobs{}}
	h := House{Blobs: blobs}
	l, err := h.stock(t.Context(), "included", flags.ListOf(strings.Fields(many(2000))...))
	if err != nil {
		t.Fatal(err)
	}
	lists, err := h.lists(t.Context(), []flags.UnitBulk{*l.Bulk, *l.Bulk}, nil)
	if err != nil || lists[l.Bulk.SHA256].Len() != 2000 || blobs.loads != 1 {
		t.Errorf("%d loads, %v", blobs.loads, err)
	}
	if again, err := h.lists(t.Context(), []flags.UnitBulk{*l.Bulk}, lists); err != nil || again[l.Bulk.SHA256] != lists[l.Bulk.SHA256] || blobs.loads != 1 {
		t.Errorf("%d loads, %v", blobs.loads, err)
	}
}
