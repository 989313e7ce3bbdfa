package server

import (
	"net/http"
	"strconv"

	"github.com/sluice-hq/sluice/dashboards"
	"github.com/sluice-hq/sluice/event"
)

// cleanupBoard shows how far the end of every released flag is.
func (s *server) cleanupBoard(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	f := s.listFrame(w, r, dashboards.InCleanup)
	weeks, err := weeksWanted(q.Get("weeks"))
	if err != nil {
		return s.problemPage(w, r, err)
	}
	in := &cleanupsIn{Page: Page{Limit: 1000}, Environment: f.Environment}
	var all []dashboards.Ended
	for more := true; more; more = in.Cursor != "" {
		out, err := s.listCleanups(r.Context(), in)
		if err != nil {
			return s.problemPage(w, r, err)
		}
		for _, v := range out.Body.Cleanups {
			all = append(all, ended(v))
		}
		in.Cursor = out.Body.Next
	}
	debt, err := s.flagDebt(r.Context(), &debtIn{Weeks: weeks})
	if err != nil {
		return s.problemPage(w, r, err)
	}
	return s.page(w, http.StatusOK, dashboards.NewCleanupBoard(f, q, all, debt.Body.Weeks, s.Now()))
}

func weeksWanted(text string) (int, error) {
	if text == "" {
		return 12, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > 260 {
		return 0, event.Invalids{{Path: "weeks", Value: text, Why: "is no number of weeks", Fix: "write one from 1 to 260"}}
	}
	return n, nil
}

func ended(v CleanupView) dashboards.Ended {
	return dashboards.Ended{
		ID: v.Rollout, Flag: v.Flag, Environment: v.Environment, Owner: v.Owner, State: v.State, EndState: v.EndState, Winner: v.Winner, Due: v.Due, Ticket: v.Ticket,
		Carried: v.Carried, Closed: v.Closed, Ready: v.Readiness, Seen: v.Seen, References: v.References,
	}
}

// cleanupPage shows the end of one flag.
func (s *server) cleanupPage(w http.ResponseWriter, r *http.Request) error {
	page, err := s.cleanupOf(w, r)
	if err != nil {
		return s.problemPage(w, r, err)
	}
	return s.page(w, http.StatusOK, page)
}

func (s *server) cleanupOf(w http.ResponseWriter, r *http.Request) (dashboards.CleanupPage, error) {
	id := pathOf(r)
	v, err := s.view(id.String())
	if err != nil {
		return dashboards.CleanupPage{}, err
	}
	out, err := s.getCleanup(r.Context(), &id)
	if err != nil {
		return dashboards.CleanupPage{}, err
	}
	text, err := s.ticket(r.Context(), v.Rollout)
	if err != nil {
		return dashboards.CleanupPage{}, err
	}
	f := s.frameOf(w, r, dashboards.InCleanup, id.Environment, id.Flag, "")
	f.Refresh = 0 // nothing may change under the hand of who writes
	return dashboards.NewCleanupPage(f, ended(out.Body), text, newFormKey(), s.Now()), nil
}

// endPage shows what an end of a flag would do, and the form that does it.
func (s *server) endPage(w http.ResponseWriter, r *http.Request) error {
	page, err := s.endPreview(w, r)
	if err != nil {
		return s.page(w, problem(err).Status, page)
	}
	return s.page(w, http.StatusOK, page)
}

// endPreview makes that page; an error comes with the page that says it.
func (s *server) endPreview(w http.ResponseWriter, r *http.Request) (dashboards.Change, error) {
	wish := dashboards.EndWish{EndState: r.FormValue("endState"), Purpose: r.FormValue("purpose"), Why: r.FormValue("why"), Review: r.FormValue("review"), Reason: r.FormValue("reason")}
	in := &endPreviewIn{RolloutPath: pathOf(r), EndState: wish.EndState, Purpose: wish.Purpose, Why: wish.Why, Review: wish.Review, Reason: wish.Reason}
	out, err := s.previewEnding(r.Context(), in)
	seen := dashboards.Foreseen{Key: in.Flag}
	if err == nil {
		seen = foreseen(seen, out.Body)
	}
	f := s.frameOf(w, r, dashboards.InCleanup, in.Environment, in.Flag, "")
	f.Refresh = 0 // nothing may change under the hand of who is about to decide
	if v, lost := s.view(in.String()); wish.EndState == "" && lost == nil {
		wish.EndState = string(v.Rollout.EndState())
	}
	return dashboards.NewEnd(f, in.String(), seen, wish, err, newFormKey()), err
}

// endOnPage does what the form of that page asks for.
func (s *server) endOnPage(w http.ResponseWriter, r *http.Request) error {
	in := &endIn{RolloutPath: pathOf(r)}
	b := &in.Body
	b.EndState, b.Purpose, b.Why, b.Review = r.PostFormValue("endState"), r.PostFormValue("purpose"), r.PostFormValue("why"), r.PostFormValue("review")
	b.Reason, b.Comment = r.PostFormValue("reason"), r.PostFormValue("comment")
	if _, err := s.endFlag(r.Context(), in); err != nil {
		page, refused := s.endPreview(w, r)
		if refused == nil {
			page = page.Refuse(err, sent(r))
		}
		return s.page(w, problem(err).Status, page)
	}
	return s.onward(w, r, "/cleanup/"+in.String(), "The end is carried out: everybody gets the last answer. What is left is the code.")
}

// closeOnPage says that nothing is left to do.
func (s *server) closeOnPage(w http.ResponseWriter, r *http.Request) error {
	in := &closeIn{RolloutPath: pathOf(r)}
	in.Body.Comment = r.PostFormValue("comment")
	if _, err := s.closeCleanup(r.Context(), in); err != nil {
		page, lost := s.cleanupOf(w, r)
		if lost != nil || page.Close == nil {
			return s.problemPage(w, r, err)
		}
		form := page.Close.Refuse(err, sent(r))
		page.Close = &form
		return s.page(w, problem(err).Status, page)
	}
	return s.onward(w, r, "/cleanup/"+in.String(), "The cleanup is closed.")
}
