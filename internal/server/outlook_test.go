package server

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/stats"
)

// memPasts has a thousand new units a day, a fifth of whom buy something.
type memPasts struct{}

var _ Pasts = memPasts{}

func (memPasts) Past(_ context.Context, r decisions.Rollout, flag string, from, until time.Time) (decisions.Past, error) {
	if flag == "" {
		flag = r.Plan.Flag
	}
	days := until.Sub(from).Hours() / 24
	p := decisions.Past{From: from, Until: until, Flag: flag, Units: int64(1000 * days), Traffic: stats.Daily(1000), Metrics: map[string]stats.Sample{}}
	for _, key := range r.Plan.Measured() {
		p.Metrics[key] = stats.Proportion(10_000, 2_000)
	}
	return p, nil
}

const outlook, outlooks = "/api/v1/rollouts/production/shop.checkout/1/outlook", "/api/v1/rollouts/outlook"

func withPasts(t *testing.T) *house {
	return newHouseWith(t, func(h *House) { h.Pasts = memPasts{} })
}

// TestOutlook_ofAPlanThatIsNotThere foresees a plan with its flag and metric in
// the same request, and records none of them.
func TestOutlook_ofAPlanThatIsNotThere(t *testing.T) {
	h := withPasts(t)
	body := h.want("admin", "POST", outlooks+"?days=7", documents+"---\n"+plan, http.StatusOK, `"stage":"experiment"`)
	var got struct{ Outlooks []OutlookView }
	if err := json.Unmarshal([]byte(body), &got); err != nil {
		t.Fatal(err)
	}
	if len(got.Outlooks) != 1 || got.Outlooks[0].Outlook.Past.Units != 7000 || got.Outlooks[0].Outlook.Stages[0].Asks[0].Units == 0 {
		t.Errorf("%+v", got)
	}
	h.want("viewer", "GET", "/api/v1/flags/shop.checkout", "", http.StatusNotFound, "")
	h.want("viewer", "GET", outlook, "", http.StatusNotFound, "")
}

// TestOutlook_ofARollout is the same whether it is asked of the rollout or of
// its plan.
func TestOutlook_ofARollout(t *testing.T) {
	h := withPasts(t)
	h.want("editor", "POST", "/api/v1/apply", documents+"---\n"+plan, http.StatusOK, "created")
	one := h.want("viewer", "GET", outlook+"?traffic=shop.search", "", http.StatusOK, `"flag":"shop.search"`)
	all := h.want("viewer", "POST", outlooks+"?traffic=shop.search", plan, http.StatusOK, `"flag":"shop.search"`)
	_, stages, _ := strings.Cut(one, `"stages":`)
	if stages = strings.TrimRight(stages, "}\n"); !strings.Contains(all, stages) {
		t.Errorf("the rollout: %s\nits plan: %s", one, all)
	}
	h.want("bound", "GET", outlook, "", http.StatusForbidden, "bound to staging")
	h.want("bound", "POST", outlooks, plan, http.StatusForbidden, "bound to staging")
}

func TestOutlook_refuses(t *testing.T) {
	h := withPasts(t)
	h.want("viewer", "POST", outlooks, documents, http.StatusForbidden, "")
	h.want("viewer", "POST", outlooks, plan, http.StatusBadRequest, "is not known; define the flag first")
	h.want("editor", "POST", outlooks, documents, http.StatusBadRequest, "kind is Rollout of no document")
	h.want("viewer", "POST", outlooks+"?days=91", plan, http.StatusBadRequest, "query.days")
	h.want("editor", "POST", outlooks, documents+"---\n"+strings.Replace(plan, "mde: 2%", "mde: 0%", 1), http.StatusBadRequest, "mde")
	none := newHouse(t)
	none.want("editor", "POST", outlooks, documents+"---\n"+plan, http.StatusNotFound, "knows no past")
}
