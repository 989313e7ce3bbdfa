package server

import (
	"net/http"
	"strings"
	"testing"
)

const rehearsals = "/api/v1/rehearsals"

// whatHappens is what units are like and what happens, beside the plan.
const whatHappens = `---
apiVersion: sluice/v1
kind: Rehearsal
settings: {every: 6h, horizon: 5d}
scenarios: [{kind: healthy}]
expected: ["no rollback"]
`

// TestRehearsals carries a plan out whose flag and metric are in the same
// request, as the past suggests, and records nothing.
func TestRehearsals(t *testing.T) {
	h := withPasts(t)
	before := h.Projection.Seq()
	h.want("viewer", "POST", rehearsals+"?seeds=2&seed=7", documents+"---\n"+plan+whatHappens, http.StatusForbidden, "")
	if body := h.want("editor", "POST", rehearsals+"?seeds=2&seed=7", documents+"---\n"+plan+whatHappens, http.StatusOK, `"seeds":2`); !strings.Contains(body, `"mean":0.2`) || !strings.Contains(body, `"ok":true`) {
		t.Errorf("the past, or what is expected, is not in the answer: %.800s", body)
	}
	if now := h.Projection.Seq(); now != before {
		t.Errorf("a rehearsal recorded %d events", now-before)
	}
	h.want("editor", "POST", "/api/v1/apply", documents+"---\n"+plan, http.StatusOK, "created")
	h.want("viewer", "POST", rehearsals+"?seeds=0", plan, http.StatusOK, `"kind":"healthy"`) // of what is there already
}

func TestRehearsals_refuses(t *testing.T) {
	h := withPasts(t)
	h.want("editor", "POST", "/api/v1/apply", documents+"---\n"+plan, http.StatusOK, "created")
	h.want("editor", "POST", rehearsals, documents, http.StatusBadRequest, "kind is Rollout of no document")
	h.want("viewer", "POST", rehearsals+"?seeds=100", plan, http.StatusBadRequest, "are carried out at once")
	h.want("viewer", "POST", rehearsals, plan+strings.Replace(whatHappens, "kind: healthy", "kind: fire", 1), http.StatusBadRequest, "is not a kind of scenario")
	h.want("viewer", "POST", rehearsals, plan+strings.Replace(whatHappens, "no rollback", "fire", 1), http.StatusBadRequest, "names no outcome")
	h.want("viewer", "POST", rehearsals, plan+strings.Replace(whatHappens, "every: 6h", "evry: 6h", 1), http.StatusBadRequest, "evry")
	h.want("bound", "POST", rehearsals, plan, http.StatusForbidden, "bound to staging")
}
