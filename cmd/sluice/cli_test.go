package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/internal/server"
	"github.com/sluice-hq/sluice/stats"
)

// TestRun_refuses: a command that cannot be carried out ends with status 1,
// before anything is opened.
func TestRun_refuses(t *testing.T) {
	for _, args := range []string{
		"", "fly", "serve --nope", "serve --every 0s", "serve --every soon", "serve --rate api=fast", "serve --rate king=1/s", "serve --trust-proxy 10.1.2.3", "serve --events-at-once=-1", "demo --rate 0", "demo --listen 0.0.0.0:1", "demo --listen here",
		"status -o xml", "status nonsense --server http://127.0.0.1:1", "status --server 127.0.0.1:1", "decide fly production/a/1",
		"serve --roles king", "apply /no/such/file", "apply", "verify --file /no/such/file", "token shop --class king",
	} {
		if got := run(t.Context(), strings.Fields(args)); got != exitError {
			t.Errorf("sluice %s: exit status %d, want %d", args, got, exitError)
		}
	}
}

// TestClient_saysWhatToDo: what keeps the client from an answer is told with
// the way out.
func TestClient_saysWhatToDo(t *testing.T) {
	turnsAway := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) }))
	defer turnsAway.Close()
	for address, want := range map[string]string{
		"127.0.0.1:8321": "is not an address", "ftp://a": "is not an address", "http://127.0.0.1:1": "sluice serve", turnsAway.URL: "SLUICE_TOKEN",
	} {
		if err := (client{Server: address}).get(t.Context(), "/", nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", address, err, want)
		}
	}
}

// TestRollback_ofAFlag: who knows the flag alone is told what else there is.
func TestRollback_ofAFlag(t *testing.T) {
	err := rollbackCmd{act{Rollout: "checkout"}}.Run(t.Context())
	if err == nil || !strings.Contains(err.Error(), "sluice flag force FLAG") {
		t.Errorf("got %v", err)
	}
}

// TestCell_numbers: a revision is written in full, however large.
func TestCell_numbers(t *testing.T) {
	if got := cell(map[string]any{"given": float64(12345678)}, "given"); got != "12345678" {
		t.Errorf("got %q", got)
	}
}

// TestDoctor_namesWhatIsUnwell: a server that is not ready says which part is
// not, and the doctor repeats it.
func TestDoctor_namesWhatIsUnwell(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = w.Write([]byte(`{"log":"ok","warehouse":"the engine restarts"}`))
	}))
	defer s.Close()
	_, err := doctorCmd{client: client{Server: s.URL}}.server(t.Context())
	if err == nil || !strings.HasSuffix(err.Error(), "is not ready: warehouse: the engine restarts") {
		t.Errorf("got %v", err)
	}
}

func TestWhy(t *testing.T) {
	v := server.RolloutView{Rollout: decisions.Rollout{Standing: decisions.Standing{ID: "production/a/1", Status: decisions.Planned}}}
	if got := why(v); !strings.Contains(got, "sluice start production/a/1") {
		t.Errorf("planned: %q", got)
	}
	v.Rollout.Status = decisions.Running
	if got := why(v); strings.Contains(got, "not started") {
		t.Errorf("running: %q", got)
	}
}

func TestNumbers(t *testing.T) {
	if got := thousands(-1234567) + " " + thousands(999) + " " + percent(-0.0431) + " " + percent(-0.0001) + " " + percent(0.2); got != "-1,234,567 999 −4.3 % 0.0 % 20.0 %" {
		t.Errorf("got %q", got)
	}
	share, length := leveled(stats.Metric{Aggregate: stats.Conversion}), leveled(stats.Metric{Aggregate: "mean", UnitOfMeasure: "ms"})
	if got := share(0.19023) + ", " + length(184.25); got != "19.02 %, 184.2 ms" {
		t.Errorf("got %q", got)
	}
}
