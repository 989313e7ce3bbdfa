package dashboards

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/sluice-hq/sluice/dashboards/browsertest"
	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/event"
)

// simulating answers like the server: the share of the address is the one that
// units are split by.
func simulating(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	percent, _ := strconv.ParseFloat(q.Get("share0"), 64) // none is 0
	share := decisions.Percent(max(percent, 5) * 1000)
	ids, now := crowdOf(int(share) / 50)
	rollout := ended().Rollout
	of := Tried{Flag: "game.gate", Rollout: &rollout, Stage: 0, Arms: decisions.Arms{Treatment: "on", Control: "off"}, Results: now}
	if was := q.Get("was"); was != "" {
		of.Steps = []Passage{{From: was, To: "canary", Before: now}}
	}
	of.Shares, of.Was = []decisions.Percent{share, 50_000}, "0:"+strconv.Itoa(int(share)/1000)
	serve(w, NewSimulation(Frame{Path: r.URL.RequestURI(), Person: "person:ana"}, q, ids, []Tried{of}))
}

// continuing answers like the server: the runs that are asked for are over.
func continuing(w http.ResponseWriter, r *http.Request) {
	p := NewPlanEdit(Frame{Path: "/plans/draft", Person: "person:ana"}, PlanAt{Name: "New plan"}, NewPlanForm(planYAML, samplePlan(), samplePlanKnown()))
	report := sampleRehearsal()
	report.Seeds, _ = strconv.Atoi(r.PostFormValue("runs")) // of the first request it is 0
	next := map[int]int{0: 6, 6: 20}[report.Seeds]
	p.Tried = NewPlanRehearsal(Rehearsed{Report: report, Every: event.Duration(time.Hour), Of: 20, Next: next})
	serve(w, p)
}

func livePages(t *testing.T) string {
	mux := http.NewServeMux()
	mux.Handle(AssetPath, Assets())
	mux.HandleFunc("/simulate", simulating)
	mux.HandleFunc("/plans/draft", continuing)
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s.URL
}

// TestSimulation_slides: while a slider moves the grid follows, the address
// holds what is shown, and the slider keeps the focus.
func TestSimulation_slides(t *testing.T) {
	tab := browsertest.Tab(t, browsertest.Open(t), browsertest.Looks[0])
	browsertest.Do(t, tab, chromedp.Navigate(livePages(t)+"/simulate?flags=game.gate&stage=0"))
	browsertest.Eval[bool](t, tab, `window.kept = document.getElementById("share0"); kept.focus(); kept.value = 20; kept.dispatchEvent(new Event("input", {bubbles: true})); true`)
	until(t, tab, `document.querySelectorAll(".units .t").length === 195`)
	for name, script := range map[string]string{
		"the address":      `location.search.includes("share0=20") && location.search.includes("was=0%3A5")`,
		"the number":       `document.querySelector("output").value === "20 %"`,
		"what it did":      `document.querySelector(".sticky-proof").textContent.includes("From 0:5 to canary")`,
		"the next was":     `document.querySelector("[name=was]").value === "0:20"`,
		"focus, and value": `document.activeElement === kept && kept.isConnected && kept.value === "20"`,
	} {
		if !browsertest.Eval[bool](t, tab, script) {
			t.Errorf("%s is not as it should be: %s", name, browsertest.Eval[string](t, tab, `location.search + document.querySelector("output").value`))
		}
	}
	browsertest.CheckFaults(t, tab)
}

// TestPlanRehearsal_goesOn: a page asks for the next runs by itself until all are
// over.
func TestPlanRehearsal_goesOn(t *testing.T) {
	tab := browsertest.Tab(t, browsertest.Open(t), browsertest.Looks[0])
	browsertest.Do(t, tab, chromedp.Navigate(livePages(t)+"/plans/draft"))
	until(t, tab, `document.getElementById("rehearsal").textContent.includes("20 runs of each scenario, from seed 1") && !document.querySelector("progress")`)
	browsertest.CheckFaults(t, tab)
}
