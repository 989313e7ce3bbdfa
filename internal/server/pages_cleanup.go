package server

import (
	"context"
	"net/http"

	"github.com/sluice-hq/sluice/dashboards"
	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/flags"
)

// cleanupPage shows which flags have to end, how far that is, and the debt.
func (s *server) cleanupPage(w http.ResponseWriter, r *http.Request) error {
	f := s.listFrame(w, r, dashboards.InCleanup)
	if err := s.mayList(r.Context(), f.Environment); err != nil {
		return s.problemPage(w, r, err)
	}
	debt, err := s.flagDebt(r.Context(), &debtIn{Weeks: 12})
	if err != nil {
		return s.problemPage(w, r, err)
	}
	var all []dashboards.EndSeen
	s.Projection.View(func(uint64) {
		for _, o := range s.Rollouts.Cleanups() {
			if p := o.Plan; sees(r.Context(), p.Environment, p.Flag) && (f.Environment == "" || f.Environment == p.Environment) {
				all = append(all, endSeen(o, s.cleanupView(r.Context(), o)))
			}
		}
	})
	return s.page(w, http.StatusOK, dashboards.NewCleanups(f, all, debt.Body.Weeks, s.Now()))
}

func endSeen(r decisions.Rollout, v CleanupView) dashboards.EndSeen {
	out := dashboards.EndSeen{Rollout: r, State: v.State, EndState: v.EndState, Winner: v.Winner, Readiness: v.Readiness}
	if v.Due != nil {
		out.Due = *v.Due
	}
	return out
}

// endingPage shows the end of one flag.
func (s *server) endingPage(w http.ResponseWriter, r *http.Request) error {
	page, err := s.endingOf(w, r)
	if err != nil {
		return s.problemPage(w, r, err)
	}
	return s.page(w, http.StatusOK, page)
}

func (s *server) endingOf(w http.ResponseWriter, r *http.Request) (dashboards.EndPage, error) {
	id := pathOf(r)
	v, err := s.view(id.String())
	if err != nil {
		return dashboards.EndPage{}, err
	}
	cleanup, err := s.getCleanup(r.Context(), &id)
	if err != nil {
		return dashboards.EndPage{}, err
	}
	ticket, err := s.ticketOf(r.Context(), v.Rollout)
	if err != nil {
		return dashboards.EndPage{}, err
	}
	f := s.frameOf(w, r, dashboards.InCleanup, id.Environment, id.Flag, "")
	f.Refresh = 0 // nothing may change under the hand of who writes
	return dashboards.NewEndPage(f, endSeen(v.Rollout, cleanup.Body), ticket, s.Now(), newFormKey), nil
}

// ticketOf writes the text of a ticket for whoever takes the flag of a rollout
// out of the code.
func (s *server) ticketOf(ctx context.Context, of decisions.Rollout) (string, error) {
	var f flags.Recorded
	var ready decisions.Readiness
	var scans []flags.RecordedScan
	s.Projection.View(func(uint64) {
		f, _ = s.Flags.Flag(of.Plan.Flag)
		ready, scans = s.readinessFor(ctx, of, f), s.Flags.Scans()
	})
	var found []decisions.Scanned
	for _, scan := range scans {
		used, err := s.used(ctx, scan, f.Key)
		if err != nil {
			return "", err
		}
		found = append(found, scanned(used))
	}
	return of.Ticket(f, ready, found), nil
}

// endOnPage carries out what becomes of a flag.
func (s *server) endOnPage(w http.ResponseWriter, r *http.Request) error {
	in := &endIn{RolloutPath: pathOf(r)}
	b := &in.Body
	b.EndState, b.Purpose, b.Why = r.PostFormValue("endState"), r.PostFormValue("purpose"), r.PostFormValue("why")
	b.Review, b.Reason, b.Comment = r.PostFormValue("review"), r.PostFormValue("reason"), r.PostFormValue("comment")
	if _, err := s.endFlag(r.Context(), in); err != nil {
		return s.refuseEnding(w, r, err, func(p *dashboards.EndPage) *dashboards.Form { return p.Carry })
	}
	return s.onward(w, r, "/cleanup/"+in.String(), "What becomes of the flag is carried out.")
}

// closeOnPage closes a cleanup by hand.
func (s *server) closeOnPage(w http.ResponseWriter, r *http.Request) error {
	in := &closeIn{RolloutPath: pathOf(r)}
	in.Body.Comment = r.PostFormValue("comment")
	if _, err := s.closeCleanup(r.Context(), in); err != nil {
		return s.refuseEnding(w, r, err, func(p *dashboards.EndPage) *dashboards.Form { return p.Close })
	}
	return s.onward(w, r, "/cleanup/"+in.String(), "The cleanup is closed.")
}

// refuseEnding shows the page again with what was refused of one of its forms.
func (s *server) refuseEnding(w http.ResponseWriter, r *http.Request, err error, of func(*dashboards.EndPage) *dashboards.Form) error {
	page, lost := s.endingOf(w, r)
	if lost != nil || of(&page) == nil {
		return s.problemPage(w, r, err)
	}
	*of(&page) = of(&page).Refuse(err, sent(r))
	return s.page(w, problem(err).Status, page)
}
