package server

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/flags"
)

// applied asks for an apply and returns what became of each document.
func (h *house) applied(who, query, body string) (out []string) {
	h.t.Helper()
	var answer struct{ Applied []Applied }
	if err := json.Unmarshal([]byte(h.want(who, "POST", "/api/v1/apply"+query, body, http.StatusOK, "")), &answer); err != nil {
		h.t.Fatal(err)
	}
	for _, a := range answer.Applied {
		out = append(out, strings.TrimSpace(a.Kind+" "+a.Key+" "+a.Change+"\n"+strings.Join(a.Differences, "\n")))
	}
	return out
}

// TestDryRun says what would change, document by document, each on what the
// ones before it would leave; and nothing changes.
func TestDryRun(t *testing.T) {
	h := newHouse(t)
	before := h.Projection.Seq()
	if diff := cmp.Diff([]string{"Metric purchases created", "Flag shop.checkout created", "Rollout production/shop.checkout created"},
		h.applied("approver", "?dryRun=true&start=true", documents+"---\n"+plan)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if now := h.Projection.Seq(); now != before {
		t.Fatalf("a dry run recorded %d events", now-before)
	}
	h.want("editor", "POST", "/api/v1/apply", documents+"---\n"+plan, http.StatusOK, "created")
	other := strings.NewReplacer("window: 1h", "window: 2h", "value: internal", "value: beta", "mde: 2%", "mde: 3%").Replace(documents + "---\n" + plan)
	want := []string{
		"Metric purchases changed\nwindow is now \"2h\" (was \"1h\")",
		"Flag shop.checkout changed\nproduction: rule staff is now for ring equals beta (was ring equals internal)",
		"Rollout production/shop.checkout changed\nmetrics.success[purchases].mde is now 3% (was 2%)",
	}
	got := h.applied("editor", "?dryRun=true", other)
	for i := range want {
		kind, _, _ := strings.Cut(want[i], "\n")
		if i >= len(got) || !strings.HasPrefix(got[i], kind+"\n") {
			t.Errorf("got %q, want %q", got, want[i])
		}
	}
	if !strings.Contains(got[1], "staff") || !strings.Contains(got[0], want[0]) || !strings.Contains(got[2], want[2]) {
		t.Errorf("got %q", got)
	}
	h.applied("editor", "", documents) // and the real one finds everything as it was
	if f := decode[flags.Recorded](h, "viewer", "/api/v1/flags/shop.checkout"); f.Environments["production"].Rules[0].When.Value != "internal" {
		t.Errorf("a dry run changed the flag: %+v", f)
	}
}

// TestDryRun_tellsEveryFault, not the first alone, with the file each is in.
func TestDryRun_tellsEveryFault(t *testing.T) {
	h := newHouse(t)
	files, err := json.Marshal(bundle{Files: []bundled{
		{"flags/a.yaml", strings.Replace(switches("a", "shop", "operational"), "safe: off", "safe: none", 1)},
		{"flags/b.yaml", strings.Replace(switches("b", "shop", "operational"), "owner: shop", "ownr: shop", 1)},
		{"flags/c.yaml", switches("c", "shop", "operational")},
	}})
	if err != nil {
		t.Fatal(err)
	}
	code, body, _ := h.ask("editor", "POST", "/api/v1/apply?dryRun=true", string(files), "Content-Type", FilesType)
	for _, want := range []string{`flags/a.yaml:\n[`, `safe \"none\" is not a variant`, `flags/b.yaml:\n[`, `unknown field \"ownr\"`} {
		if code != http.StatusBadRequest || !strings.Contains(body, want) {
			t.Errorf("got %d %s\nwant %q", code, body, want)
		}
	}
	if strings.Contains(body, "flags/c.yaml") {
		t.Errorf("c is well: %s", body)
	}
	h.want("viewer", "POST", "/api/v1/apply?dryRun=true", documents, http.StatusForbidden, "")
	h.want("bound", "POST", "/api/v1/apply?dryRun=true", documents, http.StatusForbidden, "bound to staging")
	code, body, _ = h.ask("editor", "POST", "/api/v1/apply", `{"files":3}`, "Content-Type", FilesType)
	if code != http.StatusBadRequest || !strings.Contains(body, "files cannot be read") {
		t.Errorf("got %d %s", code, body)
	}
	code, body, _ = h.ask("editor", "POST", "/api/v1/apply", `{"files":[{"name":"a.yaml","text":"a: ["}]}`, "Content-Type", FilesType)
	if code != http.StatusBadRequest || !strings.Contains(body, `a.yaml:\n[1:`) {
		t.Errorf("got %d %s", code, body)
	}
}

// TestApply_ordersDocuments: what others name comes first, however the files
// are named.
func TestApply_ordersDocuments(t *testing.T) {
	h := newHouse(t)
	needing := func(key, needs string) string {
		return strings.Replace(switches(key, "shop", "operational"), "production: {enabled: true}",
			"production: {enabled: true, prerequisites: [{flag: "+needs+", variant: on}]}", 1)
	}
	all := plan + "---\n" + needing("a", "b") + switches("b", "shop", "operational") + documents
	want := []string{"Metric purchases created", "Flag b created", "Flag shop.checkout created", "Flag a created", "Rollout production/shop.checkout created"}
	if diff := cmp.Diff(want, h.applied("editor", "", all)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	h.want("editor", "POST", "/api/v1/apply", needing("x", "y")+needing("y", "x"), http.StatusBadRequest, "is not a flag")
}

func TestPrune(t *testing.T) {
	h := newHouse(t)
	const query = "?prune=true&set=shop"
	a, b, foreign := switches("a", "shop", "operational"), switches("b", "shop", "operational"), switches("other", "shop", "operational")
	h.want("editor", "POST", "/api/v1/apply", foreign, http.StatusOK, "created")
	h.want("editor", "POST", "/api/v1/apply?set=pay", switches("pay", "pay", "operational"), http.StatusOK, "created")
	h.want("editor", "POST", "/api/v1/apply?set=shop", a+b, http.StatusOK, "created")
	h.want("editor", "POST", "/api/v1/apply?set=shop", a+b, http.StatusOK, `"unchanged"`)
	h.want("editor", "POST", "/api/v1/apply?prune=true", a, http.StatusBadRequest, "query.set is missing")
	h.want("editor", "POST", "/api/v1/apply?prune=true&set=a+b", a, http.StatusBadRequest, `query.set \"a b\" has the character`)
	h.want("editor", "POST", "/api/v1/apply"+query, a, http.StatusForbidden, "takes an approver")
	if diff := cmp.Diff([]string{"Flag a unchanged", "Flag b archived"}, h.applied("approver", query+"&dryRun=true", a)); diff != "" {
		t.Errorf("dry: -want +got:\n%s", diff)
	}
	h.want("viewer", "GET", "/api/v1/flags?archived=true", "", http.StatusOK, `"flags":[]`)
	if diff := cmp.Diff([]string{"Flag a unchanged", "Flag b archived"}, h.applied("approver", query+"&comment=less", a)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	h.want("viewer", "GET", "/api/v1/flags/b", "", http.StatusOK, `"comment":"less (no longer in the files of set shop)"`)
	if got := decode[flagPage](h, "viewer", "/api/v1/flags?archived=false").keys(); got != "a other pay" {
		t.Errorf("of other sets, and of none, are left %s", got)
	}
}

// TestPrune_refuses: a flag that others need, or that a share of the units
// gets, is refused before anything is done.
func TestPrune_refuses(t *testing.T) {
	h := newHouse(t)
	needs := strings.Replace(switches("needs", "shop", "operational"), "production: {enabled: true}",
		"production: {enabled: true, prerequisites: [{flag: needed, variant: on}]}", 1)
	h.want("editor", "POST", "/api/v1/apply", switches("needed", "shop", "operational")+needs, http.StatusOK, "created")
	h.want("editor", "POST", "/api/v1/apply?set=shop", switches("needed", "shop", "operational")+switches("ramped", "shop", "operational"), http.StatusOK, "")
	h.want("approver", "PATCH", "/v1/flags/ramped/rollout", `{"percentage":5,"environment":"production"}`, http.StatusOK, "")
	before := h.Projection.Seq()
	body := h.want("approver", "POST", "/api/v1/apply?prune=true&set=shop", switches("new", "shop", "operational"), http.StatusBadRequest, "it is a prerequisite of needs")
	if !strings.Contains(body, "a ramp gives units of production the variant on") || !strings.Contains(body, "pruning flag ramped") || h.Projection.Seq() != before {
		t.Errorf("after %d events of %d: %s", h.Projection.Seq(), before, body)
	}
	// Both gone from the files at once: the one that needs goes first.
	h.want("approver", "PATCH", "/v1/flags/ramped/rollout", `{"percentage":0,"environment":"production"}`, http.StatusOK, "")
	h.want("editor", "POST", "/api/v1/apply?set=shop", needs, http.StatusOK, "changed")
	want := []string{"Flag new created", "Flag ramped archived", "Flag needs archived", "Flag needed archived"}
	got := h.applied("approver", "?prune=true&set=shop", switches("new", "shop", "operational"))
	if len(got) != 4 || strings.Index(strings.Join(got, " "), "needs archived") > strings.Index(strings.Join(got, " "), "needed archived") {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestDifferences(t *testing.T) {
	type part struct {
		Name string   `json:"name"`
		List []string `json:"list,omitempty"`
	}
	type doc struct {
		Owner string `json:"owner,omitempty"`
		Parts []part `json:"parts,omitempty"`
	}
	long := strings.Repeat("u", 300)
	got := differences(doc{Owner: "a", Parts: []part{{Name: "x", List: []string{"1"}}}}, doc{Parts: []part{{Name: "y", List: []string{"1", "2"}}, {Name: long}}})
	want := []string{
		`owner is gone (was "a")`, `parts[0].list is now ["1","2"] (was ["1"])`, `parts[0].name is now "y" (was "x")`,
		`parts[1].name is now "` + long[:199] + `… (302 bytes)`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestOrdered_manyPaths: flags that need each other by many paths are ordered in
// no more time than others, cycles included: those are refused later.
func TestOrdered_manyPaths(t *testing.T) {
	flag := func(key string, needs ...string) document {
		d := document{key: key, needs: needs}
		d.Kind = "Flag"
		return d
	}
	var docs []document
	for i := range 60 { // 2^60 paths
		docs = append(docs, flag(fmt.Sprintf("a%02d", i), fmt.Sprintf("a%02d", i+1), fmt.Sprintf("b%02d", i+1)), flag(fmt.Sprintf("b%02d", i), fmt.Sprintf("a%02d", i+1), fmt.Sprintf("b%02d", i+1)))
	}
	out := ordered(docs)
	if first, last := out[0].key, out[len(out)-1].key; first != "a59" || last != "b00" {
		t.Errorf("from %s to %s", first, last)
	}
	var circle []document
	var all []string
	for i := range 40 {
		all = append(all, fmt.Sprint("c", i))
	}
	for _, key := range all {
		circle = append(circle, flag(key, all...))
	}
	if got := len(ordered(circle)); got != len(circle) {
		t.Errorf("%d documents of %d", got, len(circle))
	}
}
