package dashboards

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

var shots = flag.String("shots", "", "a directory for pictures of all pages")

const chromium = "/usr/bin/chromium"

// browser starts one Chromium for a test; each use of tab opens a page in it.
func browser(t *testing.T) context.Context {
	t.Helper()
	if _, err := os.Stat(chromium); err != nil {
		t.Skipf("SKIPPED: %s is not installed, so nothing was seen in a browser", chromium)
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(chromium), chromedp.UserDataDir(t.TempDir()))
	for _, name := range []string{"no-sandbox", "disable-gpu", "disable-quic", "disable-component-update"} {
		options = append(options, chromedp.Flag(name, true))
	}
	ctx, stop := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(stop)
	// A time limit on this context would kill the browser, so tabs have their own.
	ctx, stopBrowser := chromedp.NewContext(ctx)
	t.Cleanup(stopBrowser)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatal(err)
	}
	return ctx
}

// tab opens an empty tab of the given width and colour scheme.
func tab(t *testing.T, browser context.Context, width int64, scheme string) context.Context {
	t.Helper()
	ctx, stop := chromedp.NewContext(browser)
	t.Cleanup(stop)
	ctx, cancel := context.WithTimeout(ctx, 10*time.Minute)
	t.Cleanup(cancel)
	do(t, ctx, chromedp.EmulateViewport(width, 900), chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"}}})
		if err != nil {
			return err
		}
		_, err = cdp.Call(ctx, target, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: watchPolicy})
		return err
	}))
	return ctx
}

// watchPolicy collects violations of the content security policy and faults of
// scripts from the first moment of a page.
const watchPolicy = `window.faults = [];
document.addEventListener("securitypolicyviolation", e => faults.push("CSP " + e.violatedDirective + " " + e.blockedURI));
window.addEventListener("error", e => faults.push("error " + e.message), true);`

func do(t *testing.T, ctx context.Context, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	if err := chromedp.Do(ctx, steps...); err != nil {
		t.Fatal(err)
	}
}

func eval[T any](t *testing.T, ctx context.Context, script string) T {
	t.Helper()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](script, func(p *runtime.EvaluateParams) { wait := true; p.AwaitPromise = &wait }))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

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

func axeSource(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile("../node_modules/axe-core/axe.min.js")
	if err != nil {
		t.Skipf("SKIPPED: axe-core is not installed (npm ci), so accessibility was not checked: %v", err)
	}
	return string(b)
}

// looks are the ways in which every page is seen.
var looks = []struct {
	name   string
	width  int64
	scheme string
}{{"light", 1280, "light"}, {"dark", 1280, "dark"}, {"narrow", 320, "light"}, {"narrow-dark", 320, "dark"}}

func TestPages_inChromium(t *testing.T) {
	axe, ctx := axeSource(t), browser(t)
	pages := still()
	base := site(t, pages)
	for _, look := range looks {
		ctx := tab(t, ctx, look.width, look.scheme)
		for name := range pages {
			t.Run(look.name+"/"+name, func(t *testing.T) {
				do(t, ctx, chromedp.Navigate(base+"/"+name))
				picture(t, ctx, name+"-"+look.name)
				checkFaults(t, ctx)
				checkWidth(t, ctx, look.width)
				eval[bool](t, ctx, "document.querySelectorAll('details').forEach(d => d.open = true); true")
				checkWidth(t, ctx, look.width)
				if !strings.HasPrefix(name, "hostile") || look.scheme == "light" { // their colours are those of the samples
					checkAxe(t, ctx, axe)
				}
			})
		}
	}
}

func picture(t *testing.T, ctx context.Context, name string) {
	if *shots == "" {
		return
	}
	png, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(*shots, name+".png"), png, 0o644); err != nil {
		t.Fatal(err)
	}
}

func checkFaults(t *testing.T, ctx context.Context) {
	t.Helper()
	if faults := eval[[]string](t, ctx, "window.faults"); len(faults) > 0 {
		t.Errorf("the page broke its policy or its scripts failed: %q", faults)
	}
}

// checkWidth fails when the page itself scrolls sideways.
func checkWidth(t *testing.T, ctx context.Context, width int64) {
	t.Helper()
	if got := eval[int64](t, ctx, "document.documentElement.scrollWidth"); got > width {
		wide := eval[string](t, ctx, `[...document.querySelectorAll("main *, header *")].filter(e => e.getBoundingClientRect().right > innerWidth + 1 && !e.closest(".scroll, pre, .unseen")).slice(0, 5).map(e => e.outerHTML.slice(0, 120)).join("\n")`)
		t.Errorf("the page is %d pixels wide in a window of %d:\n%s", got, width, wide)
	}
}

func checkAxe(t *testing.T, ctx context.Context, source string) {
	t.Helper()
	eval[bool](t, ctx, source+";true")
	var found []struct {
		ID, Help string
		Nodes    []struct {
			HTML           string
			FailureSummary string
		}
	}
	text := eval[string](t, ctx, "axe.run(document, {resultTypes: ['violations']}).then(r => JSON.stringify(r.violations))")
	if err := json.Unmarshal([]byte(text), &found); err != nil {
		t.Fatal(err)
	}
	for _, v := range found {
		t.Errorf("%s: %s", v.ID, v.Help)
		for _, n := range v.Nodes[:min(3, len(v.Nodes))] {
			t.Logf("  %s\n  %s", n.HTML, strings.ReplaceAll(n.FailureSummary, "\n", " "))
		}
	}
}
