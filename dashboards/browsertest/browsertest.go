// Package browsertest lets tests look at pages in a real Chromium: their
// width, their colours, what they break of their content security policy and
// what axe-core finds. It skips visibly where there is no browser, and knows
// nothing of what a page shows.
//
//	axe, chromium := browsertest.Axe(t, "../node_modules"), browsertest.Open(t)
//	tab := browsertest.Tab(t, chromium, browsertest.Looks[0])
//	browsertest.Do(t, tab, chromedp.Navigate(url))
//	browsertest.Check(t, tab, browsertest.Looks[0], axe)
package browsertest

import (
	"context"
	"encoding/json"
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

const chromium = "/usr/bin/chromium"

// Look is one way in which a page is seen.
type Look struct {
	Name   string
	Width  int64  // of the window, pixels
	Scheme string // light or dark
	Rules  string // of axe-core: its options, as it takes them; "": all
	Whole  bool   // axe-core looks at all rows of tables and lists, not at the first of them alone
	Forced bool   // the browser puts the few colours of its user in the place of the page's
}

// Looks are the ways in which every page is seen. Roles and names are those of
// the first, so that the second asks for colours alone, and the third, whose
// colours are those of the first, for what depends on room.
var Looks = []Look{
	{Name: "light", Width: 1280, Scheme: "light"},
	{Name: "dark", Width: 1280, Scheme: "dark", Rules: "runOnly: ['color-contrast', 'link-in-text-block']"},
	{Name: "narrow", Width: 320, Scheme: "light", Rules: "runOnly: ['target-size', 'scrollable-region-focusable', 'css-orientation-lock', 'avoid-inline-spacing', 'region', 'bypass']"},
}

// Forced are the looks of those who choose the colours themselves.
var Forced = []Look{{Name: "forced-light", Width: 1280, Scheme: "light", Forced: true}, {Name: "forced-dark", Width: 1280, Scheme: "dark", Forced: true}}

// Axe returns the source of axe-core from a folder of npm modules.
func Axe(t *testing.T, modules string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(modules, "axe-core", "axe.min.js"))
	if err != nil {
		t.Skipf("SKIPPED: axe-core is not installed (make engine), so accessibility was not checked: %v", err)
	}
	return string(b)
}

// Open starts one Chromium for a test; each use of Tab opens a page in it.
func Open(t *testing.T) context.Context {
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

// Tab opens an empty tab that looks at pages in one way.
func Tab(t *testing.T, browser context.Context, look Look) context.Context {
	t.Helper()
	return tab(t, browser, look)
}

func tab(t *testing.T, browser context.Context, look Look, how ...chromedp.ContextOption) context.Context {
	t.Helper()
	ctx, stop := chromedp.NewContext(browser, how...)
	t.Cleanup(stop)
	ctx, cancel := context.WithTimeout(ctx, 25*time.Minute)
	t.Cleanup(cancel)
	features := []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: look.Scheme}, {Name: "prefers-reduced-motion", Value: "reduce"}}
	if look.Forced {
		features = append(features, &emulation.MediaFeature{Name: "forced-colors", Value: "active"})
	}
	Do(t, ctx, chromedp.EmulateViewport(look.Width, 900), chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: features})
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

// Do carries out steps in a tab.
func Do(t *testing.T, tab context.Context, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	if err := chromedp.Do(tab, steps...); err != nil {
		t.Fatal(err)
	}
}

// Eval returns what a script evaluates to, awaited if it is a promise.
func Eval[T any](t *testing.T, tab context.Context, script string) T {
	t.Helper()
	v, err := chromedp.Run(tab, chromedp.Evaluate[T](script, func(p *runtime.EvaluateParams) { wait := true; p.AwaitPromise = &wait }))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// tallest is how many pixels a picture can be high.
const tallest = 16_000

// Picture writes the whole page as PNG; an empty file name writes nothing, and of a
// page that is higher than a picture can be there is none.
func Picture(t *testing.T, tab context.Context, file string) {
	t.Helper()
	if file == "" {
		return
	}
	if high := Eval[int64](t, tab, "document.documentElement.scrollHeight"); high > tallest {
		t.Logf("%s is %d pixels high: there is no picture of it", filepath.Base(file), high)
		return
	}
	png, err := chromedp.Run(tab, chromedp.FullScreenshot(100))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, png, 0o644); err != nil {
		t.Fatal(err)
	}
}

// Check looks at the page that is open, closed and then with all its details
// unfolded. An empty axe leaves accessibility out.
func Check(t *testing.T, tab context.Context, look Look, axe string) {
	t.Helper()
	CheckFaults(t, tab)
	checkWidth(t, tab, look.Width)
	Eval[bool](t, tab, "document.querySelectorAll('details').forEach(d => d.open = true); true")
	checkWidth(t, tab, look.Width)
	checkGraphics(t, tab)
	if axe != "" {
		checkAxe(t, tab, look, axe)
	}
}

// CheckFaults fails when the page broke its policy or a script failed.
func CheckFaults(t *testing.T, tab context.Context) {
	t.Helper()
	if faults := Eval[[]string](t, tab, "window.faults"); len(faults) > 0 {
		t.Errorf("the page broke its policy or its scripts failed: %q", faults)
	}
}

// checkWidth fails when the page itself scrolls sideways.
func checkWidth(t *testing.T, tab context.Context, width int64) {
	t.Helper()
	if got := Eval[int64](t, tab, "document.documentElement.scrollWidth"); got > width {
		wide := Eval[string](t, tab, `[...document.querySelectorAll("main *, header *")].filter(e => e.getBoundingClientRect().right > innerWidth + 1 && !e.closest(".scroll, pre, .unseen")).slice(0, 5).map(e => e.outerHTML.slice(0, 120)).join("\n")`)
		t.Errorf("the page is %d pixels wide in a window of %d:\n%s", got, width, wide)
	}
}

// fewRows takes the rows away that come after some of the same make: axe-core
// walks the whole page for every rule. It returns what puts them back.
const fewRows = `(() => {
	const all = "tbody > tr:nth-of-type(n+9), :is(ul, ol) > li:nth-of-type(n+13), section > form:nth-of-type(n+9)";
	const gone = [...document.querySelectorAll(all)].map(e => [e, document.createComment("")]);
	gone.forEach(([e, place]) => e.replaceWith(place));
	return () => gone.reverse().forEach(([e, place]) => place.replaceWith(e));
})()`

func checkAxe(t *testing.T, tab context.Context, look Look, source string) {
	t.Helper()
	Eval[bool](t, tab, source+";true")
	var found []struct {
		ID, Help string
		Nodes    []struct {
			HTML           string
			FailureSummary string
		}
	}
	rows := fewRows
	if look.Whole {
		rows = "() => {}"
	}
	text := Eval[string](t, tab, "(back => axe.run(document, {resultTypes: ['violations'], "+look.Rules+"}).then(r => JSON.stringify(r.violations)).finally(back))("+rows+")")
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
