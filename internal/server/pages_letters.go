package server

import (
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/gorilla/mux"

	"github.com/sluice-hq/sluice/dashboards"
	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/ingest"
	"github.com/sluice-hq/sluice/internal/access"
)

const (
	lettersOnPage = 50
	ordersOnPage  = 10
)

// lettersPage lists the dead letters that a filter selects, and what was ordered
// about others lately.
func (s *server) lettersPage(w http.ResponseWriter, r *http.Request) error {
	f, q := s.listFrame(w, r, dashboards.InEvents), r.URL.Query()
	f.Refresh = 0 // nothing may move under the hand of who reads
	if err := s.mayList(r.Context(), f.Environment); err != nil {
		return s.problemPage(w, r, err)
	}
	which, err := selection(q)
	if err != nil {
		return s.problemPage(w, r, err)
	}
	out, err := s.listLetters(r.Context(), &lettersIn{Page{Limit: lettersOnPage, Cursor: q.Get("cursor")}, which})
	if err != nil {
		return s.problemPage(w, r, err)
	}
	orders, err := s.listOrders(r.Context(), &ordersIn{Page{Limit: ordersOnPage}})
	if err != nil {
		return s.problemPage(w, r, err)
	}
	in := dashboards.LettersSeen{Total: out.Body.Total, Letters: bare(out.Body.Letters), Next: out.Body.Next, Orders: orders.Body.Orders}
	in.MayReplay, in.MayPurge = wholly(r.Context(), access.Write), wholly(r.Context(), access.Manage)
	return s.page(w, http.StatusOK, dashboards.NewLetters(f, q, in))
}

func bare(all []LetterView) []ingest.Letter {
	out := make([]ingest.Letter, len(all))
	for i, l := range all {
		out[i] = l.Letter
	}
	return out
}

// selection reads which letters an address or a form means.
func selection(q url.Values) (c Selection, err error) {
	c = Selection{Reason: q.Get("reason"), Name: q.Get("name"), Environment: q.Get("environment"), Unit: q.Get("unit"), Text: q.Get("text")}
	var faults event.Invalids
	for name, to := range map[string]*time.Time{"since": &c.Since, "until": &c.Until} {
		text := q.Get(name)
		at, ok := dashboards.FormMoment(text)
		if *to = at; text != "" && !ok {
			faults.Add(name, text, "is not a time", "write one such as 2026-12-01T09:00")
		}
	}
	return c, faults.Err()
}

// letterPage shows one dead letter.
func (s *server) letterPage(w http.ResponseWriter, r *http.Request) error {
	out, err := s.getLetter(r.Context(), &letterIn{mux.Vars(r)["id"]})
	if err != nil {
		return s.problemPage(w, r, err)
	}
	f := s.frame(w, r, dashboards.InEvents)
	f.Refresh = 0
	return s.page(w, http.StatusOK, dashboards.NewLetter(f, out.Body.Letter, wholly(r.Context(), access.Write), wholly(r.Context(), access.Manage)))
}

// replayPage and purgePage show what an order would be about.
func (s *server) replayPage(w http.ResponseWriter, r *http.Request) error {
	return s.letterOrderPage(w, r, true)
}

func (s *server) purgePage(w http.ResponseWriter, r *http.Request) error {
	return s.letterOrderPage(w, r, false)
}

func (s *server) letterOrderPage(w http.ResponseWriter, r *http.Request, replay bool) error {
	page, err := s.letterOrder(w, r, r.URL.Query(), replay)
	if err != nil {
		return s.problemPage(w, r, err)
	}
	return s.page(w, http.StatusOK, page)
}

// letterOrder makes the page before an order.
func (s *server) letterOrder(w http.ResponseWriter, r *http.Request, q url.Values, replay bool) (dashboards.LetterOrder, error) {
	which, err := selection(q)
	if err != nil {
		return dashboards.LetterOrder{}, err
	}
	in := &orderPreviewIn{Selection: which, IDs: q["id"], Replay: replay}
	out, err := s.previewOrder(r.Context(), in)
	if err != nil {
		return dashboards.LetterOrder{}, err
	}
	f := s.frame(w, r, dashboards.InEvents)
	f.Refresh = 0 // nothing may change under the hand of who is about to decide
	return dashboards.NewLetterOrder(f, replay, q, out.Body.Selected, out.Body.Letters, newFormKey()), nil
}

// replayOnPage and purgeOnPage order what those pages show.
func (s *server) replayOnPage(w http.ResponseWriter, r *http.Request) error {
	return s.orderOnPage(w, r, true)
}

func (s *server) purgeOnPage(w http.ResponseWriter, r *http.Request) error {
	return s.orderOnPage(w, r, false)
}

func (s *server) orderOnPage(w http.ResponseWriter, r *http.Request, replay bool) error {
	_ = r.ParseForm() // whoever let it in has read it
	q := r.PostForm
	which, err := selection(q)
	if err != nil {
		return s.problemPage(w, r, err)
	}
	in := &orderIn{Ordering{Selection: which, IDs: q["id"], All: q.Get("all") == "true", Comment: q.Get("comment")}}
	if seen, err := strconv.Atoi(q.Get("seen")); err == nil {
		in.Body.Seen = &seen
	}
	done := s.purgeLetters
	if replay {
		done = s.replayLetters
	}
	out, err := done(r.Context(), in)
	if err != nil {
		return s.refuseOrder(w, r, replay, err)
	}
	said := "They are purged."
	if replay {
		said = "They are being sent again: what comes of it stands below."
	}
	return s.onward(w, r, "/events/letters", strconv.Itoa(out.Body.Letters)+" dead letters. "+said)
}

// refuseOrder shows the page again with what is so now, and what was refused.
func (s *server) refuseOrder(w http.ResponseWriter, r *http.Request, replay bool, err error) error {
	page, lost := s.letterOrder(w, r, r.PostForm, replay)
	if lost != nil || page.Form == nil {
		return s.problemPage(w, r, err)
	}
	form := page.Form.Refuse(err, sentTo(r, *page.Form, true))
	page.Form = &form
	return s.page(w, problem(err).Status, page)
}
