package dashboards

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestAssets_htmx: the vendored file is the one that was published as htmx.org
// 4.0.1, byte for byte.
func TestAssets_htmx(t *testing.T) {
	sum := sha256.Sum256(assets["htmx-4.0.1.min.js"].body)
	if got, want := hex.EncodeToString(sum[:]), "a0abb04f2f45a1f89d1d4844023245537e5e6014c87b144553e0607b4cc32130"; got != want {
		t.Errorf("SHA-256 is %s, want %s", got, want)
	}
	if !strings.Contains(string(assets["htmx-LICENSE.txt"].body), "Zero-Clause BSD") {
		t.Error("the licence of htmx is not beside it")
	}
}

func request(method, path string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	Assets().ServeHTTP(w, httptest.NewRequest(method, path, nil))
	return w
}

func TestAssets(t *testing.T) {
	for name, a := range assets {
		w := request(http.MethodGet, a.url)
		if w.Code != http.StatusOK || w.Body.Len() != len(a.body) || w.Header().Get("Content-Type") != a.kind {
			t.Errorf("%s: status %d, %d bytes, %s", name, w.Code, w.Body.Len(), w.Header().Get("Content-Type"))
		}
		if !strings.Contains(w.Header().Get("Cache-Control"), "immutable") {
			t.Errorf("%s may not be kept for ever", name)
		}
	}
}

// TestAssets_areSmall: what every page needs stays light.
func TestAssets_areSmall(t *testing.T) {
	for name, most := range map[string]int{"style.css": 24_000, "page.js": 6_000} {
		if n := len(assets[name].body); n >= most {
			t.Errorf("%s has %d bytes, and is to have fewer than %d", name, n, most)
		}
	}
}

func TestAssets_refuses(t *testing.T) {
	url := assets["style.css"].url
	for _, c := range []struct {
		method, path string
		want         int
	}{
		{http.MethodGet, AssetPath + "style.css", http.StatusNotFound}, // without its hash
		{http.MethodGet, AssetPath + "../dashboards.go", http.StatusNotFound},
		{http.MethodGet, AssetPath, http.StatusNotFound},
		{http.MethodPost, url, http.StatusMethodNotAllowed},
	} {
		if got := request(c.method, c.path).Code; got != c.want {
			t.Errorf("%s %s: %d, want %d", c.method, c.path, got, c.want)
		}
	}
}

// TestPages_linkOnlyToAssetsThatExist: a misspelt name would give an empty address.
func TestPages_linkOnlyToAssetsThatExist(t *testing.T) {
	for name, page := range samples() {
		if text := html(t, page); strings.Contains(text, `src=""`) || strings.Contains(text, `href=""`) {
			t.Errorf("%s links to nothing", name)
		}
	}
}

// TestPages_nothingInline: the policy forbids inline script and style.
func TestPages_nothingInline(t *testing.T) {
	for name, page := range samples() {
		text := html(t, page)
		for _, bad := range []string{" style=", "<style", "<script>", " onclick=", "javascript:", "https://cdn"} {
			if strings.Contains(text, bad) {
				t.Errorf("%s holds %q", name, bad)
			}
		}
	}
}
