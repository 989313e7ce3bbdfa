package dashboards

import (
	"bytes"
	"flag"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/sluice-hq/sluice/dashboards/browsertest"
)

var shots = flag.String("shots", "", "a directory for pictures of all pages")

// site serves pages by name under the policy that they are written for. Pages
// stand still unless a test asks for more.
func site(t *testing.T, pages map[string]any) string {
	t.Helper()
	mux := http.NewServeMux()
	mux.Handle(AssetPath, Assets())
	mux.HandleFunc("GET /{name}", func(w http.ResponseWriter, r *http.Request) {
		p, ok := pages[r.PathValue("name")]
		if !ok {
			http.NotFound(w, r)
			return
		}
		serve(w, p)
	})
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s.URL
}

func serve(w http.ResponseWriter, p any) {
	var b bytes.Buffer
	if err := Render(&b, p); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Security-Policy", CSP)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Write(b.Bytes())
}

// still returns the samples without renewal, so that what is looked at stays.
func still() map[string]any {
	all := samples()
	for name, p := range all {
		switch p := p.(type) {
		case Home:
			p.Refresh = 0
			all[name] = p
		case Rollout:
			p.Refresh = 0
			all[name] = p
		}
	}
	cats := ended()
	all["cats"] = NewRollout(Frame{Path: "/", Person: "person:ana"}, cats, "/api/v1/readouts/1", at)
	all["cats-record"] = NewRecord(Frame{Path: "/", Person: "person:ana"}, cats, cats.Rollout.Decisions[2], "/api/v1/decisions/d3")
	all["hostile"], all["hostile-home"], all["hostile-record"] = hostileRollout(), hostileHome(), hostileRecord()
	return all
}

func TestPages_inChromium(t *testing.T) {
	axe, chromium := browsertest.Axe(t, "../node_modules"), browsertest.Open(t)
	pages := still()
	base := site(t, pages)
	for _, look := range browsertest.Looks {
		tab := browsertest.Tab(t, chromium, look)
		for name := range pages {
			t.Run(look.Name+"/"+name, func(t *testing.T) {
				browsertest.Do(t, tab, chromedp.Navigate(base+"/"+name))
				if *shots != "" {
					browsertest.Picture(t, tab, filepath.Join(*shots, name+"-"+look.Name+".png"))
				}
				examine := axe
				if strings.HasPrefix(name, "hostile") && look.Scheme == "dark" {
					examine = "" // their colours are those of the samples
				}
				browsertest.Check(t, tab, look, examine)
			})
		}
	}
}
