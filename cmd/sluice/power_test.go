package main

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/internal/engine/enginetest"
)

// TestPower foresees a plan from what three days brought to the flag, and one of
// a flag that nobody has met from those who met the other.
func TestPower(t *testing.T) {
	h := stand(t, config{Data: t.TempDir(), Lib: enginetest.Library(t)})
	documents, plan, _ := strings.Cut(gateDocuments, "---\napiVersion: sluice/v1\nkind: Rollout")
	plan = "apiVersion: sluice/v1\nkind: Rollout" + plan
	other := strings.ReplaceAll(documents+"---\n"+plan, "key: gate", "key: door")
	other = strings.ReplaceAll(other, "flag: gate", "flag: door")
	if answer, body := h.ask("POST", "/api/v1/apply?comment=x", documents); answer.StatusCode != http.StatusOK {
		t.Fatal(body)
	}
	var lines []string
	for i := range 600 { // 200 new units a day, a quarter of whom win
		at := now().Add(-72 * time.Hour).Add(time.Duration(i) * 7 * time.Minute).Format(time.RFC3339)
		lines = append(lines, fmt.Sprintf(`{"kind":"exposure","id":%q,"flag":"gate","unit":{"kind":"user","id":"u-%d"},"variant":"off","reason":"DEFAULT","at":%q}`, event.New(), i, at))
		if i%4 == 0 {
			lines = append(lines, fmt.Sprintf(`{"kind":"metric","id":%q,"name":"win","units":{"user":"u-%d"},"at":%q}`, event.New(), i, at))
		}
	}
	if answer, body := h.ask("POST", "/api/v1/events/import?environment=production", strings.Join(lines, "\n")); answer.StatusCode != http.StatusAccepted {
		t.Fatalf("%s %s", answer.Status, body)
	}
	h.awaits("/api/v1/totals", func(body string) bool { return strings.Contains(body, `"done":1`) })

	t.Setenv("SLUICE_SERVER", h.address())
	t.Setenv("SLUICE_TOKEN", h.token)
	file := filepath.Join(t.TempDir(), "plan.yaml")
	for _, c := range []struct{ plan, met string }{{plan, "600 units met gate from"}, {other, "600 units met any flag from"}} {
		if err := os.WriteFile(file, []byte(c.plan), 0o600); err != nil {
			t.Fatal(err)
		}
		// A gain of 2 % of a quarter asks for far more than comes in four weeks.
		text := said(t, exitWaiting, "power", file)
		for _, want := range []string{c.met, "not reached", "experiment  50%", "success, and is not answered in time", "success  wins  2.0 %"} {
			if !strings.Contains(text, want) {
				t.Errorf("the outlook does not say %q:\n%s", want, text)
			}
		}
	}
	big := strings.Replace(plan, "mde: 2%", "mde: 60%", 1)
	if err := os.WriteFile(file, []byte(big), 0o600); err != nil {
		t.Fatal(err)
	}
	if text := said(t, 0, "power", file); !strings.Contains(text, "the last stage begins after") {
		t.Errorf("a large gain is found: %s", text)
	}
	said(t, exitError, "power", "production/gate/1")
	said(t, exitError, "power", filepath.Join(t.TempDir(), "none.yaml"))
}
