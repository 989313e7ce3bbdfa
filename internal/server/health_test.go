package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/internal/replica"
)

// TestReadyz: a load balancer that asks for the flags is not told of a
// warehouse that is down, and is told of a replica that is in another state.
func TestReadyz(t *testing.T) {
	h := newHouseWith(t, func(h *House) {
		h.Ready = func(context.Context) map[string]error {
			return map[string]error{"warehouse": errors.New("refused by 10.1.2.3")}
		}
		h.Replica = &replica.Watch{ID: "me", Code: "v1", Log: h.Log, Projection: h.Projection, Board: &replica.MemBoard{}}
	})
	h.want("", "GET", "/readyz", "", http.StatusServiceUnavailable, `"flags":"ok"`)
	h.want("viewer", "GET", "/readyz", "", http.StatusServiceUnavailable, `"warehouse":"refused by 10.1.2.3"`)
	if body := h.want("", "GET", "/readyz?for=flags", "", http.StatusOK, `"replicas agree":"ok"`); strings.Contains(body, "warehouse") {
		t.Errorf("flags alone: %s", body)
	}
	h.want("", "GET", "/readyz?for=everything", "", http.StatusBadRequest, "write flags, or leave it out")

	h.Replica.Board = boardOf(t, h.Projection)
	for range 2 {
		if err := h.Replica.Step(t.Context(), start); err != nil {
			t.Fatal(err)
		}
	}
	h.want("", "GET", "/readyz?for=flags", "", http.StatusServiceUnavailable, `"flags":"not well; ask with a token for the reason"`)
	h.want("viewer", "GET", "/readyz", "", http.StatusServiceUnavailable, "nobody can tell which is right")
	h.want("viewer", "GET", "/api/v1/replicas", "", http.StatusOK, `"standing":"tied"`)
	h.want("viewer", "GET", "/api/v1/replicas", "", http.StatusOK, `"self":"me"`)
	h.want("sdk", "GET", "/api/v1/replicas", "", http.StatusForbidden, "")
}

// boardOf is a board on which another replica says that it is in another state
// at the place of a projection.
func boardOf(t *testing.T, p *event.Projection) replica.Board {
	t.Helper()
	b := &replica.MemBoard{}
	says := fmt.Sprintf(`{"id":"other","code":"v1","marks":[{"seq":%d,"state":"%064d"}],"streams":{"7":2}}`, p.Seq(), 1)
	if err := b.Put(t.Context(), "other", []byte(says)); err != nil {
		t.Fatal(err)
	}
	return b
}

func TestReplicas_alone(t *testing.T) {
	newHouse(t).want("viewer", "GET", "/api/v1/replicas", "", http.StatusOK, `"replicas":[]`)
}

// missing is a part that is not there.
type missing struct{ Accounts }

func (missing) Facts(context.Context) (FactsView, error) {
	return FactsView{}, fmt.Errorf("asking: %w", Unavailable{Name: "warehouse", Fix: "start it", Err: errors.New("10.1.2.3 refuses")})
}

// TestUnavailable: what a dependency is missing for is 503, says which and what
// to do, when to come back, and nothing of where it is.
func TestUnavailable(t *testing.T) {
	h := newHouseWith(t, func(h *House) { h.Accounts = missing{} })
	code, body, header := h.ask("viewer", "GET", "/api/v1/facts", "")
	if code != 503 || !strings.Contains(body, "the warehouse is not there now") || !strings.Contains(body, "start it") || strings.Contains(body, "10.1.2.3") {
		t.Errorf("%d %s", code, body)
	}
	if header.Get("Retry-After") == "" || header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("headers %v", header)
	}
	var e error = Unavailable{Name: "warehouse", Err: event.ErrDamaged}
	if !errors.Is(e, event.ErrDamaged) || !strings.Contains(e.Error(), "damaged") {
		t.Errorf("for the log it is %v", e)
	}
}

// TestRoles: a route of a role that a replica does not have is not there, and
// says so; everything else is.
func TestRoles(t *testing.T) {
	h := newHouseWith(t, func(h *House) { h.Roles = []Role{Load, Decide} })
	for path, role := range map[string]Role{
		"POST /ofrep/v1/evaluate/flags?environment=production": Flags, "GET /api/v1/stream?environment=production": Flags,
		"POST /v1/events": Ingest, "GET /": Web, "GET /sign-in": Web, "GET /assets/style.css": Web,
	} {
		method, path, _ := strings.Cut(path, " ")
		h.want("admin", method, path, "", http.StatusNotFound, "does not have the role "+string(role))
	}
	h.want("viewer", "GET", "/api/v1/flags", "", http.StatusOK, "")
	h.want("", "GET", "/healthz", "", http.StatusOK, "")
	for _, r := range table {
		page, form := strings.HasPrefix(r.summary, "Page:"), r.method == http.MethodPost
		if page && r.role() != Web || !page && !form && r.role() == Web && !slices.Contains([]string{"sign-in", "assets", "export-board", "export-decisions"}, r.name) {
			t.Errorf("%s %s has the role %q", r.method, r.path, r.role())
		}
	}
}
