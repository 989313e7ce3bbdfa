package server

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/sluice-hq/sluice/ingest"
)

// forgetful takes events and loses the first answers, as a network does.
type forgetful struct {
	Intake
	lost int
}

func (f *forgetful) Accept(ctx context.Context, r ingest.Request, now time.Time) (ingest.Receipt, error) {
	receipt, err := f.Intake.Accept(ctx, r, now)
	if f.lost > 0 {
		f.lost--
		return ingest.Receipt{}, ingest.ErrBusy
	}
	return receipt, err
}

// TestPythonExample runs the program that docs/sdk.md shows as an example of what any
// language does, against a server whose first two answers are lost: every unit's
// exposure comes three times, as one event.
func TestPythonExample(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("python3 is not installed: the example of docs/sdk.md is not run")
	}
	h := newHouseWith(t, func(h *House) { h.Intake = &forgetful{Intake: h.Intake, lost: 2}; h.Now = time.Now })
	h.want("editor", "POST", "/api/v1/apply", documents, 200, "")
	run := func(flag string, units ...string) (string, error) {
		c := exec.CommandContext(t.Context(), python, append([]string{"../../docs/sdk/exposures.py", flag}, units...)...)
		c.Env = append(os.Environ(), "SLUICE_URL="+h.URL, "SLUICE_TOKEN="+h.tokens["sdk"], "SLUICE_MOST_WAIT=0.01")
		out, err := c.CombinedOutput()
		return strings.TrimSpace(string(out)), err
	}
	if out, err := run("shop.checkout", "u-1", "u-2"); err != nil || out != `{"accepted": 2}` {
		t.Fatalf("%s, %v", out, err)
	}
	sendings, units := map[string]int{}, map[uint64]bool{}
	for _, r := range h.stored() {
		sendings[r.ID.String()]++
		units[r.Unit] = true
		if r.Variant != "off" || r.Revision == 0 || r.Reason != "DEFAULT" {
			t.Errorf("stored %+v", r)
		}
	}
	if len(sendings) != 2 || len(units) != 2 {
		t.Errorf("%d events of %d units: %v", len(sendings), len(units), sendings)
	}
	for id, n := range sendings {
		if n != 3 {
			t.Errorf("%s came %d times", id, n)
		}
	}
	if out, err := run("no.such.flag", "u-1"); err == nil || !strings.Contains(out, "refused, and would be again") {
		t.Errorf("nothing to send: %s, %v", out, err)
	}
}
