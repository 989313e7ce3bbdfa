package server

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/stats"
)

// pasts answers with one past, or with an error.
type pasts struct {
	past decisions.Past
	err  error
}

func (p pasts) Past(context.Context, decisions.Rollout, string, time.Time, time.Time) (decisions.Past, error) {
	return p.past, p.err
}

// thin is a past of so few units, none of which bought anything, that nothing
// could be excluded.
func thin(r string) decisions.Past {
	return decisions.Past{Flag: r, Units: 40, Traffic: stats.Daily(3), Metrics: map[string]stats.Sample{"purchases": stats.Proportion(40, 0)}}
}

// TestStart_refusesWhatWouldWaitForEver: what is lacking is named with its place
// in the plan; a person may start over it, and says why.
func TestStart_refusesWhatWouldWaitForEver(t *testing.T) {
	h := newHouseWith(t, func(h *House) { h.Pasts = pasts{past: thin("shop.checkout")} })
	const start = "/api/v1/rollouts/production/shop.checkout/1/start"
	h.want("editor", "POST", "/api/v1/apply", documents+"---\n"+plan, http.StatusOK, "created")
	h.want("approver", "POST", start, `{}`, http.StatusBadRequest, "metrics.success[0].metric purchases has no event of any of 40 units")
	h.want("approver", "POST", "/api/v1/apply?start=true", plan, http.StatusBadRequest, "purchases has no event of any")
	h.want("approver", "POST", start, `{"anyway":true}`, http.StatusBadRequest, "say why the rollout starts although")
	body := h.want("approver", "POST", start, `{"anyway":true,"comment":"the event is new"}`, http.StatusOK, `"status":"running"`)
	if !strings.Contains(body, `"doubts":[`) || !strings.Contains(body, "purchases has no event of any of 40 units") {
		t.Errorf("the record does not say over what it started: %s", body)
	}
}

// TestStart_aPastThatCannotBeReadIsADoubt, and keeps nobody from starting.
func TestStart_aPastThatCannotBeReadIsADoubt(t *testing.T) {
	h := newHouseWith(t, func(h *House) { h.Pasts = pasts{err: errors.New("the warehouse is down")} })
	h.want("editor", "POST", "/api/v1/apply", documents+"---\n"+plan, http.StatusOK, "created")
	h.want("approver", "POST", "/api/v1/rollouts/production/shop.checkout/1/start", `{}`, http.StatusOK, "the past could not be read: the warehouse is down")
}

// TestApply_revisesAPlanUnderWay: the diff says what changes and what becomes of
// the evidence; a weaker guardrail is refused with the line.
func TestApply_revisesAPlanUnderWay(t *testing.T) {
	h := newHouse(t)
	h.want("approver", "POST", "/api/v1/apply?start=true", documents+"---\n"+plan, http.StatusOK, "created")
	finer := strings.Replace(plan, "mde: 2%", "mde: 1%", 1)
	h.want("editor", "POST", "/api/v1/apply?dryRun=true", finer, http.StatusOK, "version 2 starts its tests afresh on units first exposed after it")
	h.want("editor", "POST", "/api/v1/apply?comment=finer", finer, http.StatusOK, "version 2 starts its tests afresh")
	h.want("viewer", "GET", "/api/v1/rollouts/production/shop.checkout/1", "", http.StatusOK, "metrics.success[purchases].mde is now 1% (was 2%)")
	hasty := finer + "incidents: {critical: hold}\n"
	h.want("editor", "POST", "/api/v1/apply", hasty, http.StatusBadRequest, "a plan that is under way does not lower its own guardrails")
}
