package dashboards

import (
	"bytes"
	"context"
	"flag"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/sluice-hq/sluice/dashboards/browsertest"
	"github.com/sluice-hq/sluice/decisions"
)

var (
	shots = flag.String("shots", "", "a directory for pictures of all pages")
	every = flag.Bool("every", false, "ask for every rule of axe-core in every look, of all rows and of every hostile page")
)

// site serves pages by name under the policy that they are written for. Pages
// stand still unless a test asks for more.
func site(t *testing.T, pages map[string]Page) string {
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
	mux.HandleFunc("POST /plans/draft", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }) // a rehearsal that goes on asks for more by itself
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s.URL
}

func serve(w http.ResponseWriter, p Page) {
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
func still() map[string]Page {
	all := samples()
	for name, p := range samples() {
		all[name] = stilled(p)
		all["hostile-"+name] = stilled(poisoned(p))
	}
	all["readout-many"] = stilled(readoutMany())
	cats := ended()
	all["cats"] = NewRollout(Frame{Path: "/", Person: "person:ana"}, cats, "/api/v1/readouts/1", at)
	all["cats-record"] = NewRecord(Frame{Path: "/", Person: "person:ana"}, cats, decisions.Record{Decision: cats.Rollout.Decisions[2]}, "/api/v1/decisions/d3")
	return all
}

// stilled returns a page that does not renew itself.
func stilled(p Page) Page {
	v := reflect.New(reflect.TypeOf(p)).Elem()
	v.Set(reflect.ValueOf(p))
	v.FieldByName("Refresh").SetInt(0)
	return v.Interface().(Page)
}

// TestPages_inChromium looks at every sample, each look in a tab of its own, as
// many tabs at once as tests run.
func TestPages_inChromium(t *testing.T) {
	axe, chromium := browsertest.Axe(t, "../node_modules"), browsertest.Open(t)
	pages := still()
	base, fullest := site(t, pages), fullest(t)
	for _, look := range browsertest.Looks {
		t.Run(look.Name, func(t *testing.T) {
			t.Parallel()
			if *every {
				look.Rules, look.Whole = "", true
			}
			tab := browsertest.Tab(t, chromium, look)
			for name := range pages {
				if of, hostile := strings.CutPrefix(name, "hostile-"); hostile && (look.Name != "narrow" || !*every && !fullest[of]) {
					continue // what breaks out breaks out in every colour, and soonest where there is least room
				}
				t.Run(name, func(t *testing.T) { examine(t, tab, base, name, look, axe) })
			}
		})
	}
}

// fullest are the names of the samples that say the most, one of each make of page.
func fullest(t *testing.T) map[string]bool {
	t.Helper()
	names, sizes := map[reflect.Type]string{}, map[reflect.Type]int{}
	for name, p := range samples() {
		var b bytes.Buffer
		if err := Render(&b, p); err != nil {
			t.Fatal(err)
		}
		if kind := reflect.TypeOf(p); b.Len() > sizes[kind] {
			names[kind], sizes[kind] = name, b.Len()
		}
	}
	all := map[string]bool{}
	for _, name := range names {
		all[name] = true
	}
	return all
}

// examine looks at one page of the site. The roles and colours of a hostile
// page are those of its sample.
func examine(t *testing.T, tab context.Context, base, name string, look browsertest.Look, axe string) {
	browsertest.Do(t, tab, chromedp.Navigate(base+"/"+name))
	if strings.HasPrefix(name, "hostile-") { // longer than a picture can be
		axe = ""
	} else if *shots != "" {
		browsertest.Picture(t, tab, filepath.Join(*shots, name+"-"+look.Name+".png"))
	}
	browsertest.Check(t, tab, look, axe)
	if look.Name == "light" {
		browsertest.CheckColourless(t, tab)
		browsertest.CheckKeys(t, tab)
	}
}

// TestPages_byTab goes with the Tab key through a page of each make: a board, a
// thing with its charts, a table of many rows, a long form, a grid.
func TestPages_byTab(t *testing.T) {
	t.Parallel()
	tab := browsertest.Tab(t, browsertest.Open(t), browsertest.Looks[0])
	base := site(t, still())
	for _, name := range []string{"home", "rollout", "readout", "plan", "simulate", "signin"} {
		t.Run(name, func(t *testing.T) {
			browsertest.Do(t, tab, chromedp.Navigate(base+"/"+name))
			browsertest.CheckTab(t, tab)
		})
	}
}

// TestPages_inForcedColours looks at what is drawn where the browser allows a
// handful of colours, those of its user.
func TestPages_inForcedColours(t *testing.T) {
	t.Parallel()
	chromium := browsertest.Open(t)
	base := site(t, still())
	for _, look := range browsertest.Forced {
		tab := browsertest.Tab(t, chromium, look)
		for _, name := range []string{"home", "rollout", "readout", "record", "simulate"} {
			t.Run(look.Name+"/"+name, func(t *testing.T) { examine(t, tab, base, name, look, "") })
		}
	}
}
