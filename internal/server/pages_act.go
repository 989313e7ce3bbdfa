package server

import (
	"net/http"
	"strconv"

	"github.com/gorilla/mux"

	"github.com/sluice-hq/sluice/dashboards"
)

// actPage shows what an operation on a rollout would do, and the form that does
// it.
func (s *server) actPage(w http.ResponseWriter, r *http.Request) error {
	page, err := s.preview(w, r)
	if err != nil {
		return s.problemPage(w, r, err)
	}
	return s.page(w, http.StatusOK, page)
}

// actOnRollout does what the form of that page asks for. What is refused is
// said where it was written.
func (s *server) actOnRollout(w http.ResponseWriter, r *http.Request) error {
	page, err := s.preview(w, r)
	if err != nil {
		return s.problemPage(w, r, err)
	}
	in := &commandIn{RolloutPath: pathOf(r), Seen: Seen{IfMatch: r.PostFormValue("seen")}, Op: mux.Vars(r)["op"]}
	in.Body.Comment, in.Body.Decision = r.PostFormValue("comment"), r.PostFormValue("decision")
	if _, err := s.commandRollout(r.Context(), in); err != nil {
		page.Form = page.Form.Refuse(err, sent(r))
		return s.page(w, problem(err).Status, page)
	}
	return s.onward(w, r, page.Title.Link, page.Name+": done.")
}

func (s *server) preview(w http.ResponseWriter, r *http.Request) (dashboards.Preview, error) {
	id := pathOf(r)
	v, err := s.view(id.String())
	if err != nil {
		return dashboards.Preview{}, err
	}
	f := s.frameOf(w, r, dashboards.InRollouts, id.Environment, id.Flag, "")
	f.Refresh = 0 // nothing may change under the hand of who is about to decide
	page, ok := dashboards.NewPreview(f, seen(v), mux.Vars(r)["op"], newFormKey())
	if !ok {
		return page, errNoSuch
	}
	return page, nil
}

// pathOf reads the name of a rollout in a path; a number that is none names no
// rollout.
func pathOf(r *http.Request) RolloutPath {
	n, _ := strconv.Atoi(mux.Vars(r)["number"])
	return RolloutPath{Environment: mux.Vars(r)["environment"], Flag: mux.Vars(r)["flag"], Number: n}
}
