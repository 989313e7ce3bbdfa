package dashboards

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/sluice-hq/sluice/dashboards/browsertest"
)

// until waits for a condition in the page.
func until(t *testing.T, tab context.Context, condition string) {
	t.Helper()
	if _, err := chromedp.Run(tab, chromedp.Poll[bool](condition, chromedp.WithPollingTimeout(3*time.Minute))); err != nil {
		t.Fatalf("waiting for %s: %v", condition, err)
	}
}

// liveSite serves one rollout that changes at each request after a signal, and
// ends when told to.
type liveSite struct {
	requests, stage atomic.Int64 // stage 0: as it is, 1: changed, 2: ended, 3: the server fails
}

func (l *liveSite) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l.requests.Add(1)
	p := sampleRollout()
	p.Path, p.Refresh = r.URL.Path, 50*time.Millisecond
	switch l.stage.Load() {
	case 1:
		p.Lead = "Something new is known."
		p.Decisions = append(p.Decisions, Decision{Number: 4, Mark: Review, At: at, Reason: "explained", Who: "person:ana"})
	case 2:
		p.Lead, p.Refresh = "It is over.", 0
	case 3:
		http.Error(w, "out of order", http.StatusServiceUnavailable)
		return
	}
	serve(w, p)
}

func startLive(t *testing.T) (*liveSite, string) {
	live := &liveSite{}
	mux := http.NewServeMux()
	mux.Handle(AssetPath, Assets())
	mux.Handle("/page", live)
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return live, s.URL + "/page"
}

// TestLive_renewsInPlace: polling changes what changed, and leaves focus, open
// details and a half-typed search alone; it stops when the rollout is over.
func TestLive_renewsInPlace(t *testing.T) {
	live, url := startLive(t)
	tab := browsertest.Tab(t, browsertest.Open(t), browsertest.Looks[0])
	browsertest.Do(t, tab, chromedp.Navigate(url))
	browsertest.Eval[bool](t, tab, `document.querySelector(".asof details").open = true;
		document.getElementById("q").value = "half";
		window.kept = document.querySelector('.decisions a'); kept.focus(); true`)
	live.stage.Store(1)
	until(t, tab, `document.querySelector(".lead").textContent === "Something new is known." && document.querySelectorAll(".decisions li").length === 4`)
	for name, script := range map[string]string{
		"the focus moved":               `document.activeElement === kept && kept.isConnected`,
		"open details were closed":      `document.querySelector(".asof details").open`,
		"the search was emptied":        `document.getElementById("q").value === "half"`,
		"changes are not announced":     `document.querySelector(".lead").closest("[aria-live=polite]") !== null`,
		"the page holds two live parts": `document.querySelectorAll("#live").length === 1`,
	} {
		if !browsertest.Eval[bool](t, tab, script) {
			t.Error(name)
		}
	}
	live.stage.Store(2)
	until(t, tab, `document.querySelector(".lead").textContent === "It is over." && !document.getElementById("live").hasAttribute("hx-get")`)
	before := live.requests.Load()
	browsertest.Eval[bool](t, tab, `new Promise(r => setTimeout(() => r(true), 400))`)
	if after := live.requests.Load(); after > before+1 {
		t.Errorf("a rollout that is over was asked for %d times more", after-before)
	}
	browsertest.CheckFaults(t, tab)
}

// TestLive_renewsItsPart: charts over time were read once by the page as it opened;
// a new look has them read again, and unfolded numbers stay unfolded.
func TestLive_renewsItsPart(t *testing.T) {
	var looks atomic.Int64
	looks.Store(50)
	mux := http.NewServeMux()
	mux.Handle(AssetPath, Assets())
	mux.HandleFunc("/readouts/", func(w http.ResponseWriter, r *http.Request) {
		g := glance()
		g.Found.Trail, g.Taken = g.Found.Trail[:looks.Load()], int(looks.Load())
		serve(w, readoutOf(g, r.URL.RawQuery))
	})
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	tab := browsertest.Tab(t, browsertest.Open(t), browsertest.Looks[0])
	browsertest.Do(t, tab, chromedp.Navigate(s.URL+ReadoutLink(glance().Rollout)))
	until(t, tab, `document.querySelector("#part")?.textContent.includes("50 were taken")`)
	browsertest.Eval[bool](t, tab, `document.querySelector("#part details").open = true`)
	looks.Store(60)
	browsertest.Eval[bool](t, tab, `htmx.trigger(document.getElementById("live"), "changed"); true`)
	until(t, tab, `document.querySelector("#part").textContent.includes("60 were taken")`)
	if !browsertest.Eval[bool](t, tab, `document.querySelector("#part details").open && document.querySelectorAll("#part").length === 1`) {
		t.Error("the numbers were folded, or the part stands there twice")
	}
	browsertest.CheckFaults(t, tab)
}

// TestLive_leavesWritersAlone: a page on which somebody writes is not renewed: his
// words stay, and so does what was said of them.
func TestLive_leavesWritersAlone(t *testing.T) {
	var requests atomic.Int64
	mux := http.NewServeMux()
	mux.Handle(AssetPath, Assets())
	mux.HandleFunc("/catalogue", func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			requests.Add(1)
		}
		form := MetricForm("/catalogue", "key: errors\n", "018f").Foretell(nil, []string{"Said."})
		p := NewCatalogue(Frame{Path: "/catalogue", Person: "person:ana", Rights: Rights{Write: true}, Refresh: 50 * time.Millisecond}, nil, nil, &form, Pager{}, at)
		serve(w, p)
	})
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	tab := browsertest.Tab(t, browsertest.Open(t), browsertest.Looks[0])
	browsertest.Do(t, tab, chromedp.Navigate(s.URL+"/catalogue"))
	browsertest.Eval[bool](t, tab, `document.querySelector("details.new").open = true; window.kept = document.getElementById("metric-document"); kept.focus(); true`)
	until(t, tab, `document.activeElement === kept`)
	browsertest.Do(t, tab, chromedp.KeyEvent("#"))
	before := requests.Load()
	browsertest.Eval[bool](t, tab, `new Promise(r => setTimeout(() => r(true), 400))`)
	if after := requests.Load(); after > before+1 {
		t.Errorf("the page was renewed %d times while somebody was writing", after-before)
	}
	until(t, tab, `document.body.innerText.includes("Said.")`)
	if !browsertest.Eval[bool](t, tab, `kept.isConnected && kept.value.includes("#") && document.activeElement === kept`) {
		t.Error("what somebody had written is gone")
	}
	browsertest.CheckFaults(t, tab)
}

// TestLive_saysWhenItIsOld: a server that fails never empties the page; the
// page says that it is old, and recovers.
func TestLive_saysWhenItIsOld(t *testing.T) {
	live, url := startLive(t)
	tab := browsertest.Tab(t, browsertest.Open(t), browsertest.Looks[0])
	browsertest.Do(t, tab, chromedp.Navigate(url))
	live.stage.Store(3)
	until(t, tab, `document.documentElement.classList.contains("old")`)
	if !browsertest.Eval[bool](t, tab, `getComputedStyle(document.querySelector(".stale")).display === "block" && document.querySelectorAll(".decisions li").length === 3`) {
		t.Error("the page was emptied, or does not say that it is old")
	}
	live.stage.Store(1)
	until(t, tab, `!document.documentElement.classList.contains("old") && document.querySelectorAll(".decisions li").length === 4`)
}

// TestKeyboard: every shortcut of the help, and none while typing.
func TestKeyboard(t *testing.T) {
	base := site(t, still())
	tab := browsertest.Tab(t, browsertest.Open(t), browsertest.Looks[0])
	browsertest.Do(t, tab, chromedp.Navigate(base+"/rollout"), chromedp.KeyEvent("/"))
	until(t, tab, `document.activeElement.id === "q"`)
	browsertest.Do(t, tab, chromedp.KeyEvent("?j"))
	if !browsertest.Eval[bool](t, tab, `document.getElementById("q").value.endsWith("?j") && !document.getElementById("help").open`) {
		t.Error("a shortcut acted while somebody was typing")
	}
	browsertest.Eval[bool](t, tab, `document.activeElement.blur(); true`)
	browsertest.Do(t, tab, chromedp.KeyEvent("?"))
	until(t, tab, `document.getElementById("help").open`)
	browsertest.Eval[bool](t, tab, `document.getElementById("help").close(); true`)
	browsertest.Do(t, tab, chromedp.KeyEvent("jj"))
	until(t, tab, `document.activeElement === document.querySelectorAll("a[data-row]")[1]`)
	browsertest.Do(t, tab, chromedp.KeyEvent("k"))
	until(t, tab, `document.activeElement === document.querySelectorAll("a[data-row]")[0]`)
	browsertest.Eval[bool](t, tab, `document.getElementById("keys-on").click(); true`)
	browsertest.Do(t, tab, chromedp.KeyEvent("?"))
	if browsertest.Eval[bool](t, tab, `document.getElementById("help").open`) {
		t.Error("a shortcut acted although shortcuts are off")
	}
}

// TestPages_withoutJavaScript: everything is there, every form posts, every
// link leads somewhere, and nothing is shown that only a script could do.
func TestPages_withoutJavaScript(t *testing.T) {
	base := site(t, still())
	tab := browsertest.Tab(t, browsertest.Open(t), browsertest.Looks[0])
	browsertest.WithoutScripts(t, tab)
	for name, want := range map[string]string{"home": "Needs you", "rollout": "day_7_retention", "record": "What pins the evidence", "signin": "Token"} {
		browsertest.Do(t, tab, chromedp.Navigate(base+"/"+name))
		text, err := chromedp.Run(tab, chromedp.Text(chromedp.CSS("body")))
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(text, want) || strings.Contains(text, "Not renewed") {
			t.Errorf("%s without JavaScript reads %q", name, text)
		}
		if strings.Contains(text, "Copy\n") {
			t.Errorf("%s offers a button that does nothing without JavaScript", name)
		}
	}
}
