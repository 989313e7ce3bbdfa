package server

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// scan writes what a scan of a repository found, two lines of each flag.
func scan(repository, revision string, keys ...string) string {
	var places []string
	for _, key := range keys {
		places = append(places, fmt.Sprintf(`{"flag":%q,"path":"b.go","line":7,"alias":"Flag"},{"flag":%q,"path":"a.go","line":1}`, key, key))
	}
	return fmt.Sprintf(`{"repository":%q,"revision":%q,"files":3,"references":[%s]}`, repository, revision, strings.Join(places, ","))
}

// TestReferences: the newest scan of each repository counts; what is in the
// code and no flag is said, and does not count.
func TestReferences(t *testing.T) {
	h := newHouse(t)
	h.want("editor", "POST", "/api/v1/apply", switches("shop.pay", "shop", "operational")+switches("search.rank", "search", "operational"), http.StatusOK, "")
	const upload = "/api/v1/references"
	for _, c := range []struct{ body, want string }{
		{scan("acme/shop", "v1", "shop.pay", "shop.gone"), `"files":3,"flags":1,"places":2,"unknown":{"shop.gone":2},"change":"created"`},
		{scan("acme/shop", "v1", "shop.gone", "shop.pay"), `"change":"unchanged"`},
		{scan("acme/shop", "v2", "shop.pay"), `"flags":1,"places":2,"change":"changed"`},
		{scan("acme/app", "v9"), `"flags":0,"places":0,"change":"created"`},
	} {
		h.want("editor", "POST", upload, c.body, http.StatusOK, c.want)
	}
	type answer struct {
		Count        *int
		Repositories []Used
	}
	two, none := 2, 0
	app, shop := Used{Repository: "acme/app", Revision: "v9", At: start}, Used{Repository: "acme/shop", Revision: "v2", At: start}
	rank := answer{&none, []Used{app, shop}}
	if d := cmp.Diff(rank, decode[answer](h, "viewer", "/api/v1/flags/search.rank/references")); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
	shop.Count, shop.Places = 2, []Line{{"a.go", 1, ""}, {"b.go", 7, "Flag"}}
	if d := cmp.Diff(answer{&two, []Used{app, shop}}, decode[answer](h, "viewer", "/api/v1/flags/shop.pay/references")); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
	h.want("viewer", "GET", upload+"?limit=1", "", http.StatusOK, `"repository":"acme/app"`)
	h.want("viewer", "GET", "/api/v1/flags/none/references", "", http.StatusNotFound, "not-found")
}

// TestReferences_withinAKeyPrefix: a token that is bound to keys hears of no
// others.
func TestReferences_withinAKeyPrefix(t *testing.T) {
	h := newHouse(t)
	h.issueKeys()
	h.want("editor", "POST", "/api/v1/apply", switches("shop.pay", "shop", "operational")+switches("search.rank", "search", "operational"), http.StatusOK, "")
	h.want("editor", "POST", "/api/v1/references", scan("acme/shop", "v1", "shop.pay", "shop.gone", "search.rank"), http.StatusOK, "")
	h.want("keys", "GET", "/api/v1/references", "", http.StatusOK, `"flags":1,"places":2}`)
	h.want("shop", "GET", "/api/v1/references", "", http.StatusOK, `"flags":1,"places":2,"unknown":{"shop.gone":2}}`)
}

func TestReferences_refuse(t *testing.T) {
	h := newHouse(t)
	for body, want := range map[string]string{
		`{"revision":"v1","references":[]}`:          "expected required property repository",
		`{"repository":"acme/shop","references":[]}`: "expected required property revision",
		`{"repository":"acme/shop","revision":"v1"}`: "expected required property references",
		scan("acme shop", "v1"):                      `repository \"acme shop\" has the character ' '`,
		scan("acme/shop", ""):                        `revision is missing`,
		scan("acme/shop", "v1", "a b"):               `references[0].flag \"a b\" has the character ' '`,
		`{"repository":"a","revision":"v","references":[{"flag":"f","path":"","line":0}]}`: `references[0].line \"0\" is not between`,
	} {
		h.want("editor", "POST", "/api/v1/references", body, http.StatusBadRequest, want)
	}
	large := scan("acme/shop", strings.Repeat("v", 2<<20))
	h.want("editor", "POST", "/api/v1/references", large, http.StatusRequestEntityTooLarge, "too-large")
	h.want("editor", "GET", "/api/v1/references", "", http.StatusOK, `"references":[]`)
}
