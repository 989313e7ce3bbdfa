package server

import (
	"encoding/csv"
	"errors"
	"net/http"
	"net/url"
	"slices"

	"github.com/sluice-hq/sluice/dashboards"
	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/internal/manifest"
)

func (s *server) homePage(w http.ResponseWriter, r *http.Request) error {
	return s.page(w, http.StatusOK, s.board(r, s.listFrame(w, r, dashboards.InRollouts)))
}

// board makes the board that an address asks for.
func (s *server) board(r *http.Request, f dashboards.Frame) dashboards.Home {
	var all []dashboards.Seen
	var asOf dashboards.AsOf
	for _, v := range s.views(r.Context(), r.URL.Query().Get("environment")) {
		all = append(all, seen(v))
		if v.Look != nil && v.Look.Evidence.Newest.After(asOf.Event) {
			asOf = dashboards.AsOf{Event: v.Look.Evidence.Newest, Lag: s.Now().Sub(v.Look.Evidence.Newest)}
		}
	}
	f.Query = r.URL.Query().Get("q")
	asOf.JSON = "/api/v1/rollouts"
	if f.Environment != "" {
		asOf.JSON += "?" + url.Values{"environment": {f.Environment}}.Encode()
	}
	return dashboards.NewHome(f, all, asOf, s.Now())
}

// exportBoard writes the board as a table, with every rollout of every lane.
func (s *server) exportBoard(w http.ResponseWriter, r *http.Request) error {
	f := s.listFrame(w, r, dashboards.InRollouts)
	f.Path = "/?lane=all"
	home := s.board(r, f)
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="rollouts.csv"`)
	if headOnly(r) {
		return nil
	}
	rows := home.Table()
	for _, row := range rows {
		for i, text := range row {
			row[i] = plainCell(text)
		}
	}
	_ = csv.NewWriter(w).WriteAll(rows) // the client is gone if this fails
	return nil
}

func (s *server) rolloutPage(w http.ResponseWriter, r *http.Request) error {
	id := pathOf(r)
	out, err := s.getRollout(r.Context(), &id)
	if err != nil {
		return s.problemPage(w, r, err)
	}
	v := out.Body
	f, page := s.frameOf(w, r, dashboards.InRollouts, id.Environment, id.Flag, id.String()), seen(v)
	json := "/api/v1/rollouts/" + id.String()
	if r.URL.Query().Get("tab") == "plan" {
		text, err := manifest.Encode(v.Rollout.Plan)
		if err != nil {
			return err
		}
		return s.page(w, http.StatusOK, dashboards.NewRolloutPlan(f, page, string(text), json, s.Now()))
	}
	if over(v.Rollout) {
		f.Refresh = 0
	}
	if !v.Rollout.Open() {
		if err := s.final(r, &page); err != nil {
			return s.problemPage(w, r, err)
		}
	}
	if page.Counted, err = s.counted(r, id); err == nil {
		page.Incidents, err = s.unresolved(r, id)
	}
	if err != nil {
		return s.problemPage(w, r, err)
	}
	return s.page(w, http.StatusOK, dashboards.NewRollout(f, page, json, s.Now()))
}

// over reports whether a rollout has nothing more to tell: it waits neither for its
// start nor for the proof that everybody is safe.
func over(r decisions.Rollout) bool {
	proving := r.Return != nil && r.Return.Proven == nil && r.Return.Unproven == nil
	return !r.Open() && r.Status != decisions.Planned && !proving
}

// mostCounted is how many looks the small lines of units are made of.
const mostCounted = 60

// counted returns how many units each arm had at the last looks, oldest first. A
// replica that keeps no looks has none to show; nor has one whose warehouse is
// not there, and the page that a rollout is taken back on must open all the same.
func (s *server) counted(r *http.Request, id RolloutPath) ([]dashboards.Counted, error) {
	if s.Readouts == nil {
		return nil, nil
	}
	in := &looksIn{RolloutPath: id}
	in.Limit = mostCounted
	out, err := s.listLooks(r.Context(), in)
	if gone := (Unavailable{}); errors.As(err, &gone) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var all []dashboards.Counted
	for _, l := range slices.Backward(out.Body.Looks) {
		all = append(all, dashboards.Counted(l.Arms))
	}
	return all, nil
}

// unresolved returns the incidents that are open of a flag in an environment.
func (s *server) unresolved(r *http.Request, id RolloutPath) ([]decisions.Reported, error) {
	out, err := s.listIncidents(r.Context(), &incidentsIn{Environment: id.Environment, Flag: id.Flag, Open: "true"})
	if err != nil {
		return nil, err
	}
	return out.Body.Incidents, nil
}

// final shows a rollout that is over as it was when the last decision about it
// was made, from that decision's record.
func (s *server) final(r *http.Request, page *dashboards.Seen) error {
	last, ok := page.Rollout.Last()
	if !ok {
		return nil
	}
	record, err := s.decision(r.Context(), last.ID)
	if err == nil && record.Record != nil {
		page.Evidence, page.Verdict = &record.Record.Evidence, nil
	}
	return err
}
