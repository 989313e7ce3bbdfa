package server

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/sluice-hq/sluice/ingest"
)

const imports = "/api/v1/events/import?environment=production"

// TestImport: what is too old for the door of SDKs comes by the import, from
// those who may bring it; a check keeps nothing.
func TestImport(t *testing.T) {
	h := newHouse(t)
	h.want("editor", "POST", "/api/v1/apply", documents, http.StatusOK, "created")
	at := start.AddDate(-2, 0, 0)
	body := fmt.Sprintf(`[{"kind":"metric","id":%q,"name":"purchase","units":{"user":"u"}}]`, ingest.DeriveID(at, "a"))
	h.want("approver", "POST", "/v1/events?environment=production", body, http.StatusBadRequest, "import old events instead")
	h.want("approver", "POST", imports+"&check=true", body, http.StatusOK, `{"accepted":1}`)
	if last, _ := h.facts.Last(t.Context()); last != 0 {
		t.Errorf("a check keeps %d messages", last)
	}
	h.want("approver", "POST", imports, body, http.StatusAccepted, `{"accepted":1}`)
	h.want("editor", "POST", imports, body, http.StatusForbidden, "may not")
	h.want("sdk", "POST", imports, body, http.StatusForbidden, "may not")
	h.want("approver", "POST", imports+"&check=maybe", body, http.StatusBadRequest, "is neither true nor false")
	h.want("approver", "POST", "/api/v1/events/import?environment=moon", body, http.StatusBadRequest, "is not an environment")
}
