package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/sluice-hq/sluice/event"
)

// plan is a rollout of the flag in documents.
const plan = `apiVersion: sluice/v1
kind: Rollout
flag: shop.checkout
environment: production
owner: shop-team
hypothesis: More units buy something
unit: user
arms: {control: off, treatment: on}
metrics:
  success: [{metric: purchases, mde: 2%, onLoss: rollback, onInconclusive: review}]
stages:
  - {name: experiment, treatment: 50%, maxWindow: 28d, decide: true}
rollback: {to: safe, owners: [shop-team]}
cleanup: {due: 30d, endState: promote}
`

// TestBoundToken: a token that is bound to an environment reads and changes
// what belongs to that environment, and nothing that belongs to all of them or
// to another.
func TestBoundToken(t *testing.T) {
	h := newHouse(t)
	h.want("admin", "POST", "/api/v1/apply", documents, http.StatusOK, "created")
	const apply, rollout = "/api/v1/apply", "/api/v1/rollouts/production/shop.checkout/1"
	for _, query := range []string{"", "?environment=staging", "?environment=production"} {
		h.want("bound", "POST", apply+query, documents, http.StatusForbidden, "bound to staging")
		h.want("bound", "POST", apply+query, plan, http.StatusForbidden, "bound to staging")
		h.want("bound", "POST", "/api/v1/tokens"+query, `{"class":"sla","role":"admin","name":"thief"}`, http.StatusForbidden, "bound to staging")
		h.want("bound", "GET", "/api/v1/tokens"+query, "", http.StatusForbidden, "")
		h.want("bound", "GET", "/api/v1/audit"+query, "", http.StatusForbidden, "")
	}
	h.want("home", "POST", apply, documents, http.StatusForbidden, "a Metric belongs to all environments")
	h.want("home", "POST", apply, plan, http.StatusOK, `"key":"production/shop.checkout","change":"created"`)

	h.want("home", "GET", rollout, "", http.StatusOK, "hypothesis")
	h.want("bound", "GET", rollout, "", http.StatusForbidden, "bound to staging")
	h.want("bound", "POST", rollout+"/start", `{}`, http.StatusForbidden, "bound to staging")
	h.want("home", "GET", "/api/v1/rollouts", "", http.StatusOK, "hypothesis")
	h.want("bound", "GET", "/api/v1/rollouts", "", http.StatusOK, `"rollouts":[]`)
	h.want("bound", "GET", "/api/v1/rollouts?environment=production", "", http.StatusForbidden, "bound to staging")
	h.want("home", "GET", "/api/v1/decisions?rollout=production/shop.checkout/1", "", http.StatusOK, `"decisions":[]`)
	h.want("bound", "GET", "/api/v1/decisions?rollout=production/shop.checkout/1", "", http.StatusForbidden, "bound to staging")
	h.want("viewer", "GET", "/api/v1/decisions?rollout=production/shop.checkout/2", "", http.StatusNotFound, "")
	h.want("viewer", "GET", "/api/v1/decisions?rollout=nonsense", "", http.StatusBadRequest, "is not a rollout")

	if page := h.want("home", "GET", "/", "", http.StatusOK, "<html"); !strings.Contains(page, "/rollouts/production/shop.checkout/1") {
		t.Error("the board does not show the environment's own rollout")
	}
	if page := h.want("bound", "GET", "/", "", http.StatusOK, "<html"); strings.Contains(page, "/rollouts/production") {
		t.Error("the board shows a rollout of another environment")
	}
}

// TestSwitch_staysInItsEnvironment: to archive a flag ends it everywhere,
// whatever environment the request names.
func TestSwitch_staysInItsEnvironment(t *testing.T) {
	h := newHouse(t)
	h.want("admin", "POST", "/api/v1/apply", documents, http.StatusOK, "created")
	const flag = "/api/v1/flags/shop.checkout/"
	h.want("bound", "POST", flag+"force", `{"environment":"production","comment":"x"}`, http.StatusForbidden, "bound to staging")
	h.want("home", "POST", flag+"force", `{"environment":"production","comment":"x"}`, http.StatusOK, `"forced"`)
	for _, op := range []string{"archive", "restore"} {
		h.want("home", "POST", flag+op, `{"comment":"x"}`, http.StatusForbidden, "bound to production")
		h.want("home", "POST", flag+op, `{"environment":"production","comment":"x"}`, http.StatusForbidden, "bound to production")
	}
	h.want("approver", "POST", flag+"enable", `{"environment":"prodution","comment":"x"}`, http.StatusBadRequest, "is not an environment")
	h.want("editor", "POST", flag+"enable", `{"environment":"production","comment":"x"}`, http.StatusForbidden, "may not do that")
}

// TestStart_isADecision: an editor writes plans; starting one gives a change to
// people, by whichever door it is asked for.
func TestStart_isADecision(t *testing.T) {
	h := newHouse(t)
	h.want("editor", "POST", "/api/v1/apply", documents, http.StatusOK, "created")
	h.want("editor", "POST", "/api/v1/apply?start=true", plan, http.StatusForbidden, "takes an approver")
	h.want("editor", "POST", "/api/v1/apply", plan, http.StatusOK, "created")
	h.want("editor", "POST", "/api/v1/rollouts/production/shop.checkout/1/start", `{}`, http.StatusForbidden, "")
	h.want("approver", "POST", "/api/v1/apply?start=true", plan, http.StatusOK, `"change":"unchanged"`)
	h.want("viewer", "GET", "/api/v1/rollouts", "", http.StatusOK, `"status":"running"`)
}

// TestCommands_reachTheirRollout: what a person asks of a rollout happens to
// that rollout.
func TestCommands_reachTheirRollout(t *testing.T) {
	h := newHouse(t)
	h.want("editor", "POST", "/api/v1/apply", documents, http.StatusOK, "created")
	h.want("editor", "POST", "/api/v1/apply", plan, http.StatusOK, "created")
	const rollout = "/api/v1/rollouts/production/shop.checkout/1"
	h.want("approver", "POST", rollout+"/start", `{}`, http.StatusOK, `"status":"running"`)
	h.want("approver", "POST", rollout+"/hold", `{}`, http.StatusBadRequest, "comment")
	h.want("approver", "POST", rollout+"/hold", `{"comment":"wait for ana"}`, http.StatusOK, `"status":"paused"`)
	h.want("approver", "POST", rollout+"/resume", `{"comment":"ana is back"}`, http.StatusOK, `"status":"running"`)
	h.want("approver", "POST", rollout+"/rollback", `{"comment":"support is overrun"}`, http.StatusOK, `"rationale":"support is overrun"`)
	h.want("approver", "POST", "/api/v1/rollouts/production/shop.checkout/2/hold", `{"comment":"x"}`, http.StatusNotFound, "rollout production/shop.checkout/2")
}

func TestEnvironments_thatDoNotExist(t *testing.T) {
	h := newHouse(t)
	h.want("editor", "POST", "/api/v1/apply", strings.Replace(documents, "  production:", "  prodution:", 1), http.StatusBadRequest,
		`environments.prodution \"prodution\" is not an environment`)
	h.want("editor", "POST", "/api/v1/apply", strings.Replace(plan, "environment: production", "environment: prodution", 1),
		http.StatusBadRequest, "is not an environment")
	h.want("admin", "POST", "/api/v1/tokens", `{"class":"sls","name":"shop","environment":"prodution"}`, http.StatusBadRequest, "is not an environment")
	h.want("admin", "POST", "/api/v1/tokens", `{"class":"sls","name":"shop","environment":"production","expires":"2020-01-01T00:00:00Z"}`,
		http.StatusBadRequest, "is not in the future")
}

// TestReady tells everybody whether, and readers why: reasons name hosts and
// folders.
func TestReady(t *testing.T) {
	h := newHouseWith(t, func(h *House) {
		h.Ready = func(context.Context) map[string]error {
			return map[string]error{"warehouse": errors.New("dial tcp 10.1.2.3:9000: refused"), "streams": nil}
		}
	})
	for _, who := range []string{"", "sdk"} {
		if body := h.want(who, "GET", "/readyz", "", http.StatusServiceUnavailable, `"streams":"ok"`); strings.Contains(body, "10.1.2.3") {
			t.Errorf("%q is told %s", who, body)
		}
	}
	h.want("viewer", "GET", "/readyz", "", http.StatusServiceUnavailable, "10.1.2.3")
}

// TestProblem_tellsNoInternals: what nobody foresaw goes to the log alone.
func TestProblem_tellsNoInternals(t *testing.T) {
	p := problem(errors.New("open /var/lib/sluice/unit.key: permission denied"))
	if p.Status != http.StatusInternalServerError || strings.Contains(p.Detail, "/var") {
		t.Errorf("got %+v", p)
	}
	gone := arriving{io.NopCloser(iotest.ErrReader(&net.OpError{Op: "read", Addr: &net.TCPAddr{IP: net.IPv4(10, 1, 2, 3)}, Err: os.ErrDeadlineExceeded}))}
	_, err := io.ReadAll(gone)
	if p := problem(fmt.Errorf("reading: %w", err)); p.Status != http.StatusRequestTimeout || strings.Contains(p.Detail, "10.1.2.3") {
		t.Errorf("a slow body: got %+v", p)
	}
	if p := problem(fmt.Errorf("asking the warehouse: %w", os.ErrDeadlineExceeded)); p.Status != http.StatusInternalServerError {
		t.Errorf("a slow dependency: got %+v", p)
	}
	dial := fmt.Errorf("asking the warehouse: %w", &net.OpError{Op: "dial", Net: "tcp", Addr: &net.TCPAddr{IP: net.IPv4(10, 1, 2, 3), Port: 9000}, Err: context.DeadlineExceeded})
	if p := problem(dial); p.Status != http.StatusServiceUnavailable || p.Type != "/problems/timeout" || strings.Contains(p.Detail, "10.1.2.3") {
		t.Errorf("a dependency that takes too long: got %+v", p)
	}
	if p := problem(event.ErrReadOnly); p.Status != http.StatusServiceUnavailable {
		t.Errorf("a read-only log: got %+v", p)
	}
}

// TestProblem_ofTheDecoder: what the API layer refuses looks like every other
// refusal, and does not send a whole body back.
func TestProblem_ofTheDecoder(t *testing.T) {
	h := newHouse(t)
	h.want("admin", "POST", "/api/v1/tokens", `{"class":3}`, http.StatusBadRequest, `"type":"/problems/invalid"`)
	h.want("admin", "POST", "/api/v1/tokens", `{"class":"sls","nmae":"x"}`, http.StatusBadRequest, `body.nmae is not as it should be: unexpected property`)
	h.want("admin", "POST", "/api/v1/tokens", `[`, http.StatusBadRequest, `"title":"Bad Request"`)
	h.want("admin", "GET", "/api/v1/dlq?limit=0", "", http.StatusBadRequest, `query.limit \"0\" is not as it should be`)
	h.want("admin", "GET", "/api/v1/rollouts/production/x/abc", "", http.StatusBadRequest, `path.number \"abc\"`)
	long := `{"class":"` + strings.Repeat("x", 1<<20) + `"}`
	if body := h.want("admin", "POST", "/api/v1/tokens", long, http.StatusBadRequest, "body.class"); len(body) > 2000 {
		t.Errorf("the answer has %d bytes", len(body))
	}
	if p := refusal(http.StatusInternalServerError, "reading /var/lib", nil); strings.Contains(p.Detail, "/var") {
		t.Errorf("got %+v", p)
	}
}

func TestMethods(t *testing.T) {
	h := newHouse(t)
	if code, body, _ := h.ask("", "HEAD", "/healthz", ""); code != http.StatusOK || body != "" {
		t.Errorf("HEAD: got %d %q", code, body)
	}
	if code, _, _ := h.ask("", "HEAD", "/api/v1/flags", ""); code != http.StatusUnauthorized {
		t.Errorf("HEAD without a token: got %d", code)
	}
	if code, _, header := h.ask("admin", "PUT", "/api/v1/tokens", ""); code != http.StatusMethodNotAllowed || header.Get("Allow") != "GET, POST" {
		t.Errorf("PUT: got %d, Allow %q", code, header.Get("Allow"))
	}
}
