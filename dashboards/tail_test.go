package dashboards

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/sluice-hq/sluice/dashboards/browsertest"
	"github.com/sluice-hq/sluice/ingest"
)

// TestTail_inChromium: what is heard stands above what was there, at most 200
// rows of it, no text becomes markup, and a pause ends the stream.
func TestTail_inChromium(t *testing.T) {
	chromium := browsertest.Open(t)
	ended := make(chan struct{}, 8)
	mux := http.NewServeMux()
	mux.Handle(AssetPath, Assets())
	mux.HandleFunc("GET /events", func(w http.ResponseWriter, _ *http.Request) { serve(w, eventSamples()["events"]) })
	mux.HandleFunc("GET /api/v1/events/tail", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		h := sampleHeard()[2]
		h.Verdict, h.Kind = ingest.Took, ingest.KindMetric
		for i := range 300 {
			h.Name, h.Notes = fmt.Sprintf("<b>purchase</b> %d", i), []ingest.Note{{Field: "synthetic", Why: "is shown <i>and</i> never analysed"}}
			data, _ := json.Marshal(h)
			fmt.Fprintf(w, "event: heard\ndata: %s\n\n", data)
		}
		w.(http.Flusher).Flush()
		<-r.Context().Done()
		ended <- struct{}{}
	})
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	tab := browsertest.Tab(t, chromium, browsertest.Looks[0])
	browsertest.Do(t, tab, chromedp.Navigate(s.URL+"/events"))
	const newest = `document.querySelector("table.heard tbody tr")`
	until(t, tab, newest+`.textContent.includes("purchase</b> 299")`)
	if n := browsertest.Eval[int](t, tab, `document.querySelectorAll("table.heard tbody tr").length`); n != 200 {
		t.Errorf("%d rows are shown", n)
	}
	if marked := browsertest.Eval[int](t, tab, `document.querySelectorAll("table.heard b, table.heard i").length`); marked != 0 {
		t.Error("a text became markup")
	}
	if got := browsertest.Eval[string](t, tab, newest+`.querySelector(".mark").textContent.trim()`); got != "accepted" && got != "✓ accepted" {
		t.Errorf("its mark says %q", got)
	}
	browsertest.Eval[bool](t, tab, `document.getElementById("tail-pause").click(); true`)
	<-ended
	if got := browsertest.Eval[string](t, tab, `document.getElementById("tail-state").textContent`); got != "Paused." {
		t.Errorf("it says %q", got)
	}
	browsertest.CheckFaults(t, tab)
}
