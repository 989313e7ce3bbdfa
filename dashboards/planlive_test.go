package dashboards

import (
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
