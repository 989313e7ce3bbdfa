package server

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/ingest"
)

// memUnits keeps the hashes of a test's key, and one exposure of whoever is
// asked for.
type memUnits struct{}

var _ Units = memUnits{}

func (memUnits) Hash(kind, id string) uint64 {
	return ingest.UnitHash([]byte("a key of the test"), kind, id)
}

func (memUnits) Fence(context.Context) (map[string]uint64, error) {
	return map[string]uint64{"facts-0": 42}, nil
}

func (memUnits) Kept(_ context.Context, kind string, unit uint64) (ingest.UnitFacts, error) {
	return ingest.UnitFacts{Kind: kind, Unit: ingest.UnitText(unit), Exposures: []ingest.KeptOf{{Environment: "production"}}}, nil
}

// Trace says who was asked for.
func (memUnits) Trace(_ context.Context, r decisions.Rollout, kind string, unit uint64, now time.Time) (ingest.Trace, error) {
	return ingest.Tracing{Environment: r.Plan.Environment, Flag: r.Plan.Flag, Rollout: r.ID, UnitKind: r.Plan.Unit, Until: now}.Of(kind, unit, ingest.Rows{}), nil
}

const listOfUnits = `apiVersion: sluice/v1
kind: Segment
key: beta
description: early
owner: shop-team
unit: user
included: [u-secret]
`

// TestDeleteUnit records the deletion without the id, says what it does not
// reach, and lists it.
func TestDeleteUnit(t *testing.T) {
	h := newHouseWith(t, func(h *House) { h.Units = memUnits{} })
	h.want("admin", "POST", "/api/v1/apply", documents+"---\n"+listOfUnits, http.StatusOK, "created")
	before := h.Projection.Seq()
	const deletions = "/api/v1/units/deletions"
	body := h.want("admin", "POST", deletions, `{"kind":"user","id":"u-secret","comment":"case 4711"}`, http.StatusOK, `"fence":{"facts-0":42}`)
	if text := ingest.UnitText(memUnits{}.Hash("user", "u-secret")); !strings.Contains(body, text) {
		t.Errorf("%s does not name %s", body, text)
	}
	for _, part := range []string{`{"kind":"segment","key":"beta","place":"included"}`, "until their messages are purged"} {
		if !strings.Contains(body, part) {
			t.Errorf("%s does not say %s", body, part)
		}
	}
	if now := h.Projection.Seq(); now != before+1 {
		t.Fatalf("%d events were recorded", now-before)
	}
	if log := h.want("admin", "GET", "/api/v1/audit?after="+strconv.FormatUint(before, 10), "", http.StatusOK, "unit.forgotten"); strings.Contains(log, "u-secret") {
		t.Errorf("the log names the unit: %s", log)
	}
	if list := h.want("admin", "GET", deletions, "", http.StatusOK, "case 4711"); strings.Contains(list, "u-secret") || strings.Contains(list, `"erased"`) {
		t.Errorf("deletions: %s", list)
	}
	export := h.want("admin", "POST", "/api/v1/units/exports", `{"kind":"user","id":"u-secret"}`, http.StatusOK, `"mentions":[{"kind":"segment"`)
	byHash := h.want("admin", "POST", "/api/v1/units/exports", `{"kind":"user","unit":"`+ingest.UnitText(memUnits{}.Hash("user", "u-secret"))+`"}`, http.StatusOK, `"mentions":[]`)
	if !strings.Contains(export, `"environment":"production"`) || !strings.Contains(byHash, `"environment":"production"`) {
		t.Errorf("exports: %s %s", export, byHash)
	}
}

func TestDeleteUnit_refuses(t *testing.T) {
	h := newHouseWith(t, func(h *House) { h.Units = memUnits{} })
	for body, why := range map[string]string{
		`{"kind":"user"}`: "is missing",
		`{"kind":"user","id":"u","unit":"hash:0000000000000001"}`: "stands beside the id",
		`{"kind":"user","unit":"u-1"}`:                            "is not the hash of a unit",
		`{"kind":"a user","id":"u-1"}`:                            "kind",
		`{"kind":"user","id":"u-17","comment":"u-17 asked us"}`:   "names the unit",
		`{"kind":"user","id":7}`:                                  "body.id",
	} {
		h.want("admin", "POST", "/api/v1/units/deletions", body, http.StatusBadRequest, why)
	}
	h.want("home", "POST", "/api/v1/units/deletions", `{"kind":"user","id":"u-17"}`, http.StatusForbidden, "bound to production")
	h.want("approver", "POST", "/api/v1/units/exports", `{"kind":"user","id":"u-17"}`, http.StatusForbidden, "may not do that")
	without := newHouse(t)
	without.want("admin", "POST", "/api/v1/units/deletions", `{"kind":"user","id":"u-17"}`, http.StatusNotFound, "knows no units")
	without.want("admin", "POST", "/api/v1/units/exports", `{"kind":"user","id":"u-17"}`, http.StatusNotFound, "knows no units")
}
