package dashboards

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"mime"
	"net/http"
	"path"
	"strings"
)

// AssetPath is where the pages expect the handler of Assets.
const AssetPath = "/assets/"

//go:embed assets
var assetFiles embed.FS

// asset is one file that pages link to.
type asset struct {
	url  string // with the hash of its content, so that it may be cached for ever
	kind string // Content-Type
	body []byte
}

// assets maps the name of a file, "style.css", to what is served.
var assets = loadAssets()

func loadAssets() map[string]asset {
	entries, err := assetFiles.ReadDir("assets")
	if err != nil {
		panic(err) // unreachable unless the program was built without its files
	}
	all := map[string]asset{}
	for _, e := range entries {
		body, err := assetFiles.ReadFile("assets/" + e.Name())
		if err != nil {
			panic(err) // unreachable, see above
		}
		all[e.Name()] = newAsset(e.Name(), body)
	}
	return all
}

func newAsset(name string, body []byte) asset {
	sum := sha256.Sum256(body)
	ext := path.Ext(name)
	url := AssetPath + strings.TrimSuffix(name, ext) + "." + hex.EncodeToString(sum[:6]) + ext
	return asset{url: url, kind: contentType(ext), body: body}
}

// contentType does not ask the machine's own tables, which differ.
func contentType(ext string) string {
	switch ext {
	case ".css":
		return "text/css; charset=utf-8"
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	}
	return mime.FormatMediaType("text/plain", map[string]string{"charset": "utf-8"})
}

// assetURL returns the address of a file; a name that is not there is a fault
// of a template, found by the first test that renders it.
func assetURL(name string) string { return assets[name].url }

// Assets serves the files that pages link to, below AssetPath. Their addresses
// hold the hash of their content, so that a browser may keep them for ever and
// a new version is fetched at once.
func Assets() http.Handler {
	byURL := map[string]asset{}
	for _, a := range assets {
		byURL[a.url] = a
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a, ok := byURL[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "assets can only be read", http.StatusMethodNotAllowed)
			return
		}
		h := w.Header()
		h.Set("Content-Type", a.kind)
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
		h.Set("X-Content-Type-Options", "nosniff")
		w.Write(a.body)
	})
}
