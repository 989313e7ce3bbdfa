package server

import (
	"net/http"
	"net/url"
	"strconv"

	"github.com/sluice-hq/sluice/dashboards"
	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/internal/access"
)

const erasedOnPage = 50

// unitPage is where one unit is followed. Its address may hold the unit's hash,
// never its id.
func (s *server) unitPage(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	asked := unitAsked(q)
	asked.ID = q.Get("unit")
	return s.followUnit(w, r, asked)
}

// askUnit answers the form of that page, which sends the id out of sight.
func (s *server) askUnit(w http.ResponseWriter, r *http.Request) error {
	_ = r.ParseForm() // whoever let it in has read it
	return s.followUnit(w, r, unitAsked(r.PostForm))
}

func unitAsked(q url.Values) dashboards.UnitAsked {
	return dashboards.UnitAsked{Environment: q.Get("environment"), Flag: q.Get("flag"), Number: q.Get("number"), Kind: q.Get("kind"), ID: q.Get("id"), Attributes: q.Get("attributes")}
}

// followUnit makes the page. What is refused stands at the form.
func (s *server) followUnit(w http.ResponseWriter, r *http.Request, q dashboards.UnitAsked) error {
	f, environments := s.eventFrame(w, r)
	if q.Environment != "" {
		f.Environment = q.Environment
	}
	erasure, err := s.erasure(r)
	if err != nil {
		return s.problemPage(w, r, err)
	}
	if q.ID == "" && r.Method == http.MethodGet {
		return s.page(w, http.StatusOK, dashboards.NewUnit(f, environments, q, nil, erasure, s.Now()))
	}
	q.Environment = f.Environment
	seen, err := s.unitTraced(r, q)
	if err != nil {
		page := dashboards.NewUnit(f, environments, q, nil, erasure, s.Now())
		page.Ask = page.Ask.Refuse(err, func(name string) string { return fieldOf(page.Ask, name) })
		return s.page(w, problem(err).Status, page)
	}
	return s.page(w, http.StatusOK, dashboards.NewUnit(f, environments, q, seen, erasure, s.Now()))
}

// fieldOf returns what a form has in a field.
func fieldOf(f dashboards.Form, name string) string {
	for _, field := range f.Fields {
		if field.Name == name {
			return field.Value
		}
	}
	return ""
}

// unitTraced asks what the API is asked.
func (s *server) unitTraced(r *http.Request, q dashboards.UnitAsked) (*dashboards.UnitTraced, error) {
	in := &traceUnitIn{TraceAsked{UnitNamed: named(q), Environment: q.Environment, Flag: q.Flag, Attributes: map[string]any{}}}
	if q.Hash() == "" && r.Method == http.MethodGet {
		return nil, event.Invalids{{Path: "id", Why: "stands in an address, which logs and proxies keep", Fix: "send it by the form, or write the hash of the unit"}}
	}
	for name, values := range attributesOf(dashboards.UnitQuestion{Attributes: q.Attributes}.Query()) {
		in.Body.Attributes[name] = attributeValue(values[0])
	}
	if q.Number != "" {
		n, err := strconv.Atoi(q.Number)
		if err != nil || n < 1 {
			return nil, event.Invalids{{Path: "number", Value: q.Number, Why: "is no number of a rollout", Fix: "write one such as 1, or nothing for the newest"}}
		}
		in.Body.Number = n
	}
	out, err := s.traceUnit(r.Context(), in)
	if err != nil {
		return nil, err
	}
	b := out.Body
	seen := &dashboards.UnitTraced{Kind: b.Kind, Unit: b.Unit, Rollout: b.Rollout, Trace: b.Trace, Letters: bare(b.Letters)}
	if b.Evaluation != nil {
		seen.Evaluation = &b.Evaluation.Explanation
	}
	return seen, nil
}

// named is the unit as the API is told.
func named(q dashboards.UnitAsked) UnitNamed {
	if hash := q.Hash(); hash != "" {
		return UnitNamed{Kind: q.Kind, Unit: hash}
	}
	return UnitNamed{Kind: q.Kind, ID: q.ID}
}

// erasure is what whoever may delete units sees beside; nil for everybody else.
func (s *server) erasure(r *http.Request) (*dashboards.UnitErasure, error) {
	if !wholly(r.Context(), access.Manage) || s.Units == nil {
		return nil, nil
	}
	out, err := s.listDeletions(r.Context(), &deletionsIn{Page{Limit: erasedOnPage, Cursor: r.URL.Query().Get("cursor")}})
	if err != nil {
		return nil, err
	}
	return &dashboards.UnitErasure{Deletions: out.Body.Deletions, Next: out.Body.Next}, nil
}

// exportOnPage writes everything that is kept of a unit as a file.
func (s *server) exportOnPage(w http.ResponseWriter, r *http.Request) error {
	_ = r.ParseForm() // whoever let it in has read it
	out, err := s.exportUnit(r.Context(), &exportUnitIn{named(unitAsked(r.PostForm))})
	if err != nil {
		return s.problemPage(w, r, err)
	}
	w.Header().Set("Content-Disposition", `attachment; filename="unit.json"`)
	return writeJSON(w, http.StatusOK, out.Body)
}

// erasePage shows what a deletion would take, and the form that does it.
func (s *server) erasePage(w http.ResponseWriter, r *http.Request) error {
	page, err := s.eraseOf(w, r)
	if err != nil {
		return s.problemPage(w, r, err)
	}
	return s.page(w, http.StatusOK, page)
}

func (s *server) eraseOf(w http.ResponseWriter, r *http.Request) (dashboards.UnitErase, error) {
	_ = r.ParseForm() // whoever let it in has read it
	q := unitAsked(r.PostForm)
	out, err := s.exportUnit(r.Context(), &exportUnitIn{named(q)})
	if err != nil {
		return dashboards.UnitErase{}, err
	}
	kept := dashboards.UnitKept{UnitFacts: out.Body.UnitFacts, Remains: remains}
	for _, m := range out.Body.Mentions {
		kept.Mentions = append(kept.Mentions, dashboards.Mentioned(m))
	}
	f, _ := s.eventFrame(w, r)
	return dashboards.NewUnitErase(f, q, kept, newFormKey()), nil
}

// eraseOnPage deletes.
func (s *server) eraseOnPage(w http.ResponseWriter, r *http.Request) error {
	_ = r.ParseForm() // whoever let it in has read it
	in := &deleteUnitIn{}
	in.Body.UnitNamed, in.Body.Comment = named(unitAsked(r.PostForm)), r.PostForm.Get("comment")
	out, err := s.deleteUnit(r.Context(), in)
	if err == nil {
		return s.onward(w, r, "/events/unit", "The deletion of "+out.Body.Kind+" "+out.Body.Unit+" is recorded. It is carried out now: see below.")
	}
	page, lost := s.eraseOf(w, r)
	if lost != nil {
		return s.problemPage(w, r, err)
	}
	page.Form = page.Form.Refuse(err, sentTo(r, page.Form, true))
	return s.page(w, problem(err).Status, page)
}
