package dashboards

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/sluice-hq/sluice/dashboards/browsertest"
)

// drafting answers like the server: the YAML says what the form does.
func drafting(w http.ResponseWriter, r *http.Request) {
	_ = r.ParseForm() // a page that is asked for has no form
	sent := samplePlan()
	for name, values := range r.PostForm {
		sent[name] = values
	}
	f := NewPlanForm("owner: "+sent.Text("owner")+"\n", sent, samplePlanKnown())
	serve(w, NewPlanEdit(Frame{Path: "/plans/draft", Person: "person:ana"}, PlanAt{Name: "New plan", Rights: Rights{Write: true}}, f))
}

// TestPlanEdit_asTyped: the YAML follows the form while somebody types, and
// takes neither focus nor letters away.
func TestPlanEdit_asTyped(t *testing.T) {
	mux := http.NewServeMux()
	mux.Handle(AssetPath, Assets())
	mux.HandleFunc("/plans/draft", drafting)
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	tab := browsertest.Tab(t, browsertest.Open(t), browsertest.Looks[0])
	browsertest.Do(t, tab, chromedp.Navigate(s.URL+"/plans/draft"))
	browsertest.Eval[bool](t, tab, `window.kept = document.getElementById("plan-owner"); kept.focus(); kept.setSelectionRange(4, 4); true`)
	browsertest.Do(t, tab, chromedp.KeyEvent("s"))
	until(t, tab, `document.getElementById("plan-yaml").value === "owner: shops-team\n"`)
	browsertest.Do(t, tab, chromedp.KeyEvent("!"))
	until(t, tab, `document.getElementById("plan-yaml").value === "owner: shops!-team\n" && document.querySelector("[name=base]").value === "owner: shops!-team\n"`)
	for name, script := range map[string]string{
		"the focus moved":      `document.activeElement === kept && kept.isConnected`,
		"letters were lost":    `kept.value === "shops!-team" && kept.selectionStart === 6`,
		"there are two drafts": `document.querySelectorAll("#draft").length === 1`,
	} {
		if !browsertest.Eval[bool](t, tab, script) {
			t.Error(name)
		}
	}
	browsertest.CheckFaults(t, tab)
}

// TestPlanEdit_typedMeanwhile: an answer that was asked for before somebody wrote
// on takes nothing away, and what he wrote is in the next one.
func TestPlanEdit_typedMeanwhile(t *testing.T) {
	arrived, answer := make(chan bool, 100), make(chan bool)
	mux := http.NewServeMux()
	mux.Handle(AssetPath, Assets())
	mux.HandleFunc("GET /plans/draft", drafting)
	mux.HandleFunc("POST /plans/draft", func(w http.ResponseWriter, r *http.Request) {
		arrived <- true
		<-answer
		drafting(w, r)
	})
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	tab := browsertest.Tab(t, browsertest.Open(t), browsertest.Looks[0])
	browsertest.Do(t, tab, chromedp.Navigate(s.URL+"/plans/draft"))
	browsertest.Eval[bool](t, tab, `document.getElementById("plan-unit").focus(); true`)
	browsertest.Do(t, tab, chromedp.KeyEvent("x"))
	<-arrived
	browsertest.Eval[bool](t, tab, `window.kept = document.getElementById("plan-owner"); kept.focus(); kept.setSelectionRange(4, 4); true`)
	browsertest.Do(t, tab, chromedp.KeyEvent("s"))
	browsertest.Eval[bool](t, tab, `document.getElementById("plan-hypothesis").focus(); true`)
	close(answer)
	until(t, tab, `document.getElementById("plan-yaml").value === "owner: shops-team\n" && kept.value === "shops-team"`)
	browsertest.CheckFaults(t, tab)
}

// TestPlanEdit_followsUnderTheCursor: the YAML follows the form also when whoever
// wrote there has gone on to it already, or his next letter would take back all
// that the form said.
func TestPlanEdit_followsUnderTheCursor(t *testing.T) {
	mux := http.NewServeMux()
	mux.Handle(AssetPath, Assets())
	mux.HandleFunc("/plans/draft", drafting)
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	tab := browsertest.Tab(t, browsertest.Open(t), browsertest.Looks[0])
	browsertest.Do(t, tab, chromedp.Navigate(s.URL+"/plans/draft"))
	for _, step := range []struct{ goesTo, yaml string }{{"plan-hypothesis", "owner: shops-team\n"}, {"plan-yaml", "owner: shopss-team\n"}} {
		browsertest.Eval[bool](t, tab, `window.owner = document.getElementById("plan-owner"); owner.focus(); owner.setSelectionRange(4, 4); true`)
		browsertest.Do(t, tab, chromedp.KeyEvent("s"))
		browsertest.Eval[bool](t, tab, fmt.Sprintf(`window.kept = document.getElementById(%q); kept.focus(); kept.setSelectionRange(2, 2); true`, step.goesTo))
		until(t, tab, fmt.Sprintf(`document.getElementById("plan-yaml").value === %q`, step.yaml))
	}
	if !browsertest.Eval[bool](t, tab, "document.activeElement === kept && kept.selectionStart === 2") {
		t.Error("the cursor moved")
	}
	browsertest.CheckFaults(t, tab)
}
