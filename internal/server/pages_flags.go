package server

import (
	"context"
	"net/http"
	"net/url"
	"slices"

	"github.com/gorilla/mux"

	"github.com/sluice-hq/sluice/dashboards"
	"github.com/sluice-hq/sluice/flags"
	"github.com/sluice-hq/sluice/internal/access"
)

// flagsOnPage is how many flags a page of the list shows.
const flagsOnPage = 50

// flagsPage is the list of flags, as the API gives it.
func (s *server) flagsPage(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	of := dashboards.FlagFilter{
		Q: q.Get("q"), Owner: q.Get("owner"), Tag: q.Get("tag"), Purpose: q.Get("purpose"), Lifecycle: q.Get("lifecycle"),
		State: q.Get("state"), Health: q.Get("health"), Stale: q.Get("stale"), Sort: q.Get("sort"),
	}
	in := &flagsIn{
		Page: Page{Limit: flagsOnPage, Cursor: q.Get("cursor")}, Q: of.Q, Owner: of.Owner, Tag: of.Tag, Purpose: of.Purpose,
		Lifecycle: of.Lifecycle, State: of.State, Health: of.Health, Stale: of.Stale, Sort: of.Sort, Environment: q.Get("environment"),
	}
	out, err := s.listFlags(r.Context(), in)
	if err != nil {
		return s.problemPage(w, r, err)
	}
	list := dashboards.FlagList{Filter: of, Asked: q, Next: out.Body.Next, Order: s.environments()}
	for _, v := range out.Body.Flags {
		list.Flags = append(list.Flags, dashboards.FlagSeen{Flag: v.Recorded, Life: v.Lifecycle, Health: v.Health, Seen: v.Seen, Due: v.Due})
	}
	f := s.listFrame(w, r, dashboards.InFlags)
	return s.page(w, http.StatusOK, dashboards.NewFlags(f, list, s.ofLog("/api/v1/flags?"+q.Encode()), s.Now()))
}

// ofLog says how far the log is that a page of definitions was made from, and
// where the same is as JSON.
func (s *server) ofLog(json string) dashboards.AsOf {
	return dashboards.AsOf{Log: s.Projection.Seq(), JSON: json}
}

// flagPage is one flag: the view that the query names.
func (s *server) flagPage(w http.ResponseWriter, r *http.Request) error {
	f := s.flagFrame(w, r)
	seen, err := s.flagSeen(r.Context(), mux.Vars(r)["key"])
	if err != nil {
		return s.problemPage(w, r, err)
	}
	page, err := s.flagTab(r, f, seen)
	if err != nil {
		return s.problemPage(w, r, err)
	}
	return s.page(w, http.StatusOK, page)
}

func (s *server) flagFrame(w http.ResponseWriter, r *http.Request) dashboards.Frame {
	return s.frameOf(w, r, dashboards.InFlags, access.AnyEnvironment, mux.Vars(r)["key"], "")
}

// flagSeen reads a flag with what is known of it.
func (s *server) flagSeen(ctx context.Context, key string) (FlagDetail, error) {
	out, err := s.readFlag(ctx, &flagIn{Key: key})
	if err != nil {
		return FlagDetail{}, err
	}
	return out.Body, nil
}

// shownFlag is what the pages take of a flag.
func shownFlag(d FlagDetail) dashboards.FlagSeen {
	seen := dashboards.FlagSeen{Flag: d.Recorded, Health: d.Health, Seen: d.Seen}
	if d.Lifecycle != nil {
		seen.Life = *d.Lifecycle
	}
	return seen
}

// flagOverview is who gets what in every environment.
func (s *server) flagOverview(r *http.Request, f dashboards.Frame, d FlagDetail) (dashboards.Page, error) {
	detail := dashboards.FlagDetail{
		FlagSeen: shownFlag(d), Schedules: d.Schedules, Inherited: map[string][]flags.InheritedRule{},
		Order: s.environments(), May: map[string]dashboards.Rights{},
	}
	environments, err := s.listEnvironments(r.Context(), nil)
	if err != nil {
		return nil, err
	}
	for _, e := range environments.Body.Environments {
		detail.Inherited[e.Key] = e.InheritedBy(d.Tags)
	}
	for name := range d.Environments {
		detail.May[name] = rights(r, name, d.Key)
	}
	for _, v := range s.views(r.Context(), "") {
		if v.Rollout.Plan.Flag == d.Key {
			detail.Rollouts = append(detail.Rollouts, seen(v))
		}
	}
	slices.SortStableFunc(detail.Rollouts, func(a, b dashboards.Seen) int { return a.Rollout.PlannedAt.Compare(b.Rollout.PlannedAt) })
	return dashboards.NewFlag(f, detail, s.ofLog("/api/v1/flags/"+url.PathEscape(d.Key))), nil
}
